/**
 * Webhooks of the providers. A webhook is a hint: it is verified, deduplicated, and has the supervisor ask
 * the provider how the payment stands. So it may come twice, out of order, or before the answer of the call
 * that caused it, and a forged one could at most make us ask.
 *
 * The work is persisted by the statement that records the webhook, so an answer of `noted` survives a crash.
 */
import * as Tracing from "@onsale/platform/Tracing"
import { Clock, Context, Effect, Layer, Schema } from "effect"
import { IntentTable, type NoticeOutcome } from "./IntentTable.ts"
import { PaymentProviders, WebhookRejected } from "./PaymentProvider.ts"
import { giveBackStray } from "./StrayPayment.ts"

/** No provider of that name is connected: 404. */
export class WebhookProviderUnknown extends Schema.TaggedError<WebhookProviderUnknown>()(
  "WebhookProviderUnknown",
  {
    provider: Schema.String
  }
) {}

/** A webhook is a payment and a few words; what is larger is not read. */
export const maxWebhookBytes = 64 * 1024

/** `foreign`: it speaks of a payment that was not made by us. `stray`: of one that has left that provider. */
export type WebhookOutcome = NoticeOutcome | "foreign" | "stray"

export class Webhooks extends Context.Service<
  Webhooks,
  {
    /**
     * Takes a webhook. `body` is the request's bytes as they came, the names of `headers` are in lower case,
     * `token` is the one of the URL, where it has one.
     * Every success is to be answered with 2xx, so that it is not sent again.
     */
    readonly receive: (
      provider: string,
      body: Uint8Array,
      headers: Readonly<Record<string, string | undefined>>,
      token?: string | undefined
    ) => Effect.Effect<WebhookOutcome, WebhookRejected | WebhookProviderUnknown>
  }
>()("@onsale/payments/Webhooks") {
  /** Needs the providers and the table of intents, but no cluster: any gateway can receive webhooks. */
  static readonly layerNoDeps = Layer.effect(
    Webhooks,
    Effect.gen(function* () {
      const { byName } = yield* PaymentProviders
      const table = yield* IntentTable

      return Webhooks.of({
        receive: Effect.fn("Webhooks.receive")(function* (name, body, headers, token) {
          const provider = byName.get(name)
          if (provider === undefined) return yield* new WebhookProviderUnknown({ provider: name })
          if (body.length > maxWebhookBytes) return yield* new WebhookRejected({ reason: "too_large" })
          const notice = yield* provider.readWebhook(body, headers, token)
          if (notice.intentId === null) return "foreign" as const
          // A provider carries no trace: the webhook has one of its own, and tells where the payment's is.
          if ((yield* Tracing.current) !== undefined)
            yield* Tracing.linkTo(yield* table.carried(notice.intentId))
          const outcome = yield* table.note(name, notice, yield* Clock.currentTimeMillis)
          if (outcome === "noted" || !(yield* table.hasLeft(name, notice.intentId))) return outcome
          // Where it cannot be given back now it comes again: the provider repeats what we do not take.
          yield* Effect.mapError(
            giveBackStray(provider, notice.intentId),
            () => new WebhookRejected({ reason: "provider_unavailable" })
          )
          return "stray" as const
        })
      })
    })
  )

  static readonly layer = Webhooks.layerNoDeps.pipe(Layer.provide(IntentTable.layer))
}
