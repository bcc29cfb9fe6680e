/** Orders, refunds and tickets over HTTP. */
import { Api } from "@onsale/contracts/http/Api"
import { TicketsNotReady } from "@onsale/contracts/http/Problems"
import * as DocumentVersion from "@onsale/notifications/DocumentVersion"
import { Notifications } from "@onsale/notifications/Notifications"
import * as OrderReference from "@onsale/notifications/OrderReference"
import { Effect } from "effect"
import { HttpServerResponse } from "effect/http"
import { HttpApiBuilder, HttpApiSchema } from "effect/http-api"
import * as AcceptLanguage from "./AcceptLanguage.ts"
import * as Admission from "./Admission.ts"
import * as OrderOperations from "./OrderOperations.ts"
import * as TicketsGone from "./TicketsGone.ts"
import * as UntoldEvent from "./UntoldEvent.ts"
import { matches } from "./Validator.ts"

/** As many are drawn at a time as there are cores, some tens of milliseconds each: who is beyond these would wait for seconds. */
const pdfPlaces = 34

export const layer = HttpApiBuilder.group(
  Api,
  "orders",
  Effect.fn(function* (handlers) {
    const orders = yield* OrderOperations.make
    const notifications = yield* Notifications
    const untold = yield* UntoldEvent.make
    const admitToPdf = yield* Admission.make({ places: pdfPlaces, retryAfterSeconds: 2 })

    return handlers.handleAll({
      create: ({ headers, payload, request }) =>
        orders.create(headers["idempotency-key"], payload, {
          reads: AcceptLanguage.of(request.headers["accept-language"])
        }),
      list: ({ query }) => orders.list(query),
      get: ({ params }) => orders.get(params.orderId),
      refund: ({ headers, params, payload }) =>
        orders.refund(params.orderId, headers["idempotency-key"], payload),
      transfer: ({ headers, params, payload }) =>
        orders.reissue(params.orderId, params.ticketId, headers["idempotency-key"], payload),
      reissue: ({ headers, params }) =>
        orders.reissue(params.orderId, params.ticketId, headers["idempotency-key"], null),
      ticket: ({ params }) => orders.ticket(params.ticketId),
      ticketsPdf: Effect.fnUntraced(function* ({ params, request }) {
        const order = yield* orders.byId(params.orderId)
        // A thousand tickets are as many signatures.
        const document = yield* notifications.documentOf(order.id, order.tickets, { untold }).pipe(
          Effect.catchTag(["TicketsNotReady", "TicketsNotFound"], () =>
            Effect.fail(new TicketsNotReady(TicketsGone.detailOfOrder(order.tickets)))
          ),
          admitToPdf
        )
        // Its address is a secret: it stays with who asked for it.
        const headers = { etag: DocumentVersion.etagOf(document), "cache-control": "private, no-cache" }
        if (matches(request.headers, headers.etag)) return HttpServerResponse.empty({ status: 304, headers })
        const body = yield* admitToPdf(notifications.renderTickets(document))
        return HttpApiSchema.withHeaders({
          body,
          headers: {
            ...headers,
            "content-disposition": `inline; filename="tickets-${OrderReference.make(order.id)}.pdf"`
          }
        })
      })
    })
  })
)
