/**
 * Tells the other gateways which events have changed, so that their readers need not wait until a board is old. It is
 * a hint: what is lost, for want of room or of Redis, shows when the board is asked for again.
 */
import { EventId } from "@onsale/contracts/Ids"
import { Context, Duration, Effect, Layer, Metric, Option, Queue, Random, Schedule } from "effect"
import type { Redis } from "effect/persistence"
import { SharedRedis } from "./SharedRedis.ts"

const channel = "onsale:availability"
/** However often an event changes here, the others hear of it once in this time. */
const tellEveryMs = 50
/** Events that wait to be told of; of a 1025th nothing is told. */
const capacity = 1_024
/** About 12 kB. */
const eventsAMessage = 256

const news = Metric.counter("onsale_availability_news_total", {
  description: "Messages between gateways of which events have changed",
  incremental: true
})
const outcomes = {
  told: Metric.withAttributes(news, { outcome: "told" }),
  lost: Metric.withAttributes(news, { outcome: "lost" }),
  heard: Metric.withAttributes(news, { outcome: "heard" })
}

/** Of a change whose version is not known: newer than any board. */
export const newest = Number.POSITIVE_INFINITY

type Listener = (eventId: EventId, version: number) => void

/** Who tells it, and what: `id`, or `id:version`. */
const encode = (teller: string, changes: ReadonlyArray<readonly [EventId, number]>): string =>
  [teller, ...changes.map(([id, version]) => (version === newest ? id : `${id}:${version}`))].join(" ")

const hear = (teller: string, message: string, listener: Listener): void => {
  const [from, ...changes] = message.split(" ")
  if (from === teller) return
  for (const change of changes.slice(0, eventsAMessage)) {
    const [id = "", version] = change.split(":")
    const known = version === undefined ? newest : Number(version)
    if (!Number.isNaN(known)) listener(EventId.make(id, { disableChecks: true }), known)
  }
}

const over = Effect.fnUntraced(function* (redis: Redis.Redis["Service"]) {
  const teller = (yield* Random.nextInt).toString(36)
  const waiting = new Map<EventId, number>()
  let listener: Listener = () => {}

  const tell = Effect.suspend(() => {
    const changes = Array.from(waiting).slice(0, eventsAMessage)
    if (changes.length === 0) return Effect.void
    for (const [id] of changes) waiting.delete(id)
    return redis.send("PUBLISH", channel, encode(teller, changes)).pipe(
      Effect.matchEffect({
        onFailure: () => Metric.update(outcomes.lost, 1),
        onSuccess: () => Metric.update(outcomes.told, 1)
      })
    )
  })
  yield* Effect.forkScoped(Effect.forever(Effect.andThen(Effect.sleep(Duration.millis(tellEveryMs)), tell)))

  yield* Effect.forkScoped(
    Effect.scoped(
      Effect.gen(function* () {
        const messages = yield* redis.subscribe(channel)
        while (true) {
          const { message } = yield* Queue.take(messages)
          hear(teller, message, listener)
          yield* Metric.update(outcomes.heard, 1)
        }
      })
    ).pipe(Effect.retry(Schedule.jittered(Schedule.spaced("1 second"))))
  )

  return AvailabilityNews.of({
    tell: (eventId, version) => {
      const told = waiting.get(eventId)
      if (told !== undefined || waiting.size < capacity) {
        waiting.set(eventId, told === undefined ? version : Math.max(told, version))
      }
    },
    listen: (to) => {
      listener = to
    }
  })
})

export class AvailabilityNews extends Context.Service<
  AvailabilityNews,
  {
    /** The event has changed through this process; `newest` where the version is not known. */
    readonly tell: (eventId: EventId, version: number) => void
    /** Is called with what others have told, of any event; the last one who listens is. */
    readonly listen: (listener: Listener) => void
  }
>()("@onsale/gateway/AvailabilityNews") {
  static readonly layerNone = Layer.succeed(AvailabilityNews, { tell: () => {}, listen: () => {} })

  static readonly layer = Layer.unwrap(
    Effect.map(SharedRedis, (shared) =>
      Option.isNone(shared)
        ? AvailabilityNews.layerNone
        : Layer.effect(AvailabilityNews, over(shared.value.redis))
    )
  )
}
