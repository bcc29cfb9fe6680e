/** What organisers do: venues, events, publishing. All of it needs the organiser's bearer key. */
import { Schema } from "effect"
import {
  HttpApiEndpoint,
  HttpApiGroup,
  HttpApiMiddleware,
  HttpApiSchema,
  HttpApiSecurity,
  OpenApi
} from "effect/http-api"
import { Block, BlockRelease, NewBlock } from "../catalog/Block.ts"
import { EventDetail, NewEvent, NewVenue, VenueDetail, VenuePage, VenueQuery } from "../catalog/Event.ts"
import { EventChange } from "../catalog/EventChange.ts"
import { NewVouchers, Voucher, VoucherPage, VoucherQuery } from "../catalog/Voucher.ts"
import { BlockId, EventId, TierId, VenueId, VoucherId } from "../Ids.ts"
import { Currency } from "../Money.ts"
import {
  BlockNotFound,
  EventNotPublished,
  SeatsBlocked,
  VoucherExists,
  VoucherNotFound
} from "./OrganiserProblems.ts"
import {
  EventCancelled,
  CursorInvalid,
  EventInvalid,
  EventNotDraft,
  EventNotFound,
  OverloadedProblem,
  PlanRefused,
  SeatsUnknown,
  Unauthorized,
  VenueNotFound
} from "./Problems.ts"

const sums = {
  /** Sold, those that were given back later included. */
  tickets: Schema.Int,
  amount: Schema.Int,
  refunded: Schema.Int,
  /** Of the price of tickets that were given back. */
  kept: Schema.Int
}

/** What an event has sold, by currency; amounts in minor units. Days and tiers each sum up to the whole. */
export const EventSales = Schema.Struct({
  currency: Currency,
  orders: Schema.Int,
  ...sums,
  /** By UTC day, `2026-11-26`: sales by that of the sale, refunds by that when they were asked for. */
  days: Schema.Array(
    Schema.Struct({ day: Schema.String, orders: Schema.Int, ...sums, returned: Schema.Int })
  ),
  /** `returned` are the tickets that were given back. */
  tiers: Schema.Array(Schema.Struct({ tier: TierId, ...sums, returned: Schema.Int }))
})

/** How full an event is: a few seconds old at the most, and not there where nobody keeps it (levels L0 and L1). */
export const EventFill = Schema.Struct({
  seats: Schema.Struct({ total: Schema.Int, available: Schema.Int, held: Schema.Int, sold: Schema.Int }),
  /** Of the areas for general admission. */
  places: Schema.Struct({ total: Schema.Int, available: Schema.Int })
})
export type EventFill = typeof EventFill.Type

export const SalesReport = Schema.Struct({
  sales: Schema.Array(EventSales),
  availability: Schema.optionalKey(EventFill)
})

const eventId = { eventId: EventId }
const described = (summary: string, description: string) => OpenApi.annotations({ summary, description })

/** Lets those with the organiser's key pass. */
export class OrganiserAuth extends HttpApiMiddleware.Service<OrganiserAuth>()(
  "@onsale/contracts/http/OrganiserAuth",
  {
    requiredForClient: true,
    security: { bearer: HttpApiSecurity.bearer },
    error: Unauthorized
  }
) {}

