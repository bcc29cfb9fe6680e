/**
 * What an event has for sale, as the inventory needs it: seats in rows with their labels and tiers,
 * areas with their capacity, and the rules of the sale. Seats, rows, sections and areas are known by
 * their index; `Ids` makes the ids of the outside from these.
 */
import { Schema } from "effect"
import { TierId } from "../Ids.ts"
import { Amount, Currency } from "../Money.ts"

/** Bits of `LayoutSeat.flags`. */
export const SeatFlag = { accessible: 1, companion: 2, restrictedView: 4 } as const

export const LayoutTier = Schema.Struct({ id: TierId, name: Schema.String, price: Amount })

export const LayoutSeat = Schema.Struct({
  label: Schema.String,
  x: Schema.Finite,
  y: Schema.Finite,
  /** Index of its tier, -1 where it is on none and so not for sale. */
  tier: Schema.Int,
  flags: Schema.Int
})

export const LayoutRow = Schema.Struct({
  /** Index of its section. */
  section: Schema.Int,
  label: Schema.String,
  /** Best available takes the row of the lowest rank that has the seats. */
  rank: Schema.Int,
  seats: Schema.Array(LayoutSeat)
})

export const LayoutArea = Schema.Struct({
  name: Schema.String,
  /** Index of its tier, -1 where it is not for sale. */
  tier: Schema.Int,
  capacity: Schema.Int
})

export const SaleLayout = Schema.Struct({
  currency: Currency,
  tiers: Schema.Array(LayoutTier),
  sections: Schema.Array(Schema.Struct({ name: Schema.String })),
  /** In the order of the seats' indices. */
  rows: Schema.Array(LayoutRow),
  areas: Schema.Array(LayoutArea),
  focalPoint: Schema.NullOr(Schema.Struct({ x: Schema.Finite, y: Schema.Finite })),
  /** Tickets in one hold, and so in one order (INV-08). */
  maxPerOrder: Schema.Int,
  /** How long a hold lives when it is made. */
  holdTtlMs: Schema.Int,
  /** How long after it was made a hold can be extended to, at the most. */
  holdMaxMs: Schema.Int,
  /** How long checkout may freeze a hold's clock, once, at the most. */
  checkoutMaxMs: Schema.Int,
  /** Milliseconds since 1970; no hold before. */
  onSaleAtMs: Schema.Int,
  /** Milliseconds since 1970; no hold from then on. */
  saleEndsAtMs: Schema.Int
})
export type SaleLayout = typeof SaleLayout.Type
