/** What the catalog refuses, and why. */
import { Schema } from "effect"
import { EventId, VenueId } from "../Ids.ts"
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
