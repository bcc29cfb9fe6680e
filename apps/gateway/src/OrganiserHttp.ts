/** What organisers do, over HTTP. */
import { EventRefunds } from "@onsale/booking/EventRefunds"
import { Orders } from "@onsale/booking/Orders"
import { Blocks } from "@onsale/catalog/Blocks"
import { Catalog } from "@onsale/catalog/Catalog"
import { Vouchers } from "@onsale/catalog/Vouchers"
import type * as Errors from "@onsale/contracts/catalog/CatalogErrors"
import { Api } from "@onsale/contracts/http/Api"
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
import type { EventId } from "@onsale/contracts/Ids"
import { DateTime, Effect } from "effect"
import { HttpServerResponse } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { AvailabilityBoard } from "./AvailabilityBoard.ts"
import { overloaded } from "./InventoryProblems.ts"

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

const instant = (ms: number | null): string | null =>
  ms === null ? null : DateTime.formatIso(DateTime.makeUnsafe(ms))

const invalid = ({ problems }: Errors.EventInvalid) => Effect.fail(new EventInvalid({ errors: problems }))
const unknown = ({ areas, seats }: Errors.PlacesUnknown) =>
  Effect.fail(
    new SeatsUnknown({
      seats: seats.map((seatId) => ({ seatId })),
      areas: areas.map((areaId) => ({ areaId }))
    })
  )

export const layer = HttpApiBuilder.group(
  Api,
  "organiser",
  Effect.fn(function* (handlers) {
    const catalog = yield* Catalog
    const orders = yield* Orders
    const eventRefunds = yield* EventRefunds
    const blocks = yield* Blocks
    const vouchers = yield* Vouchers
    const boards = yield* AvailabilityBoard

    /** Reads of the availability that begin after the answer show the change. */
    const changing = <A, E, R>(
      eventId: EventId,
      effect: Effect.Effect<A, E | Errors.EventNotFound | Errors.EventCancelled, R>
    ) => refused(Effect.tap(effect, () => Effect.sync(() => boards.changed(eventId))))

    return handlers.handleAll({
      createVenue: ({ payload }) =>
        catalog
          .createVenue(payload)
          .pipe(Effect.catchTag("PlanRefused", ({ report }) => Effect.fail(new PlanRefused({ report })))),
      venues: ({ query }) =>
        catalog
          .venues(query)
          .pipe(Effect.catchTag("CursorInvalid", () => Effect.fail(new CursorInvalid({})))),
      venue: ({ params }) => venueNotFound(catalog.venue(params.venueId)),
      exportVenue: ({ params }) =>
        venueNotFound(catalog.exportVenue(params.venueId)).pipe(
          Effect.map((plan) => HttpServerResponse.jsonUnsafe(plan))
        ),
      createEvent: ({ payload }) =>
        catalog.createEvent(payload).pipe(
          Effect.catchTag("VenueNotFound", () => Effect.fail(new VenueNotFound({}))),
          Effect.catchTag("EventInvalid", invalid)
        ),
      updateEvent: ({ params, payload }) =>
        catalog.updateEvent(params.eventId, payload).pipe(
          Effect.catchTag("VenueNotFound", () => Effect.fail(new VenueNotFound({}))),
          Effect.catchTag("EventNotFound", () => Effect.fail(new EventNotFound({}))),
          Effect.catchTag("EventNotDraft", () => Effect.fail(new EventNotDraft({}))),
          Effect.catchTag("EventInvalid", invalid)
        ),
      event: ({ params }) => eventNotFound(catalog.getAny(params.eventId)),
      sales: Effect.fnUntraced(function* ({ params }) {
        yield* eventNotFound(catalog.getAny(params.eventId))
        return { sales: yield* orders.sales(params.eventId) }
      }),
      publish: ({ params }) =>
        catalog.publish(params.eventId).pipe(
          Effect.catchTag("EventNotFound", () => Effect.fail(new EventNotFound({}))),
          Effect.catchTag("EventNotDraft", () => Effect.fail(new EventNotDraft({}))),
          Effect.catchTag("EventInvalid", invalid),
          Effect.catchTag("InventoryUnavailable", (error) => Effect.fail(overloaded(error)))
        ),
      cancel: ({ params: { eventId }, payload: { reason } }) =>
        catalog.cancel(eventId, reason).pipe(
          // Reads of the availability that begin after the answer show the change.
          Effect.tap(() => Effect.sync(() => boards.changed(eventId))),
          Effect.catchTag("EventNotFound", () => Effect.fail(new EventNotFound({}))),
          Effect.catchTag("EventNotPublished", () => Effect.fail(new EventNotPublished({})))
        ),
      refunds: Effect.fnUntraced(function* ({ params: { eventId } }) {
        const { cancellation, tiers } = yield* eventNotFound(catalog.getAny(eventId))
        if (cancellation === undefined) return yield* new EventNotCancelled({})
        const { amount, finishedAtMs, pending, refunded, startedAtMs, unfinished } =
          yield* eventRefunds.progress(eventId)
        return {
          eventId,
          reason: cancellation.reason,
          startedAt: instant(startedAtMs),
          finishedAt: instant(finishedAtMs),
          orders: { total: refunded + pending + unfinished, refunded, pending, unfinished },
          refunded: amount,
          // An event has at least one tier, and all of one currency.
          currency: tiers[0]!.price.currency
        }
      }),
      createBlock: ({ params, payload }) =>
        changing(params.eventId, blocks.create(params.eventId, payload)).pipe(
          Effect.catchTag("PlacesUnknown", unknown),
          Effect.catchTag("SeatsBlocked", ({ seats }) =>
            Effect.fail(new SeatsBlocked({ seats: seats.map((seatId) => ({ seatId })) }))
          ),
          Effect.catchTag("EventInvalid", invalid)
        ),
      blocks: ({ params }) =>
        Effect.map(eventNotFound(blocks.list(params.eventId)), (blocks) => ({ blocks })),
      releaseBlock: ({ params, payload }) =>
        changing(params.eventId, blocks.release(params.eventId, params.blockId, payload)).pipe(
          Effect.catchTag("BlockNotFound", () => Effect.fail(new BlockNotFound({}))),
          Effect.catchTag("PlacesUnknown", unknown),
          Effect.catchTag("EventInvalid", invalid)
        ),
      createVouchers: ({ params, payload }) =>
        changing(params.eventId, vouchers.create(params.eventId, payload)).pipe(
          Effect.map((vouchers) => ({ vouchers })),
          Effect.catchTag("VoucherExists", ({ codes }) => Effect.fail(new VoucherExists({ codes }))),
          Effect.catchTag("EventInvalid", invalid)
        ),
      vouchers: ({ params, query }) =>
        vouchers.page(params.eventId, query).pipe(
          Effect.catchTag("EventNotFound", () => Effect.fail(new EventNotFound({}))),
          Effect.catchTag("CursorInvalid", () => Effect.fail(new CursorInvalid({})))
        ),
      removeVoucher: ({ params }) =>
        changing(params.eventId, vouchers.remove(params.eventId, params.voucherId)).pipe(
          Effect.catchTag("VoucherNotFound", () => Effect.fail(new VoucherNotFound({})))
        ),
      releaseAccessible: ({ params }) => changing(params.eventId, catalog.releaseAccessible(params.eventId))
    })
  })
)
