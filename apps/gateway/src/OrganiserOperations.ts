/** What organisers do, whoever carries the request. Who they are was checked before. */
import { Orders } from "@onsale/booking/Orders"
import { Blocks } from "@onsale/catalog/Blocks"
import { Catalog } from "@onsale/catalog/Catalog"
import { Vouchers } from "@onsale/catalog/Vouchers"
import type { BlockRelease, NewBlock } from "@onsale/contracts/catalog/Block"
import type { NewEvent, NewRefundPolicy, NewVenue, VenueQuery } from "@onsale/contracts/catalog/Event"
import type { EventChange } from "@onsale/contracts/catalog/EventChange"
import type { NewVouchers, VoucherQuery } from "@onsale/contracts/catalog/Voucher"
import type * as Errors from "@onsale/contracts/catalog/CatalogErrors"
import {
  EventCancelled,
  CursorInvalid,
  EventInvalid,
  EventNotDraft,
  EventNotFound,
  PlanRefused,
  SeatsUnknown,
  VenueNotFound
} from "@onsale/contracts/http/Problems"
import {
  BlockNotFound,
  EventNotCancelled,
  EventNotPublished,
  SeatsBlocked,
  VoucherExists,
  VoucherNotFound
} from "@onsale/contracts/http/OrganiserProblems"
import type { BlockId, EventId, VenueId, VoucherId } from "@onsale/contracts/Ids"
import { Effect } from "effect"
import { AvailabilityBoard } from "./AvailabilityBoard.ts"
import { EventFills } from "./EventFills.ts"
import { EventReads } from "./EventReads.ts"
import { unsettled } from "./InventoryProblems.ts"

const eventNotFound = <A, R>(effect: Effect.Effect<A, Errors.EventNotFound, R>) =>
  Effect.mapError(effect, () => new EventNotFound({}))
const venueNotFound = <A, R>(effect: Effect.Effect<A, Errors.VenueNotFound, R>) =>
  Effect.mapError(effect, () => new VenueNotFound({}))

/** What every change of a sale may be refused with. */
const refused = <A, E, R>(effect: Effect.Effect<A, E | Errors.EventNotFound | Errors.EventCancelled, R>) =>
  effect.pipe(
    Effect.catchTag("EventNotFound", () => Effect.fail(new EventNotFound({}))),
    Effect.catchTag("EventCancelled", () => Effect.fail(new EventCancelled({})))
  )

const invalid = ({ problems }: Errors.EventInvalid) => Effect.fail(new EventInvalid({ errors: problems }))
const unknown = ({ areas, seats }: Errors.PlacesUnknown) =>
  Effect.fail(
    new SeatsUnknown({
      seats: seats.map((seatId) => ({ seatId })),
      areas: areas.map((areaId) => ({ areaId }))
    })
  )

