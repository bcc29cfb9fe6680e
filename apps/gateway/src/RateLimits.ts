/**
 * How much one client may ask for. Each request is decided here, from memory, at once; what a client that asks for
 * much has taken is told to the other gateways through Redis, in the background, and what they have let in comes
 * back with the answer. So a client that goes to every gateway soon gets as much as from one.
 *
 * Without Redis, or while it is away, each gateway goes on with the same limit of its own.
 */
import { Clock, Config, Context, Duration, Effect, Layer, Metric, Option } from "effect"
import { RateLimiter, Redis } from "effect/persistence"
import * as Bucket from "./Bucket.ts"
import { SharedRedis } from "./SharedRedis.ts"

export const classes = ["reads", "holds", "orders", "checkIns", "organiser"] as const
/** What a request is counted as. */
export type Class = (typeof classes)[number]

export interface Refusal {
  readonly limit: Bucket.Limit
  readonly waitMs: number
}

/** Clients of a class that are remembered, about 10 MB in all; the one that came first makes room. */
const clientsKept = 50_000
/** The others are told of a client that has taken this part of the limit: most clients never do. */
const toldFrom = 1 / 16
const tellEveryMs = 100
/** Clients that are told of in a round; who is left over comes first in the next. */
const tellAtMost = 256
const tellAtOnce = 32
/** Clients that wait to be told of. Who finds no place is told of after a later request. */
const tellQueue = 8 * 1_024
const forgetEveryMs = 1_000
/** Clients of a class that are looked at for that; what is left comes next time. */
const forgetAtMost = 2_000

const limited = Metric.counter("onsale_rate_limited_total", {
  description: "Requests that were refused because their client had asked for too much",
  incremental: true
})
const told = Metric.counter("onsale_rate_limit_told_total", {
  description: "Clients that other gateways were told of, by whether Redis took it",
  incremental: true
})
const taken = Metric.withAttributes(told, { outcome: "taken" })
const lost = Metric.withAttributes(told, { outcome: "lost" })

const burst = (name: string, fallback: number) =>
  Config.Int(`ONSALE_RATE_LIMIT_${name}`).pipe(Config.withDefault(fallback))

/**
 * `ONSALE_RATE_LIMIT_READS` and so on: requests of a client in `ONSALE_RATE_LIMIT_WINDOW`, 0 for no limit. As left
 * out they stop a machine, not a household or a small office behind one address.
 */
export const config = Config.all({
  reads: burst("READS", 1_000),
  holds: burst("HOLDS", 200),
  orders: burst("ORDERS", 100),
  // A stadium's gates stand behind one address.
  checkIns: burst("CHECKINS", 1_000),
  organiser: burst("ORGANISER", 500),
  window: Config.Duration("ONSALE_RATE_LIMIT_WINDOW").pipe(Config.withDefault("10 seconds"))
})

interface Kind {
  readonly name: Class
  readonly limit: Bucket.Limit
  readonly buckets: Map<string, Bucket.Bucket>
  readonly refused: Metric.Counter<number>
}

const kindOf = (name: Class, limit: Bucket.Limit): Kind => ({
  name,
  limit,
  buckets: new Map(),
  refused: Metric.withAttributes(limited, { class: name })
})

/** Drops those who have taken nothing for a while, and looks at others next time. */
const forget = ({ buckets, limit }: Kind, nowMs: number): void => {
  let left = Math.min(forgetAtMost, buckets.size)
  for (const [client, bucket] of buckets) {
    if (left-- === 0) return
    buckets.delete(client)
    Bucket.refill(bucket, limit, nowMs)
    if (bucket.tokens < limit.burst) buckets.set(client, bucket)
  }
}

interface Untold {
  readonly kind: Kind
  readonly client: string
}

