/**
 * What can be asked of an event's inventory, and its answers. Seats and areas are indices (see
 * `SaleLayout`); times are milliseconds since 1970.
 *
 * Every command carries an id. The answer to it is remembered, so that a repeat with the same
 * `fingerprint` (a hash of what was asked) is answered alike, and one with another is refused
 * (INV-07).
 */
import { Schema } from "effect"
import { SaleTerms } from "../catalog/SaleTerms.ts"
import { CommandId, HoldId, OrderId, TierId, VoucherId } from "../Ids.ts"
import { Amount } from "../Money.ts"

export const AreaClaim = Schema.Struct({ area: Schema.Int, quantity: Schema.Int })
export type AreaClaim = typeof AreaClaim.Type

/** Let the inventory choose: `quantity` seats together, as good as there are. */
export const BestAvailable = Schema.Struct({
  quantity: Schema.Int,
  /** The id or the name of a tier; null is any. */
  tier: Schema.NullOr(Schema.String),
  /** The index or the name of a section; null is any. */
  section: Schema.NullOr(Schema.Union([Schema.Int, Schema.String])),
  /**
   * So many of them accessible, the others companion seats beside them, or else any seat beside them. With 0
   * accessible seats and their companions are left to those who need them.
   */
  accessible: Schema.Int
})
export type BestAvailable = typeof BestAvailable.Type

/**
 * Who buys, in whatever form tells one customer of an event from another (a hash of an e-mail address, the
 * subject of a token). Limits are counted by it.
 */
export const CustomerKey = Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(128))

const envelope = { commandId: CommandId, fingerprint: Schema.String }
const customer = { customer: Schema.optionalKey(CustomerKey) }
/** Of a hold or a sale that a voucher made possible: it counts against the voucher. */
const voucher = { voucher: Schema.optionalKey(VoucherId) }

export const InventoryCommand = Schema.TaggedUnion({
  /** Claim seats, area places, or both, or the best there is: all of it or nothing (INV-02). */
  Hold: {
    ...envelope,
    holdId: HoldId,
    seats: Schema.Array(Schema.Int),
    areas: Schema.Array(AreaClaim),
    best: Schema.NullOr(BestAvailable),
    ...customer,
    /** The key of a voucher: SHA-256 of its code in upper case, in base64url. */
    voucherKey: Schema.optionalKey(Schema.String),
    /** Says that the accessible seats among those named are needed as such. */
    accessible: Schema.optionalKey(Schema.Boolean),
    /**
     * A hold of the same buyer that ends with this one, and with it alone: what it has counts as free here.
     * The new one goes by the clock of the old, and is the same customer's and with the same voucher, where
     * the command names none.
     */
    replaces: Schema.optionalKey(HoldId),
    /** Its life, in milliseconds, where it is to have another one than the holds of the event. */
    lifeMs: Schema.optionalKey(Schema.Int)
  },
  /** Push the expiry of a hold to a full life from now, as far as the cap. */
  Extend: { ...envelope, holdId: HoldId },
  /** Give a hold back. Repeats are harmless. */
  Release: { ...envelope, holdId: HoldId },
  /**
   * Checkout begins: the hold cannot expire before `checkoutMaxMs` from now, and no other order can take it.
   * From now on it counts as the customer's.
   */
  Freeze: { ...envelope, holdId: HoldId, orderId: OrderId, ...customer },
  /** Checkout ended without a sale: the hold has its own clock again, and may be used by another order. */
  Unfreeze: { ...envelope, holdId: HoldId, orderId: OrderId },
  /**
   * Turn a hold into a sale. `seats` and `areas` are the order's claims: where the hold is gone they
   * are sold all the same if they are still free (money that came late), all or nothing.
   */
  Confirm: {
    ...envelope,
    holdId: HoldId,
    orderId: OrderId,
    seats: Schema.Array(Schema.Int),
    areas: Schema.Array(AreaClaim),
    ...customer,
    ...voucher
  },
  /** Take back what an order bought, in part or whole: it is free again at once. */
  Return: {
    ...envelope,
    orderId: OrderId,
    seats: Schema.Array(Schema.Int),
    areas: Schema.Array(AreaClaim)
  }
})
export type InventoryCommand = typeof InventoryCommand.Type

