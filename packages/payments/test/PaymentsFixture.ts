/**
 * Payments as they run for real, in one process: the entity in a cluster of one runner, the supervisor, the
 * webhooks behind an HTTP server, a database of the suite's own, and the sandbox provider over HTTP.
 */
import { NodeHttpClient, NodeHttpServer } from "@effect/platform-node"
import { OrganiserName } from "@onsale/contracts/catalog/SaleTerms"
import { OrderId, makeUuidV7, PaymentIntentId, RefundId } from "@onsale/contracts/Ids"
import { PaymentEntity } from "@onsale/contracts/payments/PaymentEntity"
import { type NewPayment, PaymentEvent } from "@onsale/contracts/payments/PaymentIntent"
import { idempotencyKeyHeader, type SandboxFaults, SandboxLedger } from "@onsale/contracts/payments/Sandbox"
import { layerDatabase } from "@onsale/testing/PostgresFixture"
import {
  Clock,
  Context,
  Deferred,
  Duration,
  Effect,
  identity,
  Layer,
  Redacted,
  References,
  Schema
} from "effect"
import {
  MessageStorage,
  RunnerHealth,
  Runners,
  RunnerStorage,
  Sharding,
  ShardingConfig
} from "effect/cluster"
import { Mac, SecureRandom } from "effect/crypto"
import {
  HttpClient,
  HttpClientRequest,
  HttpRouter,
  HttpServer,
  type HttpServerRequest,
  HttpServerResponse
} from "effect/http"
import { SqlClient } from "effect/sql"
import { createServer } from "node:http"
import type { Standing } from "../src/PaymentAnswer.ts"
import { make, type PaymentProvider, PaymentProviders, ProviderFailure } from "../src/PaymentProvider.ts"
import { Payments } from "../src/Payments.ts"
import * as SandboxProvider from "../src/SandboxProvider.ts"
import { Webhooks } from "../src/Webhooks.ts"
import { SandboxProcess } from "./SandboxProcess.ts"

const secret = Redacted.make("sandbox-secret")
export const webhookSecret = Redacted.make("webhook-secret-new")
/** The one that is being replaced: both are accepted. */
export const oldWebhookSecret = Redacted.make("webhook-secret-old")

/** Long enough for a busy machine, short enough that a hanging provider does not hold a test up. */
const callTimeout = Duration.millis(700)

/** The warnings are what most of these tests provoke. */
const layerQuiet = Layer.succeed(References.MinimumLogLevel, "Error")

/** What strikes between the provider's answer and our record of it; null for nothing. */
export class Interception extends Context.Service<
  Interception,
  { after: ((call: "authorise" | "capture" | "void" | "refund", key: string) => Effect.Effect<void>) | null }
>()("test/Interception") {
  static readonly layer = Layer.sync(Interception, () => Interception.of({ after: null }))
}

const intercepted = (provider: PaymentProvider, interception: Interception["Service"]): PaymentProvider => {
  const then =
    (call: "authorise" | "capture" | "void" | "refund", key: string) =>
    <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
      Effect.tap(effect, () => (interception.after === null ? Effect.void : interception.after(call, key)))
  return {
    ...provider,
    authorise: (request) => then("authorise", request.key)(provider.authorise(request)),
    capture: (request) => then("capture", request.key)(provider.capture(request)),
    void: (request) => then("void", request.key)(provider.void(request)),
    refund: (request) => then("refund", request.key)(provider.refund(request))
  }
}

// --- the webhooks' way in -----------------------------------------------------------------------

class WebhookEntry extends Context.Service<
  WebhookEntry,
  { readonly url: string; readonly webhooks: Deferred.Deferred<Webhooks["Service"]> }
>()("test/WebhookEntry") {}

