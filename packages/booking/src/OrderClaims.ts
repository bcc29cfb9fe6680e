/** What the inventory is told of an order: what it claims, and for whom. Pure. */
import { type AreaId, type CustomerId, indexIn } from "@onsale/contracts/Ids"
import type { Customer, OrderRefund } from "@onsale/contracts/booking/Order"
import { customerIdText, customerText } from "@onsale/contracts/inventory/CustomerText"
import { keyOf } from "@onsale/platform/Digest"
import type { Order } from "./OrderState.ts"

/** Who buys, as limits count it: whom a token has named, else the e-mail address. */
export const customerKey = (buyer: {
  readonly customer: Customer
  readonly customerId?: CustomerId | undefined
}) =>
  keyOf(
    buyer.customerId === undefined ? customerText(buyer.customer.email) : customerIdText(buyer.customerId)
  )

export const claimsOf = ({ placed }: Order) => ({
  seats: placed.seats.map(({ seat }) => seat),
  areas: placed.areas.map(({ area, quantity }) => ({ area, quantity }))
})

/** The claims of the tickets of a refund. */
export const claimsOfRefund = ({ placed: { eventId }, tickets }: Order, refund: OrderRefund) => {
  const named = new Set(refund.tickets)
  const refunded = tickets.filter(({ id }) => named.has(id))
  const places = new Map<AreaId, number>()
  for (const { areaId } of refunded) if (areaId !== null) places.set(areaId, (places.get(areaId) ?? 0) + 1)
  return {
    seats: refunded.flatMap(({ seatId }) => (seatId === null ? [] : [indexIn(eventId, "seat", seatId)])),
    areas: [...places].map(([areaId, quantity]) => ({ area: indexIn(eventId, "area", areaId), quantity }))
  }
}
