/** Browsers that are told of a hold or an order, and what SMS providers tell of messages, over HTTP. */
import { Orders } from "@onsale/booking/Orders"
import { Catalog } from "@onsale/catalog/Catalog"
import { Api } from "@onsale/contracts/http/Api"
import {
  HoldNotFound,
  OrderNotFound,
  WebhookRejected,
  WebhookUnreadable
} from "@onsale/contracts/http/Problems"
import {
  type NewPushSubscription,
  PushEndpointRefused,
  PushKeysRefused,
  PushSubscriptionsFull
} from "@onsale/contracts/http/PushApi"
import { eventNumberOfHold } from "@onsale/contracts/Ids"
import { InventoryClient } from "@onsale/contracts/inventory/InventoryClient"
import { type About, PushSubscriptions } from "@onsale/notifications/push/PushSubscriptions"
import { VapidKeys } from "@onsale/notifications/push/VapidKeys"
import { SmsCallbacks } from "@onsale/notifications/sms/SmsCallbacks"
import { Effect, Layer } from "effect"
import { HttpServerResponse } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import * as GoneHold from "./GoneHold.ts"
import { unanswered } from "./InventoryProblems.ts"

const push = HttpApiBuilder.group(
  Api,
  "push",
  Effect.fn(function* (handlers) {
    const catalog = yield* Catalog
    const inventory = yield* InventoryClient
    const orders = yield* Orders
    const goneHold = yield* GoneHold.make
    const subscriptions = yield* PushSubscriptions
    const { publicKey } = yield* VapidKeys

    /** That is there at this moment: its id is the permission. */
    const aboutOf = Effect.fnUntraced(function* (wanted: NewPushSubscription["for"]) {
      if ("orderId" in wanted) {
        const { eventId, id } = (yield* orders.get(wanted.orderId)) ?? (yield* new OrderNotFound({}))
        return { eventId, orderId: id } satisfies About
      }
      const { holdId } = wanted
      const eventId =
        (yield* catalog.eventIdByNumber(eventNumberOfHold(holdId))) ?? (yield* new HoldNotFound({}))
      const hold = yield* Effect.mapError(inventory.hold(eventId, holdId), unanswered)
      if ("_tag" in hold) return yield* goneHold(holdId)
      return { eventId, holdId, expiresAtMs: hold.expiresAtMs } satisfies About
    })

    return handlers.handleAll({
      key: () => Effect.succeed({ publicKey }),
      subscribe: Effect.fnUntraced(function* ({ payload }) {
        const about = yield* aboutOf(payload.for)
        const id = yield* subscriptions.add(about, payload).pipe(
          Effect.catchTag("PushSubscriptionsFull", ({ limit }) =>
            Effect.fail(new PushSubscriptionsFull({ limit }))
          ),
          Effect.catchTag("WebhookUrlRefused", () => Effect.fail(new PushEndpointRefused({}))),
          Effect.catchTag("PushKeysRefused", () => Effect.fail(new PushKeysRefused({})))
        )
        return { id }
      }),
      unsubscribe: ({ params }) => subscriptions.remove(params.id)
    })
  })
)

const webhooks = HttpApiBuilder.group(
  Api,
  "smsWebhooks",
  Effect.fn(function* (handlers) {
    const callbacks = yield* SmsCallbacks
    return handlers.handleRaw(
      "twilio",
      Effect.fnUntraced(function* ({ request }) {
        // A body that is too large or broken off is the edge's to answer.
        const body = new Uint8Array(yield* Effect.orDie(request.arrayBuffer))
        yield* callbacks
          .receive(body, request.headers["x-twilio-signature"])
          .pipe(
            Effect.catchTag("SmsCallbackRejected", ({ fault, reason }) =>
              Effect.andThen(
                Effect.logWarning(`a callback of Twilio was rejected: ${reason}`),
                Effect.fail(
                  fault === "body" ? new WebhookUnreadable({ detail: reason }) : new WebhookRejected({})
                )
              )
            )
          )
        return HttpServerResponse.empty({ status: 204 })
      })
    )
  })
)

export const layer = Layer.merge(push, webhooks)
