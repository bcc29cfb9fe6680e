/**
 * Stripe behind our provider contract: a PaymentIntent with manual capture, confirmed as it is created, with
 * our intent in its metadata and our keys as its idempotency keys.
 *
 * Stripe keeps a key for a day at least, and answers a repeat as it answered the first. What may be repeated
 * later than that is looked for first: a refund among those of the payment, a step by where the payment
 * stands. What its errors say of money is in `StripeFailure.ts`, how a payment is found in `StripeFind.ts`.
 */
import { Config, Duration, Effect, type Redacted, Schema } from "effect"
import type { Stripe } from "stripe"
import * as CurrencyUnits from "./CurrencyUnits.ts"
import type { MoveRequest, PaymentProvider } from "./PaymentProvider.ts"
import * as ProviderConfig from "./ProviderConfig.ts"
import { failure, happened, nothingHappened, unknown } from "./ProviderHttp.ts"
import * as StripeClient from "./StripeClient.ts"
import * as StripeFind from "./StripeFind.ts"
import * as StripeWebhook from "./StripeWebhook.ts"
import {
  intentIdOf,
  metadataNames,
  StripePaymentList,
  type StripeRefund,
  StripeRefund as StripeRefundSchema,
  StripeRefundList
} from "./StripeWire.ts"
import * as Unanswered from "./Unanswered.ts"

export const stripeProviderName = "stripe"

export interface StripeProviderOptions {
  readonly secretKey: Redacted.Redacted
  /** Any of them may have signed a webhook, so that a secret can be changed without a gap. */
  readonly webhookSecrets: ReadonlyArray<Redacted.Redacted>
  /** Where a 3-D Secure page sends the buyer; the order's id is appended. */
  readonly returnUrl: string
  /** For one call, its answer included; 6 seconds when left out, so that a step with it ends within 15. */
  readonly timeout?: Duration.Input | undefined
  /** Without a path, such as `http://127.0.0.1:12111` for stripe-mock. */
  readonly apiBase?: string | undefined
  readonly findTimes?: StripeFind.FindTimes | undefined
  /** How long a request without an answer may still be carried out, in milliseconds; 30 seconds when left out. */
  readonly settleMs?: number | undefined
}

/** Banks answer an authorisation within this, or Stripe gives it up. */
const defaultSettleMs = 30_000

const pageSize = 100

/** As many refunds as a payment may have with us (`maxRefunds`), and some made by hand. */
const maxRefundPages = 4

const expand = ["latest_charge"]

const decodePayments = Schema.decodeUnknownEffect(StripePaymentList)
const decodeRefund = Schema.decodeUnknownEffect(StripeRefundSchema)
const decodeRefunds = Schema.decodeUnknownEffect(StripeRefundList)