export const make = Effect.gen(function* () {
  const catalog = yield* Catalog
  const orders = yield* Orders
  const blocks = yield* Blocks
  const vouchers = yield* Vouchers
  const boards = yield* AvailabilityBoard
  const reads = yield* EventReads
  const fills = yield* EventFills

  /** Reads of the event that begin after the answer show the change. */
  const shown = <A, E, R>(eventId: EventId, effect: Effect.Effect<A, E, R>) =>
    Effect.tap(effect, () =>
      Effect.sync(() => {
        boards.changed(eventId)
        reads.changed(eventId)
      })
    )
  const changing = <A, E, R>(
    eventId: EventId,
    effect: Effect.Effect<A, E | Errors.EventNotFound | Errors.EventCancelled, R>
  ) => refused(shown(eventId, effect))

  return {
    createVenue: (payload: NewVenue) =>
      catalog
        .createVenue(payload)
        .pipe(Effect.catchTag("PlanRefused", ({ report }) => Effect.fail(new PlanRefused({ report })))),
    venues: (query: VenueQuery) =>
      catalog.venues(query).pipe(Effect.catchTag("CursorInvalid", () => Effect.fail(new CursorInvalid({})))),
    venue: (venueId: VenueId) => venueNotFound(catalog.venue(venueId)),
    exportVenue: (venueId: VenueId) => venueNotFound(catalog.exportVenue(venueId)),
    createEvent: (payload: NewEvent) =>
      catalog.createEvent(payload).pipe(
        Effect.catchTag("VenueNotFound", () => Effect.fail(new VenueNotFound({}))),
        Effect.catchTag("EventInvalid", invalid)
      ),
    updateEvent: (eventId: EventId, payload: NewEvent) =>
      catalog.updateEvent(eventId, payload).pipe(
        Effect.catchTag("VenueNotFound", () => Effect.fail(new VenueNotFound({}))),
        Effect.catchTag("EventNotFound", () => Effect.fail(new EventNotFound({}))),
        Effect.catchTag("EventNotDraft", () => Effect.fail(new EventNotDraft({}))),
        Effect.catchTag("EventInvalid", invalid)
      ),
    changeEvent: (eventId: EventId, payload: EventChange) =>
      changing(eventId, catalog.changeEvent(eventId, payload)).pipe(
        Effect.catchTag("EventNotPublished", () => Effect.fail(new EventNotPublished({}))),
        Effect.catchTag("EventInvalid", invalid)
      ),
    event: (eventId: EventId) => eventNotFound(catalog.getAny(eventId)),
    sales: Effect.fnUntraced(function* (eventId: EventId) {
      yield* eventNotFound(catalog.getAny(eventId))
      const sales = yield* orders.sales(eventId)
      const availability = yield* fills.of(eventId)
      return { sales, ...(availability === undefined ? {} : { availability }) }
    }),
    publish: (eventId: EventId) =>
      shown(eventId, catalog.publish(eventId)).pipe(
        Effect.catchTag("EventNotFound", () => Effect.fail(new EventNotFound({}))),
        Effect.catchTag("EventNotDraft", () => Effect.fail(new EventNotDraft({}))),
        Effect.catchTag("EventInvalid", invalid),
        Effect.catchTag("InventoryUnavailable", (error) => Effect.fail(unsettled(error)))
      ),
    createBlock: (eventId: EventId, payload: NewBlock) =>
      changing(eventId, blocks.create(eventId, payload)).pipe(
        Effect.catchTag("PlacesUnknown", unknown),
        Effect.catchTag("SeatsBlocked", ({ seats }) =>
          Effect.fail(new SeatsBlocked({ seats: seats.map((seatId) => ({ seatId })) }))
        ),
        Effect.catchTag("EventInvalid", invalid)
      ),
    blocks: (eventId: EventId) => Effect.map(eventNotFound(blocks.list(eventId)), (blocks) => ({ blocks })),
    releaseBlock: (eventId: EventId, blockId: BlockId, payload: BlockRelease) =>
      changing(eventId, blocks.release(eventId, blockId, payload)).pipe(
        Effect.catchTag("BlockNotFound", () => Effect.fail(new BlockNotFound({}))),
        Effect.catchTag("PlacesUnknown", unknown),
        Effect.catchTag("EventInvalid", invalid)
      ),
    createVouchers: (eventId: EventId, payload: NewVouchers) =>
      changing(eventId, vouchers.create(eventId, payload)).pipe(
        Effect.map((vouchers) => ({ vouchers })),
        Effect.catchTag("VoucherExists", ({ codes }) => Effect.fail(new VoucherExists({ codes }))),
        Effect.catchTag("EventInvalid", invalid)
      ),
    vouchers: (eventId: EventId, query: VoucherQuery) =>
      vouchers.page(eventId, query).pipe(
        Effect.catchTag("EventNotFound", () => Effect.fail(new EventNotFound({}))),
        Effect.catchTag("CursorInvalid", () => Effect.fail(new CursorInvalid({})))
      ),
    removeVoucher: (eventId: EventId, voucherId: VoucherId) =>
      changing(eventId, vouchers.remove(eventId, voucherId)).pipe(
        Effect.catchTag("VoucherNotFound", () => Effect.fail(new VoucherNotFound({})))
      ),
    releaseAccessible: (eventId: EventId) => changing(eventId, catalog.releaseAccessible(eventId)),
    setRefundPolicy: (eventId: EventId, payload: NewRefundPolicy) =>
      shown(eventId, catalog.setRefundPolicy(eventId, payload)).pipe(
        Effect.catchTag("EventNotFound", () => Effect.fail(new EventNotFound({}))),
        Effect.catchTag("EventCancelled", () => Effect.fail(new EventCancelled({}))),
        Effect.catchTag("EventInvalid", ({ problems }) => Effect.fail(new EventInvalid({ errors: problems })))
      ),

    cancelEvent: (eventId: EventId, reason: string) =>
      shown(eventId, catalog.cancel(eventId, reason)).pipe(
        Effect.catchTag("EventNotFound", () => Effect.fail(new EventNotFound({}))),
        Effect.catchTag("EventNotPublished", () => Effect.fail(new EventNotPublished({})))
      ),

    eventRefunds: Effect.fnUntraced(function* (eventId: EventId) {
      const event = yield* Effect.mapError(catalog.getAny(eventId), () => new EventNotFound({}))
      if (event.cancellation === undefined) return yield* new EventNotCancelled({})
      const progress = yield* orders.cancellation(eventId)
      const none = { total: 0, refunded: 0, pending: 0, stuck: 0, waiting: 0, unfinished: 0 }
      return {
        eventId,
        ...(progress ?? {
          // Booking has not heard of it yet.
          reason: event.cancellation.reason,
          startedAt: null,
          finishedAt: null,
          orders: none,
          refunded: [],
          oldestPendingAt: null
        })
      }
    })
  }
})
