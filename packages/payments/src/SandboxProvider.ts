/**
 * The sandbox provider (`apps/psp-sandbox`) behind our provider contract, over HTTP.
 *
 * Its answers are read with a bound and a time limit, and every failure is classified by what it says
 * about money: a 5xx, a broken connection or an unreadable answer leave it unknown.
 */
import { PaymentIntentId } from "@onsale/contracts/Ids"
import {
  type CreateSandboxPayment,
  idempotencyKeyHeader,
  SandboxErrorBody,
  SandboxPayment,
  SandboxPaymentList,
  SandboxPaymentPage,
  SandboxRefund
} from "@onsale/contracts/payments/Sandbox"
import { Config, Duration, Effect, Option, type Redacted, Schema } from "effect"
import { HttpClient, HttpClientRequest } from "effect/http"
import type { Standing } from "./PaymentAnswer.ts"
import type { PaymentProvider, ProviderFailure } from "./PaymentProvider.ts"
import * as ProviderHttp from "./ProviderHttp.ts"
import { failure, type Reply, unknown } from "./ProviderHttp.ts"
import { secrets } from "./ProviderConfig.ts"
import * as SandboxWebhook from "./SandboxWebhook.ts"

export const sandboxProviderName = "sandbox"

export interface SandboxProviderOptions {
  /** `sandbox` when left out. */
  readonly name?: string | undefined
  /** Such as `http://127.0.0.1:4000`. */
  readonly url: string
  readonly secret: Redacted.Redacted
  /** Any of them may have signed a webhook, so that a secret can be changed without a gap. */
  readonly webhookSecrets: ReadonlyArray<Redacted.Redacted>
  /** For one call, its answer included; 5 seconds when left out. */
  readonly timeout?: Duration.Input | undefined
  /** Where a 3-D Secure page sends the buyer; the order's id is appended. */
  readonly returnUrl?: string | undefined
}

/** A payment is a few hundred bytes, and a page has 100 of them. */
const maxAnswerBytes = 64 * 1024

const decodePayment = Schema.decodeUnknownEffect(Schema.fromJsonString(SandboxPayment))
const decodeList = Schema.decodeUnknownEffect(Schema.fromJsonString(SandboxPaymentList))
const decodePage = Schema.decodeUnknownEffect(Schema.fromJsonString(SandboxPaymentPage))
const decodeIntentId = Schema.decodeUnknownOption(PaymentIntentId)
const decodeRefund = Schema.decodeUnknownEffect(Schema.fromJsonString(SandboxRefund))
const decodeError = Schema.decodeUnknownOption(Schema.fromJsonString(SandboxErrorBody))

export const make = Effect.fnUntraced(function* (options: SandboxProviderOptions) {
  const http = yield* HttpClient.HttpClient
  const readWebhook = yield* SandboxWebhook.makeReader(options.webhookSecrets)
  const client = http.pipe(
    HttpClient.mapRequest((request) =>
      request.pipe(
        HttpClientRequest.prependUrl(options.url),
        HttpClientRequest.bearerToken(options.secret),
        HttpClientRequest.acceptJson
      )
    )
  )
  const limits = { timeout: Duration.fromInputUnsafe(options.timeout ?? Duration.seconds(5)), maxAnswerBytes }

  const call = (request: HttpClientRequest.HttpClientRequest): Effect.Effect<Reply, ProviderFailure> =>
    Effect.filterOrFail(
      ProviderHttp.call(client, request, limits),
      (reply) => isAnswer(reply.status),
      classify
    )

  const post = (path: string, body: object, key?: string) =>
    HttpClientRequest.post(path, key === undefined ? {} : { headers: { [idempotencyKeyHeader]: key } }).pipe(
      HttpClientRequest.bodyJsonUnsafe(body),
      call
    )

  const provider: PaymentProvider = {
    name: options.name ?? sandboxProviderName,
    currencies: "all",
    authorise: Effect.fn("SandboxProvider.authorise")(function* (request) {
      const body: CreateSandboxPayment = {
        amount: request.amount,
        currency: request.currency,
        method: request.method,
        reference: request.intentId,
        capture: "manual",
        ...(options.returnUrl === undefined ? {} : { returnUrl: options.returnUrl + request.orderId })
      }
      return standing(yield* readable(decodePayment, yield* post("/v1/payments", body, request.key)))
    }),
    capture: Effect.fn("SandboxProvider.capture")(function* ({ amount, key, reference }) {
      const reply = yield* post(`${pathOf(reference)}/capture`, { amount }, key)
      return standing(yield* readable(decodePayment, reply))
    }),
    // Its void takes no key: it can be repeated as it is.
    void: Effect.fn("SandboxProvider.void")(function* ({ reference }) {
      return standing(yield* readable(decodePayment, yield* post(`${pathOf(reference)}/void`, {})))
    }),
    refund: Effect.fn("SandboxProvider.refund")(function* ({ amount, key, reference }) {
      yield* readable(decodeRefund, yield* post(`${pathOf(reference)}/refunds`, { amount }, key))
    }),
    find: Effect.fn("SandboxProvider.find")(function* ({ key }) {
      const request = HttpClientRequest.get("/v1/payments", { urlParams: { idempotencyKey: key } })
      const found = yield* readable(decodeList, yield* call(request))
      if (found.inFlight) return yield* unknown("in_flight", "a call with this key still runs")
      const payment = found.data[0]
      return payment === undefined ? { _tag: "Absent" as const } : standing(payment)
    }),
    list: Effect.fn("SandboxProvider.list")(function* ({ cursor, fromMs, toMs }) {
      const urlParams = {
        from: new Date(fromMs).toISOString(),
        to: new Date(toMs).toISOString(),
        ...(cursor === null ? {} : { cursor })
      }
      const page = yield* readable(
        decodePage,
        yield* call(HttpClientRequest.get("/v1/payments", { urlParams }))
      )
      return {
        payments: page.data.map((payment) => ({
          intentId: Option.getOrNull(decodeIntentId(payment.reference)),
          standing: standing(payment),
          createdAtMs: Date.parse(payment.createdAt)
        })),
        nextCursor: page.nextCursor
      }
    }),
    readWebhook
  }
  return provider
})

