/**
 * The rules of a layout made ready for decisions: the windows and limits of tiers, what draws on which quota,
 * who may have a block, what a voucher unlocks. Pure.
 */
import type { VoucherId } from "@onsale/contracts/Ids"
import { type SaleLayout, SeatFlag } from "@onsale/contracts/inventory/SaleLayout"

export interface TierRule {
  /** Milliseconds since 1970: held from the first on, and before the second. */
  readonly opensAtMs: number
  readonly closesAtMs: number
  /** Tickets in an order that has any. */
  readonly least: number
  readonly most: number
  readonly voucherOnly: boolean
}

export interface Voucher {
  readonly id: VoucherId
  /** Indices of what it unlocks. */
  readonly tiers: ReadonlySet<number>
  readonly blocks: ReadonlySet<number>
  readonly maxTickets: number
  /** Milliseconds since 1970. */
  readonly fromMs: number
  readonly untilMs: number
}

export interface SaleRules {
  /** By tier; undefined where no tier has a rule, which is the common case and costs nothing. */
  readonly tiers: ReadonlyArray<TierRule> | undefined
  /** Capacities; empty where there are no quotas. */
  readonly quotas: ReadonlyArray<number>
  /** Indices of the quotas that a ticket of a tier, and a place of an area, counts against. */
  readonly quotasOfTier: ReadonlyArray<ReadonlyArray<number>>
  readonly quotasOfArea: ReadonlyArray<ReadonlyArray<number>>
  /** The areas of each quota that have places reserved. */
  readonly reservedOfQuota: ReadonlyArray<ReadonlyArray<{ readonly area: number; readonly reserved: number }>>
  /** Index of the block a seat is in, -1 for none; undefined where there are no blocks of seats. */
  readonly seatBlock: Int32Array | undefined
  readonly vouchersByKey: ReadonlyMap<string, Voucher>
  readonly vouchersById: ReadonlyMap<VoucherId, Voucher>
  /** Bits of `SeatFlag`: seats that have one of them are kept for those who need them; 0 where there are none. */
  readonly keptFlags: number
  readonly maxPerCustomer: number
}

const noRule: TierRule = {
  opensAtMs: Number.NEGATIVE_INFINITY,
  closesAtMs: Number.POSITIVE_INFINITY,
  least: 1,
  most: Number.POSITIVE_INFINITY,
  voucherOnly: false
}

const ruleOf = (tier: SaleLayout["tiers"][number]): TierRule => ({
  opensAtMs: tier.opensAtMs ?? noRule.opensAtMs,
  closesAtMs: tier.closesAtMs ?? noRule.closesAtMs,
  least: tier.minPerOrder ?? noRule.least,
  most: tier.maxPerOrder ?? noRule.most,
  voucherOnly: tier.voucherOnly ?? false
})

const hasRule = (rule: TierRule): boolean =>
  rule.opensAtMs !== noRule.opensAtMs ||
  rule.closesAtMs !== noRule.closesAtMs ||
  rule.least !== noRule.least ||
  rule.most !== noRule.most ||
  rule.voucherOnly

const ensureIndices = (what: string, indices: ReadonlyArray<number>, count: number): void => {
  const wrong = indices.find((index) => !(Number.isInteger(index) && index >= 0 && index < count))
  if (wrong !== undefined) throw new Error(`${what} names ${wrong}, which the layout lacks`)
}

const blocksOfSeats = (layout: SaleLayout, seatCount: number): Int32Array | undefined => {
  const blocks = layout.blocks ?? []
  if (blocks.every(({ seats }) => seats.length === 0)) return undefined
  const of = new Int32Array(seatCount).fill(-1)
  blocks.forEach(({ name, seats }, block) => {
    ensureIndices(`block ${name}`, seats, seatCount)
    for (const seat of seats) {
      if (of[seat] !== -1) throw new Error(`seat ${seat} is in two blocks`)
      of[seat] = block
    }
  })
  return of
}

const kept = SeatFlag.accessible | SeatFlag.companion

const hasFlags = ({ rows }: SaleLayout, flags: number): boolean =>
  rows.some(({ seats }) => seats.some((seat) => (seat.flags & flags) !== 0))

/** Dies on a layout whose rules refer to what it does not have. */
export const compileRules = (layout: SaleLayout, seatCount: number): SaleRules => {
  const { areas, blocks = [], quotas = [], tiers, vouchers = [] } = layout
  for (const { areas: ofAreas, name, tiers: ofTiers } of quotas) {
    ensureIndices(`quota ${name}`, ofTiers, tiers.length)
    ensureIndices(`quota ${name}`, ofAreas, areas.length)
  }
  for (const { block, name } of areas)
    if (block !== undefined) ensureIndices(`area ${name}`, [block], blocks.length)
  const quotasOfTier = tiers.map((_, tier) =>
    quotas.flatMap((quota, index) => (quota.tiers.includes(tier) ? [index] : []))
  )
  const quotasOfArea = areas.map(({ tier }, area) =>
    quotas.flatMap((quota, index) =>
      quota.areas.includes(area) || (tier !== -1 && quota.tiers.includes(tier)) ? [index] : []
    )
  )
  const byId = new Map<VoucherId, Voucher>()
  const byKey = new Map<string, Voucher>()
  for (const voucher of vouchers) {
    ensureIndices(`voucher ${voucher.id}`, voucher.tiers, tiers.length)
    ensureIndices(`voucher ${voucher.id}`, voucher.blocks, blocks.length)
    const compiled: Voucher = {
      id: voucher.id,
      tiers: new Set(voucher.tiers),
      blocks: new Set(voucher.blocks),
      maxTickets: voucher.maxTickets,
      fromMs: voucher.fromMs ?? Number.NEGATIVE_INFINITY,
      untilMs: voucher.untilMs ?? Number.POSITIVE_INFINITY
    }
    byId.set(voucher.id, compiled)
    byKey.set(voucher.key, compiled)
  }
  const rules = tiers.map(ruleOf)
  return {
    tiers: rules.some(hasRule) ? rules : undefined,
    quotas: quotas.map(({ capacity }) => capacity),
    quotasOfTier,
    quotasOfArea,
    reservedOfQuota: quotas.map((_, quota) =>
      areas.flatMap(({ reserved = 0 }, area) =>
        reserved > 0 && quotasOfArea[area]!.includes(quota) ? [{ area, reserved }] : []
      )
    ),
    seatBlock: blocksOfSeats(layout, seatCount),
    vouchersByKey: byKey,
    vouchersById: byId,
    keptFlags: layout.accessibleReleased === true || !hasFlags(layout, kept) ? 0 : kept,
    maxPerCustomer: layout.maxPerCustomer ?? Number.POSITIVE_INFINITY
  }
}

/** True where the seat or the area is in a block that the voucher, if there is one, does not unlock. */
export const isBlocked = (block: number | undefined, voucher: Voucher | undefined): boolean =>
  block !== undefined && block !== -1 && voucher?.blocks.has(block) !== true
