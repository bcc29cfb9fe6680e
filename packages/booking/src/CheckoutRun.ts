/**
 * Takes the steps of an order, one after another, until it is done or has to wait. How a step is carried
 * out and where events are written is the caller's; a run may be cut off anywhere and begun anew.
 */
import { Clock, Effect } from "effect"
import type { OrderEvent } from "@onsale/contracts/booking/Order"
import { decide, needsJournal, next, type Outcome, type Run, type Step } from "./Order.ts"
import { evolve, type Order } from "./OrderState.ts"

/** The longest way through `Order.ts` has ten steps; a run that takes more goes in circles. */
const maxSteps = 200

export interface Options<E, R> {
  readonly order: Order
  readonly run: Run
  readonly carryOut: (order: Order, step: Step) => Effect.Effect<Outcome, never, R>
  /**
   * Writes events down at `atMs` (milliseconds since 1970), in one transaction. `order` is the order
   * after them, `step` what comes next: `Wait` and `Done` end the run.
   */
  readonly save: (
    events: ReadonlyArray<OrderEvent>,
    order: Order,
    step: Step,
    atMs: number
  ) => Effect.Effect<void, E, R>
}

/** The order where the run came to rest, and why: `Wait` or `Done`. */
export const toRest = Effect.fnUntraced(function* <E, R>({ carryOut, order, run, save }: Options<E, R>) {
  let saved = order
  let current = order
  let facts = run
  let unsaved: ReadonlyArray<OrderEvent> = []
  for (let taken = 0; taken < maxSteps; taken++) {
    const nowMs = yield* Clock.currentTimeMillis
    const step = next(current, facts, nowMs)
    const resting = step._tag === "Wait" || step._tag === "Done"
    if (unsaved.length > 0 && (resting || needsJournal(step))) {
      // As the journal will tell it: all of a row happened at the time of the row.
      const at = { orderId: order.id, atMs: nowMs }
      saved = unsaved.reduce((before: Order, event) => evolve(before, event, at), saved)
      current = saved
      yield* save(unsaved, saved, step, nowMs)
      unsaved = []
    }
    if (resting) return { order: current, step }
    const decision = decide(current, facts, step, yield* carryOut(current, step))
    const at = { orderId: order.id, atMs: nowMs }
    current = decision.events.reduce((before: Order, event) => evolve(before, event, at), current)
    facts = decision.run
    unsaved = [...unsaved, ...decision.events]
  }
  return yield* Effect.die(new Error(`order ${order.id} did not come to rest in ${maxSteps} steps`))
})
