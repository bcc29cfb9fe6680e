/**
 * The HTTP API of a payment provider with manual capture, in JSON; the shapes are in
 * `@onsale/contracts/payments/Sandbox`. Every path under `/v1` wants `Authorization: Bearer <secret>`.
 *
 * | call | answers |
 * |---|---|
 * | POST /v1/payments (key) | 201 payment; 402 payment, `failed`, for a decline |
 * | POST /v1/payments/{id}/capture (key) | 200 payment; `amount` is optional, the rest is released; once |
 * | POST /v1/payments/{id}/void | 200 payment; again is fine; 409 once captured |
 * | POST /v1/payments/{id}/refunds (key) | 201 refund; in parts, up to what was captured |
 * | GET /v1/payments/{id} | 200 payment |
 * | POST /v1/payments/{id}/dispute `{outcome}` | 200 payment; what the buyer's bank would do: `open`, then `won` or `lost` |
 * | GET /v1/payments?idempotencyKey= or ?reference= | 200 list; the key of any money call finds its payment |
 * | GET /v1/payments?from=&to=&cursor= | 200 page of those created from then on and before, in ISO 8601 |
 * | GET /v1/ledger | 200 everything |
 * | GET, POST, DELETE /v1/faults | 200 what strikes the money calls |
 * | GET /3ds/{id} · POST /3ds/{id} `{approve}` or the form's field | the buyer's page · its answer |
 * | GET /healthz | 200 |
 *
 * "(key)" is the header `Idempotency-Key`, 400 without it. A call that ran answers for ever what it answered first,
 * with `Idempotent-Replayed: true`; the same key for another request is 422, while the first still runs 409. A call
 * that did not run (400, 401, 404, a state that does not allow it, a 500 "before") leaves the key free.
 *
 * | method token | what it does |
 * |---|---|
 * | `tok_ok` | authorised |
 * | `tok_declined` | failed, `card_declined` |
 * | `tok_timeout` | authorised, but the first answer never comes: the connection is held and dropped in the end |
 * | `tok_error` | 500, nothing is charged, however often it is tried |
 * | `tok_error_charged` | authorised, but the key answers 500 for ever: only asking tells |
 * | `tok_3ds` | requires_action; then authorised, or failed with `authentication_failed`; told by webhook |
 * | `tok_late`, `tok_late_<seconds>` | processing; authorised after 2 s (or so many); told by webhook |
 * | `tok_capture_error` | authorised; the first capture answers 500 and captures nothing, later ones work |
 * | `tok_capture_timeout` | authorised; the first capture captures, but its answer never comes |
 * | `tok_refund_error` | authorised; the first refund answers 500 and refunds nothing, later ones work |
 * | `tok_dispute` | authorised; once captured it is disputed |
 */
import {
  CaptureSandboxPayment,
  CreateSandboxPayment,
  DisputeSandboxPayment,
  idempotencyKeyHeader,
  idempotentReplayedHeader,
  RefundSandboxPayment,
  SandboxFaults,
  SandboxIdempotencyKey
} from "@onsale/contracts/payments/Sandbox"
import { NodeHttpServerRequest } from "@effect/platform-node"
import { type Duration, Effect, type Latch, Redacted, Result, Schema, Stream } from "effect"
import { Mac } from "effect/crypto"
import {
  HttpRouter,
  HttpServer,
  type HttpServerError,
  HttpServerRequest,
  HttpServerResponse
} from "effect/http"
import { Faults, type Strike } from "./Faults.ts"
import { cardNumber, type Command, providerError, type Refusal } from "./Ledger.ts"
import type { Payment } from "./LedgerState.ts"
import { looksLikeCardNumber } from "./Method.ts"
import { type LedgerSnapshot, Provider, type Reply } from "./Provider.ts"
import * as ThreeDSecure from "./ThreeDSecure.ts"
import * as Wire from "./Wire.ts"

type Request = HttpServerRequest.HttpServerRequest
type Response = HttpServerResponse.HttpServerResponse

export interface SandboxHttpOptions {
  readonly secret: Redacted.Redacted
  /** How long a connection whose answer never comes is held before it is dropped. */
  readonly hold: Duration.Input
  /** Opened when the server begins to shut down: what is held then is dropped, so that nobody waits for it. */
  readonly closing: Latch.Latch
}

