/** What support does about messages to buyers, and what mail providers tell of them. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiError, HttpApiGroup, OpenApi } from "effect/http-api"
import { Message, MessagePage, MessageQuery, Suppression } from "../notifications/Message.ts"
import { storableText } from "../Text.ts"
import { OrganiserAuth } from "./OrganiserApi.ts"
import { CursorInvalid, WebhookRejected, WebhookUnreadable } from "./Problems.ts"

export class NotificationNotFound extends HttpApiError.Problem<NotificationNotFound>()(
  "NotificationNotFound",
  {
    type: "urn:onsale:problem:notification-not-found",
    status: 404,
    title: "There is no such notification"
  }
) {}

export class AddressNotSuppressed extends HttpApiError.Problem<AddressNotSuppressed>()(
  "AddressNotSuppressed",
  {
    type: "urn:onsale:problem:address-not-suppressed",
    status: 404,
    title: "Mails are sent to this address already"
  }
) {}

const described = (summary: string, description: string) => OpenApi.annotations({ summary, description })
const id = { id: storableText(300).check(Schema.isMinLength(1)) }
const Address = storableText(254).check(Schema.isMinLength(3))

export class NotificationsApi extends HttpApiGroup.make("notifications")
  .add(
    HttpApiEndpoint.get("list", "/organiser/notifications", {
      query: MessageQuery,
      success: MessagePage,
      error: CursorInvalid
    }).annotateMerge(
      described(
        "List what buyers are told",
        "Every message with its attempts, newest first: who took it, when, and what became of it. A notice that was given up before it had a channel is listed among the dead ones of the first page."
      )
    ),
    HttpApiEndpoint.get("get", "/organiser/notifications/:id", {
      params: id,
      success: Message,
      error: NotificationNotFound
    }),
    HttpApiEndpoint.post("replay", "/organiser/notifications/:id/replay", {
      params: id,
      success: Message,
      error: NotificationNotFound
    }).annotateMerge(
      described(
        "Send a message once more",
        "One that was given up is tried again as if for the first time, with the id that it had. One that was sent is sent as another message, on purpose. One that waits is left to its turn."
      )
    ),
    HttpApiEndpoint.get("suppressions", "/organiser/suppressions", {
      query: { address: Schema.optionalKey(Address) },
      success: Schema.Struct({ suppressions: Schema.Array(Suppression) })
    }).annotateMerge(
      described(
        "List addresses that are not written to",
        "Those that bounced or whose owner complained, newest first, a thousand at most; or the one that is asked for."
      )
    ),
    HttpApiEndpoint.delete("liftSuppression", "/organiser/suppressions/:address", {
      params: { address: Address },
      error: AddressNotSuppressed
    }).annotateMerge(
      described(
        "Write to an address again",
        "What was given up meanwhile is not sent by that: it has to be replayed."
      )
    )
  )
  .middleware(OrganiserAuth)
  .prefix("/api/v1") {}

export class MailWebhooksApi extends HttpApiGroup.make("mailWebhooks")
  .add(
    // The body is the provider's own and signed as it stands, so it is read as bytes and has no schema here.
    HttpApiEndpoint.post("bounces", "/webhooks/mail/:provider", {
      params: { provider: Schema.String.check(Schema.isPattern(/^[a-z][a-z0-9-]{0,31}$/)) },
      error: [WebhookRejected, WebhookUnreadable]
    }).annotateMerge(
      described(
        "For mail providers: what bounced",
        'The secret comes as a bearer token, as the password of basic authentication, or as `X-Onsale-Signature: sha256=…` (HMAC of the body in hex). `{ "bounces": [{ "address", "reason", "messageId"? }] }`, or what Postmark, SendGrid and Mailgun send. Only what bounced for good and complaints count.'
      )
    )
  )
  .prefix("/api/v1") {}
