/** What an organiser changes of a published event. */
import { Schema } from "effect"
import { DisplayName, Instant, LongText, NewPerformers } from "./Event.ts"

/** Refused where it is there, rather than left undone without a word. */
const fixed = Schema.optionalKey(Schema.Never)

/**
 * What is left out stays as it is. With nothing at all, buyers are told of what SQL has changed.
 * What is sold, and under which rules, does not change so.
 */
export const EventChange = Schema.Struct({
  name: Schema.optionalKey(DisplayName),
  description: Schema.optionalKey(LongText),
  /** In the future. */
  startsAt: Schema.optionalKey(Instant),
  /** When left out, the sale ends as long before or after the start as it did. */
  saleEndsAt: Schema.optionalKey(Instant),
  /** All of them. Who performs already keeps the description where none is given. */
  performers: Schema.optionalKey(NewPerformers),
  venueId: fixed,
  timeZone: fixed,
  onSaleAt: fixed,
  tiers: fixed,
  currency: fixed,
  quotas: fixed,
  maxPerOrder: fixed,
  maxPerCustomer: fixed,
  maxTickets: fixed,
  organiser: fixed,
  refundPolicy: fixed,
  holdSeconds: fixed
})
export type EventChange = typeof EventChange.Type
