/** What payment providers tell us, over HTTP. The body is read as it came: it is signed. */
import { Api } from "@onsale/contracts/http/Api"
import { ProviderNotFound, WebhookRejected } from "@onsale/contracts/http/Problems"
import { Webhooks } from "@onsale/payments/Webhooks"
import * as Tracing from "@onsale/platform/Tracing"
import { Effect } from "effect"
import { HttpServerResponse } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"

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
              Effect.fail(new WebhookRejected({}))
            )
          ),
          Effect.catchTag("WebhookProviderUnknown", () => Effect.fail(new ProviderNotFound({})))
        )
        return HttpServerResponse.empty({ status: 204 })
      })
    )
  })
)