export const HeldSeat = Schema.Struct({
  seat: Schema.Int,
  /** "Section · Row · Seat", as it stands on the ticket. */
  label: Schema.String,
  tier: TierId,
  price: Amount
})
export type HeldSeat = typeof HeldSeat.Type

export const HeldArea = Schema.Struct({
  area: Schema.Int,
  name: Schema.String,
  quantity: Schema.Int,
  tier: TierId,
  /** For one place. */
  price: Amount
})
export type HeldArea = typeof HeldArea.Type

/** A hold as it stands. */
export const HoldView = Schema.Struct({
  holdId: HoldId,
  seats: Schema.Array(HeldSeat),
  areas: Schema.Array(HeldArea),
  amount: Amount,
  currency: Schema.String,
  expiresAtMs: Schema.Int,
  /** The version of the inventory in which it was written. */
  version: Schema.Int,
  /** The order that is at checkout with it. */
  orderId: Schema.NullOr(OrderId),
  ...voucher,
  /** Of one at checkout: what is agreed with who buys now. */
  terms: Schema.optionalKey(SaleTerms)
})
export type HoldView = typeof HoldView.Type

/** The live hold that a seat is in, and whose it is. */
export const SeatHold = Schema.Struct({
  holdId: HoldId,
  customer: Schema.NullOr(CustomerKey),
  /** The order that is at checkout with it. */
  orderId: Schema.NullOr(OrderId)
})
export type SeatHold = typeof SeatHold.Type

/** Why a command was refused. */
export const RefusalCode = Schema.Literals([
  "event_not_found",
  "event_cancelled",
  "seats_unknown",
  "seats_taken",
  "quota_full",
  "not_for_sale",
  "accessible_only",
  "voucher_needed",
  "voucher_invalid",
  "voucher_used",
  "limit_passed",
  "below_minimum",
  "sale_closed",
  "tier_closed",
  "hold_not_found",
  "hold_expired",
  "extension_cap",
  "in_checkout",
  "not_sold",
  "key_reused",
  "key_in_use"
])
export type RefusalCode = typeof RefusalCode.Type

/** What a limit counts: the tickets of an order, of one tier in an order, or of a customer over all orders. */
export const LimitScope = Schema.Literals(["order", "tier", "customer"])
export type LimitScope = typeof LimitScope.Type

/** What is told of a refusal beside its code. */
export const refusalDetail = {
  /** The seats and areas that stood in the way, where it was these. */
  seats: Schema.Array(Schema.Int),
  areas: Schema.Array(Schema.Int),
  /**
   * By the code: the limit that was passed or not reached, what is left of a quota or a voucher, the time when
   * a sale opens or has closed.
   */
  limit: Schema.NullOr(Schema.Int),
  /** Of a limit. */
  scope: Schema.optionalKey(LimitScope),
  /** The tier that it is about, where it is about one. */
  tier: Schema.optionalKey(TierId)
}

export const Refused = Schema.TaggedStruct("Refused", { code: RefusalCode, ...refusalDetail })
export type Refused = typeof Refused.Type

export const InventoryAnswer = Schema.Union([
  /** Hold, Extend, Freeze and Unfreeze answer with the hold. */
  Schema.TaggedStruct("Held", { hold: HoldView }),
  Schema.TaggedStruct("Released", {}),
  /** `reclaimed` where the hold was gone and the claims were still free. */
  Schema.TaggedStruct("Sold", { version: Schema.Int, reclaimed: Schema.Boolean }),
  Schema.TaggedStruct("Returned", { version: Schema.Int }),
  Refused
])
export type InventoryAnswer = typeof InventoryAnswer.Type

/** Availability, sparse: only what is not free. Seats of a block that is not released count as held. */
export const AvailabilityView = Schema.Struct({
  version: Schema.Int,
  total: Schema.Int,
  held: Schema.Array(Schema.Int),
  sold: Schema.Array(Schema.Int),
  /** In the order of the layout's areas. */
  areas: Schema.Array(Schema.Struct({ capacity: Schema.Int, available: Schema.Int })),
  /** The tiers that draw on a quota, and how many tickets of them it leaves. */
  tiers: Schema.Array(Schema.Struct({ tier: TierId, available: Schema.Int })),
  /**
   * Only where whoever decides could not be asked, and a read model was: all that was answered until then is in it.
   * Milliseconds since 1970.
   */
  asOfMs: Schema.optionalKey(Schema.Int)
})
export type AvailabilityView = typeof AvailabilityView.Type
