/**
 * The errors of the HTTP API: RFC 9457 problems. `type` is stable and tells them apart; where seats
 * are the matter there is one entry a seat.
 */
import { Schema } from "effect"
import { HttpApiError, HttpApiSchema } from "effect/http-api"
import { ImportReport } from "../catalog/SeatMap.ts"
import { AreaId, OrderId, SeatId, TicketId, TierId } from "../Ids.ts"
import { LimitScope } from "../inventory/InventoryCommand.ts"
import { bodyOf, reasonOf, UnansweredBody, UnansweredReason } from "./Unanswered.ts"

const type = <const Name extends string>(name: Name) => `urn:onsale:problem:${name}` as const

const SeatEntry = Schema.Struct({ seatId: SeatId })
const AreaEntry = Schema.Struct({ areaId: AreaId })
const claims = { seats: Schema.Array(SeatEntry), areas: Schema.Array(AreaEntry) }

/** `errors` tells what is wrong and where: `path` begins with `params`, `headers`, `query` or `payload`. */
export class RequestInvalid extends HttpApiError.Problem<RequestInvalid>()(
  "RequestInvalid",
  { type: type("request-invalid"), status: 400, title: "The request is not as it should be" },
  { errors: Schema.Array(HttpApiError.ProblemIssue) }
) {}

export class Internal extends HttpApiError.Problem<Internal>()("Internal", {
  type: type("internal"),
  status: 500,
  title: "Something broke on our side; it is logged under this correlation id"
}) {}

export class Unauthorized extends HttpApiError.Problem<Unauthorized>()("Unauthorized", {
  type: type("unauthorized"),
  status: 401,
  title: "A bearer key is needed"
}) {}

export class TokenRejected extends HttpApiError.Problem<TokenRejected>()("TokenRejected", {
  type: type("token-rejected"),
  status: 401,
  title: "The bearer token does not hold, or has expired"
}) {}

export class AddressNotProved extends HttpApiError.Problem<AddressNotProved>()("AddressNotProved", {
  type: type("address-not-proved"),
  status: 403,
  title: "The bearer token does not prove an e-mail address"
}) {}

export class PhoneInvalid extends HttpApiError.Problem<PhoneInvalid>()("PhoneInvalid", {
  type: type("phone-invalid"),
  status: 422,
  title: "No phone can have this number"
}) {}

export class EventNotFound extends HttpApiError.Problem<EventNotFound>()("EventNotFound", {
  type: type("event-not-found"),
  status: 404,
  title: "There is no such event"
}) {}

export class SeatMapNotFound extends HttpApiError.Problem<SeatMapNotFound>()("SeatMapNotFound", {
  type: type("seat-map-not-found"),
  status: 404,
  title: "The event has no seat map of this version"
}) {}

export class VenueNotFound extends HttpApiError.Problem<VenueNotFound>()("VenueNotFound", {
  type: type("venue-not-found"),
  status: 404,
  title: "There is no such venue"
}) {}

export class SeatsUnknown extends HttpApiError.Problem<SeatsUnknown>()(
  "SeatsUnknown",
  { type: type("seats-unknown"), status: 404, title: "The event has no such seats or areas" },
  {
    seats: Schema.Array(Schema.Struct({ seatId: Schema.String })),
    areas: Schema.Array(Schema.Struct({ areaId: Schema.String }))
  }
) {}

export class EventNotDraft extends HttpApiError.Problem<EventNotDraft>()("EventNotDraft", {
  type: type("event-not-draft"),
  status: 409,
  title: "Only a draft can be changed so"
}) {}

export class CursorInvalid extends HttpApiError.Problem<CursorInvalid>()("CursorInvalid", {
  type: type("cursor-invalid"),
  status: 400,
  title: "The cursor is not one that a page of ours has given"
}) {}

/** One that has expired is not told from one that was given back: nothing is kept of either. */
export class HoldNotFound extends HttpApiError.Problem<HoldNotFound>()("HoldNotFound", {
  type: type("hold-not-found"),
  status: 404,
  title: "There is no such hold: it has expired, was given back, or never was"
}) {}

export class OrderNotFound extends HttpApiError.Problem<OrderNotFound>()("OrderNotFound", {
  type: type("order-not-found"),
  status: 404,
  title: "There is no such order"
}) {}

export class TicketNotFound extends HttpApiError.Problem<TicketNotFound>()("TicketNotFound", {
  type: type("ticket-not-found"),
  status: 404,
  title: "There is no such ticket"
}) {}

export class TicketNotValid extends HttpApiError.Problem<TicketNotValid>()("TicketNotValid", {
  type: type("ticket-not-valid"),
  status: 409,
  title: "There is no ticket to be had here any more"
}) {}

