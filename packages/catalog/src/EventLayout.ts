/** What the seat map of a venue becomes for one of its events: what is sold, and what buyers see. Pure. */
import type { EventSeatMap } from "@onsale/contracts/catalog/Event"
import type { MapRow, MapSeat, Point, SeatMap } from "@onsale/contracts/catalog/SeatMap"
import { areaId, rowId, seatId, sectionId, type TierId } from "@onsale/contracts/Ids"
import { type SaleLayout, SeatFlag } from "@onsale/contracts/inventory/SaleLayout"
import * as RefundPolicies from "./RefundPolicies.ts"
import { tierAreas } from "./SaleAreas.ts"
import type { StoredBlock, StoredEvent, StoredVoucher } from "./StoredEvent.ts"

type Tiers = StoredEvent["tiers"]

/** The index of the tier of each category that has seats: it is on one. */
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

/** What the inventory sells of an event. Seats are in the order of the map, areas in that of `SaleAreas`. */
export const saleLayout = (
  map: SeatMap,
  event: StoredEvent,
  blocks: ReadonlyArray<StoredBlock> = [],
  vouchers: ReadonlyArray<StoredVoucher> = []
): SaleLayout => {
  const tiers = tierIndex(event.tiers)
  const tierOf = (category: string | null): number => (category === null ? -1 : (tiers.get(category) ?? -1))
  const ranks = rowRanks(map)
  const { areas, quotas: shared } = layoutAreas(map, event, blocks)
  const quotas = [...eventQuotas(event), ...shared]
  const terms = RefundPolicies.termsOf(event)
  let row = 0
  return {
    currency: event.currency,
    tiers: event.tiers.map(layoutTier),
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
    areas,
    focalPoint: map.focalPoint,
    revision: event.revision,
    ...(quotas.length === 0 ? {} : { quotas }),
    ...(blocks.length === 0 ? {} : { blocks: blocks.map(({ id, name, seats }) => ({ id, name, seats })) }),
    ...(vouchers.length === 0 ? {} : { vouchers: layoutVouchers(event, blocks, vouchers) }),
    ...(event.accessibleReleased ? { accessibleReleased: true } : {}),
    ...(terms === undefined ? {} : { terms }),
    ...(event.state === "cancelled" ? { cancelled: true } : {}),
    maxPerOrder: event.maxPerOrder,
    ...(event.maxPerCustomer === null ? {} : { maxPerCustomer: event.maxPerCustomer }),
    holdTtlMs: event.holdTtlMs,
    holdMaxMs: event.holdMaxMs,
    checkoutMaxMs: event.checkoutMaxMs,
    onSaleAtMs: event.onSaleAtMs,
    saleEndsAtMs: event.saleEndsAtMs
  }
}

const layoutTier = (tier: Tiers[number]): SaleLayout["tiers"][number] => ({
  id: tier.id,
  name: tier.name,
  price: tier.amount,
  ...(tier.saleFromMs === null ? {} : { opensAtMs: tier.saleFromMs }),
  ...(tier.saleUntilMs === null ? {} : { closesAtMs: tier.saleUntilMs }),
  ...(tier.minPerOrder === null ? {} : { minPerOrder: tier.minPerOrder }),
  ...(tier.maxPerOrder === null ? {} : { maxPerOrder: tier.maxPerOrder }),
  ...(tier.voucherOnly ? { voucherOnly: true } : {})
})

/** The organiser's quotas, and the limit of the whole event as one over all tiers. */
const eventQuotas = ({ maxTickets, quotas, tiers }: StoredEvent): NonNullable<SaleLayout["quotas"]> => [
  ...quotas.map(({ capacity, name, tiers }) => ({ name, capacity, tiers, areas: [] })),
  ...(maxTickets === null
    ? []
    : [{ name: "event", capacity: maxTickets, tiers: tiers.map((_, tier) => tier), areas: [] }])
]

/** The areas, and a quota for each area of the map that has several: its places are there once. */
const layoutAreas = (map: SeatMap, { tiers }: StoredEvent, blocks: ReadonlyArray<StoredBlock>) => {
  const tierOf = new Map(tiers.map(({ id }, tier) => [id, tier]))
  const sharers = map.areas.map((): Array<number> => [])
  const areas: Array<SaleLayout["areas"][number]> = []
  const add = (of: number, area: Omit<SaleLayout["areas"][number], "name">) => {
    sharers[of]!.push(areas.length)
    areas.push({ name: map.areas[of]!.name, ...area })
  }
  for (const { area, tier } of tierAreas(map, tiers)) {
    add(area, { tier, capacity: map.areas[area]!.capacity })
  }
  blocks.forEach((block, index) => {
    for (const { area, kept, quantity, tier } of block.areas) {
      add(area, {
        tier: tierOf.get(tier) ?? -1,
        // Not less once places are released: those with a voucher may have claimed them already.
        capacity: quantity,
        block: index,
        ...(kept === 0 ? {} : { reserved: kept })
      })
    }
  })
  const quotas = map.areas.flatMap(({ capacity, name }, area) =>
    sharers[area]!.length === 1 ? [] : [{ name, capacity, tiers: [], areas: sharers[area]! }]
  )
  return { areas, quotas }
}

const layoutVouchers = (
  { tiers }: StoredEvent,
  blocks: ReadonlyArray<StoredBlock>,
  vouchers: ReadonlyArray<StoredVoucher>
): NonNullable<SaleLayout["vouchers"]> => {
  const tierOf = new Map(tiers.map(({ id }, tier) => [id, tier]))
  const blockOf = new Map(blocks.map(({ id }, block) => [id, block]))
  const indices = <Id>(ids: ReadonlyArray<Id>, of: ReadonlyMap<Id, number>): ReadonlyArray<number> =>
    ids.flatMap((id) => of.get(id) ?? [])
  return vouchers.map(({ blocks, fromMs, id, key, maxTickets, tiers, untilMs }) => ({
    id,
    key,
    tiers: indices(tiers, tierOf),
    blocks: indices(blocks, blockOf),
    maxTickets,
    ...(fromMs === null ? {} : { fromMs }),
    ...(untilMs === null ? {} : { untilMs })
  }))
}

/** Of an event's seat map: grows with what it shows, as its venue's map stays the same once it is published. */
export const eventMapVersion = ({ mapChanges, seatMapVersion }: StoredEvent): number =>
  seatMapVersion + mapChanges

/**
 * The seat map with the event's ids and tiers. An area that is on several tiers is there once for each. Those of
 * blocks are not: a map is kept by those who read it for as long as its version is the same.
 */
export const eventSeatMap = (map: SeatMap, event: StoredEvent): EventSeatMap => {
  const tiers = tierIndex(event.tiers)
  const tierOf = (category: string | null): TierId | null => {
    const index = category === null ? undefined : tiers.get(category)
    return index === undefined ? null : event.tiers[index]!.id
  }
  let row = 0
  let seat = 0
  return {
    version: eventMapVersion(event),
    sections: map.sections.map((section, index) => ({
      id: sectionId(event.id, index),
      name: section.name,
      rows: section.rows.map(({ label, seats }) => ({
        id: rowId(event.id, row++),
        label,
        seats: seats.map(({ accessible, category, companion, label, x, y }) => ({
          id: seatId(event.id, seat++),
          label,
          x,
          y,
          tier: tierOf(category),
          accessible,
          ...(companion ? { companion } : {})
        }))
      }))
    })),
    areas: tierAreas(map, event.tiers).map(({ area, tier }, index) => ({
      id: areaId(event.id, index),
      name: map.areas[area]!.name,
      tier: event.tiers[tier]?.id ?? null
    }))
  }
}
