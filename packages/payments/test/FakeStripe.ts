/**
 * A stand-in of Stripe's HTTP API: what its public description says of PaymentIntents with manual capture,
 * refunds and disputes, with forms in brackets, idempotency keys and the version header. A field that is not
 * described is refused. Amounts are Stripe's own.
 */
import { Effect } from "effect"
import { type FakeAnswer, type FakeRequest, serve } from "./FakeHttp.ts"

export const fakeStripeKey = "sk_test_fake"
export const fakeStripeVersion = "2026-10-28.endive"

interface Payment {
  readonly id: string
  status: string
  readonly amount: number
  amountReceived: number
  amountRefunded: number
  readonly currency: string
  readonly created: number
  readonly metadata: Readonly<Record<string, string>>
  errorCode: string | null
  actionUrl: string | null
  disputes: Array<string>
  refunds: Array<Refund>
}

interface Refund {
  readonly id: string
  readonly amount: number
  status: string
  readonly metadata: Readonly<Record<string, string>>
}

/** A page is shorter than Stripe's, so that tests have several. */
const pageSize = 20

type Form = ReadonlyMap<string, string>

const fieldsOf: Readonly<Record<string, RegExp>> = {
  create:
    /^(amount|currency|capture_method|confirm|payment_method|return_url|allowed_payment_method_types\[\d\]|metadata\[[a-z_]+\]|expand\[\d\])$/,
  capture: /^(amount_to_capture|expand\[\d\])$/,
  cancel: /^(cancellation_reason|expand\[\d\])$/,
  refund: /^(payment_intent|amount|metadata\[[a-z_]+\])$/
}