/** Needs an HttpClient and a Mac. */
export const make = Effect.fnUntraced(function* (options: StripeProviderOptions) {
  const timeout = Duration.fromInputUnsafe(options.timeout ?? Duration.seconds(6))
  const client = yield* StripeClient.make({ secretKey: options.secretKey, apiBase: options.apiBase, timeout })
  const unanswered = Unanswered.make(options.settleMs ?? defaultSettleMs)
  const readWebhook = yield* StripeWebhook.makeReader(options.webhookSecrets, client)

  /** The refund that was made with the key before, whenever that was. */
  const madeRefund = Effect.fnUntraced(function* ({ key, reference }: MoveRequest) {
    let after: string | undefined
    for (let read = 0; read < maxRefundPages; read++) {
      const params: Stripe.RefundListParams = {
        payment_intent: reference,
        limit: pageSize,
        ...(after === undefined ? {} : { starting_after: after })
      }
      const page = yield* client.call((stripe) => stripe.refunds.list(params), decodeRefunds)
      const made = page.data.find(
        (refund) => refund.metadata?.[metadataNames.refundKey] === key && isMade(refund)
      )
      if (made !== undefined) return made
      after = page.data.at(-1)?.id
      if (!page.has_more || after === undefined) return null
    }
    return yield* unknown(
      "too_many_refunds",
      `more than ${maxRefundPages * pageSize} refunds of ${reference}`
    )
  }, Effect.mapError(nothingHappened))

  const provider: PaymentProvider = {
    name: stripeProviderName,
    currencies: "all",
    authorise: Effect.fn("StripeProvider.authorise")(function* (request) {
      const { currency, intentId, key, method, orderId } = request
      const amount = yield* units(request.amount, currency)
      const params: Stripe.PaymentIntentCreateParams = {
        amount,
        currency: currency.toLowerCase(),
        capture_method: "manual",
        confirm: true,
        payment_method: method,
        // Named, because the account's own choice may hold methods that cannot be captured later.
        allowed_payment_method_types: ["card"],
        return_url: options.returnUrl + orderId,
        metadata: { [metadataNames.intent]: intentId, [metadataNames.order]: orderId },
        expand
      }
      const payment = yield* unanswered.track(key)(client.createPayment(params, key))
      // It was answered, whatever becomes of a question about it.
      return yield* Effect.mapError(client.standingOf(payment), happened)
    }),
    capture: Effect.fn("StripeProvider.capture")(function* (request) {
      const amount = yield* units(request.amount, request.currency)
      const params: Stripe.PaymentIntentCaptureParams = { amount_to_capture: amount, expand }
      const payment = yield* client.step(
        (stripe) => stripe.paymentIntents.capture(request.reference, params, { idempotencyKey: request.key }),
        request.reference,
        "succeeded"
      )
      return yield* Effect.mapError(client.standingOf(payment), happened)
    }),
    void: Effect.fn("StripeProvider.void")(function* ({ key, reference }) {
      const payment = yield* client.step(
        (stripe) => stripe.paymentIntents.cancel(reference, { expand }, { idempotencyKey: key }),
        reference,
        "canceled"
      )
      return yield* Effect.mapError(client.standingOf(payment), happened)
    }),
    refund: Effect.fn("StripeProvider.refund")(function* (request) {
      const { intentId, key, reference } = request
      const amount = yield* units(request.amount, request.currency)
      if ((yield* madeRefund(request)) !== null) return
      const params: Stripe.RefundCreateParams = {
        payment_intent: reference,
        amount,
        metadata: { [metadataNames.intent]: intentId, [metadataNames.refundKey]: key }
      }
      const refund = yield* client.call(
        (stripe) => stripe.refunds.create(params, { idempotencyKey: key }),
        decodeRefund
      )
      if (!isMade(refund))
        return yield* failure("declined", refund.failure_reason ?? "refund_failed", `refund ${refund.id}`)
    }),
    find: Effect.fn("StripeProvider.find")(
      StripeFind.make(client, unanswered, options.findTimes ?? StripeFind.defaultFindTimes, timeout)
    ),
    list: Effect.fn("StripeProvider.list")(function* ({ cursor, fromMs, toMs }) {
      const params: Stripe.PaymentIntentListParams = {
        // Whole seconds: those that the window cuts through are sorted out below.
        created: { gte: Math.floor(fromMs / 1000), lt: Math.ceil(toMs / 1000) },
        limit: pageSize,
        expand: expand.map((field) => `data.${field}`),
        ...(cursor === null ? {} : { starting_after: cursor })
      }
      const page = yield* client.call((stripe) => stripe.paymentIntents.list(params), decodePayments)
      const payments = yield* Effect.forEach(
        page.data.filter(({ created }) => created * 1000 >= fromMs && created * 1000 < toMs),
        (payment) =>
          Effect.map(client.standingOf(payment), (standing) => ({
            intentId: intentIdOf(payment.metadata),
            standing,
            createdAtMs: payment.created * 1000
          })),
        { concurrency: 4 }
      )
      return { payments, nextCursor: page.has_more ? (page.data.at(-1)?.id ?? null) : null }
    }),
    readWebhook
  }
  return provider
})

/** `pending` is on its way, as the contract has it; a refund that fails later is told by a webhook. */
const isMade = (refund: StripeRefund): boolean => refund.status !== "failed" && refund.status !== "canceled"

const units = (amount: number, currency: string) => {
  const converted = CurrencyUnits.toStripe(amount, currency)
  return converted === null
    ? Effect.fail(failure("declined", "amount_not_chargeable", `${amount} ${currency} (minor units)`))
    : Effect.succeed(converted)
}

/**
 * `ONSALE_STRIPE_SECRET_KEY`, `ONSALE_STRIPE_WEBHOOK_SECRET` (several with commas while one is being replaced),
 * `ONSALE_STRIPE_RETURN_URL`, `ONSALE_STRIPE_TIMEOUT` (6 seconds), `ONSALE_STRIPE_API_BASE`.
 */
export const config: Config.Config<StripeProviderOptions> = Config.all({
  secretKey: Config.Redacted("ONSALE_STRIPE_SECRET_KEY"),
  webhookSecrets: ProviderConfig.secrets("ONSALE_STRIPE_WEBHOOK_SECRET"),
  returnUrl: Config.URL("ONSALE_STRIPE_RETURN_URL").pipe(Config.map((url) => url.href)),
  timeout: Config.Duration("ONSALE_STRIPE_TIMEOUT").pipe(Config.withDefault(Duration.seconds(6))),
  apiBase: ProviderConfig.base("ONSALE_STRIPE_API_BASE").pipe(Config.withDefault("https://api.stripe.com"))
})
