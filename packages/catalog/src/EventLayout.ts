/** What the seat map of a venue becomes for one of its events: what is sold, and what buyers see. Pure. */
import type { EventSeatMap } from "@onsale/contracts/catalog/Event"
import type { MapRow, MapSeat, Point, SeatMap } from "@onsale/contracts/catalog/SeatMap"
import { areaId, rowId, seatId, sectionId, type TierId } from "@onsale/contracts/Ids"
import { type SaleLayout, SeatFlag } from "@onsale/contracts/inventory/SaleLayout"
import type { StoredEvent } from "./StoredEvent.ts"

type Tiers = StoredEvent["tiers"]

/** The index of the tier of each category. */
const tierIndex = (tiers: Tiers): ReadonlyMap<string, number> =>
  new Map(tiers.flatMap((tier, index) => tier.categories.map((category) => [category, index] as const)))

const flagsOf = (seat: MapSeat): number =>
  (seat.accessible ? SeatFlag.accessible : 0) |
  (seat.companion ? SeatFlag.companion : 0) |
  (seat.restrictedView ? SeatFlag.restrictedView : 0)

const centre = (row: MapRow): Point => {
  let x = 0
  let y = 0
  for (const seat of row.seats) {
    x += seat.x
    y += seat.y
  }
  return { x: x / row.seats.length, y: y / row.seats.length }
}

/**
 * The rank of each row in the order of the map, 0 for the best: the nearer its centre is to the point
 * that its section looks at, the better. Rows that look at none come last, in the order of the map.
 */
export const rowRanks = (map: SeatMap): ReadonlyArray<number> => {
  const distances = map.sections.flatMap((section) =>
    section.rows.map((row) => {
      const focus = section.focalPoint ?? map.focalPoint
      if (focus === null || row.seats.length === 0) return Number.POSITIVE_INFINITY
      const at = centre(row)
      return Math.hypot(at.x - focus.x, at.y - focus.y)
    })
  )
  const order = distances.map((_, index) => index)
  // Sorting keeps the order of the map among equals; infinities have no difference.
  order.sort((a, b) => (distances[a] === distances[b] ? 0 : distances[a]! - distances[b]!))
  const ranks = new Array<number>(order.length)
  order.forEach((row, rank) => {
    ranks[row] = rank
  })
  return ranks
}

/** What the inventory sells of an event. Indices are the order of the map. */
export const saleLayout = (map: SeatMap, event: StoredEvent): SaleLayout => {
  const tiers = tierIndex(event.tiers)
  const tierOf = (category: string | null): number => (category === null ? -1 : (tiers.get(category) ?? -1))
  const ranks = rowRanks(map)
  let row = 0
  return {
    currency: event.currency,
    tiers: event.tiers.map(({ amount, id, name }) => ({ id, name, price: amount })),
    sections: map.sections.map(({ name }) => ({ name })),
    rows: map.sections.flatMap((section, index) =>
      section.rows.map(({ label, seats }) => ({
        section: index,
        label,
        rank: ranks[row++]!,
        seats: seats.map((seat) => ({
          label: seat.label,
          x: seat.x,
          y: seat.y,
          tier: tierOf(seat.category),
          flags: flagsOf(seat)
        }))
      }))
    ),
    areas: map.areas.map(({ capacity, category, name }) => ({ name, tier: tierOf(category), capacity })),
    focalPoint: map.focalPoint,
    maxPerOrder: event.maxPerOrder,
    holdTtlMs: event.holdTtlMs,
    holdMaxMs: event.holdMaxMs,
    checkoutMaxMs: event.checkoutMaxMs,
    onSaleAtMs: event.onSaleAtMs,
    saleEndsAtMs: event.saleEndsAtMs
  }
}

/** The seat map with the event's ids and tiers. */
export const eventSeatMap = (map: SeatMap, event: StoredEvent): EventSeatMap => {
  const tiers = tierIndex(event.tiers)
  const tierOf = (category: string | null): TierId | null => {
    const index = category === null ? undefined : tiers.get(category)
    return index === undefined ? null : event.tiers[index]!.id
  }
  let row = 0
  let seat = 0
  return {
    version: event.seatMapVersion,
    sections: map.sections.map((section, index) => ({
      id: sectionId(event.id, index),
      name: section.name,
      rows: section.rows.map(({ label, seats }) => ({
        id: rowId(event.id, row++),
        label,
        seats: seats.map(({ accessible, category, label, x, y }) => ({
          id: seatId(event.id, seat++),
          label,
          x,
          y,
          tier: tierOf(category),
          accessible
        }))
      }))
    })),
    areas: map.areas.map(({ category, name }, index) => ({
      id: areaId(event.id, index),
      name,
      tier: tierOf(category)
    }))
  }
}
