/** Vouchers: codes that unlock tiers which are sold with a voucher only, and house seats. */
import { Schema } from "effect"
import { BlockId, TierId, VoucherId } from "../Ids.ts"
import { voucherText } from "../inventory/CustomerText.ts"
import { isStorable } from "../Text.ts"
import { Instant } from "./Event.ts"

/** In one request; more are made by another one. */
const maxCodes = 1000
const maxCount = 5000

/** As long as the code in a hold may be. */
const Code = Schema.String.check(
  Schema.isMinLength(1),
  Schema.isMaxLength(64),
  isStorable,
  Schema.makeFilter((code: string) => (voucherText(code) === "" ? "Expected more than spaces" : undefined))
)

export const NewVouchers = Schema.Struct({
  /** Codes of one's own: capital and small letters, and spaces around them, make no difference. */
  codes: Schema.optionalKey(Schema.Array(Code).check(Schema.isMinLength(1), Schema.isMaxLength(maxCodes))),
  /** Or so many codes that nobody guesses. */
  count: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: maxCount }))),
  /** The tiers that each of them unlocks. */
  tiers: Schema.optionalKey(Schema.Array(TierId).check(Schema.isMaxLength(200))),
  /** The blocks that each of them unlocks. */
  blocks: Schema.optionalKey(Schema.Array(BlockId).check(Schema.isMaxLength(200))),
  /** Tickets that may be held and bought with one of them, all orders together. */
  maxTickets: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 10_000 })),
  /** They count from then on, and before then; all along when left out. */
  from: Schema.optionalKey(Instant),
  until: Schema.optionalKey(Instant)
}).check(
  Schema.makeFilter(({ blocks = [], codes, count, tiers = [] }) =>
    (codes === undefined) === (count === undefined)
      ? "Expected either codes or a count"
      : tiers.length + blocks.length === 0
        ? "Expected at least one of tiers and blocks"
        : undefined
  )
)
export type NewVouchers = typeof NewVouchers.Type

export const Voucher = Schema.Struct({
  id: VoucherId,
  code: Schema.String,
  tiers: Schema.Array(TierId),
  blocks: Schema.Array(BlockId),
  maxTickets: Schema.Int,
  from: Schema.optionalKey(Schema.String),
  until: Schema.optionalKey(Schema.String)
})
export type Voucher = typeof Voucher.Type

export const VoucherPage = Schema.Struct({
  vouchers: Schema.Array(Voucher),
  /** Give it back as `cursor` for the next page; null on the last. */
  nextCursor: Schema.NullOr(Schema.String)
})
export type VoucherPage = typeof VoucherPage.Type

/** Which vouchers of an event to list, the newest last. */
export const VoucherQuery = Schema.Struct({
  cursor: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(200))),
  /** 100 when left out. */
  limit: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1000 })))
})
export type VoucherQuery = typeof VoucherQuery.Type
