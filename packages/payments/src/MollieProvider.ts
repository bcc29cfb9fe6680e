/**
 * Mollie behind our provider contract: a payment with `captureMode: manual`, our intent in its metadata and
 * our keys as its idempotency keys. The buyer pays on Mollie's page, unless the method is a card's token.
 *
 * Mollie keeps a key for an hour only. So what moves money is looked for before it is done: a capture and a
 * refund among those of the payment. Captures and releases are carried out after they were accepted: until
 * then the answer is `unknown`, and who asks again finds them.
 */
import { timeOfUuidV7 } from "@onsale/contracts/Ids"
import { Config, Duration, Effect, Redacted } from "effect"
import * as CurrencyUnits from "./CurrencyUnits.ts"
import * as MollieClient from "./MollieClient.ts"
import * as MollieWebhook from "./MollieWebhook.ts"
import {
  intentIdOf,
  metadataNames,
  metadataOf,
  type MolliePayment,
  type MollieRefund,
  nextFrom
} from "./MollieWire.ts"
import type { FindRequest, ListedPayment, MoveRequest, PaymentProvider } from "./PaymentProvider.ts"
import * as ProviderConfig from "./ProviderConfig.ts"
import { failure, happened, nothingHappened, notAnswered, unknown } from "./ProviderHttp.ts"
import * as Unanswered from "./Unanswered.ts"

export const mollieProviderName = "mollie"

export interface MollieProviderOptions {
  readonly apiKey: Redacted.Redacted
  /** Where the buyer comes back to; the order's id is appended. */
  readonly returnUrl: string
  /** Where Mollie sends its webhooks: `/api/v1/webhooks/mollie` as the outside reaches it. */
  readonly webhookUrl: string
  /** Any of them is accepted in a webhook's URL; new payments are given the first. */
  readonly webhookTokens: ReadonlyArray<Redacted.Redacted>
  /** For one call, its answer included; 6 seconds when left out, so that a step with it ends within 15. */
  readonly timeout?: Duration.Input | undefined
  readonly apiBase?: string | undefined
  /** How long a request without an answer may still be carried out, in milliseconds; 30 seconds when left out. */
  readonly settleMs?: number | undefined
}

const defaultSettleMs = 30_000

/** Those that Mollie authorises first and captures when it is asked to. */
const methods = new Set(["creditcard", "klarna", "billie", "riverty", "vipps", "mobilepay"] as const)
type Method = typeof methods extends Set<infer M> ? M : never

const isMethod = (method: string): method is Method => (methods as ReadonlySet<string>).has(method)

/** What Mollie charges in. */
const currencies: ReadonlySet<string> = new Set(
  "AED AUD BGN BRL CAD CHF CZK DKK EUR GBP HKD HUF ILS ISK JPY MXN MYR NOK NZD PHP PLN RON SEK SGD THB TWD USD ZAR".split(
    " "
  )
)

/** Between Mollie's clock and the one that made our id. */
const skewMs = 5 * 60_000

/** 2,000 payments, the newest first: Mollie's lists have no filter by time, and it has no search. */
const maxFindPages = 8

/** As many refunds as a payment may have with us (`maxRefunds`), and some made by hand. */
const maxRefundPages = 2

