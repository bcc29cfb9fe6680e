/**
 * Streams of an event's availability: one poll of its board however many watch it, and nothing queued for anyone. Each
 * watcher remembers how far it has been told; when it asks for more it gets all that happened since as one message,
 * or a snapshot where that is no longer known.
 *
 * `watch` is a stream of its own for each (RPC, and the typed route of server-sent events); who has thousands of
 * viewers opens the event once for all of them.
 */
import type { AvailabilityUpdate } from "@onsale/contracts/http/AvailabilityUpdate"
import { EventNotFound, Overloaded } from "@onsale/contracts/http/Problems"
import type { EventId } from "@onsale/contracts/Ids"
import { Stopping } from "@onsale/platform/Stopping"
import {
  Clock,
  Config,
  Context,
  DateTime,
  Deferred,
  Duration,
  Effect,
  Exit,
  Layer,
  Metric,
  Option,
  RcMap,
  type Scope,
  Stream
} from "effect"
import { AvailabilityBoard } from "./AvailabilityBoard.ts"
import * as Pace from "./AvailabilityPace.ts"
import * as AvailabilityTopic from "./AvailabilityTopic.ts"
import { unanswered } from "./InventoryProblems.ts"

/** An event that nobody watches is forgotten after this time: who lost a connection resumes within it. */
const idleFor = Duration.seconds(30)
/** Events that are watched at a time. */
const maxEvents = 1_000
/** The inventory may be away for so long before those who watch are told. */
const patienceMs = 10_000
/** A board that has not come by then is asked for again: who watches is told on time, and hears the heartbeats. */
const answerLimit = Duration.millis(2_500)

/** `ONSALE_VIEWERS`: streams of this process, over every transport. A connection costs about 20 kB. */
const maxViewers = Config.Int("ONSALE_VIEWERS").pipe(Config.withDefault(12_000))

const watching = Metric.gauge("onsale_availability_streams", {
  description: "Streams of availability that are open"
})

const isoNow = Effect.map(DateTime.now, DateTime.formatIso)

const full = () => new Overloaded({ retryAfterSeconds: 1 })
/** The inventory is away, or we stop. */
const away = () => new Overloaded({ retryAfterSeconds: 1, reason: "unavailable" })

/** An inventory that has not answered for {@link patienceMs}, and when it did last. */
export interface Away {
  /** By the clock that only goes forward. */
  readonly sinceMs: number
  /** For people: a time of ISO 8601. */
  readonly since: string
}

/** An event that somebody watches. */
export interface Watched {
  readonly topic: AvailabilityTopic.AvailabilityTopic
  /** Undefined while the topic is what the inventory says. */
  readonly away: Away | undefined
  /** There is no such event any more. */
  readonly gone: boolean
  /** Is run after each poll, before the pause; whoever sets it last is. */
  turn: Effect.Effect<void>
}

interface Entry extends Watched {
  away: Away | undefined
  gone: boolean
  /** Done when there is more to tell. */
  next: Deferred.Deferred<void>
}

const wake = (entry: Entry): void => {
  const { next } = entry
  entry.next = Deferred.makeUnsafe()
  Deferred.doneUnsafe(next, Effect.void)
}

/** What a watcher was told last: the version, or what its stream is resumed by. */
export type After = { readonly version: number } | { readonly id: string } | undefined

/** A message, and what a stream is resumed by after it. */
export interface Told {
  readonly update: AvailabilityUpdate
  readonly id: string
}

const toldAfter = ({ topic }: Watched, after: After): number | undefined => {
  if (after === undefined) return undefined
  return "id" in after ? topic.toldAtId(after.id) : topic.toldAtVersion(after.version)
}

export class AvailabilityFeed extends Context.Service<
  AvailabilityFeed,
  {
    /**
     * A snapshot, or what happened after what the watcher has seen, and then what happens. `Overloaded` where too
     * many watch, the inventory is away for long, the event is deleted, or the server stops. It does not end by itself.
     */
    readonly watch: (eventId: EventId, after?: After) => Stream.Stream<Told, EventNotFound | Overloaded>
    /** The same, where it is known to begin: it has its place for as long as the scope. */
    readonly join: (
      eventId: EventId,
      after?: After
    ) => Effect.Effect<Stream.Stream<Told, Overloaded>, EventNotFound | Overloaded, Scope.Scope>
    /** Watches the event for as long as the scope; it is known already. Takes no place: see `enter`. */
    readonly open: (eventId: EventId) => Effect.Effect<Watched, EventNotFound | Overloaded, Scope.Scope>
    /** Takes the place of one viewer; false where there is none. */
    readonly enter: () => boolean
    readonly leave: () => void
    readonly viewers: () => number
  }
