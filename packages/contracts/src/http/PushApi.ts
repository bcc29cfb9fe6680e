/** Browsers that are told of a hold or an order by Web Push, and what SMS providers tell of messages. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiError, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { HoldId, OrderId } from "../Ids.ts"
import {
  HoldBought,
  HoldNotFound,
  OrderNotFound,
  OverloadedProblem,
  WebhookRejected,
  WebhookUnreadable
} from "./Problems.ts"

export class PushEndpointRefused extends HttpApiError.Problem<PushEndpointRefused>()("PushEndpointRefused", {
  type: "urn:onsale:problem:push-endpoint-refused",
  status: 422,
  title: "Nothing is sent to this endpoint: https and an address of the public internet are needed"
}) {}

export class PushKeysRefused extends HttpApiError.Problem<PushKeysRefused>()("PushKeysRefused", {
  type: "urn:onsale:problem:push-keys-refused",
  status: 422,
  title: "Nothing can be encrypted to these keys: p256dh is an uncompressed point of P-256"
}) {}

export class PushSubscriptionsFull extends HttpApiError.Problem<PushSubscriptionsFull>()(
  "PushSubscriptionsFull",
  {
    type: "urn:onsale:problem:push-subscriptions-full",
    status: 409,
    title: "As many browsers as there may be are told of it already"
  },
  { limit: Schema.Int }
) {}

const base64Url = (bytes: number) => {
  const length = Math.ceil((bytes * 4) / 3)
  return Schema.String.check(
    Schema.isPattern(new RegExp(`^[A-Za-z0-9_-]{${length}}={0,2}$`), {
      expected: `${bytes} bytes in base64url`
    })
  )
}

export const NewPushSubscription = Schema.Struct({
  endpoint: Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(2_000)),
  keys: Schema.Struct({ p256dh: base64Url(65), auth: base64Url(16) }),
  for: Schema.Union([Schema.Struct({ holdId: HoldId }), Schema.Struct({ orderId: OrderId })])
})
export type NewPushSubscription = typeof NewPushSubscription.Type

/** Names a subscription to who made it; whoever has it may end it. */
const SubscriptionId = Schema.String.check(Schema.isPattern(/^[A-Za-z0-9_-]{32}$/))
const described = (summary: string, description: string) => OpenApi.annotations({ summary, description })

export class PushApi extends HttpApiGroup.make("push")
  .add(
    HttpApiEndpoint.get("key", "/push/key", {
      success: Schema.Struct({ publicKey: Schema.String })
    }).annotateMerge(
      described("The key that browsers subscribe by", "The `applicationServerKey`, in base64url (RFC 8292).")
    ),
    HttpApiEndpoint.post("subscribe", "/push/subscriptions", {
      payload: NewPushSubscription,
      success: Schema.Struct({ id: SubscriptionId }).pipe(HttpApiSchema.status(201)),
      error: [
        HoldNotFound,
        HoldBought,
        OrderNotFound,
        PushEndpointRefused,
        PushKeysRefused,
        PushSubscriptionsFull,
        OverloadedProblem
      ]
    }).annotateMerge(
      described(
        "Tell a browser of a hold or an order",
        "Whoever knows the id of the hold or the order may ask for it. Of a hold it is told a minute before the hold expires; of an order, what becomes of it. The same browser again is the same subscription."
      )
    ),
    HttpApiEndpoint.delete("unsubscribe", "/push/subscriptions/:id", {
      params: { id: SubscriptionId }
    }).annotateMerge(described("Tell it nothing more", "A second time changes nothing."))
  )
  .prefix("/api/v1") {}

export class SmsWebhooksApi extends HttpApiGroup.make("smsWebhooks")
  .add(
    // The body is signed as it stands, so it is read as bytes and has no schema here.
    HttpApiEndpoint.post("twilio", "/webhooks/sms/twilio", {
      error: [WebhookRejected, WebhookUnreadable]
    }).annotateMerge(
      described(
        "For Twilio: what became of an SMS",
        "Signed by `X-Twilio-Signature` over `ONSALE_PUBLIC_URL`."
      )
    )
  )
  .prefix("/api/v1") {}
