/**
 * Streams of an event's availability: one poll of its board however many watch it, and nothing queued for anyone. Each
 * watcher remembers how far it has been told; when it asks for more it gets all that happened since as one message,
 * or a snapshot where that is no longer known.
 */
import type { AvailabilityUpdate } from "@onsale/contracts/http/AvailabilityUpdate"
import { EventNotFound, Overloaded } from "@onsale/contracts/http/Problems"
import type { EventId } from "@onsale/contracts/Ids"
import type { AvailabilityView } from "@onsale/contracts/inventory/InventoryCommand"
import { Stopping } from "@onsale/platform/Stopping"
import { Clock, Context, Deferred, Duration, Effect, Layer, Metric, RcMap, Stream } from "effect"
import { AvailabilityBoard, render } from "./AvailabilityBoard.ts"
import * as Changes from "./AvailabilityChanges.ts"
import { overloaded } from "./InventoryProblems.ts"

/** How often a board is read while somebody watches it. */
const pollMs = 200
/** Changes that are kept for those who come back, or read slowly; the event's seats bound them as well. */
const maxChanges = 64
/** An event that nobody watches is forgotten after this time: who lost a connection resumes within it. */
const idleFor = Duration.seconds(30)
/** Streams of this process. */
const maxStreams = 10_000
/** Events that are watched at a time. */
const maxEvents = 1_000
/** The inventory may be away for so long before those who watch are told. */
const patienceMs = 10_000

const watching = Metric.gauge("onsale_availability_streams", {
  description: "Streams of availability that are open"
})

const later = () => new Overloaded({ retryAfterSeconds: 1 })

interface Topic {
  known: Changes.Known | undefined
  /** Counts the changes; `changes` are the last ones of them. */
  told: number
  readonly changes: Array<Changes.Change>
  failed: boolean
  /** Done when there is more to tell. */
  next: Deferred.Deferred<void>
}

const wake = (topic: Topic): void => {
  const { next } = topic
  topic.next = Deferred.makeUnsafe()
  Deferred.doneUnsafe(next, Effect.void)
}

const learn = (topic: Topic, view: AvailabilityView): void => {
  if (view === topic.known?.view) return
  const before = topic.known
  const after = Changes.known(view)
  topic.known = after
  if (before === undefined) return wake(topic)
  const change = Changes.changeOf(before, after)
  if (change === null) {
    topic.changes.length = 0
  } else if (Changes.isNothing(change)) {
    return
  } else {
    topic.changes.push(change)
    let seats = topic.changes.reduce((sum, { seats }) => sum + seats.length, 0)
    while (topic.changes.length > maxChanges || (seats > view.total && topic.changes.length > 1)) {
      seats -= topic.changes.shift()!.seats.length
    }
  }
  topic.told++
  wake(topic)
}

/** How far who has the version was told; undefined where that is not known. The oldest of equal versions: all is told. */
const toldAt = (topic: Topic, version: number): number | undefined => {
  const index = topic.changes.findIndex(({ from }) => from === version)
  if (index !== -1) return topic.told - topic.changes.length + index
  return topic.known?.view.version === version ? topic.told : undefined
}

/** All that happened since `from`, as one message. */
const message = (
  eventId: EventId,
  topic: Topic,
  known: Changes.Known,
  from: number | undefined
): AvailabilityUpdate => {
  const missed = from === undefined ? Number.POSITIVE_INFINITY : topic.told - from
  if (missed > topic.changes.length) return { _tag: "Snapshot", availability: render(eventId, known.view) }
  return Changes.deltaOf(eventId, known, missed === 0 ? [] : topic.changes.slice(-missed))
}

export class AvailabilityFeed extends Context.Service<
  AvailabilityFeed,
  {
    /**
     * A snapshot, or what happened after the version that the watcher has seen, and then what happens. `Overloaded`
     * where too many watch, the inventory is away for long, or the server stops. It does not end by itself.
     */
    readonly watch: (
      eventId: EventId,
      after?: number
    ) => Stream.Stream<AvailabilityUpdate, EventNotFound | Overloaded>
  }
>()("@onsale/gateway/AvailabilityFeed") {
  static readonly layer = Layer.effect(
    AvailabilityFeed,
    Effect.gen(function* () {
      const boards = yield* AvailabilityBoard
      const stopping = yield* Stopping
      const clock = yield* Clock.Clock
      /** By the clock that only goes forward. */
      const nowMs = () => Number(clock.monotonicTimeNanosUnsafe()) / 1e6
      let streams = 0

      const poll = Effect.fnUntraced(function* (eventId: EventId, topic: Topic) {
        let answeredAtMs = nowMs()
        return yield* boards.get(eventId).pipe(
          Effect.match({
            onFailure: () => undefined,
            onSuccess: (board) => board?.view
          }),
          Effect.map((view) => {
            if (view !== undefined) {
              answeredAtMs = nowMs()
              topic.failed = false
              learn(topic, view)
            } else if (!topic.failed && nowMs() - answeredAtMs > patienceMs) {
              topic.failed = true
              wake(topic)
            }
          }),
          Effect.andThen(Effect.sleep(Duration.millis(pollMs))),
          Effect.forever
        )
      })

      const topics = yield* RcMap.make({
        lookup: Effect.fnUntraced(function* (eventId: EventId) {
          const topic: Topic = {
            known: undefined,
            told: 0,
            changes: [],
            failed: false,
            next: Deferred.makeUnsafe()
          }
          yield* Effect.forkScoped(poll(eventId, topic))
          return topic
        }),
        idleTimeToLive: idleFor,
        capacity: maxEvents
      })

      const count = (change: number) =>
        Effect.suspend(() => {
          streams += change
          return Metric.update(watching, streams)
        })
      const place = Effect.acquireRelease(
        Effect.suspend(() => (streams < maxStreams ? count(1) : Effect.fail(later()))),
        () => count(-1)
      )

      const watch = Effect.fnUntraced(function* (eventId: EventId, after: number | undefined) {
        yield* place
        const board = yield* Effect.mapError(boards.get(eventId), overloaded)
        if (board === null) return yield* new EventNotFound({})
        const topic = yield* Effect.mapError(RcMap.get(topics, eventId), later)
        if (topic.known === undefined) learn(topic, board.view)

        /** `from` is what was told so far; undefined before the first message. */
        const next = (from: number | undefined, first: boolean): Effect.Effect<Told, Overloaded> =>
          Effect.suspend(() => {
            if (topic.failed) return Effect.fail(later())
            const { known, told } = topic
            return known === undefined || (from === told && !first)
              ? Effect.andThen(
                  Effect.raceFirst(
                    Deferred.await(topic.next),
                    Effect.andThen(stopping, Effect.fail(later()))
                  ),
                  next(from, first)
                )
              : Effect.succeed([message(eventId, topic, known, from), told])
          })

        return Stream.unfold(
          { from: after === undefined ? undefined : toldAt(topic, after), first: true },
          ({ first, from }) =>
            Effect.map(next(from, first), ([update, told]) => [update, { from: told, first: false }] as const)
        )
      })

      return AvailabilityFeed.of({
        watch: (eventId, after) => Stream.unwrap(watch(eventId, after))
      })
    })
  )
}

type Told = readonly [update: AvailabilityUpdate, told: number]
