/**
 * Contract C lets a customer ask ten times a minute, in any minute. Counted here, and by Redis for all gateways where
 * there is one; without an answer of Redis this gateway's count alone decides.
 */
import { Clock, Duration, Effect, Option } from "effect"
import { RateLimiter, Redis } from "effect/persistence"
import { SharedRedis } from "../SharedRedis.ts"

const requests = 10
const windowMs = 60_000
/** Customers that are remembered, 10 MB; the one that came first makes room. */
const remembered = 50_000
/** What waits longer for Redis decides alone. */
const patience = Duration.millis(250)

const name = "bookings"

/** Headers as of draft-ietf-httpapi-ratelimit-headers-10, on every answer; `retry-after` on a refusal. */
const headersOf = (left: number, resetMs: number, refused: boolean): Readonly<Record<string, string>> => {
  const seconds = String(Math.max(1, Math.ceil(resetMs / 1_000)))
  return {
    "ratelimit-policy": `"${name}";q=${requests};w=${windowMs / 1_000}`,
    ratelimit: `"${name}";r=${left};t=${seconds}`,
    ...(refused ? { "retry-after": seconds } : {})
  }
}

export const make = Effect.gen(function* () {
  const shared = yield* SharedRedis
  const limiter = Option.isNone(shared)
    ? undefined
    : yield* RateLimiter.make.pipe(
        Effect.provideServiceEffect(
          RateLimiter.RateLimiterStore,
          RateLimiter.makeStoreRedis({ prefix: "onsale:limit:" })
        ),
        Effect.provideService(Redis.Redis, shared.value.redis)
      )
  /** When the last ones came, by customer. */
  const times = new Map<string, Array<number>>()

  const takeHere = (customer: string, nowMs: number) => {
    const past = (times.get(customer) ?? []).filter((atMs) => atMs > nowMs - windowMs && atMs <= nowMs)
    const isRefused = past.length >= requests
    if (!isRefused) past.push(nowMs)
    times.delete(customer)
    times.set(customer, past)
    for (const first of times.keys()) {
      if (times.size <= remembered) break
      times.delete(first)
    }
    const resetMs = (past[0] ?? nowMs) + windowMs - nowMs
    return { isRefused, headers: headersOf(requests - past.length, resetMs, isRefused) }
  }

  return Effect.fnUntraced(function* (customer: string) {
    const here = takeHere(customer, yield* Clock.currentTimeMillis)
    if (here.isRefused || limiter === undefined) return here
    return yield* limiter
      .consume({
        algorithm: "fixed-window",
        onExceeded: "fail",
        window: windowMs,
        limit: requests,
        key: `${name}:${customer}`
      })
      .pipe(
        Effect.as(here),
        Effect.timeoutOption(patience),
        Effect.map(Option.getOrElse(() => here)),
        Effect.catch(({ reason }) =>
          Effect.succeed(
            reason._tag === "RateLimitExceeded"
              ? { isRefused: true, headers: headersOf(0, Duration.toMillis(reason.retryAfter), true) }
              : here
          )
        )
      )
  })
})