/** Connections held at a time; past it they are dropped at once, which is as good a timeout. */
const mostHeld = 1_000

/** Payments rendered in one go when the ledger is told: about a millisecond of a core. */
const ledgerChunk = 500

const decodeKey = Schema.decodeUnknownResult(SandboxIdempotencyKey)
const decodeCreate = Schema.decodeUnknownResult(Schema.fromJsonString(CreateSandboxPayment))
const decodeCapture = Schema.decodeUnknownResult(Schema.fromJsonString(CaptureSandboxPayment))
const decodeRefund = Schema.decodeUnknownResult(Schema.fromJsonString(RefundSandboxPayment))
const decodeDispute = Schema.decodeUnknownResult(Schema.fromJsonString(DisputeSandboxPayment))
const decodeFaults = Schema.decodeUnknownResult(Schema.fromJsonString(SandboxFaults))
const Instant = Schema.String.check(Schema.isPattern(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?Z$/))
const decodeSearch = Schema.decodeUnknownResult(
  Schema.Union([
    Schema.Struct({
      from: Instant,
      to: Instant,
      cursor: Schema.optionalKey(
        Schema.FiniteFromString.check(Schema.isInt(), Schema.isGreaterThanOrEqualTo(0))
      )
    }),
    Schema.Struct({ idempotencyKey: SandboxIdempotencyKey }),
    Schema.Struct({ reference: Schema.String.check(Schema.isBetweenLength(1, 200)) })
  ])
)
const decodeApproval = Schema.decodeUnknownResult(
  Schema.Union([
    Schema.fromJsonString(Schema.Struct({ approve: Schema.Boolean })),
    Schema.Literals(["approve=true", "approve=false"])
  ])
)

