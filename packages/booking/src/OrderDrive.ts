/** Takes an order's own steps, those of `Order.ts`, and writes down how far it is. */
import { Clock, Effect, Metric } from "effect"
import type { OrderId } from "@onsale/contracts/Ids"
import * as Tracing from "@onsale/platform/Tracing"
import type { Checkout } from "./Checkout.ts"
import * as CheckoutRun from "./CheckoutRun.ts"
import { laterRun, type Run, type Step } from "./Order.ts"
import * as OrderCorrelation from "./OrderCorrelation.ts"
import { toView } from "./OrderState.ts"
import type { Key, OrderStore, Plan, Stored } from "./OrderStore.ts"
import type { OrderTurn } from "./OrderTurn.ts"

/** Most buyers are done in less; a process that dies is noticed after it. */
const leaseMs = 5_000
/** The supervisor's first look at an order that waits; later ones are further and further apart. */
const firstCheckMs = 1_000

const lateMoneySeen = Metric.counter("onsale_orders_late_money", {
  description: "Orders whose money came after they had ended, by what became of it (taken, returned)",
  incremental: true
})

/** Of an order that somebody has begun to work on at `atMs` (milliseconds since 1970). */
export const running = (atMs: number): Plan => ({ _tag: "Running", checkAtMs: atMs + leaseMs })

const planOf = (step: Step, atMs: number): Plan => {
  switch (step._tag) {
    case "Done":
      return { _tag: "Finished" }
    case "Wait":
      return { _tag: "Waiting", checkAtMs: atMs + firstCheckMs }
    default:
      return running(atMs)
  }
}

/** A valid ticket for the seat exists already: INV-06 was broken elsewhere, and the database refused to join in. */
class SeatTicketedTwice extends Error {
  override readonly name = "SeatTicketedTwice"
}

/** Each of these runs in the order's turn. */
export const make = (
  orderId: OrderId,
  {
    checkout,
    store,
    turn
  }: {
    readonly checkout: Checkout["Service"]
    readonly store: OrderStore["Service"]
    readonly turn: OrderTurn
  }
) => {
  /** Takes the order's steps to their rest; `answers` is a request that is answered by where it rests. */
  const drive = Effect.fn("OrderEntity.drive")(
    function* (start: Stored, run: Run, answers: Key | null) {
      let { version } = start
      let answered = answers === null
      const { order, step } = yield* CheckoutRun.toRest({
        order: start.order,
        run,
        carryOut: checkout.carryOut,
        save: (events, order, step, atMs) => {
          const resting = step._tag === "Done" || step._tag === "Wait"
          return store
            .append({
              events,
              order,
              version: version + 1,
              atMs,
              plan: planOf(step, atMs),
              request: null,
              answers: resting ? answers : null
            })
            .pipe(
              Effect.andThen(
                Effect.sync(() => {
                  version++
                  turn.remember({ order, version })
                  answered ||= resting
                })
              ),
              Effect.catchTag("UniqueBroken", ({ constraint }) =>
                Effect.die(new SeatTicketedTwice(`order ${orderId} broke ${constraint}`))
              )
            )
        }
      })
      if (answers !== null && !answered) yield* store.answer(answers, order)
      const { lateMoney } = order
      if (lateMoney !== null && lateMoney !== start.order.lateMoney) {
        yield* Metric.update(Metric.withAttributes(lateMoneySeen, { outcome: lateMoney }), 1)
        yield* Effect.logWarning(`money came after order ${orderId} had ended, and was ${lateMoney}`)
      }
      // A later run that has to wait was put off by the supervisor when it was claimed.
      if (version === start.version && (run.first || step._tag === "Done")) {
        yield* store.plan(start, planOf(step, yield* Clock.currentTimeMillis))
      }
      const view = toView(order)
      yield* Effect.logInfo(`order ${orderId} is ${view.status}`)
      return view
    },
    (driving, { order }) => {
      const { correlation } = Tracing.split(OrderCorrelation.ofWork(order))
      return correlation === undefined ? driving : Effect.annotateLogs(driving, "correlationId", correlation)
    }
  )

  /** The same from where the order is now, which another owner may have taken further. */
  const driveOn = (start: Stored, answers: Key | null) =>
    turn.reloading(turn.look.pipe(Effect.flatMap((stored) => drive(stored ?? start, laterRun, answers))))

  return { drive, driveOn }
}

export type OrderDrive = ReturnType<typeof make>
