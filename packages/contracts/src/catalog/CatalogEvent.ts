/**
 * The domain events of the catalog, as they stand in `catalog.journal`; the stream is the event's id.
 * They carry what other contexts show to people, so that none of them has to ask the catalog.
 */
import { Schema } from "effect"
import { EventPlan } from "./EventPlan.ts"
import { EventId, TierId, VenueId } from "../Ids.ts"

/** What a ticket and a message say about an event. */
export const EventFacts = Schema.Struct({
  eventId: EventId,
  name: Schema.String,
  description: Schema.String,
  /** UTC instant, ISO 8601. */
  startsAt: Schema.String,
  /** IANA name. */
  timeZone: Schema.String,
  venue: Schema.Struct({ id: VenueId, name: Schema.String, location: Schema.String }),
  performers: Schema.Array(Schema.String),
  tiers: Schema.Array(Schema.Struct({ id: TierId, name: Schema.String }))
})
export type EventFacts = typeof EventFacts.Type

/** Of the event, once it happened: ahead of the version in the journal by changes of the draft, and by SQL. */
const revision = Schema.Int
/** Rows that older builds wrote have none. */
const revisionIfKnown = Schema.optionalKey(revision)

export const CatalogEvent = Schema.TaggedUnion({
  EventPublished: {
    facts: EventFacts,
    revision: revisionIfKnown,
    /** Left out where there is nothing to draw, and of events that were published before plans were told of. */
    plan: Schema.optionalKey(EventPlan)
  },
  /** Of a published event. Where it begins at another time, its sale may end at another time, too. */
  EventChanged: { facts: EventFacts, revision: revisionIfKnown },
  /** It does not take place. Written once its sale is closed: nothing is sold of it any more. */
  EventCancelled: { eventId: EventId, reason: Schema.String, revision: revisionIfKnown },
  /** Blocks, vouchers, the accessible pool, the refund policy or the end of the sale of a published event are others now, as of that revision. */
  SaleChanged: { eventId: EventId, revision }
})
export type CatalogEvent = typeof CatalogEvent.Type

/** Rows of the catalog's journal that a follower reads at a time: that of a publication has the hall's plan, 600 KB at most. */
export const rowsAtATime = 64
