/** Venues and events as the HTTP API and typed clients see them. */
import { DateTime, Effect, Option, Schema } from "effect"
import { AreaId, EventId, PerformerId, RowId, SeatId, SectionId, TierId, VenueId } from "../Ids.ts"
import { Currency, Money } from "../Money.ts"
import { isStorable } from "../Text.ts"
import { ImportReport, PlanFormat } from "./SeatMap.ts"

// Postgres cannot store the character U+0000 in a text.
const name = Schema.Trimmed.check(Schema.isMinLength(1), Schema.isMaxLength(200), isStorable)
const text = Schema.String.check(Schema.isMaxLength(10_000), isStorable)

/** A UTC instant, ISO 8601: `2026-12-24T19:30:00Z`. */
export const Instant = Schema.String.check(
  Schema.isPattern(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/, {
    expected: "an instant such as 2026-12-24T19:30:00Z"
  }),
  Schema.makeFilter((instant: string) => Option.isSome(DateTime.make(instant)), {
    expected: "an instant that the calendar has"
  })
)

/** An IANA time zone, such as `Europe/Berlin`. */
export const TimeZoneName = Schema.String.check(
  // Without it an offset such as +01:00 would do, which knows no summer time.
  Schema.isPattern(/^[A-Za-z][A-Za-z0-9_+/-]{0,63}$/, {
    expected: "an IANA time zone such as Europe/Berlin"
  }),
  Schema.makeFilter((zone: string) => Option.isSome(DateTime.zoneMakeNamed(zone)), {
    expected: "a time zone of the IANA database"
  })
)

export const VenueSummary = Schema.Struct({ id: VenueId, name: Schema.String, location: Schema.String })

export const Performer = Schema.Struct({ id: PerformerId, name: Schema.String, description: Schema.String })
export type Performer = typeof Performer.Type

export const Tier = Schema.Struct({
  id: TierId,
  name: Schema.String,
  price: Money,
  /** The seat map's categories that are sold at this price. */
  categories: Schema.Array(Schema.String)
})
export type Tier = typeof Tier.Type

/** `on_sale` is `published` whose `onSaleAt` has come and whose sale has not ended. */
export const EventStatus = Schema.Literals(["draft", "published", "on_sale", "ended", "cancelled"])
export type EventStatus = typeof EventStatus.Type

export const EventSummary = Schema.Struct({
  id: EventId,
  name: Schema.String,
  startsAt: Schema.String,
  timeZone: Schema.String,
  venue: VenueSummary,
  onSaleAt: Schema.String,
  status: EventStatus,
  /** The lowest and the highest price, null where there is no tier. */
  priceRange: Schema.NullOr(Schema.Struct({ from: Money, to: Money }))
})
export type EventSummary = typeof EventSummary.Type

export const EventDetail = Schema.Struct({
  id: EventId,
  name: Schema.String,
  description: Schema.String,
  startsAt: Schema.String,
  timeZone: Schema.String,
  venue: VenueSummary,
  performers: Schema.Array(Performer),
  tiers: Schema.Array(Tier),
  onSaleAt: Schema.String,
  saleEndsAt: Schema.String,
  maxPerOrder: Schema.Int,
  status: EventStatus
})
export type EventDetail = typeof EventDetail.Type

export const EventPage = Schema.Struct({
  events: Schema.Array(EventSummary),
  /** Give it back as `cursor` for the next page; null on the last. */
  nextCursor: Schema.NullOr(Schema.String)
})
export type EventPage = typeof EventPage.Type

/** Which of the published events to list, in the order of `startsAt`. */
export const EventQuery = Schema.Struct({
  /** Events that start then or later. */
  from: Schema.optionalKey(Instant),
  /** Events that start before. */
  to: Schema.optionalKey(Instant),
  venue: Schema.optionalKey(VenueId),
  /** The `nextCursor` of the page before. */
  cursor: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(200))),
  /** 20 when left out. */
  limit: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 100 })))
})
export type EventQuery = typeof EventQuery.Type