export const make = Effect.gen(function* () {
  const payments = new Map<string, Payment>()
  const answers = new Map<string, { readonly print: string; readonly answer: FakeAnswer }>()
  /** Every call, as it came. */
  const calls: Array<FakeRequest> = []
  let counter = 0
  const nextId = (prefix: string) => `${prefix}_${String(++counter).padStart(6, "0")}Fake`

  const view = (payment: Payment, expanded: boolean) => {
    const charge = {
      id: payment.id.replace("pi_", "ch_"),
      object: "charge",
      amount: payment.amount,
      amount_refunded: payment.amountRefunded,
      disputed: payment.disputes.length > 0
    }
    const isCharged = payment.status !== "requires_action" && payment.status !== "processing"
    return {
      id: payment.id,
      object: "payment_intent",
      amount: payment.amount,
      amount_received: payment.amountReceived,
      capture_method: "manual",
      client_secret: `${payment.id}_secret_x`,
      created: payment.created,
      currency: payment.currency,
      last_payment_error:
        payment.errorCode === null
          ? null
          : { type: "card_error", code: payment.errorCode, decline_code: "generic_decline" },
      latest_charge: isCharged ? (expanded ? charge : charge.id) : null,
      livemode: false,
      metadata: payment.metadata,
      next_action:
        payment.actionUrl === null || payment.status !== "requires_action"
          ? null
          : { type: "redirect_to_url", redirect_to_url: { url: payment.actionUrl, return_url: "x" } },
      status: payment.status
    }
  }

  const create = (form: Form): FakeAnswer => {
    const method = form.get("payment_method") ?? ""
    const amount = Number(form.get("amount"))
    if (!/^pm_card_[a-zA-Z]+$/.test(method)) return refuse(400, "resource_missing", "No such PaymentMethod")
    if (!Number.isSafeInteger(amount) || amount < 1) return refuse(400, "parameter_invalid_integer", "amount")
    if (form.get("capture_method") !== "manual" || form.get("confirm") !== "true")
      return refuse(400, "parameter_missing", "this stand-in confirms at once, and captures later")
    const declined = method === "pm_card_chargeDeclined"
    const payment: Payment = {
      id: nextId("pi"),
      status: declined
        ? "requires_payment_method"
        : method === "pm_card_authenticationRequired"
          ? "requires_action"
          : method === "pm_card_slow"
            ? "processing"
            : "requires_capture",
      amount,
      amountReceived: 0,
      amountRefunded: 0,
      currency: form.get("currency") ?? "",
      created: Math.floor(performance.timeOrigin / 1000 + performance.now() / 1000),
      metadata: metadataIn(form),
      errorCode: declined ? "card_declined" : null,
      actionUrl: method === "pm_card_authenticationRequired" ? `https://hooks.stripe.test/${counter}` : null,
      disputes: [],
      refunds: []
    }
    payments.set(payment.id, payment)
    if (!declined) return { status: 200, body: view(payment, isExpanded(form)) }
    const error = {
      type: "card_error",
      code: "card_declined",
      decline_code: "generic_decline",
      message: "Your card was declined.",
      payment_intent: view(payment, false)
    }
    return { status: 402, body: { error } }
  }

  const capture = (payment: Payment, form: Form): FakeAnswer => {
    if (payment.status !== "requires_capture") return unexpectedState(payment)
    const amount = Number(form.get("amount_to_capture") ?? payment.amount)
    if (amount > payment.amount) return refuse(400, "amount_too_large", "more than was authorised")
    payment.status = "succeeded"
    payment.amountReceived = amount
    return { status: 200, body: view(payment, isExpanded(form)) }
  }

  const cancel = (payment: Payment, form: Form): FakeAnswer => {
    if (payment.status === "succeeded" || payment.status === "canceled") return unexpectedState(payment)
    payment.status = "canceled"
    return { status: 200, body: view(payment, isExpanded(form)) }
  }

  const refund = (form: Form): FakeAnswer => {
    const payment = payments.get(form.get("payment_intent") ?? "")
    if (payment === undefined) return missing
    const amount = Number(form.get("amount"))
    if (payment.status !== "succeeded" || payment.amountRefunded + amount > payment.amountReceived)
      return refuse(400, "charge_already_refunded", "nothing is left for that")
    payment.amountRefunded += amount
    const made = { id: nextId("re"), amount, status: "succeeded", metadata: metadataIn(form) }
    payment.refunds.push(made)
    return { status: 200, body: refundView(made, payment) }
  }

  const unexpectedState = (payment: Payment): FakeAnswer => ({
    status: 400,
    body: {
      error: {
        type: "invalid_request_error",
        code: "payment_intent_unexpected_state",
        message: `it is ${payment.status}`,
        payment_intent: view(payment, false)
      }
    }
  })

  /** The newest first, as all of Stripe's lists. */
  const listed = (query: URLSearchParams): FakeAnswer => {
    const gte = Number(query.get("created[gte]") ?? 0)
    const lt = Number(query.get("created[lt]") ?? Number.POSITIVE_INFINITY)
    const lte = Number(query.get("created[lte]") ?? Number.POSITIVE_INFINITY)
    const all = [...payments.values()]
      .reverse()
      .filter(({ created }) => created >= gte && created < lt && created <= lte)
    const after = query.get("starting_after")
    const start = after === null ? 0 : all.findIndex(({ id }) => id === after) + 1
    const data = all.slice(start, start + pageSize)
    const isExpandedList = query.get("expand[0]") === "data.latest_charge"
    return {
      status: 200,
      body: {
        object: "list",
        url: "/v1/payment_intents",
        has_more: start + pageSize < all.length,
        data: data.map((payment) => view(payment, isExpandedList))
      }
    }
  }

  const searched = (query: URLSearchParams): FakeAnswer => {
    const parts = /^metadata\['([a-z_]+)'\]:'([^']+)'$/.exec(query.get("query") ?? "")
    if (parts === null) return refuse(400, "parameter_invalid", "query")
    const [, name = "", value] = parts
    const found = [...payments.values()].filter(({ metadata }) => metadata[name] === value)
    return {
      status: 200,
      body: {
        object: "search_result",
        url: "/v1/payment_intents/search",
        has_more: false,
        data: found.map((payment) => view(payment, false))
      }
    }
  }

  const question = (path: string, query: URLSearchParams): FakeAnswer => {
    if (path === "/v1/payment_intents") return listed(query)
    if (path === "/v1/payment_intents/search") return searched(query)
    const of = payments.get(query.get("payment_intent") ?? "")
    if (path === "/v1/refunds" && of !== undefined) return list(of.refunds.map((one) => refundView(one, of)))
    if (path === "/v1/disputes" && of !== undefined)
      return list(of.disputes.map((status, n) => ({ id: `dp_${n}`, object: "dispute", status })))
    const payment = payments.get(path.replace("/v1/payment_intents/", ""))
    return payment === undefined
      ? missing
      : { status: 200, body: view(payment, query.get("expand[0]") === "latest_charge") }
  }

  const act = (path: string, form: Form): FakeAnswer => {
    const [, , kind, id, verb] = path.split("/")
    const fields = kind === "refunds" ? fieldsOf["refund"] : fieldsOf[verb ?? "create"]
    for (const name of form.keys()) {
      if (fields?.test(name) !== true)
        return refuse(400, "parameter_unknown", `Received unknown parameter: ${name}`)
    }
    if (kind === "refunds") return refund(form)
    if (id === undefined) return create(form)
    const payment = payments.get(id)
    if (payment === undefined) return missing
    return verb === "capture" ? capture(payment, form) : cancel(payment, form)
  }

  const answer = (request: FakeRequest): FakeAnswer => {
    calls.push(request)
    const { body, headers, method, path, query } = request
    if (headers["authorization"] !== `Bearer ${fakeStripeKey}`)
      return { status: 401, body: { error: { type: "invalid_request_error", message: "Invalid API Key" } } }
    if (headers["stripe-version"] !== fakeStripeVersion)
      return refuse(400, "version_unknown", "Stripe-Version")
    if (method === "GET") return question(path, new URLSearchParams(query))
    const key = headers["idempotency-key"]
    const print = `${path} ${body}`
    const known = key === undefined ? undefined : answers.get(key)
    if (known !== undefined) {
      return known.print === print
        ? { ...known.answer, headers: { "idempotent-replayed": "true" } }
        : {
            status: 400,
            body: {
              error: { type: "idempotency_error", message: "Keys can only be used with the same parameters" }
            }
          }
    }
    const given = act(path, new Map(new URLSearchParams(body)))
    // What was refused before it ran leaves the key free.
    if (key !== undefined && (given.status === 200 || given.status === 402))
      answers.set(key, { print, answer: given })
    return given
  }

  return {
    url: yield* serve("application/json", answer),
    payments,
    calls,
    /** As a day does: the keys are forgotten, the payments are not. */
    forgetKeys: () => answers.clear()
  }
})

export type FakeStripe = Effect.Success<typeof make>

const isExpanded = (form: Form): boolean => form.get("expand[0]") === "latest_charge"

const metadataIn = (form: Form): Record<string, string> =>
  Object.fromEntries(
    [...form].flatMap(([name, value]) => {
      const inner = /^metadata\[([a-z_]+)\]$/.exec(name)?.[1]
      return inner === undefined ? [] : [[inner, value]]
    })
  )

const refundView = (refund: Refund, payment: Payment) => ({
  id: refund.id,
  object: "refund",
  amount: refund.amount,
  currency: payment.currency,
  metadata: refund.metadata,
  payment_intent: payment.id,
  status: refund.status
})

const list = (data: ReadonlyArray<unknown>): FakeAnswer => ({
  status: 200,
  body: { object: "list", has_more: false, data }
})

const refuse = (status: number, code: string, message: string): FakeAnswer => ({
  status,
  body: { error: { type: "invalid_request_error", code, message } }
})

const missing = refuse(404, "resource_missing", "No such object")
