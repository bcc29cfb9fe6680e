/** The problems that only organisers meet (see `Problems`). */
import { Schema } from "effect"
import { HttpApiError } from "effect/http-api"
import { SeatId } from "../Ids.ts"

export class EventNotPublished extends HttpApiError.Problem<EventNotPublished>()("EventNotPublished", {
  type: "urn:onsale:problem:event-not-published",
  status: 409,
  title: "The event is a draft"
}) {}

export class EventNotCancelled extends HttpApiError.Problem<EventNotCancelled>()("EventNotCancelled", {
  type: "urn:onsale:problem:event-not-cancelled",
  status: 404,
  title: "The event is not cancelled, so there are no refunds of it"
}) {}

export class SeatsBlocked extends HttpApiError.Problem<SeatsBlocked>()(
  "SeatsBlocked",
  { type: "urn:onsale:problem:seats-blocked", status: 409, title: "These seats are in another block" },
  { seats: Schema.Array(Schema.Struct({ seatId: SeatId })) }
) {}

export class BlockNotFound extends HttpApiError.Problem<BlockNotFound>()("BlockNotFound", {
  type: "urn:onsale:problem:block-not-found",
  status: 404,
  title: "The event has no such block"
}) {}

export class VoucherExists extends HttpApiError.Problem<VoucherExists>()(
  "VoucherExists",
  { type: "urn:onsale:problem:voucher-exists", status: 409, title: "The event has vouchers of these codes" },
  { codes: Schema.Array(Schema.String) }
) {}

export class VoucherNotFound extends HttpApiError.Problem<VoucherNotFound>()("VoucherNotFound", {
  type: "urn:onsale:problem:voucher-not-found",
  status: 404,
  title: "The event has no such voucher"
}) {}
