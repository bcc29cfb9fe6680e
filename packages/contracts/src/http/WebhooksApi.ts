/** What payment providers tell us. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { ProviderNotFound, WebhookRejected, WebhookUnreadable } from "./Problems.ts"

export class WebhooksApi extends HttpApiGroup.make("webhooks")
  .add(
    // The body is the provider's own and signed as it stands, so it is read as bytes and has no schema here.
    HttpApiEndpoint.post("receive", "/webhooks/:provider", {
      params: { provider: Schema.String },
      // Of providers that do not sign: the secret is in the URL that they were given.
      query: { token: Schema.optionalKey(Schema.String) },
      error: [WebhookRejected, WebhookUnreadable, ProviderNotFound]
    }).annotate(
      OpenApi.Description,
      "For payment providers: the body and its signature are as the provider documents them. Delivered more than once and in any order is fine."
    )
  )
  .prefix("/api/v1") {}
