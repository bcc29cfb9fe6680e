/** What customers want to hear, in which language and how. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Preferences } from "../notifications/Preferences.ts"
import { CustomerAuth } from "./CustomerAuth.ts"
import { AddressNotProved, PhoneInvalid, Unauthorized } from "./Problems.ts"

export class PreferencesApi extends HttpApiGroup.make("preferences")
  .add(
    HttpApiEndpoint.get("get", "/preferences", {
      success: Preferences,
      error: [Unauthorized, AddressNotProved]
    }).annotateMerge(
      OpenApi.annotations({
        summary: "What the customer wants to hear",
        description: "Of the address that the bearer token proves; the defaults where nothing was said."
      })
    ),
    HttpApiEndpoint.put("set", "/preferences", {
      payload: Preferences,
      success: Preferences,
      error: [Unauthorized, AddressNotProved, PhoneInvalid]
    }).annotateMerge(
      OpenApi.annotations({
        summary: "Say what the customer wants to hear",
        description:
          "All of it anew, for the address that the bearer token proves. Tickets, money, and what becomes of an event go by e-mail in any case."
      })
    )
  )
  .middleware(CustomerAuth)
  .prefix("/api/v1") {}

const Page = Schema.String.pipe(HttpApiSchema.asText({ contentType: "text/html; charset=utf-8" }))

const token = { token: Schema.String.check(Schema.isMaxLength(1_024)) }

export class UnsubscribeApi extends HttpApiGroup.make("unsubscribe")
  .add(
    HttpApiEndpoint.get("ask", "/unsubscribe/:token", { params: token, success: Page }).annotate(
      OpenApi.Description,
      "The page behind the link in a reminder, or in news of an event. It changes nothing by itself; 404 where the link does not hold."
    ),
    // The body is a form of one field that says nothing, of either content type (RFC 8058 §3.1): it is not read.
    HttpApiEndpoint.post("decline", "/unsubscribe/:token", { params: token, success: Page }).annotate(
      OpenApi.Description,
      "Declines what the link is about; mail programs send it with one click (RFC 8058). A second time changes nothing."
    )
  )
  .prefix("/api/v1") {}
