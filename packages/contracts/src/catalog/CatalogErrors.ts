/** What the catalog refuses, and why. */
import { Schema } from "effect"
import { BlockId, EventId, SeatId, VenueId, VoucherId } from "../Ids.ts"
import { ImportReport } from "./SeatMap.ts"

/** The plan cannot be imported; nothing was stored. The report's problems of severity `error` say why. */
export class PlanRefused extends Schema.TaggedError<PlanRefused>()("PlanRefused", {
  report: ImportReport
}) {}

/** Something in a request that cannot be, with its place in the body as a JSON pointer. */
export const InvalidField = Schema.Struct({ path: Schema.String, message: Schema.String })
export type InvalidField = typeof InvalidField.Type

export class EventInvalid extends Schema.TaggedError<EventInvalid>()("EventInvalid", {
  problems: Schema.Array(InvalidField)
}) {}

export class VenueNotFound extends Schema.TaggedError<VenueNotFound>()("VenueNotFound", {
  venueId: VenueId
}) {}

/** There is no such event, or, for the public, it is a draft. */
export class EventNotFound extends Schema.TaggedError<EventNotFound>()("EventNotFound", {
  eventId: EventId
}) {}

/** Only a draft can be changed so. */
export class EventNotDraft extends Schema.TaggedError<EventNotDraft>()("EventNotDraft", {
  eventId: EventId
}) {}

/** A `cursor` that no page of ours has given. */
export class CursorInvalid extends Schema.TaggedError<CursorInvalid>()("CursorInvalid", {
  cursor: Schema.String
}) {}

/** What a cancelled event sells cannot be changed any more. */
export class EventCancelled extends Schema.TaggedError<EventCancelled>()("EventCancelled", {
  eventId: EventId
}) {}

/** A draft: nobody can have bought anything yet. */
export class EventNotPublished extends Schema.TaggedError<EventNotPublished>()("EventNotPublished", {
  eventId: EventId
}) {}

/** Ids that are not of this event, or of this block. */
export class PlacesUnknown extends Schema.TaggedError<PlacesUnknown>()("PlacesUnknown", {
  seats: Schema.Array(Schema.String),
  areas: Schema.Array(Schema.String)
}) {}

/** These seats are in another block. */
export class SeatsBlocked extends Schema.TaggedError<SeatsBlocked>()("SeatsBlocked", {
  seats: Schema.Array(SeatId)
}) {}

export class BlockNotFound extends Schema.TaggedError<BlockNotFound>()("BlockNotFound", {
  blockId: BlockId
}) {}

/** The event has vouchers of these codes. */
export class VoucherExists extends Schema.TaggedError<VoucherExists>()("VoucherExists", {
  codes: Schema.Array(Schema.String)
}) {}

export class VoucherNotFound extends Schema.TaggedError<VoucherNotFound>()("VoucherNotFound", {
  voucherId: VoucherId
}) {}
