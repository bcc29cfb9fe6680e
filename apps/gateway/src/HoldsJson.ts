/**
 * The bodies of a hold's request and of its two commonest answers, read and written by hand: what is read means
 * what the schema makes of it, and what is written are the schema's bytes (`test/HotHolds.test.ts`).
 */
import { maxQuantity } from "@onsale/contracts/http/HoldsApi"
import { areaId, type EventId, indexIn, seatId } from "@onsale/contracts/Ids"
import type { HeldSeat, HoldView, Refused } from "@onsale/contracts/inventory/InventoryCommand"
import type { Claims } from "./HoldDesk.ts"

/** The claims of a body of the common form; undefined for any other. */
export const claimsOf = (eventId: EventId, body: string): Claims | undefined => {
  let parsed: unknown
  try {
    parsed = JSON.parse(body)
  } catch {
    return undefined
  }
  if (typeof parsed !== "object" || parsed === null) return undefined
  const seats: Array<number> = []
  const areas: Array<{ readonly area: number; readonly quantity: number }> = []
  for (const [name, value] of Object.entries(parsed)) {
    if (!Array.isArray(value)) return undefined
    if (name === "seats") {
      for (const id of value) {
        const seat = typeof id === "string" ? indexIn(eventId, "seat", id) : -1
        if (seat === -1 || seats.includes(seat)) return undefined
        seats.push(seat)
      }
    } else if (name === "areas") {
      for (const claim of value) {
        if (typeof claim !== "object" || claim === null || Object.keys(claim).length !== 2) return undefined
        const { areaId, quantity } = claim as { readonly areaId?: unknown; readonly quantity?: unknown }
        const area = typeof areaId === "string" ? indexIn(eventId, "area", areaId) : -1
        if (area === -1 || areas.some((other) => other.area === area)) return undefined
        if (
          !(
            typeof quantity === "number" &&
            Number.isInteger(quantity) &&
            quantity >= 1 &&
            quantity <= maxQuantity
          )
        ) {
          return undefined
        }
        areas.push({ area, quantity })
      }
    } else {
      return undefined
    }
  }
  return seats.length + areas.length === 0 ? undefined : { seats, areas, best: null }
}

const seatJson = (eventId: EventId, { label, price, seat, tier }: HeldSeat, currency: string): string =>
  `{"seatId":"${seatId(eventId, seat)}","label":${JSON.stringify(label)},"tier":"${tier}","price":{"amount":${price},"currency":"${currency}"}}`

/** The body of a granted hold. */
export const holdJson = (eventId: EventId, hold: HoldView): string => {
  let seats = ""
  for (const held of hold.seats) {
    const one = seatJson(eventId, held, hold.currency)
    seats += seats === "" ? one : `,${one}`
  }
  const areas =
    hold.areas.length === 0
      ? "[]"
      : JSON.stringify(
          hold.areas.map(({ area, name, price, quantity, tier }) => ({
            areaId: areaId(eventId, area),
            name,
            quantity,
            tier,
            price: { amount: price, currency: hold.currency }
          }))
        )
  return `{"id":"${hold.holdId}","eventId":"${eventId}","seats":[${seats}],"areas":${areas},"total":{"amount":${hold.amount},"currency":"${hold.currency}"},"expiresAt":"${new Date(hold.expiresAtMs).toISOString()}","version":${hold.version}}`
}

/** The body of the refusal of seats or areas that somebody else has. */
export const takenJson = (eventId: EventId, refused: Refused): string =>
  JSON.stringify({
    seats: refused.seats.map((seat) => ({ seatId: seatId(eventId, seat) })),
    areas: refused.areas.map((area) => ({ areaId: areaId(eventId, area) })),
    type: "urn:onsale:problem:seats-taken",
    status: 409,
    title: "Somebody else has these seats"
  })
