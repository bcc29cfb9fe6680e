/**
 * How long a buyer is waited with for his order. The order itself goes on with whoever owns it, whether anybody waits or
 * not: nothing here interrupts it, and its key tells what became of it.
 */
import type { Orders } from "@onsale/booking/Orders"
import type { OrderView } from "@onsale/contracts/booking/Order"
import { BookingUnavailable } from "@onsale/contracts/booking/OrderEntity"
import { KeyReused } from "@onsale/contracts/http/Problems"
import { Clock, Effect, Fiber, Option, Schedule } from "effect"

/** What who waits no longer is given all the same, for the owner of the order to say whether it was placed. */
const allowanceMs = 1_500
/** A row of a database that works is told in this. */
const leastMs = 300
/** How often it is looked up meanwhile: four statements at most. */
const lookEvery = "400 millis"
/** Longer than a database that works takes for a row. */
const lookLimitMs = 2_000

export const make = Effect.fnUntraced(function* (orders: Orders["Service"]) {
  const scope = yield* Effect.scope

  /** For a buyer who waits no longer: what was placed goes on without him. Null where it was not, as far as is known. */
  const asItStands = Effect.fnUntraced(function* (key: string, fingerprint: string) {
    const known = yield* orders.placed(key)
    if (known === null) return null
    return known.fingerprint === fingerprint ? known.order : yield* new KeyReused({})
  })

  /**
   * Null where an effect has not come to its end by then, or the buyer has left. It is not waited for: what it asks may not
   * answer at all.
   */
  const within = Effect.fnUntraced(function* <A, E, R>(effect: Effect.Effect<A, E, R>, ms: number) {
    const fiber = yield* Effect.forkIn(effect, scope, { startImmediately: true })
    const done = yield* Effect.timeoutOption(Fiber.join(fiber), ms).pipe(
      Effect.ensuring(Effect.sync(() => fiber.interruptUnsafe()))
    )
    return Option.getOrNull(Option.map(done, (value) => ({ value })))
  })

  /** As it stands once the owner cannot be waited for: that nothing was done is said only where that is known. */
  const standingOr = Effect.fnUntraced(function* (
    unavailable: BookingUnavailable,
    standing: Effect.Effect<OrderView | null, KeyReused>
  ) {
    const known = yield* within(standing, lookLimitMs)
    if (known === null) return yield* new BookingUnavailable({ retryAfterMs: unavailable.retryAfterMs })
    return known.value ?? (yield* unavailable)
  })

  /**
   * The answer, or how the order stands when nobody waits any longer. Whether it is placed is decided by its owner, whose
   * message may still be on its way by then: it goes on, and is waited for a little. Who is not told by then is told
   * that it is not known, never that nothing has happened: with another key he might pay twice.
   */
  const inTime = Effect.fnUntraced(function* <E>(
    placing: Effect.Effect<OrderView, E | BookingUnavailable>,
    { fingerprint, key, waitMs }: { fingerprint: string; key: string; waitMs: number | undefined }
  ) {
    const standing = asItStands(key, fingerprint)
    const answer = Effect.catchIf(
      placing,
      (error): error is BookingUnavailable => error instanceof BookingUnavailable,
      (unavailable) => standingOr(unavailable, standing)
    )
    if (waitMs === undefined) return yield* answer
    const work = yield* Effect.forkIn(answer, scope, { startImmediately: true })
    const early = yield* Effect.timeoutOption(Fiber.join(work), waitMs)
    if (Option.isSome(early)) return early.value
    const placed = standing.pipe(
      Effect.repeat({ schedule: Schedule.spaced(lookEvery), until: (order) => order !== null }),
      Effect.flatMap((order) => (order === null ? Effect.never : Effect.succeed(order))),
      Effect.catchDefect((defect) =>
        Effect.andThen(
          Effect.logWarning("it could not be asked whether an order was placed", defect),
          Effect.never
        )
      )
    )
    const late = yield* within(Effect.raceFirst(Fiber.join(work), placed), allowanceMs)
    return late === null ? yield* new BookingUnavailable({ retryAfterMs: 1_000 }) : late.value
  })

  /** What else has to be asked for his answer, in what is left of the allowance; null where that is not told by then. */
  const atLast = <A, E, R>(effect: Effect.Effect<A, E, R>, untilMs: number) =>
    Effect.flatMap(Clock.currentTimeMillis, (nowMs) =>
      within(effect, Math.max(leastMs, untilMs + allowanceMs - nowMs))
    )

  return { atLast, inTime, within }
})
