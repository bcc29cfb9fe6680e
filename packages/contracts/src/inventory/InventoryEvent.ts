/**
 * The domain events of an event's inventory, as they stand in `inventory.journal`. One row of the
 * journal holds what one batch of commands decided, in order. Names are short because a busy event
 * writes millions of them. Times are milliseconds since 1970.
 */
import { Schema } from "effect"
import { CommandId, HoldId, OrderId, VoucherId } from "../Ids.ts"
import { AreaClaim, CustomerKey, RefusalCode, refusalDetail } from "./InventoryCommand.ts"

const command = { cmd: CommandId, fp: Schema.String }
// The claims of the hold, so that an answer can be given again from the event alone.
const claims = { seats: Schema.Array(Schema.Int), areas: Schema.Array(AreaClaim) }
// What it counts against, beside seats and places.
const counts = { customer: Schema.optionalKey(CustomerKey), voucher: Schema.optionalKey(VoucherId) }

export const InventoryEvent = Schema.TaggedUnion({
  /** The sale was opened or its layout replaced; `layout` is the version of the row in `inventory.layout`. */
  Opened: { layout: Schema.Int },
  Held: {
    ...command,
    hold: HoldId,
    ...claims,
    /** When it expires, and the latest it can be extended to. */
    exp: Schema.Int,
    cap: Schema.Int,
    ...counts,
    /** The hold that it took the place of, which ended with it. */
    replaces: Schema.optionalKey(HoldId)
  },
  Extended: { ...command, hold: HoldId, ...claims, exp: Schema.Int, voucher: counts.voucher },
  Released: { ...command, hold: HoldId },
  /** Its time had passed; nobody asked. */
  Expired: { holds: Schema.Array(HoldId) },
  Frozen: { ...command, hold: HoldId, order: OrderId, ...claims, until: Schema.Int, ...counts },
  /** `exp` is the hold's own expiry, which counts again. */
  Unfrozen: {
    ...command,
    hold: HoldId,
    order: OrderId,
    ...claims,
    exp: Schema.Int,
    voucher: counts.voucher
  },
  Sold: {
    ...command,
    hold: HoldId,
    order: OrderId,
    ...claims,
    reclaimed: Schema.Boolean,
    ...counts
  },
  Returned: {
    ...command,
    order: OrderId,
    ...claims
  },
  /** What was asked to be sold to the order is sold to it already. */
  SoldBefore: { ...command, order: OrderId },
  /** Changes nothing, but the same command must be answered alike. */
  Refused: { ...command, code: RefusalCode, ...refusalDetail }
})
export type InventoryEvent = typeof InventoryEvent.Type