/** The server is there before the sandbox, and what it serves after it. */
const layerEntry = Layer.unwrap(
  Effect.gen(function* () {
    const webhooks = yield* Deferred.make<Webhooks["Service"]>()
    const receive = HttpRouter.use((router) =>
      router.add("POST", "/webhooks/:provider", (request: HttpServerRequest.HttpServerRequest) =>
        Effect.gen(function* () {
          const { provider } = yield* HttpRouter.params
          const service = yield* Deferred.await(webhooks)
          const body = new Uint8Array(yield* request.arrayBuffer)
          return yield* service.receive(provider ?? "", body, request.headers).pipe(
            Effect.as(HttpServerResponse.empty({ status: 204 })),
            Effect.catchTags({
              WebhookRejected: () => Effect.succeed(HttpServerResponse.empty({ status: 400 })),
              WebhookProviderUnknown: () => Effect.succeed(HttpServerResponse.empty({ status: 404 }))
            })
          )
        }).pipe(Effect.orDie)
      )
    )
    const entry = Layer.effect(
      WebhookEntry,
      Effect.map(HttpServer.HttpServer, ({ address }) =>
        WebhookEntry.of({ url: `${HttpServer.formatAddress(address)}/webhooks/sandbox`, webhooks })
      )
    )
    return Layer.merge(
      entry,
      HttpRouter.serve(receive, { disableLogger: true, disableListenLog: true })
    ).pipe(Layer.provide(NodeHttpServer.layerServer(() => createServer(), { host: "127.0.0.1", port: 0 })))
  })
)

const layerSandbox = Layer.unwrap(
  Effect.map(WebhookEntry, (entry) => SandboxProcess.layer({ secret, webhookUrl: entry.url, webhookSecret }))
)

/** Takes the payments of this organiser first, and refuses them all; yet it may have one after all. */
export const strayOrganiser = OrganiserName.make("far-away")
export class Refusing extends Context.Service<
  Refusing,
  {
    holds: PaymentIntentId | null
    readonly voids: Array<string>
  }
>()("test/Refusing") {
  static readonly layer = Layer.sync(Refusing, () => Refusing.of({ holds: null, voids: [] }))
}

const refusingProvider = (like: PaymentProvider, refusing: Refusing["Service"]): PaymentProvider => ({
  ...like,
  name: "refusing",
  currencies: new Set(["EUR"]),
  authorise: () =>
    Effect.fail(new ProviderFailure({ kind: "retryable", code: "http_429", message: "too many" })),
  find: ({ intentId }) =>
    Effect.succeed(refusing.holds === intentId ? standing("authorised") : { _tag: "Absent" }),
  void: ({ key }) =>
    Effect.sync(() => {
      refusing.holds = null
      refusing.voids.push(key)
      return standing("voided")
    })
})

const standing = (status: "authorised" | "voided"): Standing => ({
  _tag: "Standing",
  reference: "stray_1",
  status,
  amount: 4_200,
  currency: "EUR",
  captured: 0,
  refunded: 0,
  failureCode: null,
  nextAction: null,
  dispute: null
})

const layerProviders = Layer.unwrap(
  Effect.gen(function* () {
    const { url } = yield* SandboxProcess
    const interception = yield* Interception
    const options = { url, secret, webhookSecrets: [webhookSecret, oldWebhookSecret], timeout: callTimeout }
    const provider = yield* SandboxProvider.make(options)
    const refusing = refusingProvider(provider, yield* Refusing)
    return Layer.succeed(
      PaymentProviders,
      make(
        intercepted(provider, interception),
        [refusing],
        [
          { provider: "sandbox", weight: 1 },
          { provider: "refusing", weight: 1, organisers: [strayOrganiser] }
        ]
      )
    )
  })
).pipe(
  Layer.provide(NodeHttpClient.layerUndici),
  Layer.provide(Mac.layerWebCrypto.pipe(Layer.provide(SecureRandom.layerWebCrypto)))
)

const groups = ["booking", "payment", "default"]

/** One runner and nothing kept between runs, but every message goes through its encoding. */
const layerCluster = Sharding.layer.pipe(
  Layer.provideMerge(Runners.layerNoop),
  Layer.provideMerge(MessageStorage.layerMemory),
  Layer.provide([RunnerStorage.layerMemory, RunnerHealth.layerNoop]),
  Layer.provide(
    ShardingConfig.layer({ availableShardGroups: groups, assignedShardGroups: groups, shardsPerGroup: 20 })
  )
)

const layerConnected = Layer.effectDiscard(
  Effect.gen(function* () {
    yield* Deferred.succeed((yield* WebhookEntry).webhooks, yield* Webhooks)
  })
)

export const layerPayments = layerConnected.pipe(
  Layer.provideMerge(Payments.layerNoProviders({ pollEvery: "50 millis" })),
  Layer.provideMerge(layerProviders),
  Layer.provideMerge(layerSandbox),
  Layer.provideMerge(layerEntry),
  Layer.provideMerge(
    Layer.mergeAll(
      layerCluster,
      layerDatabase,
      Interception.layer,
      Refusing.layer,
      NodeHttpClient.layerUndici
    )
  ),
  Layer.provideMerge(layerQuiet)
)