export class OrganiserApi extends HttpApiGroup.make("organiser")
  .add(
    HttpApiEndpoint.post("createVenue", "/organiser/venues", {
      payload: NewVenue,
      success: VenueDetail.pipe(HttpApiSchema.status(201)),
      error: PlanRefused
    }),
    HttpApiEndpoint.get("venues", "/organiser/venues", {
      query: VenueQuery,
      success: VenuePage,
      error: CursorInvalid
    }),
    HttpApiEndpoint.get("venue", "/organiser/venues/:venueId", {
      params: { venueId: VenueId },
      success: VenueDetail,
      error: VenueNotFound
    }),
    HttpApiEndpoint.get("exportVenue", "/organiser/venues/:venueId/pretix", {
      params: { venueId: VenueId },
      success: Schema.Json,
      error: VenueNotFound
    }),
    HttpApiEndpoint.post("createEvent", "/organiser/events", {
      payload: NewEvent,
      success: EventDetail.pipe(HttpApiSchema.status(201)),
      error: [VenueNotFound, EventInvalid]
    }),
    HttpApiEndpoint.put("updateEvent", "/organiser/events/:eventId", {
      params: { eventId: EventId },
      payload: NewEvent,
      success: EventDetail,
      error: [EventNotFound, EventNotDraft, VenueNotFound, EventInvalid]
    }).annotateMerge(described("Replace a draft", "All of it. A published event is changed by PATCH.")),
    HttpApiEndpoint.patch("changeEvent", "/organiser/events/:eventId", {
      params: eventId,
      payload: EventChange,
      success: EventDetail,
      error: [EventNotFound, EventNotPublished, EventCancelled, EventInvalid]
    }).annotateMerge(
      described(
        "Change a published event, and tell its buyers",
        "Changes the name, the description, the start or the performers; what is left out stays. Buyers, and whom they gave tickets to, are told of another name, start or performers, webhooks of another description, too (event.changed). Where the event is moved, its sale ends as long before or after the new start as before the old one, unless saleEndsAt says when. Sale windows of tiers and vouchers stay, and orders that were placed keep their refund policy with its deadline. A change that changes nothing writes nothing, so it may be repeated. A draft is changed by PUT: 409 event-not-published. Venue, seats, tiers and rules of the sale are not changed so: 400 where the body names them."
      )
    ),
    HttpApiEndpoint.get("event", "/organiser/events/:eventId", {
      params: { eventId: EventId },
      success: EventDetail,
      error: EventNotFound
    }),
    HttpApiEndpoint.post("publish", "/organiser/events/:eventId/publish", {
      params: { eventId: EventId },
      success: EventDetail,
      error: [EventNotFound, EventNotDraft, EventInvalid, OverloadedProblem]
    }),
    HttpApiEndpoint.get("sales", "/organiser/events/:eventId/sales", {
      params: { eventId: EventId },
      success: SalesReport,
      error: EventNotFound
    }),
    HttpApiEndpoint.post("createBlock", "/organiser/events/:eventId/blocks", {
      params: eventId,
      payload: NewBlock,
      success: Block.pipe(HttpApiSchema.status(201)),
      error: [EventNotFound, EventCancelled, SeatsUnknown, SeatsBlocked, EventInvalid]
    }).annotateMerge(
      described(
        "Keep house seats",
        "Keeps seats, rows, sections and places of areas of a draft or a published event from everybody whose voucher does not unlock the block. A seat can be in one block only: 409 seats-blocked. Seats and places that are held or sold at the moment may be named: they are kept from when they are free again. Availability shows them as held; ordinary buyers who ask for them get 409 seats-taken. The places of areas have ids of their own in the answer, which a hold with the voucher names. At most 200 blocks, 1,000 areas in them and 50,000 seats an event."
      )
    ),
    HttpApiEndpoint.get("blocks", "/organiser/events/:eventId/blocks", {
      params: eventId,
      success: Schema.Struct({ blocks: Schema.Array(Block) }),
      error: EventNotFound
    }).annotateMerge(
      described(
        "List the house seats",
        "All blocks of the event in the order of their creation, with what they keep now."
      )
    ),
    HttpApiEndpoint.post("releaseBlock", "/organiser/events/:eventId/blocks/:blockId/release", {
      params: { ...eventId, blockId: BlockId },
      payload: BlockRelease,
      success: Block,
      error: [EventNotFound, EventCancelled, BlockNotFound, SeatsUnknown, EventInvalid]
    }).annotateMerge(
      described(
        "Give house seats to everybody",
        "Gives the named seats and places to everybody, or the whole block when the body names nothing; the answer is what the block still keeps. Seats that the block does not keep are 404 seats-unknown, more places than it keeps 422 event-invalid. A block that keeps nothing stays in the list."
      )
    ),
    HttpApiEndpoint.post("createVouchers", "/organiser/events/:eventId/vouchers", {
      params: eventId,
      payload: NewVouchers,
      success: Schema.Struct({ vouchers: Schema.Array(Voucher) }).pipe(HttpApiSchema.status(201)),
      error: [EventNotFound, EventCancelled, VoucherExists, EventInvalid]
    }).annotateMerge(
      described(
        "Make vouchers",
        "Makes a voucher of each of the given codes, or as many with random codes of 13 characters as asked for. Each unlocks the tiers and blocks that are named, for so many tickets, all orders with it together. Codes are compared in capital letters and without spaces around them; one that the event has already refuses all of them with 409 voucher-exists. At most 20,000 vouchers an event."
      )
    ),
    HttpApiEndpoint.get("vouchers", "/organiser/events/:eventId/vouchers", {
      params: eventId,
      query: VoucherQuery,
      success: VoucherPage,
      error: [EventNotFound, CursorInvalid]
    }).annotateMerge(
      described("List the vouchers", "Page by page, with their codes, in the order of their creation.")
    ),
    HttpApiEndpoint.delete("removeVoucher", "/organiser/events/:eventId/vouchers/:voucherId", {
      params: { ...eventId, voucherId: VoucherId },
      error: [EventNotFound, EventCancelled, VoucherNotFound]
    }).annotateMerge(
      described(
        "Take a voucher back",
        "From now on it unlocks nothing. What was held with it stays held and may be bought."
      )
    ),
    HttpApiEndpoint.post("releaseAccessible", "/organiser/events/:eventId/accessible/release", {
      params: eventId,
      success: EventDetail,
      error: [EventNotFound, EventCancelled]
    }).annotateMerge(
      described(
        "Give the accessible pool to everybody",
        "Accessible and companion seats are kept for those who say that they need them. From now on they are seats like all others, best available chooses them too, and it cannot be taken back. Once more changes nothing."
      )
    )
  )
  .middleware(OrganiserAuth)
  .prefix("/api/v1") {}
