/**
 * Sees to it that every order comes to an end: sends `Resume` to the unfinished ones, after a crash, when
 * their time has come (`DueOrders.ts`), and when there is news of their payment.
 */
import { Cause, Clock, Config, Duration, Effect, Layer, Metric, Queue, Schedule } from "effect"
import { SqlClient } from "effect/sql"
import { OrderEntity } from "@onsale/contracts/booking/OrderEntity"
import { PaymentEvent } from "@onsale/contracts/payments/PaymentIntent"
import * as Journal from "@onsale/platform/Journal"
import * as Projection from "@onsale/platform/Projection"
import * as DueOrders from "./DueOrders.ts"

/** Checks in a row that changed nothing before somebody should look at an order. */
const strikingChecks = 20

const resumed = Metric.counter("onsale_orders_resumed", {
  description: "Unfinished orders that were resumed, by what came of it",
  incremental: true
})

const settings = Config.all({
  /** Orders that are resumed at the same time. */
  concurrency: Config.Int("ONSALE_BOOKING_RESUME_CONCURRENCY").pipe(Config.withDefault(16)),
  /** How long an order that is due may wait to be noticed. */
  pollEvery: Config.Duration("ONSALE_BOOKING_RESUME_EVERY").pipe(Config.withDefault(Duration.millis(250)))
})

/** Never gives up: what fails is told and tried again, after at most 30 seconds. */
const forever = <A, E, R>(what: string, effect: Effect.Effect<A, E, R>) =>
  effect.pipe(
    Effect.sandbox,
    Effect.tapError((cause) => Effect.logError(`${what} failed`, cause)),
    Effect.retry(
      Schedule.min([Schedule.exponential("100 millis"), Schedule.spaced("30 seconds")]).pipe(
        Schedule.jittered
      )
    ),
    Effect.forever
  )

const supervise = Effect.gen(function* () {
  const { concurrency, pollEvery } = yield* settings
  const orderFor = yield* OrderEntity.client
  const due = yield* Queue.bounded<DueOrders.Claimed>(concurrency)

  const resume = Effect.fn("OrderSupervisor.resume")(function* ({
    checks,
    id,
    waitsForBuyer
  }: DueOrders.Claimed) {
    const report = checks % strikingChecks === 0 && !waitsForBuyer ? Effect.logError : Effect.logDebug
    yield* report(`resuming order ${id}, check ${checks}`)
    const outcome = yield* orderFor(id)
      .Resume()
      .pipe(
        Effect.map(({ status }): string => status),
        Effect.catchCause((cause) =>
          (Cause.hasDies(cause) ? Effect.logError : Effect.logWarning)(
            `order ${id} could not be resumed, it will be again`,
            cause
          ).pipe(Effect.as("failed"))
        )
      )
    yield* Metric.update(Metric.withAttributes(resumed, { outcome }), 1)
  })

  // Whatever the last process left is not made to wait.
  yield* DueOrders.makeAllDue.pipe(
    Effect.retry(Schedule.upTo(Schedule.exponential("100 millis"), { times: 6 })),
    Effect.orDie
  )
  yield* Effect.forEach(
    Array.from({ length: concurrency }),
    () => Effect.forkScoped(forever("resuming an order", Effect.flatMap(Queue.take(due), resume))),
    { discard: true }
  )
  // A full queue holds this loop up: no more is claimed than can be worked on.
  yield* Effect.forkScoped(
    forever(
      "looking for unfinished orders",
      Effect.gen(function* () {
        const orders = yield* DueOrders.claim(concurrency)
        yield* Queue.offerAll(due, orders)
        if (orders.length < concurrency) yield* Effect.sleep(pollEvery)
      })
    )
  )
})

/**
 * News of payments makes the orders that wait for them due. So does money that moves for an order that
 * has ended without tickets: it must go back (INV-05).
 */
const paymentNews = Layer.unwrap(
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    return Projection.layer({
      schema: "booking",
      name: "payment-news",
      journal: yield* Journal.make({ schema: "payments", event: PaymentEvent }),
      handle: Effect.fnUntraced(function* (rows: ReadonlyArray<Journal.JournalRow<PaymentEvent>>) {
        const intents = rows.map(({ stream }) => stream)
        const paid = rows
          .filter(({ events }) => events.some(({ _tag }) => _tag === "Authorised" || _tag === "Captured"))
          .map(({ stream }) => stream)
        const now = sql`to_timestamp(${yield* Clock.currentTimeMillis}::float8 / 1000)`
        yield* sql`UPDATE booking.orders SET next_check_at = ${now}, checks = 0
          WHERE (intent_id = ANY(${intents}::uuid[]) AND waiting AND next_check_at IS NOT NULL)
            OR (intent_id = ANY(${paid}::uuid[]) AND status IN ('declined', 'cancelled'))`
      })
    })
  })
)

/** `ONSALE_BOOKING_RESUME_CONCURRENCY` (16), `ONSALE_BOOKING_RESUME_EVERY` (250 ms). */
export const layer = Layer.merge(Layer.effectDiscard(supervise), paymentNews)
