/** What organisers give back, over HTTP. */
import { Api } from "@onsale/contracts/http/Api"
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import * as OrderOperations from "./OrderOperations.ts"
import * as OrganiserOperations from "./OrganiserOperations.ts"

export const layer = HttpApiBuilder.group(
  Api,
  "refunds",
  Effect.fn(function* (handlers) {
    const orders = yield* OrderOperations.make
    const organiser = yield* OrganiserOperations.make

    return handlers.handleAll({
      refundOrder: ({ headers, params, payload }) =>
        orders.refundAny(params.orderId, headers["idempotency-key"], payload),
      setRefundPolicy: ({ params, payload }) => organiser.setRefundPolicy(params.eventId, payload),
      cancelEvent: ({ params, payload }) => organiser.cancelEvent(params.eventId, payload.reason),
      eventRefunds: ({ params }) => organiser.eventRefunds(params.eventId)
    })
  })
)
