/** Under which request's correlation id an order works and writes: its purchase's, or that of a refund. Pure. */
import type { RefundId } from "@onsale/contracts/Ids"
import type { OrderEvent } from "@onsale/contracts/booking/Order"
import type { Order } from "./OrderState.ts"

const ofRefund = (order: Order, refundId: RefundId): string | undefined =>
  order.refundCorrelations.get(refundId) ?? order.placed.correlation

/** Of the row that these events are, for `order` as it is after them. */
export const ofRow = (order: Order, events: ReadonlyArray<OrderEvent>): string | undefined => {
  for (const event of events) {
    switch (event._tag) {
      case "RefundRequested":
      case "SeatsReturned":
      case "Refunded":
        return ofRefund(order, event.refundId)
    }
  }
  return order.placed.correlation
}

/** Of what the order has to do next: the refund that was asked for last and is under way, else the purchase. */
export const ofWork = (order: Order): string | undefined => {
  const pending = order.refunds.findLast(({ status }) => status === "pending")
  return pending === undefined ? order.placed.correlation : ofRefund(order, pending.id)
}
