/** Preferences over HTTP: by a token, or by the link in a message. */
import { Api } from "@onsale/contracts/http/Api"
import { AddressNotProved, PhoneInvalid, Unauthorized } from "@onsale/contracts/http/Problems"
import { localeFor, Preferences } from "@onsale/notifications/Preferences"
import { normalised } from "@onsale/notifications/sms/PhoneNumber"
import * as UnsubscribePage from "@onsale/notifications/templates/UnsubscribePage"
import { UnsubscribeLinks } from "@onsale/notifications/UnsubscribeLinks"
import { Effect, Layer } from "effect"
import { type HttpServerRequest, HttpServerResponse } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import * as AcceptLanguage from "./AcceptLanguage.ts"
import { CurrentCustomer } from "./CurrentCustomer.ts"

/** Whose they are: what goes to an address is said by who has proved that it is theirs. */
const addressee = Effect.gen(function* () {
  const { email, id } = (yield* CurrentCustomer) ?? (yield* new Unauthorized({}))
  return { email: email ?? (yield* new AddressNotProved({})), customerId: id }
})

const layerToken = HttpApiBuilder.group(
  Api,
  "preferences",
  Effect.fn(function* (handlers) {
    const preferences = yield* Preferences
    return handlers.handleAll({
      get: Effect.fnUntraced(function* () {
        const { customerId, email } = yield* addressee
        return yield* preferences.of(email, customerId)
      }),
      set: Effect.fnUntraced(function* ({ payload }) {
        const customer = yield* addressee
        const phone =
          payload.phone === null ? null : (normalised(payload.phone) ?? (yield* new PhoneInvalid({})))
        const all = { ...payload, phone }
        yield* preferences.set(customer, all)
        return all
      })
    })
  })
)

const page = (body: string, status = 200) =>
  HttpServerResponse.text(body, {
    status,
    contentType: "text/html; charset=utf-8",
    headers: {
      "cache-control": "no-store",
      // The address is a secret of the reader's.
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
      "content-security-policy":
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    }
  })

const layerLink = HttpApiBuilder.group(
  Api,
  "unsubscribe",
  Effect.fn(function* (handlers) {
    const preferences = yield* Preferences
    const links = yield* UnsubscribeLinks

    const opened = (
      request: HttpServerRequest.HttpServerRequest,
      token: string,
      answer: (
        claim: Effect.Success<ReturnType<typeof links.open>>,
        locale: ReturnType<typeof localeFor>
      ) => Effect.Effect<string>
    ) => {
      const accepted = AcceptLanguage.of(request.headers["accept-language"])
      return Effect.gen(function* () {
        const claim = yield* links.open(token)
        const locale = localeFor(yield* preferences.of(claim.email), accepted)
        return page(yield* answer(claim, locale))
      }).pipe(
        Effect.catchTag("UnsubscribeLinkRefused", ({ cause }) =>
          Effect.as(
            Effect.logDebug("a link to unsubscribe does not hold", cause),
            page(UnsubscribePage.refused(accepted ?? "en"), 404)
          )
        )
      )
    }

    return handlers.handleAll({
      ask: ({ params, request }) =>
        opened(request, params.token, ({ topic }, locale) =>
          Effect.succeed(UnsubscribePage.ask(locale, topic))
        ),
      decline: ({ params, request }) =>
        opened(request, params.token, ({ email, topic }, locale) =>
          Effect.as(preferences.decline(email, topic), UnsubscribePage.done(locale, topic))
        )
    })
  })
)

export const layer = Layer.merge(layerToken, layerLink)
