/**
 * What an event has for sale, as the inventory needs it: seats in rows with their labels and tiers,
 * areas with their capacity, and the rules of the sale. Seats, rows, sections and areas are known by
 * their index; `Ids` makes the ids of the outside from these.
 */
import { Schema } from "effect"
import { SaleTerms } from "../catalog/SaleTerms.ts"
import { BlockId, TierId, VoucherId } from "../Ids.ts"
import { Amount, Currency } from "../Money.ts"

/** Bits of `LayoutSeat.flags`. */
export const SeatFlag = { accessible: 1, companion: 2, restrictedView: 4 } as const

/** What is left out is no rule. Times are milliseconds since 1970. */
export const LayoutTier = Schema.Struct({
  id: TierId,
  name: Schema.String,
  price: Amount,
  /** Held from then on, within the sale of the event. */
  opensAtMs: Schema.optionalKey(Schema.Int),
  /** Not held from then on. */
  closesAtMs: Schema.optionalKey(Schema.Int),
  /** Tickets of it in a hold that has any: at least. */
  minPerOrder: Schema.optionalKey(Schema.Int),
  /** And at most. */
  maxPerOrder: Schema.optionalKey(Schema.Int),
  /** Only for those who bring a voucher that unlocks it. */
  voucherOnly: Schema.optionalKey(Schema.Boolean)
})

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
  capacity: Schema.Int,
  /** Places that its quotas keep for it from their other areas, until they are claimed; 0 when left out. */
  reserved: Schema.optionalKey(Schema.Int),
  /** Index of the block it is: only for those whose voucher unlocks it. */
  block: Schema.optionalKey(Schema.Int)
})

/**
 * One capacity that several tiers or areas draw on: every ticket of one of its tiers, and every place of one
 * of its areas, counts once.
 */
export const LayoutQuota = Schema.Struct({
  name: Schema.String,
  capacity: Schema.Int,
  /** Indices. */
  tiers: Schema.Array(Schema.Int),
  areas: Schema.Array(Schema.Int)
})

/** House seats: kept by the organiser from everybody whose voucher does not unlock them. */
export const LayoutBlock = Schema.Struct({
  id: BlockId,
  name: Schema.String,
  seats: Schema.Array(Schema.Int)
})

export const LayoutVoucher = Schema.Struct({
  id: VoucherId,
  /** A hash of its code, see `InventoryCommand`. */
  key: Schema.String,
  /** Indices of the tiers and blocks that it unlocks. */
  tiers: Schema.Array(Schema.Int),
  blocks: Schema.Array(Schema.Int),
  /** Tickets that may be held and bought with it, all orders together. */
  maxTickets: Schema.Int,
  fromMs: Schema.optionalKey(Schema.Int),
  untilMs: Schema.optionalKey(Schema.Int)
})

export const SaleLayout = Schema.Struct({
  currency: Currency,
  tiers: Schema.Array(LayoutTier),
  sections: Schema.Array(Schema.Struct({ name: Schema.String })),
  /** In the order of the seats' indices. */
  rows: Schema.Array(LayoutRow),
  areas: Schema.Array(LayoutArea),
  focalPoint: Schema.NullOr(Schema.Struct({ x: Schema.Finite, y: Schema.Finite })),
  /** Of two layouts of an event the one with the higher number is newer; 0 when left out. */
  revision: Schema.optionalKey(Schema.Int),
  quotas: Schema.optionalKey(Schema.Array(LayoutQuota)),
  blocks: Schema.optionalKey(Schema.Array(LayoutBlock)),
  vouchers: Schema.optionalKey(Schema.Array(LayoutVoucher)),
  /** True once the organiser has given the accessible seats and their companions to everybody. */
  accessibleReleased: Schema.optionalKey(Schema.Boolean),
  /** What is agreed with who buys from now on. */
  terms: Schema.optionalKey(SaleTerms),
  /** True once the event is cancelled: nothing is held or sold any more, whatever its times say. */
  cancelled: Schema.optionalKey(Schema.Boolean),
  /** Tickets in one hold, and so in one order (INV-08). */
  maxPerOrder: Schema.Int,
  /** Tickets that a customer holds and has bought, all orders together (INV-08). */
  maxPerCustomer: Schema.optionalKey(Schema.Int),
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