/** Tells the other gateways of some clients, and learns of theirs; fails where Redis does not answer. */
const tellWith = (limiter: RateLimiter.RateLimiter, clock: Clock.Clock) =>
  Effect.fnUntraced(function* (queue: Map<Bucket.Bucket, Untold>) {
    const round = Array.from(queue).slice(0, tellAtMost)
    for (const [bucket] of round) queue.delete(bucket)
    yield* Effect.forEach(
      round,
      ([
        bucket,
        {
          client,
          kind: { limit, name }
        }
      ]) =>
        Effect.suspend(() => {
          const tokens = bucket.untold
          // Sent once, whatever comes of it: a Redis that is slow would count it again and again.
          bucket.untold = 0
          if (tokens === 0) return Effect.void
          return Effect.map(
            limiter.consume({
              algorithm: "token-bucket",
              // They are taken already: what is over the limit is a debt.
              onExceeded: "delay",
              key: `${name}:${client}`,
              limit: limit.burst,
              window: limit.windowMs,
              tokens
            }),
            ({ remaining }) => {
              Bucket.refill(bucket, limit, clock.currentTimeMillisUnsafe())
              Bucket.learn(bucket, limit, remaining)
            }
          )
        }),
      { concurrency: tellAtOnce, discard: true }
    )
    return round.length
  })

const make = Effect.gen(function* () {
  const settings = yield* config
  const shared = yield* SharedRedis
  const clock = yield* Clock.Clock
  const context = yield* Effect.context<never>()
  const windowMs = Math.max(1, Duration.toMillis(settings.window))
  const kinds = new Map(
    classes.flatMap((name) =>
      settings[name] > 0 ? [[name, kindOf(name, { burst: settings[name], windowMs })] as const] : []
    )
  )
  const queue = new Map<Bucket.Bucket, Untold>()

  const every = (ms: number, work: Effect.Effect<unknown>) =>
    Effect.forkScoped(Effect.forever(Effect.andThen(Effect.sleep(Duration.millis(ms)), work)))
  yield* every(
    forgetEveryMs,
    Effect.sync(() => {
      for (const kind of kinds.values()) forget(kind, clock.currentTimeMillisUnsafe())
    })
  )
  if (Option.isSome(shared)) {
    const limiter = yield* RateLimiter.make.pipe(
      Effect.provideServiceEffect(
        RateLimiter.RateLimiterStore,
        RateLimiter.makeStoreRedis({ prefix: "onsale:limit:" })
      ),
      Effect.provideService(Redis.Redis, shared.value.redis)
    )
    const tell = tellWith(limiter, clock)
    yield* every(
      tellEveryMs,
      Effect.suspend(() => (queue.size === 0 ? Effect.void : tell(queue))).pipe(
        Effect.matchEffect({
          onFailure: () => Metric.update(lost, 1),
          onSuccess: (count) => (count === undefined ? Effect.void : Metric.update(taken, count))
        })
      )
    )
  }

  return RateLimits.of({
    take: (name, client) => {
      const kind = kinds.get(name)
      if (kind === undefined) return undefined
      const nowMs = clock.currentTimeMillisUnsafe()
      let bucket = kind.buckets.get(client)
      if (bucket === undefined) {
        if (kind.buckets.size >= clientsKept) {
          for (const first of kind.buckets.keys()) {
            kind.buckets.delete(first)
            break
          }
        }
        bucket = Bucket.full(kind.limit, nowMs)
        kind.buckets.set(client, bucket)
      }
      if (!Bucket.take(bucket, kind.limit, nowMs)) {
        kind.refused.updateUnsafe(1, context)
        return { limit: kind.limit, waitMs: Bucket.waitMs(bucket, kind.limit) }
      }
      if (
        Option.isSome(shared) &&
        bucket.untold >= kind.limit.burst * toldFrom &&
        queue.size < tellQueue &&
        !queue.has(bucket)
      ) {
        queue.set(bucket, { kind, client })
      }
      return undefined
    }
  })
})

export class RateLimits extends Context.Service<
  RateLimits,
  {
    /** Undefined for a request that is let in. */
    readonly take: (name: Class, client: string) => Refusal | undefined
  }
>()("@onsale/gateway/RateLimits") {
  static readonly layer = Layer.effect(RateLimits, make)
}