export class WalletNotConfigured extends HttpApiError.Problem<WalletNotConfigured>()("WalletNotConfigured", {
  type: type("wallet-not-configured"),
  status: 404,
  title: "There are no passes for this wallet here"
}) {}

export class TicketsNotReady extends HttpApiError.Problem<TicketsNotReady>()("TicketsNotReady", {
  type: type("tickets-not-ready"),
  status: 409,
  title: "There are no tickets of this order to be had here"
}) {}

export class SeatsTaken extends HttpApiError.Problem<SeatsTaken>()(
  "SeatsTaken",
  { type: type("seats-taken"), status: 409, title: "Somebody else has these seats" },
  claims
) {}

export class SoldOut extends HttpApiError.Problem<SoldOut>()("SoldOut", {
  type: type("sold-out"),
  status: 409,
  title: "There are not as many seats left of what was asked for"
}) {}

export class HoldBought extends HttpApiError.Problem<HoldBought>()("HoldBought", {
  type: type("hold-bought"),
  status: 409,
  title: "The hold has become an order"
}) {}

export class HoldInCheckout extends HttpApiError.Problem<HoldInCheckout>()("HoldInCheckout", {
  type: type("hold-in-checkout"),
  status: 409,
  title: "An order is at checkout with this hold"
}) {}

export class ExtensionCap extends HttpApiError.Problem<ExtensionCap>()("ExtensionCap", {
  type: type("extension-cap"),
  status: 409,
  title: "The hold cannot be extended any further"
}) {}

export class NotForSale extends HttpApiError.Problem<NotForSale>()(
  "NotForSale",
  { type: type("not-for-sale"), status: 422, title: "These seats or areas are not for sale" },
  claims
) {}

export class SaleClosed extends HttpApiError.Problem<SaleClosed>()(
  "SaleClosed",
  { type: type("sale-closed"), status: 422, title: "The event is not on sale now" },
  { at: Schema.NullOr(Schema.String) }
) {}

export class LimitPassed extends HttpApiError.Problem<LimitPassed>()(
  "LimitPassed",
  { type: type("limit-passed"), status: 422, title: "More tickets than one order or customer may have" },
  {
    limit: Schema.Int,
    /** What it counts: the tickets of an order, those of one tier in an order, or a customer's of all orders. */
    scope: LimitScope,
    /** Of which tier. */
    tier: Schema.optionalKey(TierId)
  }
) {}

export class BelowMinimum extends HttpApiError.Problem<BelowMinimum>()(
  "BelowMinimum",
  { type: type("below-minimum"), status: 422, title: "Fewer tickets of this tier than an order must have" },
  { limit: Schema.Int, tier: TierId }
) {}

export class QuotaFull extends HttpApiError.Problem<QuotaFull>()(
  "QuotaFull",
  { type: type("quota-full"), status: 409, title: "There are not as many tickets left of this tier" },
  { ...claims, available: Schema.Int }
) {}

export class AccessibleOnly extends HttpApiError.Problem<AccessibleOnly>()(
  "AccessibleOnly",
  {
    type: type("accessible-only"),
    status: 422,
    title: "These seats are kept for those who need an accessible one: say so with accessible: true"
  },
  { seats: Schema.Array(SeatEntry) }
) {}

export class VoucherNeeded extends HttpApiError.Problem<VoucherNeeded>()(
  "VoucherNeeded",
  { type: type("voucher-needed"), status: 422, title: "These seats or areas need a voucher" },
  claims
) {}

export class VoucherInvalid extends HttpApiError.Problem<VoucherInvalid>()("VoucherInvalid", {
  type: type("voucher-invalid"),
  status: 422,
  title: "The voucher does not count for this event now"
}) {}

export class VoucherUsed extends HttpApiError.Problem<VoucherUsed>()(
  "VoucherUsed",
  { type: type("voucher-used"), status: 409, title: "The voucher has not as many tickets left" },
  { available: Schema.Int }
) {}

export class TierClosed extends HttpApiError.Problem<TierClosed>()(
  "TierClosed",
  { type: type("tier-closed"), status: 422, title: "This tier is not on sale now" },
  { ...claims, tier: TierId, at: Schema.NullOr(Schema.String) }
) {}

export class KeyReused extends HttpApiError.Problem<KeyReused>()("KeyReused", {
  type: type("idempotency-key-reused"),
  status: 422,
  title: "The Idempotency-Key was used before with another body"
}) {}

export class KeyInUse extends HttpApiError.Problem<KeyInUse>()("KeyInUse", {
  type: type("idempotency-key-in-use"),
  status: 409,
  title: "The first request with this Idempotency-Key is still running"
}) {}

export class PaymentDeclined extends HttpApiError.Problem<PaymentDeclined>()(
  "PaymentDeclined",
  { type: type("payment-declined"), status: 402, title: "The payment was declined" },
  { orderId: OrderId, code: Schema.NullOr(Schema.String) }
) {}