export const VenuePage = Schema.Struct({
  venues: Schema.Array(VenueSummary),
  /** Give it back as `cursor` for the next page; null on the last. */
  nextCursor: Schema.NullOr(Schema.String)
})
export type VenuePage = typeof VenuePage.Type

/** Which venues to list, the newest last. */
export const VenueQuery = Schema.Struct({
  cursor: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(200))),
  /** 20 when left out. */
  limit: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 100 })))
})
export type VenueQuery = typeof VenueQuery.Type

/** The seat map of an event, with the event's own ids and tiers. Immutable a version. */
export const EventSeatMap = Schema.Struct({
  version: Schema.Int,
  sections: Schema.Array(
    Schema.Struct({
      id: SectionId,
      name: Schema.String,
      rows: Schema.Array(
        Schema.Struct({
          id: RowId,
          label: Schema.String,
          seats: Schema.Array(
            Schema.Struct({
              id: SeatId,
              label: Schema.String,
              x: Schema.Finite,
              y: Schema.Finite,
              tier: Schema.NullOr(TierId),
              accessible: Schema.Boolean
            })
          )
        })
      )
    })
  ),
  areas: Schema.Array(Schema.Struct({ id: AreaId, name: Schema.String, tier: Schema.NullOr(TierId) }))
})
export type EventSeatMap = typeof EventSeatMap.Type

// --- what organisers send -----------------------------------------------------------------------

/** A plan to import: JSON formats as an object or as their text, CSV as its text. */
export const PlanUpload = Schema.Struct({ format: PlanFormat, content: Schema.Unknown })

export const NewVenue = Schema.Struct({
  name,
  location: text.pipe(Schema.withDecodingDefaultKey(Effect.succeed(""))),
  timeZone: TimeZoneName,
  seatMap: PlanUpload
})
export type NewVenue = typeof NewVenue.Type

export const VenueDetail = Schema.Struct({
  id: VenueId,
  name: Schema.String,
  location: Schema.String,
  timeZone: Schema.String,
  /** The version of its newest seat map. */
  seatMapVersion: Schema.Int,
  /** How that map was read. */
  report: ImportReport
})
export type VenueDetail = typeof VenueDetail.Type

export const NewTier = Schema.Struct({
  name,
  price: Money,
  /** The seat map's categories sold at this price; a category can be on one tier only. */
  categories: Schema.Array(Schema.String.check(Schema.isMaxLength(200))).check(Schema.isMaxLength(1000))
})
export type NewTier = typeof NewTier.Type

export const NewEvent = Schema.Struct({
  venueId: VenueId,
  name,
  description: text.pipe(Schema.withDecodingDefaultKey(Effect.succeed(""))),
  startsAt: Instant,
  /** When left out, at once. */
  onSaleAt: Schema.optionalKey(Instant),
  /** When left out, when the event starts. */
  saleEndsAt: Schema.optionalKey(Instant),
  performers: Schema.Array(Schema.Struct({ name, description: Schema.optionalKey(text) })).pipe(
    Schema.check(Schema.isMaxLength(100)),
    Schema.withDecodingDefaultKey(Effect.succeed([]))
  ),
  /** When left out, one for each price that the seat map itself gives (CSV plans), in `currency`. */
  tiers: Schema.Array(NewTier).pipe(
    Schema.check(Schema.isMaxLength(200)),
    Schema.withDecodingDefaultKey(Effect.succeed([]))
  ),
  /** Of the prices of the seat map, where no tiers are given. */
  currency: Schema.optionalKey(Currency),
  /** Tickets in one order; 10 when left out. */
  maxPerOrder: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1000 }))),
  /** How long a hold lives, 600 seconds when left out. */
  holdSeconds: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 86_400 })))
})
export type NewEvent = typeof NewEvent.Type
