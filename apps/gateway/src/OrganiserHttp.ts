/** What organisers do, over HTTP. */
import { Api } from "@onsale/contracts/http/Api"
import { Effect } from "effect"
import { HttpServerResponse } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import * as OrganiserOperations from "./OrganiserOperations.ts"

export const layer = HttpApiBuilder.group(
  Api,
  "organiser",
  Effect.fn(function* (handlers) {
    const organiser = yield* OrganiserOperations.make

    return handlers.handleAll({
      createVenue: ({ payload }) => organiser.createVenue(payload),
      venues: ({ query }) => organiser.venues(query),
      venue: ({ params }) => organiser.venue(params.venueId),
      exportVenue: ({ params }) =>
        Effect.map(organiser.exportVenue(params.venueId), (plan) => HttpServerResponse.jsonUnsafe(plan)),
      createEvent: ({ payload }) => organiser.createEvent(payload),
      updateEvent: ({ params, payload }) => organiser.updateEvent(params.eventId, payload),
      changeEvent: ({ params, payload }) => organiser.changeEvent(params.eventId, payload),
      event: ({ params }) => organiser.event(params.eventId),
      sales: ({ params }) => organiser.sales(params.eventId),
      publish: ({ params }) => organiser.publish(params.eventId),
      createBlock: ({ params, payload }) => organiser.createBlock(params.eventId, payload),
      blocks: ({ params }) => organiser.blocks(params.eventId),
      releaseBlock: ({ params, payload }) => organiser.releaseBlock(params.eventId, params.blockId, payload),
      createVouchers: ({ params, payload }) => organiser.createVouchers(params.eventId, payload),
      vouchers: ({ params, query }) => organiser.vouchers(params.eventId, query),
      removeVoucher: ({ params }) => organiser.removeVoucher(params.eventId, params.voucherId),
      releaseAccessible: ({ params }) => organiser.releaseAccessible(params.eventId)
    })
  })
)
