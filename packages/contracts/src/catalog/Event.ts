/** Venues and events as the HTTP API and typed clients see them. */
import { DateTime, Effect, Option, Schema } from "effect"
import { AreaId, EventId, PerformerId, RowId, SeatId, SectionId, TierId, VenueId } from "../Ids.ts"
import { Amount, Currency, Money } from "../Money.ts"
import { isLine, isStorable } from "../Text.ts"
import { FeeBasisPoints, OrganiserName } from "./SaleTerms.ts"
import { ImportReport, PlanFormat } from "./SeatMap.ts"

/** The name that an organiser gives to something. */
export const DisplayName = Schema.Trimmed.check(
  Schema.isMinLength(1),
  Schema.isMaxLength(200),
  isStorable,
  isLine
)
/** What an organiser says at length. Postgres cannot store the character U+0000 in a text. */
export const LongText = Schema.String.check(Schema.isMaxLength(10_000), isStorable)

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

/** The most that an order may be allowed to have. */
const ticketsAnOrder = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1000 }))
/** As many as the places of an area. */
const ticketsAnEvent = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 10_000_000 }))

/** What is left out is no rule. */
export const Tier = Schema.Struct({
  id: TierId,
  name: Schema.String,
  price: Money,
  /** The seat map's categories that are sold at this price. */
  categories: Schema.Array(Schema.String),
  /** Sold from then on, and before then, within the sale of the event. */
  sale: Schema.optionalKey(
    Schema.Struct({ from: Schema.optionalKey(Schema.String), until: Schema.optionalKey(Schema.String) })
  ),
  /** Tickets of it in an order that has any: at least. */
  minPerOrder: Schema.optionalKey(Schema.Int),
  /** And at most. */
  maxPerOrder: Schema.optionalKey(Schema.Int),
  /** True where it is sold only to those who bring a voucher that unlocks it. */
  voucherOnly: Schema.optionalKey(Schema.Boolean)
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
  priceRange: Schema.NullOr(Schema.Struct({ from: Money, to: Money })),
  /** Seats and places, a few seconds old at the most; in lists, where it is known. */
  availability: Schema.optionalKey(Schema.Struct({ total: Schema.Int, available: Schema.Int }))
})
export type EventSummary = typeof EventSummary.Type

/** One capacity that several tiers draw on. */
export const Quota = Schema.Struct({
  name: Schema.String,
  capacity: Schema.Int,
  tiers: Schema.Array(TierId)
})
export type Quota = typeof Quota.Type

/** The policy as buyers see it before they buy. */
export const RefundPolicyView = Schema.Struct({
  /** UTC instant: tickets cannot be given back from then on; without it there is no deadline. */
  until: Schema.optionalKey(Schema.String),
  /** How the deadline was set, where it goes by the start. */
  hoursBeforeStart: Schema.optionalKey(Schema.Int),
  feeBasisPoints: Schema.optionalKey(Schema.Int),
  /** Minor units of the event's currency. */
  feeAmount: Schema.optionalKey(Amount)
})
export type RefundPolicyView = typeof RefundPolicyView.Type

/** Of an event that does not take place. */
export const Cancellation = Schema.Struct({
  /** UTC instant. */
  at: Schema.String,
  reason: Schema.String
})

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
  /** Tickets that a customer may have, all orders together; no limit when left out. */
  maxPerCustomer: Schema.optionalKey(Schema.Int),
  /** True once the accessible pool was given to everybody. */
  accessibleReleased: Schema.optionalKey(Schema.Boolean),
  /** For organisers only; left out where there are none. */
  quotas: Schema.optionalKey(Schema.Array(Quota)),
  /** Tickets of the whole event; for organisers only, no limit when left out. */
  maxTickets: Schema.optionalKey(Schema.Int),
  /** Whose event it is, where organisers are told apart. */
  organiser: Schema.optionalKey(Schema.String),
  /** What a buyer gets back who does not want to come; everything at any time when left out. */
  refundPolicy: Schema.optionalKey(RefundPolicyView),
  cancellation: Schema.optionalKey(Cancellation),
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