// --- what tests do and look at ------------------------------------------------------------------

export const newPayment = Effect.fnUntraced(function* (method: string, options: Partial<NewPayment> = {}) {
  const nowMs = yield* Clock.currentTimeMillis
  const payment: NewPayment = {
    orderId: OrderId.make(makeUuidV7(nowMs)),
    amount: 4_200,
    currency: "EUR",
    provider: null,
    method,
    ...options
  }
  const intentId = PaymentIntentId.make(makeUuidV7(nowMs))
  const clientOf = yield* PaymentEntity.client
  return { intentId, payment, client: clientOf(intentId) }
})

export const newRefundId = Effect.map(Clock.currentTimeMillis, (nowMs) => RefundId.make(makeUuidV7(nowMs)))

const StoredEvents = Schema.Array(Schema.Struct({ events: Schema.Array(PaymentEvent) }))

/** The tags of the payment's events, a list a row of the journal. */
export const journalOf = Effect.fnUntraced(function* (intentId: PaymentIntentId) {
  const sql = yield* SqlClient.SqlClient
  const rows =
    yield* sql`SELECT events FROM payments.journal WHERE stream = ${intentId}::uuid ORDER BY version`
  const decoded = yield* Schema.decodeUnknownEffect(StoredEvents)(rows)
  return decoded.map((row) => row.events.map((event) => event._tag))
})

const sandboxCall = Effect.fnUntraced(function* (
  method: "GET" | "POST" | "DELETE",
  path: string,
  body?: object,
  key?: string
) {
  const { url } = yield* SandboxProcess
  const client = yield* HttpClient.HttpClient
  const request = HttpClientRequest.make(method)(`${url}${path}`).pipe(
    HttpClientRequest.bearerToken(secret),
    key === undefined ? identity : HttpClientRequest.setHeader(idempotencyKeyHeader, key)
  )
  const response = yield* client.execute(
    body === undefined ? request : HttpClientRequest.bodyJsonUnsafe(request, body)
  )
  return yield* response.text
})

/** What somebody does at the provider beside us. */
export const sandboxKeyCall = (path: string, key: string, body: object) =>
  sandboxCall("POST", path, body, key)

/** The payments in the provider's own ledger that were made for the intent. */
export const ledgerOf = Effect.fnUntraced(function* (intentId: PaymentIntentId) {
  const text = yield* sandboxCall("GET", "/v1/ledger")
  const ledger = yield* Schema.decodeUnknownEffect(Schema.fromJsonString(SandboxLedger))(text)
  return ledger.payments.filter((payment) => payment.reference === intentId)
})

export const approve = (url: string, isApproved: boolean) =>
  Effect.flatMap(HttpClient.HttpClient, (client) =>
    client.execute(HttpClientRequest.bodyJsonUnsafe(HttpClientRequest.post(url), { approve: isApproved }))
  ).pipe(Effect.flatMap((response) => response.text))

/** What the buyer's bank does at the provider, of which it tells us by webhook. */
export const dispute = (reference: string, outcome: "open" | "won" | "lost") =>
  sandboxCall("POST", `/v1/payments/${reference}/dispute`, { outcome })

/** Strikes the money calls of all payments until the scope ends. */
export const strike = (faults: SandboxFaults) =>
  Effect.acquireRelease(sandboxCall("POST", "/v1/faults", faults), () =>
    Effect.orDie(sandboxCall("DELETE", "/v1/faults"))
  )

/** Makes the supervisor find the intent due now, whatever it waits for. */
export const makeDue = Effect.fnUntraced(function* (intentId: PaymentIntentId) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`UPDATE payments.intents SET next_check_at = now() - interval '1 second' WHERE id = ${intentId}::uuid`
})

const IntentRow = Schema.Struct({
  provider: Schema.String,
  status: Schema.String,
  watch: Schema.String,
  checks: Schema.Int,
  nextCheckAt: Schema.NullOr(Schema.Date)
})

export const intentRow = Effect.fnUntraced(function* (intentId: PaymentIntentId) {
  const sql = yield* SqlClient.SqlClient
  const rows =
    yield* sql`SELECT provider, status, watch, checks, next_check_at AS "nextCheckAt" FROM payments.intents WHERE id = ${intentId}::uuid`
  return yield* Schema.decodeUnknownEffect(Schema.Array(IntentRow))(rows).pipe(Effect.map((some) => some[0]))
})
