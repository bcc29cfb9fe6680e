/** What support does about messages to buyers, and what mail providers tell of them, over HTTP. */
import { Api } from "@onsale/contracts/http/Api"
import { AddressNotSuppressed, NotificationNotFound } from "@onsale/contracts/http/NotificationsApi"
import { CursorInvalid, WebhookRejected, WebhookUnreadable } from "@onsale/contracts/http/Problems"
import { MailWebhooks } from "@onsale/notifications/MailWebhooks"
import { MessageLog } from "@onsale/notifications/MessageLog"
import { Suppressions } from "@onsale/notifications/Suppressions"
import { Effect, Layer } from "effect"
import { HttpServerResponse } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"

const notFound = () => new NotificationNotFound({})

const notifications = HttpApiBuilder.group(
  Api,
  "notifications",
  Effect.fn(function* (handlers) {
    const log = yield* MessageLog
    const suppressions = yield* Suppressions
    return handlers.handleAll({
      list: ({ query }) => Effect.mapError(log.page(query), () => new CursorInvalid({})),
      get: ({ params }) => Effect.mapError(log.message(params.id), notFound),
      replay: ({ params }) => Effect.mapError(log.replay(params.id), notFound),
      suppressions: ({ query }) =>
        Effect.map(suppressions.list(query.address), (suppressions) => ({ suppressions })),
      liftSuppression: ({ params }) =>
        Effect.flatMap(suppressions.lift(params.address), (lifted) =>
          lifted ? Effect.void : Effect.fail(new AddressNotSuppressed({}))
        )
    })
  })
)

const webhooks = HttpApiBuilder.group(
  Api,
  "mailWebhooks",
  Effect.fn(function* (handlers) {
    const mails = yield* MailWebhooks
    return handlers.handleRaw(
      "bounces",
      Effect.fnUntraced(function* ({ params: { provider }, request }) {
        // A body that is too large or broken off is the edge's to answer.
        const body = new Uint8Array(yield* Effect.orDie(request.arrayBuffer))
        const { authorization, "x-onsale-signature": signature } = request.headers
        yield* mails
          .receive(provider, body, { authorization, signature })
          .pipe(
            Effect.catchTag("MailWebhookRejected", ({ fault, reason }) =>
              Effect.andThen(
                Effect.logWarning(`a webhook of the mail provider ${provider} was rejected: ${reason}`),
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

export const layer = Layer.merge(notifications, webhooks)
