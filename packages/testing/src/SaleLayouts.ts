/** Small layouts for tests. */
import { BlockId, TierId, VoucherId } from "@onsale/contracts/Ids"
import { SeatFlag, type SaleLayout } from "@onsale/contracts/inventory/SaleLayout"

type Tier = SaleLayout["tiers"][number]
type Voucher = NonNullable<SaleLayout["vouchers"]>[number]
type Row = SaleLayout["rows"][number]
type Seat = Row["seats"][number]

// The same ids each time: the same layout is made again by the same call.
const tier = (name: string, price: number) => ({
  id: TierId.make(`00000000-0000-7000-8000-${String(price).padStart(12, "0")}`),
  name,
  price
})

const rules = {
  currency: "EUR",
  focalPoint: null,
  maxPerOrder: 6,
  holdTtlMs: 10_000,
  holdMaxMs: 25_000,
  checkoutMaxMs: 15_000,
  onSaleAtMs: 0,
  saleEndsAtMs: 9_000_000_000_000
} as const

/** Rows of seats of one tier, the first in front, and a floor of 5 places. */
export const grid = (
  rows: number,
  seatsARow: number,
  options: Partial<SaleLayout> & { readonly flags?: (row: number, seat: number) => number } = {}
): SaleLayout => {
  const { flags, ...rest } = options
  return {
    ...rules,
    tiers: [tier("Front", 4500), tier("Standing", 2500)],
    sections: [{ name: "Stalls" }],
    rows: Array.from({ length: rows }, (_, row) => ({
      section: 0,
      label: String(row + 1),
      rank: row,
      seats: Array.from({ length: seatsARow }, (_, seat) => ({
        label: String(seat + 1),
        x: seat,
        y: row,
        tier: 0,
        flags: flags?.(row, seat) ?? 0
      }))
    })),
    areas: [{ name: "Floor", tier: 1, capacity: 5 }],
    ...rest
  }
}

const row = (
  section: number,
  label: string,
  rank: number,
  seats: number,
  of: (seat: number) => Partial<Seat>
): Row => ({
  section,
  label,
  rank,
  seats: Array.from({ length: seats }, (_, seat) => ({
    label: String(seat + 1),
    x: seat,
    y: rank,
    tier: 0,
    flags: 0,
    ...of(seat)
  }))
})

/** The layout, with rules for one of its tiers. */
export const withTier = (layout: SaleLayout, name: string, rule: Partial<Tier>): SaleLayout => ({
  ...layout,
  tiers: layout.tiers.map((one) => (one.name === name ? { ...one, ...rule } : one))
})

export const tierOf = (layout: SaleLayout, name: string): Tier => {
  const found = layout.tiers.find((one) => one.name === name)
  if (found === undefined) throw new Error(`there is no tier ${name}`)
  return found
}

const voucherId = (number: number) =>
  VoucherId.make(`00000000-0000-7000-8001-${String(number).padStart(12, "0")}`)

/** A voucher, whose key is its number in words. */
export const voucher = (number: number, options: Partial<Voucher> = {}): Voucher => ({
  id: voucherId(number),
  key: `voucher ${number}`,
  tiers: [],
  blocks: [],
  maxTickets: 100,
  ...options
})

export const block = (name: string, seats: ReadonlyArray<number>) => ({
  id: BlockId.make(`00000000-0000-7000-8002-${String(name.length).padStart(12, "0")}`),
  name,
  seats
})

/** Where the seats of `hall` are: the first index of each row, and the seats that are not like the others. */
export const hallSeats = {
  rows: [0, 10, 20, 30, 40, 48],
  accessible: [30, 31],
  companion: 32,
  notForSale: 39,
  total: 56,
  forSale: 55
} as const

/**
 * Stalls of 4 rows of 10 (two of "Front", two of "Rear"), a balcony of 2 rows of 8, a floor of 5 places and
 * a terrace that is not for sale.
 */
export const hall = (options: Partial<SaleLayout> = {}): SaleLayout => ({
  ...rules,
  tiers: [tier("Front", 4500), tier("Rear", 3500), tier("Balcony", 3000), tier("Standing", 2500)],
  sections: [{ name: "Stalls" }, { name: "Balcony" }],
  rows: [
    row(0, "A", 0, 10, () => ({})),
    row(0, "B", 1, 10, () => ({})),
    row(0, "C", 2, 10, () => ({ tier: 1 })),
    row(0, "D", 3, 10, (seat) => ({
      tier: seat === 9 ? -1 : 1,
      flags: seat < 2 ? SeatFlag.accessible : seat === 2 ? SeatFlag.companion : 0
    })),
    row(1, "A", 4, 8, () => ({ tier: 2 })),
    row(1, "B", 5, 8, () => ({ tier: 2 }))
  ],
  areas: [
    { name: "Floor", tier: 3, capacity: 5 },
    { name: "Terrace", tier: -1, capacity: 10 }
  ],
  ...options
})

/** The same with one more row of 8 behind the last, and one more area of 3 places. */
export const widerHall = (options: Partial<SaleLayout> = {}): SaleLayout => {
  const before = hall(options)
  return {
    ...before,
    rows: [...before.rows, row(1, "C", 6, 8, () => ({ tier: 2 }))],
    areas: [...before.areas, { name: "Pit", tier: 3, capacity: 3 }]
  }
}

/** A grid with one more row behind the last, and one more area of 3 places. */
export const widerGrid = (before: SaleLayout): SaleLayout => {
  const last = before.rows[before.rows.length - 1]!
  return {
    ...before,
    rows: [...before.rows, { ...last, label: `${last.label}+`, rank: last.rank + 1 }],
    areas: [...before.areas, { name: "Pit", tier: 1, capacity: 3 }]
  }
}
