/**
 * The entity of an order: its id is the order's id. It runs the checkout, one step at a time, and
 * whoever sends `Resume` (a supervisor, the news of a payment) makes it go on from where it stands.
 */
import { Schema } from "effect"
import { ClusterSchema, Entity } from "effect/cluster"
import { Rpc } from "effect/rpc"
import { CustomerId, EventId, OrderId, TicketId } from "../Ids.ts"
import { LimitScope, RefusalCode } from "../inventory/InventoryCommand.ts"
import { bookingShardGroup } from "../inventory/InventoryEntity.ts"
import { CheckInAnswer, Gate, maxScans, Scan, ScanAnswer, ScanId } from "./CheckIn.ts"
import { Customer, NewOrder, OrderView, RefundCause } from "./Order.ts"

/** The hold cannot be bought; `code` says why, in the inventory's words. */
export class HoldNotBuyable extends Schema.TaggedError<HoldNotBuyable>()("HoldNotBuyable", {
  code: RefusalCode,
  /** Of `limit_passed`: the limit, and what it counts. */
  limit: Schema.NullOr(Schema.Int),
  scope: Schema.optionalKey(LimitScope)
}) {}

/** The idempotency key was used before with another body. */
export class KeyReused extends Schema.TaggedError<KeyReused>()("KeyReused", {}) {}

/** The first request with this idempotency key is still running. */
export class KeyInUse extends Schema.TaggedError<KeyInUse>()("KeyInUse", {}) {}

/** The key was used before by the same request: its order is this one. */
export class KeySeen extends Schema.TaggedError<KeySeen>()("KeySeen", {
  orderId: OrderId,
  /** The status of the order when it was answered first. */
  answer: OrderView
}) {}

/**
 * Inventory, payments, the order or its tables cannot be reached now; nothing is lost, the same key may be sent again.
 * Without a reason it is not known what became of what was asked.
 */
export class BookingUnavailable extends Schema.TaggedError<BookingUnavailable>()("BookingUnavailable", {
  retryAfterMs: Schema.Int,
  /** Of what this message would have done, nothing was done: there is too much to do, or something is missing for it. */
  reason: Schema.optionalKey(Schema.Literals(["overloaded", "not_begun"]))
}) {}

export class OrderNotFound extends Schema.TaggedError<OrderNotFound>()("OrderNotFound", {}) {}

/** What was asked to be refunded cannot be: not confirmed, refunded before, not of this order, used, or too late. */
export class NotRefundable extends Schema.TaggedError<NotRefundable>()("NotRefundable", {
  message: Schema.String,
  tickets: Schema.Array(TicketId),
  /** Where it is too late: since when, in milliseconds since 1970. */
  deadlineMs: Schema.optionalKey(Schema.Int),
  /** Where the tickets were used at the door. */
  used: Schema.optionalKey(Schema.Boolean)
}) {}

/** The ticket gets no new code: it is not of this order, was refunded or used, or had too many. */
export class NotReissuable extends Schema.TaggedError<NotReissuable>()("NotReissuable", {
  reason: Schema.Literals(["unknown", "refunded", "used", "too_many"])
}) {}

const idempotency = { key: Schema.String, fingerprint: Schema.String }

/** Places the order and runs its checkout until it is confirmed, declined, cancelled, or has to wait for the payment. */
export const Place = Rpc.make("Place", {
  payload: {
    ...idempotency,
    correlation: Schema.optionalKey(Schema.String),
    eventId: EventId,
    /** Whom a token has named. */
    customerId: Schema.optionalKey(CustomerId),
    /** Milliseconds after which nobody waits for it: what is not placed by then is not. Counted from when it comes. */
    waitMs: Schema.optionalKey(Schema.Int),
    order: NewOrder
  },
  success: OrderView,
  error: Schema.Union([HoldNotBuyable, KeyReused, KeyInUse, KeySeen, BookingUnavailable])
})

/** Goes on with whatever is unfinished; answers with the order as it then stands. */
export const Resume = Rpc.make("Resume", {
  success: OrderView,
  error: Schema.Union([OrderNotFound, BookingUnavailable])
})

/** Refunds tickets, all of them where none are named. */
export const RequestRefund = Rpc.make("RequestRefund", {
  payload: {
    ...idempotency,
    correlation: Schema.optionalKey(Schema.String),
    tickets: Schema.NullOr(Schema.Array(TicketId)),
    reason: Schema.String,
    cause: RefundCause
  },
  success: OrderView,
  error: Schema.Union([OrderNotFound, NotRefundable, KeyReused, KeyInUse, BookingUnavailable])
})

/** A code is shown at a gate that asks. */
export const CheckIn = Rpc.make("CheckIn", {
  payload: { ticketId: TicketId, codeVersion: Schema.Int, gate: Gate, scanId: ScanId },
  success: CheckInAnswer,
  error: Schema.Union([OrderNotFound, BookingUnavailable])
})

/** Scans of gates that did not ask, as they were made; the answers are in their order. */
export const RecordScans = Rpc.make("RecordScans", {
  payload: { scans: Schema.Array(Scan).check(Schema.isMaxLength(maxScans)) },
  success: Schema.Array(ScanAnswer),
  error: Schema.Union([OrderNotFound, BookingUnavailable])
})

/** Gives a ticket a new code, and with `holder` to another person. */
export const ReissueTicket = Rpc.make("ReissueTicket", {
  payload: { ...idempotency, ticketId: TicketId, holder: Schema.NullOr(Customer) },
  success: OrderView,
  error: Schema.Union([OrderNotFound, NotReissuable, KeyReused, KeyInUse, BookingUnavailable])
})

export const GetOrder = Rpc.make("GetOrder", { success: Schema.NullOr(OrderView) })

export const OrderEntity = Entity.make("Order", [
  Place,
  Resume,
  RequestRefund,
  CheckIn,
  RecordScans,
  ReissueTicket,
  GetOrder
])
  // A buyer who closes the page does not stop a payment half-way.
  .annotateRpcs(ClusterSchema.Uninterruptible, true)
  .annotate(ClusterSchema.ShardGroup, () => bookingShardGroup)