/** Needs an HttpClient. */
export const make = Effect.fnUntraced(function* (options: MollieProviderOptions) {
  const timeout = Duration.fromInputUnsafe(options.timeout ?? Duration.seconds(6))
  const client = yield* MollieClient.make({ apiKey: options.apiKey, apiBase: options.apiBase, timeout })
  const unanswered = Unanswered.make(options.settleMs ?? defaultSettleMs)
  const webhookUrl = new URL(options.webhookUrl)
  const [token] = options.webhookTokens
  if (token !== undefined) webhookUrl.searchParams.set("token", Redacted.value(token))

  const madeRefund = Effect.fnUntraced(function* ({ key, reference }: MoveRequest) {
    let from: string | null = null
    for (let read = 0; read < maxRefundPages; read++) {
      const page: Effect.Success<ReturnType<typeof client.refunds>> = yield* client.refunds(reference, from)
      const made = page.embedded.refunds.some(
        ({ metadata, status }) => metadataOf(metadata, metadataNames.refundKey) === key && isMade(status)
      )
      if (made) return true
      from = nextFrom(page.links)
      if (from === null) return false
    }
    return yield* unknown("too_many_refunds", `more refunds of ${reference} than can be read`)
  }, Effect.mapError(nothingHappened))

  /** Reads the newest payments back to the time of our intent's id: none of its payments is older. */
  const scan = Effect.fnUntraced(function* ({ intentId, key }: FindRequest) {
    const sinceMs = timeOfUuidV7(intentId) - skewMs
    let from: string | null = null
    for (let read = 0; read < maxFindPages; read++) {
      const page: Effect.Success<ReturnType<typeof client.list>> = yield* client.list(from)
      const found = page.embedded.payments.find((payment) => intentIdOf(payment) === intentId)
      if (found !== undefined) return yield* client.standingOf(found)
      const oldest = page.embedded.payments.at(-1)
      from = nextFrom(page.links)
      if (from === null || oldest === undefined || Date.parse(oldest.createdAt) < sinceMs) {
        if (yield* unanswered.mayArrive(key))
          return yield* unknown("in_flight", "a call with this key may still run")
        return { _tag: "Absent" as const }
      }
    }
    return yield* unknown("not_certain", "more payments since then than can be read")
  })

  /** After a step that Mollie carries out later: the standing if it is there already. */
  const reached = Effect.fnUntraced(function* (
    reference: string,
    goal: MolliePayment["status"],
    code: string
  ) {
    const payment = yield* Effect.mapError(client.get(reference), happened)
    if (payment.status === goal) return yield* Effect.mapError(client.standingOf(payment), happened)
    return yield* unknown(code, `it was accepted, and ${reference} is still ${payment.status}`)
  })

  const provider: PaymentProvider = {
    name: mollieProviderName,
    currencies,
    authorise: Effect.fn("MollieProvider.authorise")(function* (request) {
      const { amount, currency, intentId, key, method, orderId } = request
      const how = methodOf(method)
      if (how === null || !currencies.has(currency)) {
        return yield* failure("declined", how === null ? "method_unknown" : "currency_unknown", "not sent")
      }
      const payment = yield* unanswered.track(key)(
        client.create(key, {
          amount: { currency, value: CurrencyUnits.toDecimal(amount, currency) },
          description: `Order ${orderId}`,
          redirectUrl: options.returnUrl + orderId,
          webhookUrl: webhookUrl.href,
          captureMode: "manual",
          metadata: { [metadataNames.intent]: intentId, [metadataNames.order]: orderId },
          ...how
        })
      )
      return yield* Effect.mapError(client.standingOf(payment), happened)
    }),
    capture: Effect.fn("MollieProvider.capture")(function* ({ amount, currency, key, reference }) {
      const before = yield* Effect.mapError(client.captures(reference), nothingHappened)
      if (!before.some(({ status }) => status !== "failed")) {
        const value = CurrencyUnits.toDecimal(amount, currency)
        const capture = yield* client.capture(key, reference, { currency, value })
        if (capture.status === "failed") return yield* failure("declined", "capture_failed", capture.id)
      }
      return yield* reached(reference, "paid", "capture_pending")
    }),
    void: Effect.fn("MollieProvider.void")(function* ({ key, reference }) {
      const payment = yield* Effect.mapError(client.get(reference), nothingHappened)
      switch (payment.status) {
        case "canceled":
        case "expired":
        case "failed":
          return yield* Effect.mapError(client.standingOf(payment), nothingHappened)
        case "paid":
          return yield* failure("declined", "already_paid", `${reference} is paid`)
        case "authorized":
          yield* client.release(key, reference)
          return yield* reached(reference, "canceled", "release_pending")
        case "open":
        case "pending": {
          // Mollie cancels few of them before they are paid; the others expire, or are released then.
          if (payment.isCancelable !== true)
            return yield* unknown("not_cancelable", `${reference} is ${payment.status}`)
          const canceled = yield* client.cancel(key, reference)
          return yield* Effect.mapError(client.standingOf(canceled), happened)
        }
      }
    }),
    refund: Effect.fn("MollieProvider.refund")(function* (request) {
      const { amount, currency, intentId, key, reference } = request
      if (yield* madeRefund(request)) return
      const refund = yield* client.refund(key, reference, {
        amount: { currency, value: CurrencyUnits.toDecimal(amount, currency) },
        metadata: { [metadataNames.intent]: intentId, [metadataNames.refundKey]: key }
      })
      if (!isMade(refund.status)) return yield* failure("declined", "refund_failed", refund.id)
    }),
    find: Effect.fn("MollieProvider.find")((request) =>
      (request.reference === null
        ? scan(request)
        : Effect.flatMap(client.get(request.reference), client.standingOf)
      ).pipe(
        Effect.timeoutOrElse({
          duration: timeout,
          orElse: () => Effect.fail(unknown("timeout", `not found within ${Duration.format(timeout)}`))
        }),
        Effect.mapError(notAnswered)
      )
    ),
    // The newest first, from now on back: pages of what is younger than the window are empty.
    list: Effect.fn("MollieProvider.list")(function* ({ cursor, fromMs, toMs }) {
      const page = yield* client.list(cursor)
      const payments = page.embedded.payments.map((payment) => ({
        payment,
        createdAtMs: Date.parse(payment.createdAt)
      }))
      const listed = yield* Effect.forEach(
        payments.filter(({ createdAtMs }) => createdAtMs >= fromMs && createdAtMs < toMs),
        ({ createdAtMs, payment }) =>
          Effect.map(
            client.standingOf(payment),
            (standing): ListedPayment => ({ intentId: intentIdOf(payment), standing, createdAtMs })
          ),
        { concurrency: 4 }
      )
      const oldest = payments.at(-1)
      const isOver = oldest === undefined || oldest.createdAtMs < fromMs
      return { payments: listed, nextCursor: isOver ? null : nextFrom(page.links) }
    }),
    readWebhook: MollieWebhook.makeReader(options.webhookTokens, client)
  }
  return provider
})

