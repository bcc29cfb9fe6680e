/**
 * Mollie's SDK over our transport, its answers decoded.
 *
 * It is `mollie-api-typescript`, Mollie's own as `@mollie/api-client` is. That one sends a call that was
 * answered 5xx again by itself, twice, after two seconds or however long the answer says, has no time limit,
 * and loses why a connection broke: none of it can be turned off, so it could not say what a failure means
 * for money.
 */
import { Duration, Effect, Redacted, Schema } from "effect"
import { ClientCore } from "mollie-api-typescript/core.js"
import { capturesCreate } from "mollie-api-typescript/funcs/capturesCreate.js"
import { capturesList } from "mollie-api-typescript/funcs/capturesList.js"
import { chargebacksList } from "mollie-api-typescript/funcs/chargebacksList.js"
import { paymentsCancel } from "mollie-api-typescript/funcs/paymentsCancel.js"
import { paymentsCreate } from "mollie-api-typescript/funcs/paymentsCreate.js"
import { paymentsGet } from "mollie-api-typescript/funcs/paymentsGet.js"
import { paymentsList } from "mollie-api-typescript/funcs/paymentsList.js"
import { paymentsReleaseAuthorization } from "mollie-api-typescript/funcs/paymentsReleaseAuthorization.js"
import { refundsCreate } from "mollie-api-typescript/funcs/refundsCreate.js"
import { refundsList } from "mollie-api-typescript/funcs/refundsList.js"
import { HTTPClient } from "mollie-api-typescript/lib/http.js"
import type { PaymentRequest, RefundRequest } from "mollie-api-typescript/models"
import type { Standing } from "./PaymentAnswer.ts"
import type { ProviderFailure } from "./PaymentProvider.ts"
import * as MollieFailure from "./MollieFailure.ts"
import {
  disputeOf,
  isChargedBack,
  MollieCapture,
  MollieCaptures,
  MollieChargebacks,
  MolliePayment,
  MolliePayments,
  MollieRefund,
  MollieRefunds,
  standing
} from "./MollieWire.ts"
import * as ProviderHttp from "./ProviderHttp.ts"
import { unknown } from "./ProviderHttp.ts"

/** A payment is some 3 kB, and a page has 250 of them at most. */
const maxAnswerBytes = 4 * 1024 * 1024

/** What Mollie lists at a time, at most. */
export const pageSize = 250

export interface MollieClientOptions {
  readonly apiKey: Redacted.Redacted
  /** `https://api.mollie.com` when left out. */
  readonly apiBase?: string | undefined
  readonly timeout: Duration.Duration
}

/** What the SDK's functions promise: they do not throw where they can help it. */
type Result = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: unknown }

export type MollieClient = Effect.Success<ReturnType<typeof make>>

export const make = Effect.fnUntraced(function* (options: MollieClientOptions) {
  const fetch = yield* ProviderHttp.makeFetch({ timeout: options.timeout, maxAnswerBytes })
  const core = new ClientCore({
    security: { apiKey: Redacted.value(options.apiKey) },
    httpClient: new HTTPClient({ fetcher: fetch }),
    retryConfig: { strategy: "none" },
    // Ours is the first to end, and says what that means.
    timeoutMs: Duration.toMillis(options.timeout) + 5_000,
    ...(options.apiBase === undefined ? {} : { serverURL: options.apiBase })
  })

  const call = <A, E>(
    send: () => PromiseLike<Result>,
    decode: (answer: unknown) => Effect.Effect<A, E>
  ): Effect.Effect<A, ProviderFailure> =>
    Effect.tryPromise({ try: send, catch: MollieFailure.classify }).pipe(
      Effect.flatMap((result) =>
        result.ok
          ? Effect.mapError(decode(result.value), () =>
              unknown("unreadable_answer", "an answer that cannot be read")
            )
          : Effect.fail(MollieFailure.classify(result.error))
      )
    )

  const get = (paymentId: string): Effect.Effect<MolliePayment, ProviderFailure> =>
    call(() => paymentsGet(core, { paymentId }), decodePayment)

  /** How it stands, with what has to be asked for besides. */
  const standingOf = Effect.fnUntraced(function* (payment: MolliePayment) {
    const dispute = isChargedBack(payment)
      ? disputeOf(
          (yield* call(
            () => chargebacksList(core, { paymentId: payment.id, limit: pageSize }),
            decodeChargebacks
          )).result.embedded.chargebacks
        )
      : null
    const told: Standing | ProviderFailure = standing(payment, dispute)
    return told._tag === "Standing" ? told : yield* told
  })

  return {
    get,
    standingOf,
    create: (idempotencyKey: string, paymentRequest: PaymentRequest) =>
      call(() => paymentsCreate(core, { idempotencyKey, paymentRequest }), decodePayment),
    list: (from: string | null) =>
      call(
        () => paymentsList(core, { limit: pageSize, ...(from === null ? {} : { from }) }),
        (answer) => Effect.map(decodePayments(answer), ({ result }) => result)
      ),
    cancel: (idempotencyKey: string, paymentId: string) =>
      call(() => paymentsCancel(core, { idempotencyKey, paymentId }), decodePayment),
    release: (idempotencyKey: string, paymentId: string) =>
      call(
        () => paymentsReleaseAuthorization(core, { idempotencyKey, paymentId }),
        () => Effect.void
      ),
    capture: (
      idempotencyKey: string,
      paymentId: string,
      amount: { readonly currency: string; readonly value: string }
    ) =>
      call(
        () => capturesCreate(core, { idempotencyKey, paymentId, entityCapture: { amount: { ...amount } } }),
        decodeCapture
      ),
    captures: (paymentId: string) =>
      call(
        () => capturesList(core, { paymentId, limit: pageSize }),
        (answer) => Effect.map(decodeCaptures(answer), ({ result }) => result.embedded.captures)
      ),
    refund: (idempotencyKey: string, paymentId: string, refundRequest: RefundRequest) =>
      call(() => refundsCreate(core, { idempotencyKey, paymentId, refundRequest }), decodeRefund),
    refunds: (paymentId: string, from: string | null) =>
      call(
        () => refundsList(core, { paymentId, limit: pageSize, ...(from === null ? {} : { from }) }),
        (answer) => Effect.map(decodeRefunds(answer), ({ result }) => result)
      )
  }
})

const decodePayment = Schema.decodeUnknownEffect(MolliePayment)
const decodePayments = Schema.decodeUnknownEffect(MolliePayments)
const decodeCapture = Schema.decodeUnknownEffect(MollieCapture)
const decodeCaptures = Schema.decodeUnknownEffect(MollieCaptures)
const decodeRefund = Schema.decodeUnknownEffect(MollieRefund)
const decodeRefunds = Schema.decodeUnknownEffect(MollieRefunds)
const decodeChargebacks = Schema.decodeUnknownEffect(MollieChargebacks)
