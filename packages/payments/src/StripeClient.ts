/**
 * Stripe's SDK over our transport, its answers decoded: what the provider asks and does in Stripe's words.
 * Nothing is sent twice by the SDK; to repeat is `PaymentSteps`' decision.
 */
import { Duration, Effect, Redacted, Schema } from "effect"
import { Stripe } from "stripe"
import type { ProviderFailure } from "./PaymentProvider.ts"
import * as ProviderHttp from "./ProviderHttp.ts"
import { unknown } from "./ProviderHttp.ts"
import * as StripeFailure from "./StripeFailure.ts"
import {
  chargeOf,
  disputeOf,
  isWhole,
  standing,
  StripeDisputeList,
  StripePayment,
  stripeApiVersion
} from "./StripeWire.ts"

/** A payment with its charge is some 6 kB, and a page has 100 of them. */
const maxAnswerBytes = 4 * 1024 * 1024

/** A charge is disputed once, or a few times by appeal. */
const maxDisputes = 10

export interface StripeClientOptions {
  readonly secretKey: Redacted.Redacted
  /** Without a path; `https://api.stripe.com` when left out. */
  readonly apiBase?: string | undefined
  readonly timeout: Duration.Duration
}

export type StripeClient = Effect.Success<ReturnType<typeof make>>

export const make = Effect.fnUntraced(function* (options: StripeClientOptions) {
  const fetch = yield* ProviderHttp.makeFetch({ timeout: options.timeout, maxAnswerBytes })
  const base = new URL(options.apiBase ?? "https://api.stripe.com")
  const isPlain = base.protocol === "http:"
  const stripe = new Stripe(Redacted.value(options.secretKey), {
    apiVersion: stripeApiVersion,
    maxNetworkRetries: 0,
    // Ours is the first to end, and says what that means.
    timeout: Duration.toMillis(options.timeout) + 5_000,
    protocol: isPlain ? "http" : "https",
    host: base.hostname,
    port: base.port === "" ? (isPlain ? "80" : "443") : base.port,
    httpClient: Stripe.createFetchHttpClient(fetch),
    telemetry: false,
    typescript: true
  })

  /** Calls the SDK; `decode` takes nothing of the answer on trust. */
  const call = <A, E>(
    send: (stripe: Stripe) => Promise<unknown>,
    decode: (answer: unknown) => Effect.Effect<A, E>
  ): Effect.Effect<A, ProviderFailure> =>
    Effect.flatMap(sent(send), (answer) => Effect.mapError(decode(answer), unreadable))

  const sent = (send: (stripe: Stripe) => Promise<unknown>): Effect.Effect<unknown, ProviderFailure> =>
    Effect.tryPromise({ try: () => send(stripe), catch: StripeFailure.classify })

  const retrieve = (reference: string): Effect.Effect<StripePayment, ProviderFailure> =>
    call((stripe) => stripe.paymentIntents.retrieve(reference, { expand: ["latest_charge"] }), decodePayment)

  /** How it stands, with what has to be asked for besides. */
  const standingOf = Effect.fnUntraced(function* (payment: StripePayment) {
    const whole = isWhole(payment) ? payment : yield* retrieve(payment.id)
    if (chargeOf(whole)?.disputed !== true) return standing(whole, null)
    const disputes = yield* call(
      (stripe) => stripe.disputes.list({ payment_intent: whole.id, limit: maxDisputes }),
      decodeDisputes
    )
    return standing(whole, disputeOf(disputes.data))
  })

  /** Creates and confirms. A card that was declined has its payment in the error, and that is an answer. */
  const createPayment = (
    params: Stripe.PaymentIntentCreateParams,
    key: string
  ): Effect.Effect<StripePayment, ProviderFailure> =>
    Effect.tryPromise({
      try: (): Promise<unknown> => stripe.paymentIntents.create(params, { idempotencyKey: key }),
      catch: (error) => error
    }).pipe(
      Effect.catch((error) => {
        const declined = StripeFailure.paymentOf(error)
        const why = StripeFailure.classify(error)
        return declined == null || why.kind !== "declined" ? Effect.fail(why) : Effect.succeed(declined)
      }),
      Effect.flatMap((answer) =>
        answer instanceof Error
          ? Effect.fail(unreadable())
          : Effect.mapError(decodePayment(answer), unreadable)
      )
    )

  /**
   * A step that Stripe refuses from where the payment stands has perhaps been taken before, under a key that
   * Stripe has forgotten: then it is reached.
   */
  const step = (
    send: (stripe: Stripe) => Promise<unknown>,
    reference: string,
    goal: StripePayment["status"]
  ): Effect.Effect<StripePayment, ProviderFailure> =>
    call(send, decodePayment).pipe(
      Effect.catchIf(
        (why) => why.kind === "declined" && why.code === "payment_intent_unexpected_state",
        (why) =>
          Effect.flatMap(retrieve(reference), (payment) =>
            payment.status === goal ? Effect.succeed(payment) : Effect.fail(why)
          )
      )
    )

  return { call, createPayment, retrieve, standingOf, step }
})

const decodePayment = Schema.decodeUnknownEffect(StripePayment)
const decodeDisputes = Schema.decodeUnknownEffect(StripeDisputeList)

const unreadable = () => unknown("unreadable_answer", "an answer that cannot be read")