export class OrderCancelled extends HttpApiError.Problem<OrderCancelled>()(
  "OrderCancelled",
  {
    type: type("order-cancelled"),
    status: 409,
    title: "The order was cancelled; nothing is charged, or it is on its way back"
  },
  { orderId: OrderId }
) {}

export class NotRefundable extends HttpApiError.Problem<NotRefundable>()(
  "NotRefundable",
  { type: type("not-refundable"), status: 422, title: "This cannot be refunded" },
  { tickets: Schema.Array(TicketId) }
) {}

export class RefundDeadlinePassed extends HttpApiError.Problem<RefundDeadlinePassed>()(
  "RefundDeadlinePassed",
  { type: type("refund-deadline-passed"), status: 409, title: "It is too late to give tickets back" },
  {
    /** UTC instant: the end of the time for refunds, as it was agreed with the purchase. */
    deadline: Schema.String
  }
) {}

export class EventCancelled extends HttpApiError.Problem<EventCancelled>()("EventCancelled", {
  type: type("event-cancelled"),
  status: 409,
  title: "The event was cancelled"
}) {}

export class PlanRefused extends HttpApiError.Problem<PlanRefused>()(
  "PlanRefused",
  { type: type("plan-refused"), status: 422, title: "The seat map was not imported" },
  { report: ImportReport }
) {}

export class EventInvalid extends HttpApiError.Problem<EventInvalid>()(
  "EventInvalid",
  { type: type("event-invalid"), status: 422, title: "The event is not as it should be" },
  { errors: Schema.Array(Schema.Struct({ path: Schema.String, message: Schema.String })) }
) {}

export class WebhookRejected extends HttpApiError.Problem<WebhookRejected>()("WebhookRejected", {
  type: type("webhook-rejected"),
  status: 400,
  title: "The webhook's signature does not hold"
}) {}

/** Whoever sent it may: its signature, or secret, holds. */
export class WebhookUnreadable extends HttpApiError.Problem<WebhookUnreadable>()("WebhookUnreadable", {
  type: type("webhook-unreadable"),
  status: 400,
  title: "The webhook's body is none that can be read here"
}) {}

export class ProviderNotFound extends HttpApiError.Problem<ProviderNotFound>()("ProviderNotFound", {
  type: type("provider-not-found"),
  status: 404,
  title: "There is no such payment provider"
}) {}

/**
 * There is no answer for once: too much at once, where no other reason is named. Carries how long to wait, in whole
 * seconds, as `Retry-After`.
 */
export class Overloaded extends Schema.TaggedError<Overloaded>()("Overloaded", {
  retryAfterSeconds: Schema.Int,
  reason: Schema.optionalKey(UnansweredReason)
}) {}

export const OverloadedProblem = Overloaded.pipe(
  HttpApiSchema.encodeToWithHeaders(
    { body: UnansweredBody, headers: { "retry-after": Schema.Int } },
    {
      decode: ({ body, headers }) => {
        const reason = reasonOf(body)
        return new Overloaded({
          retryAfterSeconds: headers["retry-after"],
          ...(reason === undefined ? {} : { reason })
        })
      },
      encode: ({ reason, retryAfterSeconds }) => ({
        body: bodyOf(reason),
        headers: { "retry-after": retryAfterSeconds }
      })
    }
  )
)

class TooManyRequestsBody extends HttpApiError.Problem<TooManyRequestsBody>()("TooManyRequestsBody", {
  type: type("too-many-requests"),
  status: 429,
  title: "Too many requests from your address, or by your token; try again later"
}) {}

/** Says when there is room again, in whole seconds, and what the limit is: draft-ietf-httpapi-ratelimit-headers. */
export class TooManyRequests extends Schema.TaggedError<TooManyRequests>()("TooManyRequests", {
  retryAfterSeconds: Schema.Int,
  policy: Schema.String,
  limit: Schema.String
}) {}

export const TooManyRequestsProblem = TooManyRequests.pipe(
  HttpApiSchema.encodeToWithHeaders(
    {
      body: TooManyRequestsBody,
      headers: { "retry-after": Schema.Int, "ratelimit-policy": Schema.String, ratelimit: Schema.String }
    },
    {
      decode: ({ headers }) =>
        new TooManyRequests({
          retryAfterSeconds: headers["retry-after"],
          policy: headers["ratelimit-policy"],
          limit: headers.ratelimit
        }),
      encode: ({ limit, policy, retryAfterSeconds }) => ({
        body: new TooManyRequestsBody({}),
        headers: { "retry-after": retryAfterSeconds, "ratelimit-policy": policy, ratelimit: limit }
      })
    }
  )
)
