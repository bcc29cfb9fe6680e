/**
 * A stand-in of Mollie's HTTP API: what its public description says of payments with `captureMode: manual`,
 * their captures, refunds and chargebacks, in JSON, with idempotency keys. A field that is not described is
 * refused. As at Mollie, captures and releases are accepted first and carried out later: here, when the
 * payment is read the next time.
 */
import { Effect } from "effect"
import { type FakeAnswer, type FakeRequest, serve } from "./FakeHttp.ts"

export const fakeMollieKey = "test_fake"

interface Money {
  readonly currency: string
  readonly value: string
}

interface Payment {
  readonly id: string
  status: string
  readonly amount: Money
  readonly createdAt: string
  readonly metadata: unknown
  readonly checkout: string | null
  failure: string | null
  /** Accepted and not carried out yet. */
  pending: "capture" | "release" | null
  captures: Array<{ readonly id: string; status: string; readonly amount: Money }>
  refunds: Array<{ readonly id: string; status: string; readonly amount: Money; readonly metadata: unknown }>
  chargebacks: Array<{ readonly id: string; reversedAt: string | null }>
}

/** A page is shorter than Mollie's, so that tests have several. */
const pageSize = 20

const createFields = new Set([
  "amount",
  "description",
  "redirectUrl",
  "webhookUrl",
  "captureMode",
  "metadata",
  "method",
  "cardToken"
])

const cents = ({ value }: Money): number => Number(value.replace(".", ""))