>()("@onsale/gateway/AvailabilityFeed") {
  static readonly layer = Layer.effect(
    AvailabilityFeed,
    Effect.gen(function* () {
      const boards = yield* AvailabilityBoard
      const stopping = yield* Stopping
      const clock = yield* Clock.Clock
      const context = yield* Effect.context<never>()
      const most = yield* maxViewers
      /** By the clock that only goes forward. */
      const nowMs = () => Number(clock.monotonicTimeNanosUnsafe()) / 1e6
      let viewers = 0
      let events = 0

      const count = (change: number): void => {
        viewers += change
        watching.updateUnsafe(viewers, context)
      }
      const enter = () => {
        if (viewers >= most) return false
        count(1)
        return true
      }
      const leave = () => count(-1)

      const poll = Effect.fnUntraced(function* (eventId: EventId, entry: Entry) {
        let answered: Away = { sinceMs: nowMs(), since: yield* isoNow }
        while (true) {
          const begunAtMs = nowMs()
          // Whatever is wrong with one answer, the next is asked for: who watches must not be left without.
          const exit = yield* boards.get(eventId).pipe(Effect.timeoutOption(answerLimit), Effect.exit)
          const view = Exit.isSuccess(exit) ? Option.getOrNull(exit.value)?.view : undefined
          if (view !== undefined) {
            answered = { sinceMs: nowMs(), since: yield* isoNow }
            entry.away = undefined
            entry.gone = false
            if (entry.topic.learn(view)) wake(entry)
          } else if (Exit.isSuccess(exit) && Option.isSome(exit.value)) {
            const told = entry.gone
            entry.gone = true
            if (!told) wake(entry)
          } else if (entry.away === undefined && nowMs() - answered.sinceMs > patienceMs) {
            entry.away = answered
            wake(entry)
          }
          yield* Effect.catchCause(entry.turn, (cause) =>
            Effect.logError("viewers were not told of an event's availability", cause)
          )
          yield* Effect.sleep(Duration.millis(Pace.pauseMs(viewers, events, nowMs() - begunAtMs)))
        }
      })

      const entries = yield* RcMap.make({
        lookup: Effect.fnUntraced(function* (eventId: EventId) {
          yield* Effect.acquireRelease(
            Effect.sync(() => {
              events++
            }),
            () =>
              Effect.sync(() => {
                events--
              })
          )
          const entry: Entry = {
            topic: AvailabilityTopic.make(eventId),
            turn: Effect.void,
            away: undefined,
            gone: false,
            next: Deferred.makeUnsafe()
          }
          yield* Effect.forkScoped(poll(eventId, entry))
          return entry
        }),
        idleTimeToLive: idleFor,
        capacity: maxEvents
      })

      const open = Effect.fnUntraced(function* (eventId: EventId) {
        const board = yield* Effect.mapError(boards.get(eventId), unanswered)
        if (board === null) return yield* new EventNotFound({})
        const entry = yield* Effect.mapError(RcMap.get(entries, eventId), full)
        if (entry.topic.known === undefined) entry.topic.learn(board.view)
        return entry
      })

      const place = Effect.acquireRelease(
        Effect.suspend(() => (enter() ? Effect.void : Effect.fail(full()))),
        () => Effect.sync(leave)
      )

      const join = Effect.fnUntraced(function* (eventId: EventId, after?: After) {
        yield* place
        const entry = yield* open(eventId)
        const { topic } = entry

        /** `from` is what was told so far; undefined before a first snapshot. */
        const next = (from: number | undefined, first: boolean): Effect.Effect<Step, Overloaded> =>
          Effect.suspend(() => {
            if (entry.away !== undefined || entry.gone) return Effect.fail(away())
            return from === topic.told && !first
              ? Effect.andThen(
                  Effect.raceFirst(Deferred.await(entry.next), Effect.andThen(stopping, Effect.fail(away()))),
                  next(from, first)
                )
              : Effect.succeed([{ update: topic.since(from), id: topic.id() }, topic.told])
          })

        return Stream.unfold({ from: toldAfter(entry, after), first: true }, ({ first, from }) =>
          Effect.map(next(from, first), ([message, told]) => [message, { from: told, first: false }] as const)
        )
      })

      return AvailabilityFeed.of({
        watch: (eventId, after) => Stream.unwrap(join(eventId, after)),
        join,
        open,
        enter,
        leave,
        viewers: () => viewers
      })
    })
  )
}

type Step = readonly [message: Told, told: number]