/** Routes over {@link Provider} and {@link Faults}. */
export const layer = (options: SandboxHttpOptions) =>
  HttpRouter.use(
    Effect.fnUntraced(function* (router) {
      const provider = yield* Provider
      const faults = yield* Faults
      const origin = HttpServer.formatAddress((yield* HttpServer.HttpServer).address)
      const expected = new TextEncoder().encode(`Bearer ${Redacted.value(options.secret)}`)
      let held = 0

      const authenticated = (request: Request): boolean =>
        Mac.timingSafeEqual(expected, new TextEncoder().encode(request.headers["authorization"] ?? ""))

      const hold = (request: Request): Effect.Effect<never> =>
        Effect.suspend(() => {
          if (held >= mostHeld) return drop(request)
          held++
          return Effect.ensuring(
            Effect.raceFirst(Effect.sleep(options.hold), options.closing.await),
            Effect.sync(() => held--)
          ).pipe(Effect.andThen(drop(request)))
        })

      const suffer = (request: Request, strike: Strike | undefined, when: "before" | "after") => {
        if (strike === undefined) return Effect.void
        if (strike.kind === "slow") return when === "before" ? Effect.sleep(strike.ms) : Effect.void
        if (strike.when !== when) return Effect.void
        if (strike.kind === "error") return Effect.fail(faultInjected)
        return strike.kind === "timeout" ? hold(request) : drop(request)
      }

      const respond = (command: Command, reply: Reply): Response => {
        const { answer } = reply
        const headers = reply.replayed ? { [idempotentReplayedHeader]: "true" } : {}
        if (answer.type === "error") return json(Wire.error(providerError), providerError.status, headers)
        if (answer.type === "refund")
          return json(Wire.refund(answer.refund, answer.payment, origin), 201, headers)
        const status = command.type !== "create" ? 200 : answer.payment.status === "failed" ? 402 : 201
        return json(Wire.payment(answer.payment, origin), status, headers)
      }

      const moneyCall = (request: Request, key: string | undefined, command: Command) => {
        const strike = faults.next()
        const executed =
          strike === undefined
            ? provider.execute(command)
            : Effect.andThen(suffer(request, strike, "before"), provider.execute(command))
        const ran = key === undefined ? executed : provider.exclusive(key)(executed)
        return Effect.flatMap(ran, (reply) =>
          reply.held ? hold(request) : Effect.as(suffer(request, strike, "after"), respond(command, reply))
        )
      }

      /** Adds a route under /v1; what it fails with is answered as an error body. */
      const route = (
        method: "GET" | "POST" | "DELETE",
        path: HttpRouter.PathInput,
        handle: (request: Request, id: string) => Effect.Effect<Response, Refusal, HttpRouter.Provided>
      ) =>
        router.add(method, path, (request) =>
          authenticated(request)
            ? Effect.flatMap(HttpRouter.params, (params) => handle(request, params["id"] ?? "")).pipe(
                Effect.catch((refusal) => Effect.succeed(refused(refusal)))
              )
            : Effect.succeed(refused(unauthenticated))
        )

      yield* route("POST", "/v1/payments", (request) =>
        withKey(request, (key) =>
          withBody(request, decodeCreate, (body) => moneyCall(request, key, { type: "create", key, ...body }))
        )
      )
      yield* route("POST", "/v1/payments/:id/capture", (request, id) =>
        withKey(request, (key) =>
          withBody(request, decodeCapture, (body) =>
            moneyCall(request, key, { type: "capture", key, id, amount: body.amount ?? null })
          )
        )
      )
      yield* route("POST", "/v1/payments/:id/void", (request, id) =>
        moneyCall(request, undefined, { type: "void", id })
      )
      yield* route("POST", "/v1/payments/:id/refunds", (request, id) =>
        withKey(request, (key) =>
          withBody(request, decodeRefund, (body) =>
            moneyCall(request, key, { type: "refund", key, id, amount: body.amount })
          )
        )
      )
      yield* route("POST", "/v1/payments/:id/dispute", (request, id) =>
        withBody(request, decodeDispute, ({ outcome }) => {
          const command = { type: "dispute", id, outcome } as const
          return Effect.map(provider.execute(command), (reply) => respond(command, reply))
        })
      )
      yield* route("GET", "/v1/payments/:id", (_, id) =>
        Effect.map(provider.payment(id), (payment) => json(Wire.payment(payment, origin), 200))
      )
      yield* route("GET", "/v1/payments", () =>
        Effect.gen(function* () {
          const search = decodeSearch(yield* HttpServerRequest.ParsedSearchParams)
          if (Result.isFailure(search)) return yield* Effect.fail(noSearch)
          if ("from" in search.success) {
            const { cursor, from, to } = search.success
            const page = yield* provider.listCreated(Date.parse(from), Date.parse(to), cursor ?? 0)
            const data = page.payments.map((payment) => Wire.payment(payment, origin))
            return json({ data, nextCursor: page.nextCursor === null ? null : `${page.nextCursor}` }, 200)
          }
          const found = yield* "reference" in search.success
            ? provider.findByReference(search.success.reference)
            : provider.findByKey(search.success.idempotencyKey)
          const data = found.payments.map((payment) => Wire.payment(payment, origin))
          return json({ data, inFlight: found.inFlight }, 200)
        })
      )
      yield* route("GET", "/v1/ledger", () =>
        Effect.map(provider.snapshot, (snapshot) =>
          HttpServerResponse.stream(
            Stream.fromIterable(ledgerJson(snapshot, origin), { chunkSize: 1 }).pipe(Stream.encodeText),
            { contentType: "application/json" }
          )
        )
      )
      yield* route("GET", "/v1/faults", () => Effect.sync(() => json(faults.report(), 200)))
      yield* route("DELETE", "/v1/faults", () => Effect.sync(() => json(faults.set(null), 200)))
      yield* route("POST", "/v1/faults", (request) =>
        withBody(request, decodeFaults, (plan) => Effect.sync(() => json(faults.set(plan), 200)))
      )

      yield* router.add("GET", "/healthz", Effect.succeed(json({ status: "ok" }, 200)))
      yield* router.add("GET", "/3ds/:id", () =>
        Effect.flatMap(HttpRouter.params, (params) => provider.payment(params["id"] ?? "")).pipe(
          Effect.map(threeDSecurePage),
          Effect.catch((refusal) => Effect.succeed(refused(refusal)))
        )
      )
      yield* router.add("POST", "/3ds/:id", (request) =>
        Effect.gen(function* () {
          const id = (yield* HttpRouter.params)["id"] ?? ""
          const approval = decodeApproval(yield* Effect.mapError(request.text, unreadable))
          if (Result.isFailure(approval)) return yield* Effect.fail(noApproval)
          const byForm = typeof approval.success === "string"
          const approve = byForm ? approval.success === "approve=true" : approval.success.approve
          const reply = yield* provider.execute({ type: "authenticate", id, approve })
          if (reply.answer.type === "error") return refused(providerError)
          const { payment } = reply.answer
          if (!byForm) return json({ id: payment.id, status: payment.status }, 200)
          return payment.returnUrl === undefined
            ? threeDSecurePage(payment)
            : HttpServerResponse.redirect(payment.returnUrl, { status: 303 })
        }).pipe(Effect.catch((refusal) => Effect.succeed(refused(refusal))))
      )
      yield* router.add("*", "/*", Effect.succeed(refused(noPath)))
    })
  )

