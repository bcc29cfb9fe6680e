/** What organisers do, over HTTP. */
import { Orders } from "@onsale/booking/Orders"
import { Catalog } from "@onsale/catalog/Catalog"
import type * as Errors from "@onsale/contracts/catalog/CatalogErrors"
import { Api } from "@onsale/contracts/http/Api"
import {
  CursorInvalid,
  EventInvalid,
  EventNotDraft,
  EventNotFound,
  PlanRefused,
  VenueNotFound
} from "@onsale/contracts/http/Problems"
import { Effect } from "effect"
import { HttpServerResponse } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { overloaded } from "./InventoryProblems.ts"

const eventNotFound = <A, R>(effect: Effect.Effect<A, Errors.EventNotFound, R>) =>
  Effect.mapError(effect, () => new EventNotFound({}))
const venueNotFound = <A, R>(effect: Effect.Effect<A, Errors.VenueNotFound, R>) =>
  Effect.mapError(effect, () => new VenueNotFound({}))

export const layer = HttpApiBuilder.group(
  Api,
  "organiser",
  Effect.fn(function* (handlers) {
    const catalog = yield* Catalog
    const orders = yield* Orders

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
          Effect.catchTag("EventInvalid", ({ problems }) =>
            Effect.fail(new EventInvalid({ errors: problems }))
          )
        ),
      updateEvent: ({ params, payload }) =>
        catalog.updateEvent(params.eventId, payload).pipe(
          Effect.catchTag("VenueNotFound", () => Effect.fail(new VenueNotFound({}))),
          Effect.catchTag("EventNotFound", () => Effect.fail(new EventNotFound({}))),
          Effect.catchTag("EventNotDraft", () => Effect.fail(new EventNotDraft({}))),
          Effect.catchTag("EventInvalid", ({ problems }) =>
            Effect.fail(new EventInvalid({ errors: problems }))
          )
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
          Effect.catchTag("EventInvalid", ({ problems }) =>
            Effect.fail(new EventInvalid({ errors: problems }))
          ),
          Effect.catchTag("InventoryUnavailable", (error) => Effect.fail(overloaded(error)))
        )
    })
  })
)
