/** What payment providers tell us, over HTTP. The body is read as it came: it is signed. */
import { Api } from "@onsale/contracts/http/Api"
import { ProviderNotFound, WebhookRejected, WebhookUnreadable } from "@onsale/contracts/http/Problems"
import type { WebhookRejected as Rejected } from "@onsale/payments/PaymentProvider"
import { Webhooks } from "@onsale/payments/Webhooks"
import * as Tracing from "@onsale/platform/Tracing"
import { Effect } from "effect"
import { HttpServerResponse } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"

/** Whoever sent it learns whether it was the signature, which is none of what they have to keep secret. */
const problemOf = (reason: Rejected["reason"]): WebhookRejected | WebhookUnreadable => {
  switch (reason) {
    case "body_invalid":
      return new WebhookUnreadable({ detail: "It is nothing that this provider is known to send." })
    case "too_large":
      return new WebhookUnreadable({ detail: "It is too large." })
    case "provider_unavailable":
      return new WebhookUnreadable({
        detail: "The provider does not answer which payment it is about: send it again."
      })
    default:
      return new WebhookRejected({})
  }
}

export const layer = HttpApiBuilder.group(
  Api,
  "webhooks",
  Effect.fn(function* (handlers) {
    const webhooks = yield* Webhooks
    return handlers.handleRaw(
      "receive",
      Effect.fnUntraced(function* ({ params: { provider }, query: { token }, request }) {
        // A body that is too large or broken off is the edge's to answer.
        const body = new Uint8Array(yield* Effect.orDie(request.arrayBuffer))
        yield* webhooks.receive(provider, body, request.headers, token).pipe(
          Tracing.resumed,
          Effect.catchTag("WebhookRejected", ({ reason }) =>
            Effect.andThen(
              Effect.logWarning(`a webhook of ${provider} was rejected: ${reason}`),
              Effect.fail(problemOf(reason))
            )
          ),
          Effect.catchTag("WebhookProviderUnknown", () => Effect.fail(new ProviderNotFound({})))
        )
        return HttpServerResponse.empty({ status: 204 })
      })
    )
  })
)