const drop = (request: Request): Effect.Effect<never> =>
  Effect.sync(() => NodeHttpServerRequest.toIncomingMessage(request).socket.destroy()).pipe(
    // The closed connection interrupts this fiber.
    Effect.andThen(Effect.never)
  )

const json = (body: unknown, status: number, headers: Record<string, string> = {}): Response =>
  HttpServerResponse.jsonUnsafe(body, { status, headers })

const refused = (refusal: Refusal): Response =>
  json(Wire.error(refusal), refusal.status, refusal.status === 503 ? { "retry-after": "1" } : {})

const withKey = <A>(
  request: Request,
  use: (key: string) => Effect.Effect<A, Refusal>
): Effect.Effect<A, Refusal> => {
  const key = decodeKey(request.headers[idempotencyKeyHeader])
  return Result.isSuccess(key) ? use(key.success) : Effect.fail(noKey)
}

const withBody = <Body, A, Issue>(
  request: Request,
  decode: (text: unknown) => Result.Result<Body, Issue>,
  use: (body: Body) => Effect.Effect<A, Refusal>
): Effect.Effect<A, Refusal> =>
  request.text.pipe(
    Effect.mapError(unreadable),
    Effect.flatMap((text) => {
      const body = decode(text === "" ? "{}" : text)
      if (Result.isSuccess(body)) return use(body.success)
      return Effect.fail(looksLikeCardNumber(text) ? cardNumber : badBody)
    })
  )

const threeDSecurePage = (payment: Payment): Response =>
  HttpServerResponse.text(ThreeDSecure.page(payment), {
    contentType: "text/html; charset=utf-8",
    headers: {
      "content-security-policy": ThreeDSecure.contentSecurityPolicy(payment),
      "cache-control": "no-store"
    }
  })

function* ledgerJson(snapshot: LedgerSnapshot, origin: string): Generator<string> {
  yield `{"payments":[`
  for (let start = 0; start < snapshot.payments.length; start += ledgerChunk) {
    const some = snapshot.payments.slice(start, start + ledgerChunk)
    yield (start === 0 ? "" : ",") +
      some.map((one) => JSON.stringify(Wire.ledgerPayment(one, origin))).join(",")
  }
  const { entries, undelivered, abandoned } = snapshot
  yield `],"entries":${entries},"webhooks":${JSON.stringify({ undelivered, abandoned })}}`
}

const invalid = (status: number, code: string, message: string): Refusal => ({
  status,
  type: "invalid_request",
  code,
  message
})

const noKey = invalid(400, "key_missing", "Idempotency-Key is required: 1 to 255 visible ASCII characters")
/** What is wrong with it is not told in detail: a message that echoes a body could echo a card number. */
const badBody = invalid(400, "body_invalid", "The body is not what this path takes")
const noSearch = invalid(400, "search_invalid", "Search by idempotencyKey, by reference, or by from and to")
const noApproval = invalid(400, "body_invalid", "Say approve=true or approve=false")
const noPath = invalid(404, "path_unknown", "There is nothing at this path, or not for this verb")

const unreadable = (error: HttpServerError.HttpServerError): Refusal =>
  error.reason._tag === "RequestParseError" && error.reason.reason === "BodyTooLarge"
    ? invalid(413, "body_too_large", "The body is larger than any request here needs to be")
    : invalid(400, "body_unreadable", "The body could not be read")

const unauthenticated: Refusal = {
  status: 401,
  type: "authentication_error",
  code: "key_wrong",
  message: "Send the API key as a bearer token"
}

const faultInjected: Refusal = {
  status: 500,
  type: "api_error",
  code: "fault_injected",
  message: "You asked for it"
}