export const make = Effect.gen(function* () {
  const payments = new Map<string, Payment>()
  const answers = new Map<string, { readonly print: string; readonly answer: FakeAnswer }>()
  const calls: Array<FakeRequest> = []
  let counter = 0
  const nextId = (prefix: string) => `${prefix}_fake${String(++counter).padStart(6, "0")}`
  const now = () => new Date(performance.timeOrigin + performance.now()).toISOString()

  const refundedOf = (payment: Payment) => payment.refunds.reduce((sum, { amount }) => sum + cents(amount), 0)

  const money = (payment: Payment, minor: number): Money => {
    const places = payment.amount.value.split(".")[1]?.length ?? 0
    return { currency: payment.amount.currency, value: (minor / 10 ** places).toFixed(places) }
  }

  const view = (payment: Payment) => ({
    resource: "payment",
    id: payment.id,
    mode: "test",
    createdAt: payment.createdAt,
    amount: payment.amount,
    ...(payment.status === "paid" ? { amountCaptured: payment.amount } : {}),
    amountRefunded: money(payment, refundedOf(payment)),
    ...(payment.chargebacks.length > 0 ? { amountChargedBack: payment.amount } : {}),
    description: "Order",
    method: "creditcard",
    metadata: payment.metadata,
    captureMode: "manual",
    status: payment.status,
    ...(payment.failure === null ? {} : { statusReason: { code: payment.failure, message: "declined" } }),
    isCancelable: payment.status === "open",
    sequenceType: "oneoff",
    profileId: "pfl_fake",
    redirectUrl: "https://shop.test/",
    _links: {
      self: link(`payments/${payment.id}`),
      dashboard: link("dashboard"),
      ...(payment.status === "open" && payment.checkout !== null
        ? { checkout: { href: payment.checkout, type: "text/html" } }
        : {})
    }
  })

  const create = (body: Readonly<Record<string, unknown>>): FakeAnswer => {
    const amount = body["amount"] as Money
    const unknown = Object.keys(body).find((name) => !createFields.has(name))
    if (unknown !== undefined) return refuse(422, `Non-existent body parameter "${unknown}"`)
    if (typeof body["description"] !== "string" || typeof body["redirectUrl"] !== "string")
      return refuse(422, "The description or the redirectUrl is missing")
    if (body["captureMode"] !== "manual") return refuse(422, "This stand-in captures later")
    const token = body["cardToken"]
    const isDeclined = token === "tkn_declined"
    const id = nextId("tr")
    const payment: Payment = {
      id,
      status:
        token === undefined
          ? "open"
          : isDeclined
            ? "failed"
            : token === "tkn_slow"
              ? "pending"
              : "authorized",
      amount,
      createdAt: now(),
      metadata: body["metadata"],
      checkout: token === undefined ? `https://www.mollie.test/checkout/${id}` : null,
      failure: isDeclined ? "insufficient_funds" : null,
      pending: null,
      captures: [],
      refunds: [],
      chargebacks: []
    }
    payments.set(id, payment)
    return { status: 201, body: view(payment) }
  }

  const captureView = (payment: Payment, capture: Payment["captures"][number]) => ({
    resource: "capture",
    ...capture,
    mode: "test",
    paymentId: payment.id,
    createdAt: payment.createdAt,
    _links: { self: link("capture"), payment: link("payment"), documentation: link("docs") }
  })

  const capture = (payment: Payment, body: Readonly<Record<string, unknown>>): FakeAnswer => {
    if (payment.status !== "authorized" || payment.captures.length > 0)
      return refuse(422, "The payment cannot be captured")
    const made = { id: nextId("cpt"), status: "pending", amount: body["amount"] as Money }
    payment.captures.push(made)
    payment.pending = "capture"
    return { status: 201, body: captureView(payment, made) }
  }

  const refundView = (payment: Payment, refund: Payment["refunds"][number]) => ({
    resource: "refund",
    ...refund,
    mode: "test",
    description: "",
    paymentId: payment.id,
    createdAt: payment.createdAt,
    _links: { self: link("refund"), payment: link("payment"), documentation: link("docs") }
  })

  const refund = (payment: Payment, body: Readonly<Record<string, unknown>>): FakeAnswer => {
    const amount = body["amount"] as Money
    if (payment.status !== "paid" || refundedOf(payment) + cents(amount) > cents(payment.amount))
      return refuse(422, "The amount is higher than the maximum")
    const made = { id: nextId("re"), status: "pending", amount, metadata: body["metadata"] ?? null }
    payment.refunds.push(made)
    return { status: 201, body: refundView(payment, made) }
  }

  const change = (method: string, path: string, body: Readonly<Record<string, unknown>>): FakeAnswer => {
    if (path === "/v2/payments") return create(body)
    const [, , , id = "", verb] = path.split("/")
    const payment = payments.get(id)
    if (payment === undefined) return missing
    if (method === "DELETE") {
      if (payment.status !== "open") return refuse(422, "The payment cannot be canceled")
      payment.status = "canceled"
      return { status: 200, body: view(payment) }
    }
    if (verb === "captures") return capture(payment, body)
    if (verb === "refunds") return refund(payment, body)
    if (payment.status !== "authorized") return refuse(422, "It is not in the authorized state")
    payment.pending = "release"
    return { status: 202, body: null }
  }

  /** What was accepted is carried out after it was looked at once. */
  const carryOut = (payment: Payment): void => {
    if (payment.pending === "capture") payment.status = "paid"
    if (payment.pending === "release") payment.status = "canceled"
    for (const capture of payment.captures) capture.status = "succeeded"
    payment.pending = null
  }

  const question = (path: string, query: URLSearchParams): FakeAnswer => {
    if (path === "/v2/payments") {
      const all = [...payments.values()].reverse()
      const from = query.get("from")
      const start = from === null ? 0 : all.findIndex(({ id }) => id === from)
      const next = all[start + pageSize]
      return page("payments", all.slice(start, start + pageSize).map(view), next?.id)
    }
    const [, , , id = "", part] = path.split("/")
    const payment = payments.get(id)
    if (payment === undefined) return missing
    switch (part) {
      case "captures":
        return page(
          "captures",
          payment.captures.map((one) => captureView(payment, one))
        )
      case "refunds":
        return page(
          "refunds",
          payment.refunds.map((one) => refundView(payment, one))
        )
      case "chargebacks":
        return page(
          "chargebacks",
          payment.chargebacks.map((one) => ({
            resource: "chargeback",
            ...one,
            amount: payment.amount,
            paymentId: payment.id,
            createdAt: payment.createdAt,
            _links: { self: link("chargeback"), payment: link("payment"), documentation: link("docs") }
          }))
        )
      default: {
        const answer = { status: 200, body: view(payment) }
        carryOut(payment)
        return answer
      }
    }
  }

  const answer = (request: FakeRequest): FakeAnswer => {
    calls.push(request)
    const { body, headers, method, path, query } = request
    if (headers["authorization"] !== `Bearer ${fakeMollieKey}`) return refuse(401, "Missing authentication")
    if (method === "GET") return question(path, new URLSearchParams(query))
    const key = headers["idempotency-key"]
    const print = `${method} ${path} ${body}`
    const known = key === undefined ? undefined : answers.get(key)
    if (known !== undefined) return known.print === print ? known.answer : refuse(422, "Another request")
    const given = change(method, path, body === "" ? {} : JSON.parse(body))
    if (key !== undefined && given.status < 400) answers.set(key, { print, answer: given })
    return given
  }

  return {
    url: yield* serve("application/hal+json", answer),
    payments,
    calls,
    refundedOf,
    /** As an hour does: the keys are forgotten, the payments are not. */
    forgetKeys: () => answers.clear()
  }
})

const link = (path: string) => ({ href: `https://api.mollie.test/v2/${path}`, type: "application/hal+json" })

const page = (name: string, items: ReadonlyArray<unknown>, next?: string): FakeAnswer => ({
  status: 200,
  body: {
    count: items.length,
    _embedded: { [name]: items },
    _links: {
      documentation: link("docs"),
      self: link(name),
      previous: null,
      next: next === undefined ? null : link(`${name}?from=${next}&limit=${pageSize}`)
    }
  }
})

const refuse = (status: number, detail: string): FakeAnswer => ({
  status,
  body: { status, title: "Error", detail, _links: { documentation: link("errors") } }
})

const missing = refuse(404, "No payment exists with token")
