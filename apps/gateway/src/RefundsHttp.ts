/** What organisers give back, over HTTP. */
import { Orders } from "@onsale/booking/Orders"
import { Catalog } from "@onsale/catalog/Catalog"
import { Api } from "@onsale/contracts/http/Api"
import { EventNotCancelled, EventNotPublished } from "@onsale/contracts/http/OrganiserProblems"
import {
  EventCancelled,
  EventInvalid,
  EventNotFound,
  KeyInUse,
  KeyReused,
  NotRefundable,
  OrderNotFound
} from "@onsale/contracts/http/Problems"
import { Notifications } from "@onsale/notifications/Notifications"
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { AvailabilityBoard } from "./AvailabilityBoard.ts"
import * as OrderViews from "./OrderView.ts"

export const layer = HttpApiBuilder.group(
  Api,
  "refunds",
  Effect.fn(function* (handlers) {
    const catalog = yield* Catalog
    const orders = yield* Orders
    const boards = yield* AvailabilityBoard
    const notifications = yield* Notifications

    return handlers.handleAll({
      refundOrder: Effect.fnUntraced(function* ({ headers, params, payload }) {
        const order = yield* orders
          .refund(params.orderId, {
            key: headers["idempotency-key"],
            fingerprint: OrderViews.fingerprintOf(["organiser", params.orderId, payload]),
            tickets: payload.tickets ?? null,
            reason: payload.reason,
            cause: "organiser"
          })
          .pipe(
            Effect.catchTag("OrderNotFound", () => Effect.fail(new OrderNotFound({}))),
            Effect.catchTag("NotRefundable", ({ message, tickets }) =>
              Effect.fail(new NotRefundable({ detail: message, tickets }))
            ),
            Effect.catchTag("KeyReused", () => Effect.fail(new KeyReused({}))),
            Effect.catchTag("KeyInUse", () => Effect.fail(new KeyInUse({}))),
            Effect.catchTag("BookingUnavailable", OrderViews.busy)
          )
        boards.changed(order.eventId)
        return yield* Effect.provideService(OrderViews.render(order), Notifications, notifications)
      }),

      setRefundPolicy: ({ params, payload }) =>
        catalog.setRefundPolicy(params.eventId, payload).pipe(
          Effect.catchTag("EventNotFound", () => Effect.fail(new EventNotFound({}))),
          Effect.catchTag("EventCancelled", () => Effect.fail(new EventCancelled({}))),
          Effect.catchTag("EventInvalid", ({ problems }) =>
            Effect.fail(new EventInvalid({ errors: problems }))
          )
        ),

      cancelEvent: ({ params, payload }) =>
        catalog.cancel(params.eventId, payload.reason).pipe(
          Effect.tap(() => Effect.sync(() => boards.changed(params.eventId))),
          Effect.catchTag("EventNotFound", () => Effect.fail(new EventNotFound({}))),
          Effect.catchTag("EventNotPublished", () => Effect.fail(new EventNotPublished({})))
        ),

      eventRefunds: Effect.fnUntraced(function* ({ params: { eventId } }) {
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
    })
  })
)