/** The seat map of an event, with the event's own ids and tiers. Immutable a version, which only grows. */
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
              accessible: Schema.Boolean,
              /** True for a seat that is kept for who comes along with somebody on an accessible one. */
              companion: Schema.optionalKey(Schema.Literal(true))
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
  name: DisplayName,
  location: LongText.pipe(Schema.withDecodingDefaultKey(Effect.succeed(""))),
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
  name: DisplayName,
  price: Money,
  /**
   * The seat map's categories sold at this price. A category that has seats can be on one tier only; one that
   * only areas have, on several, whose buyers then share the places.
   */
  categories: Schema.Array(Schema.String.check(Schema.isMaxLength(200))).check(Schema.isMaxLength(1000)),
  /** Sold from then on, and before then, within the sale of the event; all along when left out. */
  sale: Schema.optionalKey(
    Schema.Struct({ from: Schema.optionalKey(Instant), until: Schema.optionalKey(Instant) })
  ),
  /** Tickets of it in an order that has any, at least. */
  minPerOrder: Schema.optionalKey(ticketsAnOrder),
  /** And at most. */
  maxPerOrder: Schema.optionalKey(ticketsAnOrder),
  /** Sold only to those who bring a voucher that unlocks it. */
  voucherOnly: Schema.optionalKey(Schema.Boolean)
})
export type NewTier = typeof NewTier.Type

/** One capacity that several tiers draw on: each ticket of one of them counts once. */
export const NewQuota = Schema.Struct({
  name: DisplayName,
  capacity: ticketsAnEvent,
  /** Names of the event's tiers. */
  tiers: Schema.Array(DisplayName).check(Schema.isMinLength(1), Schema.isMaxLength(200))
})
export type NewQuota = typeof NewQuota.Type

/**
 * What a buyer gets back who does not want to come. `{}` is everything at any time. It counts as it is when an
 * order is placed.
 */
export const NewRefundPolicy = Schema.Struct({
  /** No refund from then on. */
  until: Schema.optionalKey(Instant),
  /** The same, so many hours before the event starts; one of the two. */
  hoursBeforeStart: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 8_760 }))),
  /** Kept of each ticket: hundredths of a percent of its price, rounded down. */
  feeBasisPoints: Schema.optionalKey(FeeBasisPoints),
  /** Kept of each ticket besides, in minor units of the event's currency; never more than its price. */
  feeAmount: Schema.optionalKey(Amount)
}).check(
  Schema.makeFilter(({ hoursBeforeStart, until }) =>
    hoursBeforeStart === undefined || until === undefined
      ? undefined
      : { path: ["hoursBeforeStart"], issue: "Expected one of until and hoursBeforeStart" }
  )
)
export type NewRefundPolicy = typeof NewRefundPolicy.Type

/** In the order in which they are shown. */
export const NewPerformers = Schema.Array(
  Schema.Struct({ name: DisplayName, description: Schema.optionalKey(LongText) })
).check(Schema.isMaxLength(100))

export const NewEvent = Schema.Struct({
  venueId: VenueId,
  name: DisplayName,
  description: LongText.pipe(Schema.withDecodingDefaultKey(Effect.succeed(""))),
  startsAt: Instant,
  /** When left out, at once. */
  onSaleAt: Schema.optionalKey(Instant),
  /** When left out, when the event starts. */
  saleEndsAt: Schema.optionalKey(Instant),
  performers: NewPerformers.pipe(Schema.withDecodingDefaultKey(Effect.succeed([]))),
  /** When left out, one for each price that the seat map itself gives (CSV plans), in `currency`. */
  tiers: Schema.Array(NewTier).pipe(
    Schema.check(Schema.isMaxLength(200)),
    Schema.withDecodingDefaultKey(Effect.succeed([]))
  ),
  /** Of the prices of the seat map, where no tiers are given. */
  currency: Schema.optionalKey(Currency),
  /** Tickets in one order; 10 when left out. */
  maxPerOrder: Schema.optionalKey(ticketsAnOrder),
  /** Tickets of one customer, all orders together; no limit when left out. */
  maxPerCustomer: Schema.optionalKey(ticketsAnEvent),
  /** Tickets of the whole event; when left out, as many as there are seats and places. */
  maxTickets: Schema.optionalKey(ticketsAnEvent),
  quotas: Schema.Array(NewQuota).pipe(
    Schema.check(Schema.isMaxLength(50)),
    Schema.withDecodingDefaultKey(Effect.succeed([]))
  ),
  /** Whose event it is: payments are routed by it. */
  organiser: Schema.optionalKey(OrganiserName),
  /** Everything is paid back at any time when left out. */
  refundPolicy: Schema.optionalKey(NewRefundPolicy),
  /** How long a hold lives, 600 seconds when left out. */
  holdSeconds: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 86_400 })))
})
export type NewEvent = typeof NewEvent.Type
