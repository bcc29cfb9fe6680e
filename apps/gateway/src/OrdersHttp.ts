/** Orders, refunds and tickets over HTTP. */
import { Catalog } from "@onsale/catalog/Catalog"
import { Api } from "@onsale/contracts/http/Api"
import { TicketsNotReady } from "@onsale/contracts/http/Problems"
import { Notifications } from "@onsale/notifications/Notifications"
import * as OrderReference from "@onsale/notifications/OrderReference"
import { Effect } from "effect"
import { HttpApiBuilder, HttpApiSchema } from "effect/http-api"
import * as AcceptLanguage from "./AcceptLanguage.ts"
import * as Admission from "./Admission.ts"
import * as OrderOperations from "./OrderOperations.ts"

/** Two are drawn at a time, some tens of milliseconds each: who is beyond these would wait for seconds. */
const pdfPlaces = 2 + 32

export const layer = HttpApiBuilder.group(
  Api,
  "orders",
  Effect.fn(function* (handlers) {
    const orders = yield* OrderOperations.make
    const catalog = yield* Catalog
    const notifications = yield* Notifications
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
      ticketsPdf: Effect.fnUntraced(function* ({ params }) {
        const order = yield* orders.byId(params.orderId)
        const event = yield* Effect.orDie(catalog.getAny(order.eventId))
        const body = yield* notifications.documentOf(order, event).pipe(
          Effect.catchTag("TicketsNotReady", () => Effect.fail(new TicketsNotReady({}))),
          Effect.flatMap(notifications.renderTickets),
          admitToPdf
        )
        return HttpApiSchema.withHeaders({
          body,
          headers: {
            "content-disposition": `inline; filename="tickets-${OrderReference.make(order.id)}.pdf"`
          }
        })
      })
    })
  })
)
