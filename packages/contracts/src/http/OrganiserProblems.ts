/** The problems that only organisers meet (see `Problems`). */
import { Schema } from "effect"
import { HttpApiError } from "effect/http-api"
import { SeatId } from "../Ids.ts"

export class EventCancelled extends HttpApiError.Problem<EventCancelled>()("EventCancelled", {
  type: "urn:onsale:problem:event-cancelled",
  status: 409,
  title: "The event was cancelled"
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
