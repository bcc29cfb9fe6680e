/**
 * The bodies of a hold's request and of its commonest answers, read and written by hand: what is read means
 * what the schema makes of it, and what is written are the schema's bytes (`test/HotHolds.test.ts`).
 */
import { maxQuantity, type NewHold } from "@onsale/contracts/http/HoldsApi"
import { areaId, type EventId, indexIn, seatId } from "@onsale/contracts/Ids"
import type { HeldSeat, HoldView, Refused } from "@onsale/contracts/inventory/InventoryCommand"
import type { Claims } from "./HoldDesk.ts"

/** What is wished for where we choose, in the words of the inventory. */
export const bestOf = (eventId: EventId, wish: NewHold["bestAvailable"]): Claims["best"] => {
  if (wish === undefined) return null
  const section = wish.section === undefined ? -1 : indexIn(eventId, "section", wish.section)
  return {
    quantity: wish.quantity,
    tier: wish.tier ?? null,
    section: section === -1 ? (wish.section ?? null) : section,
    accessible: Number(wish.accessible ?? 0)
  }
}

const isQuantity = (value: unknown): value is number =>
  typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= maxQuantity

const maxNameLength = 200
const isName = (value: unknown): value is string => typeof value === "string" && value.length <= maxNameLength

/** The wish, where it has nothing that the schema would not take as it stands. */
const wishOf = (value: unknown): NonNullable<NewHold["bestAvailable"]> | undefined => {
  if (typeof value !== "object" || value === null) return undefined
  for (const name in value) {
    const part = (value as Record<string, unknown>)[name]
    const isRight =
      name === "quantity"
        ? isQuantity(part)
        : name === "accessible"
          ? typeof part === "boolean" || isQuantity(part)
          : (name === "tier" || name === "section") && isName(part)
    if (!isRight) return undefined
  }
  const wish = value as NonNullable<NewHold["bestAvailable"]>
  return wish.quantity === undefined || Number(wish.accessible ?? 0) > wish.quantity ? undefined : wish
}

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
  let best: Claims["best"] = null
  for (const [name, value] of Object.entries(parsed)) {
    if (name === "bestAvailable") {
      const wish = wishOf(value)
      if (wish === undefined) return undefined
      best = bestOf(eventId, wish)
      continue
    }
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
        if (!isQuantity(quantity)) return undefined
        areas.push({ area, quantity })
      }
    } else {
      return undefined
    }
  }
  return seats.length + areas.length === 0 && best === null ? undefined : { seats, areas, best }
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

/** The body of the refusal of so many that nobody named: the answer that most get in a flash. */
export const soldOutJson = JSON.stringify({
  type: "urn:onsale:problem:sold-out",
  status: 409,
  title: "There are not as many seats left of what was asked for"
})