/** `queued` to `processing` are on their way, as the contract has it. */
const isMade = (status: MollieRefund["status"]): boolean => status !== "failed" && status !== "canceled"

/** A card's token pays without Mollie's page; else the method's own name. Null for what cannot be captured later. */
const methodOf = (method: string): { readonly method: Method; readonly cardToken?: string } | null =>
  method.startsWith("tkn_")
    ? { method: "creditcard", cardToken: method }
    : isMethod(method)
      ? { method }
      : null

/**
 * `ONSALE_MOLLIE_API_KEY`, `ONSALE_MOLLIE_WEBHOOK_URL`, `ONSALE_MOLLIE_WEBHOOK_TOKEN` (several with commas while
 * one is being replaced, the new one first), `ONSALE_MOLLIE_RETURN_URL`, `ONSALE_MOLLIE_TIMEOUT` (6 seconds),
 * `ONSALE_MOLLIE_API_BASE`.
 */
export const config: Config.Config<MollieProviderOptions> = Config.all({
  apiKey: Config.Redacted("ONSALE_MOLLIE_API_KEY"),
  returnUrl: Config.URL("ONSALE_MOLLIE_RETURN_URL").pipe(Config.map((url) => url.href)),
  webhookUrl: Config.URL("ONSALE_MOLLIE_WEBHOOK_URL").pipe(Config.map((url) => url.href)),
  webhookTokens: ProviderConfig.secrets("ONSALE_MOLLIE_WEBHOOK_TOKEN"),
  timeout: Config.Duration("ONSALE_MOLLIE_TIMEOUT").pipe(Config.withDefault(Duration.seconds(6))),
  apiBase: ProviderConfig.base("ONSALE_MOLLIE_API_BASE").pipe(Config.withDefault("https://api.mollie.com"))
})