/** 402 carries the payment that was declined. */
const isAnswer = (status: number): boolean => (status >= 200 && status < 300) || status === 402

const pathOf = (reference: string): string => `/v1/payments/${encodeURIComponent(reference)}`

const standing = (payment: SandboxPayment): Standing => ({
  _tag: "Standing",
  reference: payment.id,
  status: payment.status === "refunded" ? "captured" : payment.status,
  amount: payment.amount,
  currency: payment.currency,
  captured: payment.captured,
  refunded: payment.refunded,
  failureCode: payment.failureCode ?? null,
  nextAction: payment.nextAction ?? null,
  dispute: payment.dispute ?? null
})

// --- failures -----------------------------------------------------------------------------------

const readable = <A, E>(decode: (text: string) => Effect.Effect<A, E>, reply: Reply) =>
  Effect.mapError(decode(reply.text), () =>
    unknown("unreadable_answer", `an answer of status ${reply.status} cannot be read`)
  )

const classify = (reply: Reply): ProviderFailure => {
  const body = Option.getOrUndefined(decodeError(reply.text))?.error
  const code = body?.code ?? `http_${reply.status}`
  const message = `${reply.status} ${body?.message ?? "without a reason"}`
  switch (reply.status) {
    // Refused for what the request is: it will never be otherwise.
    case 400:
    case 413:
      return failure("declined", code, message)
    // Refused for who we are, where we knocked, or how often: it did not run, and can be mended.
    case 401:
    case 403:
    case 405:
    case 429:
      return failure("retryable", code, message)
    case 404:
      return failure(code === "payment_unknown" ? "declined" : "retryable", code, message)
    // A state that does not allow it is for good; a key in use says nothing about its outcome.
    case 409:
      return failure(body?.type === "invalid_state" ? "declined" : "unknown", code, message)
    default:
      return unknown(code, message)
  }
}

// --- configuration -------------------------------------------------------------------------------------

/**
 * `…_URL`, `…_SECRET`, `…_WEBHOOK_SECRET` (several with commas while one is being replaced), `…_TIMEOUT`
 * (5 seconds), `…_RETURN_URL`, behind the prefix.
 */
export const configOf = (prefix: string): Config.Config<SandboxProviderOptions> =>
  Config.all({
    url: Config.URL(`${prefix}_URL`).pipe(Config.map((url) => url.href.replace(/\/$/, ""))),
    secret: Config.Redacted(`${prefix}_SECRET`),
    webhookSecrets: secrets(`${prefix}_WEBHOOK_SECRET`),
    timeout: Config.Duration(`${prefix}_TIMEOUT`).pipe(Config.withDefault(Duration.seconds(5))),
    returnUrl: Config.String(`${prefix}_RETURN_URL`).pipe(Config.option, Config.map(Option.getOrUndefined))
  })

export const config = configOf("ONSALE_SANDBOX")
