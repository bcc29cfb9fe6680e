/** Stripe's adapter over a client that records what is sent and answers as it is told. */
import { OrderId, PaymentIntentId, RefundId } from "@onsale/contracts/Ids"
import { Effect } from "effect"
import { HttpClient, type HttpClientRequest, HttpClientResponse } from "effect/http"
import { keys, type PaymentProvider } from "../src/PaymentProvider.ts"
import * as StripeProvider from "../src/StripeProvider.ts"
import { layerMac, stripeOptions } from "./StripeServer.ts"

export const intentId = PaymentIntentId.make("019a0000-0000-7000-8000-000000000001")
export const orderId = OrderId.make("019a0000-0000-7000-8000-000000000002")
export const refundId = RefundId.make("019a0000-0000-7000-8000-000000000003")
export const key = keys.authorise(intentId)
/** When the intent's id was made. */
export const madeMs = Number.parseInt("019a00000000", 16)

export const payment = {
  id: "pi_3MtwBwLkdIwHu7ix28a3tqPa",
  object: "payment_intent",
  amount: 4_200,
  amount_received: 0,
  capture_method: "manual",
  created: Math.floor(madeMs / 1000) + 1,
  currency: "eur",
  last_payment_error: null,
  latest_charge: { id: "ch_1", object: "charge", amount_refunded: 0, disputed: false },
  metadata: { onsale_intent_id: intentId, onsale_order_id: orderId },
  next_action: null,
  status: "requires_capture"
}

export interface Sent {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly headers: Readonly<Record<string, string>>
  readonly form: string
}

export type Answer = (sent: Sent) => { readonly status: number; readonly body: unknown }

/** The provider over a client that records what is sent and answers as told. */
export const recorded = Effect.fnUntraced(function* (
  answer: Answer,
  options: Partial<StripeProvider.StripeProviderOptions> = {}
) {
  const sent: Array<Sent> = []
  const client = HttpClient.make((request) =>
    Effect.sync(() => {
      const one = sentBy(request)
      sent.push(one)
      const { body, status } = answer(one)
      const text = typeof body === "string" ? body : JSON.stringify(body)
      return HttpClientResponse.fromWeb(
        request,
        new Response(text, { status, headers: { "request-id": "req_1", "content-type": "application/json" } })
      )
    })
  )
  const provider = yield* StripeProvider.make({ ...stripeOptions, ...options }).pipe(
    Effect.provideService(HttpClient.HttpClient, client),
    Effect.provide(layerMac)
  )
  return { provider, sent }
})

const sentBy = (request: HttpClientRequest.HttpClientRequest): Sent => {
  const url = new URL(request.url)
  return {
    method: request.method,
    path: `${url.origin}${url.pathname}`,
    query: decodeURIComponent(url.search.slice(1)),
    headers: { ...request.headers },
    form:
      request.body._tag === "Uint8Array"
        ? decodeURIComponent(new TextDecoder().decode(request.body.body))
        : ""
  }
}

export const authorise = (provider: PaymentProvider, currency = "EUR", amount = 4_200) =>
  provider.authorise({ key, intentId, orderId, amount, currency, method: "pm_card_visa" })
