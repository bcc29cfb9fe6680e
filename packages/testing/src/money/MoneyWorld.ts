/**
 * A world in which money moves: our process on a real Postgres, one or two sandbox providers with ledgers of
 * their own over real HTTP, and their webhooks back to us. What goes wrong is told by whoever makes the world:
 * calls are struck one by one (`MoneyCall.ts`), webhooks meet a fate of their own, and our process is killed and
 * started again.
 *
 * All of it goes by the clock of whoever builds it: see `FastClock.ts`.
 */
import { NodeHttpClient, NodeHttpServer, NodeServices } from "@effect/platform-node"
import { makeEventId } from "@onsale/contracts/Ids"
import type { SaleLayout } from "@onsale/contracts/inventory/SaleLayout"
import {
  idempotencyKeyHeader,
  SandboxLedger,
  SandboxPaymentList,
  SandboxFaultsReport,
  SandboxWebhook
} from "@onsale/contracts/payments/Sandbox"
import type { PaymentProvider } from "@onsale/payments/PaymentProvider"
import * as SandboxProvider from "@onsale/payments/SandboxProvider"
import * as Sql from "@onsale/platform/Sql"
import { Sandbox } from "@onsale/psp-sandbox/Sandbox"
import { Clock, Context, Effect, FileSystem, Layer, Redacted, Schema, Scope } from "effect"
import { Mac, SecureRandom } from "effect/crypto"
import { HttpClient, HttpClientRequest, HttpRouter, HttpServer, HttpServerResponse } from "effect/http"
import type { HttpServerRequest } from "effect/http"
import { SqlClient } from "effect/sql"
import { createServer } from "node:http"
import * as FaultProxy from "../FaultProxy.ts"
import { pollUntil } from "../Poll.ts"
import { type MoneyCall, type Strike, tellFaults } from "./MoneyCall.ts"
import { type MoneyRunner, RunnerDied, start } from "./MoneyRunner.ts"

/** `lost`: taken by somebody, and never heard of by us. A number: it comes so many milliseconds late. */
export type WebhookFate = "delivered" | "lost" | "twice" | number

export interface MoneyWorldOptions {
  readonly database: Redacted.Redacted<string>
  /** Their names, the preferred one first. */
  readonly providers: readonly [string, ...ReadonlyArray<string>]
  /** Asked before each call that may move money; null lets it pass. */
  readonly strike?: (call: MoneyCall) => Strike | null
  readonly fateOf?: (provider: string, webhook: SandboxWebhook) => WebhookFate
  /** Whether calls go through a proxy that strikes: costs a request more. */
  readonly proxied?: boolean
  readonly maxConnections?: number
  /** Payments go to either provider by chance, and away from one that is unwell. */
  readonly isRouted?: boolean
}

/** A provider as its operator sees it. */
export interface ProviderDesk {
  readonly name: string
  /** The path of its ledger. */
  readonly ledgerFile: string
  readonly ledger: Effect.Effect<SandboxLedger>
  readonly paymentsOf: (reference: string) => Effect.Effect<SandboxPaymentList["data"]>
  /** Calls its API past us, and answers with the body. */
  readonly call: (
    method: "GET" | "POST" | "DELETE",
    path: string,
    body?: object,
    key?: string
  ) => Effect.Effect<string>
  readonly faults: Effect.Effect<SandboxFaultsReport>
}

const secret = Redacted.make("sandbox-secret")
const webhookSecret = Redacted.make("webhook-secret")

const decodeWebhook = Schema.decodeUnknownEffect(Schema.fromJsonString(SandboxWebhook))
const decodeLedger = Schema.decodeUnknownEffect(Schema.fromJsonString(SandboxLedger))
const decodePayments = Schema.decodeUnknownEffect(Schema.fromJsonString(SandboxPaymentList))
const decodeFaults = Schema.decodeUnknownEffect(Schema.fromJsonString(SandboxFaultsReport))

const macLayer = Mac.layerWebCrypto.pipe(Layer.provide(SecureRandom.layerWebCrypto))

/** An HTTP server for webhooks, which tells `receive` of each; false has the provider send it again. */
const serveWebhooks = Effect.fnUntraced(function* (
  receive: (
    provider: string,
    body: Uint8Array,
    headers: Readonly<Record<string, string | undefined>>
  ) => Effect.Effect<boolean>
) {
  const routes = HttpRouter.use((router) =>
    router.add("POST", "/webhooks/:provider", (request: HttpServerRequest.HttpServerRequest) =>
      Effect.gen(function* () {
        const { provider } = yield* HttpRouter.params
        const body = new Uint8Array(yield* request.arrayBuffer)
        const isTaken = yield* receive(provider ?? "", body, request.headers)
        return HttpServerResponse.empty({ status: isTaken ? 204 : 503 })
      }).pipe(Effect.orDie)
    )
  )
  const server = NodeHttpServer.layerServer(() => createServer({ keepAliveTimeout: 60_000 }), {
    host: "127.0.0.1",
    port: 0
  })
  const context = yield* Layer.build(
    HttpRouter.serve(routes, { disableLogger: true, disableListenLog: true }).pipe(Layer.provideMerge(server))
  )
  return HttpServer.formatAddress(Context.get(context, HttpServer.HttpServer).address)
})

const makeDesk = (
  client: HttpClient.HttpClient,
  name: string,
  url: string,
  ledgerFile: string
): ProviderDesk => {
  const call: ProviderDesk["call"] = (method, path, body, key) => {
    const request = HttpClientRequest.make(method)(`${url}${path}`, {
      headers: key === undefined ? {} : { [idempotencyKeyHeader]: key }
    }).pipe(HttpClientRequest.bearerToken(secret))
    return client
      .execute(body === undefined ? request : HttpClientRequest.bodyJsonUnsafe(request, body))
      .pipe(
        Effect.flatMap((response) => response.text),
        Effect.orDie
      )
  }
  return {
    name,
    ledgerFile,
    call,
    ledger: Effect.orDie(Effect.flatMap(call("GET", "/v1/ledger"), decodeLedger)),
    faults: Effect.orDie(Effect.flatMap(call("GET", "/v1/faults"), decodeFaults)),
    paymentsOf: (reference) =>
      call("GET", `/v1/payments?reference=${reference}`).pipe(
        Effect.flatMap(decodePayments),
        Effect.map(({ data }) => data),
        Effect.orDie
      )
  }
}

/** Repeats of one request by a patient buyer: a minute of a process that is away, at the least. */
const maxRepeats = 300

const build = Effect.fnUntraced(function* (options: MoneyWorldOptions) {
  const fs = yield* FileSystem.FileSystem
  const client = yield* HttpClient.HttpClient
  const scope = yield* Effect.scope
  const directory = yield* fs.makeTempDirectoryScoped({ prefix: "onsale-money-" })
  const database = yield* Layer.build(Sql.layerUrl(options.database, { maxConnections: 2 }))

  let current: MoneyRunner | null = null
  let lives = 0
  /** The webhooks that we have taken, by payment and type. */
  const heard = new Set<string>()

  const receive = Effect.fnUntraced(function* (
    provider: string,
    body: Uint8Array,
    headers: Readonly<Record<string, string | undefined>>
  ) {
    const webhook = yield* Effect.orDie(decodeWebhook(new TextDecoder().decode(body)))
    const fate = options.fateOf?.(provider, webhook) ?? "delivered"
    if (fate === "lost") return true
    if (typeof fate === "number") yield* Effect.sleep(fate)
    const deliver = Effect.suspend(() =>
      current === null
        ? Effect.succeed(false)
        : Effect.raceFirst(current.died, current.webhooks.receive(provider, body, headers)).pipe(
            Effect.as(true),
            Effect.catchCause(() => Effect.succeed(false))
          )
    )
    const [isTaken = false] = yield* Effect.all(fate === "twice" ? [deliver, deliver] : [deliver], {
      concurrency: 2
    })
    if (isTaken) heard.add(`${webhook.data.reference} ${webhook.type}`)
    return isTaken
  })
  const origin = yield* serveWebhooks(receive)

  const connected = yield* Effect.forEach(
    options.providers,
    Effect.fnUntraced(function* (name) {
      const ledgerFile = `${directory}/${name}.jsonl`
      const url = `${origin}/webhooks/${name}`
      const context = yield* Layer.build(
        Sandbox.layer({
          ledger: ledgerFile,
          secret,
          webhooks: { url, secret: webhookSecret, changes: "all" }
        })
      )
      const sandbox = Context.get(context, Sandbox)
      const at = options.proxied === true ? (yield* FaultProxy.make(sandbox.url)).url : sandbox.url
      const provider = yield* SandboxProvider.make({
        url: at,
        secret,
        webhookSecrets: [webhookSecret]
      }).pipe(Effect.provideService(HttpClient.HttpClient, tellFaults(client)))
      return {
        desk: makeDesk(client, name, sandbox.url, ledgerFile),
        provider: { ...provider, name } satisfies PaymentProvider
      }
    })
  )
  const [first, ...others] = connected

  const startRunner = Effect.gen(function* () {
    const runner = yield* start({
      database: options.database,
      providers: [first.provider, ...others.map(({ provider }) => provider)],
      isRouted: options.isRouted ?? false,
      strike: options.strike ?? (() => null),
      maxConnections: options.maxConnections ?? 8
    }).pipe(Scope.provide(scope))
    lives++
    current = runner
  })
  yield* startRunner

  const living = pollUntil(
    Effect.sync(() => current),
    (runner): runner is MoneyRunner => runner !== null
  )

  /** As a buyer who repeats a request that was not answered: in the same words, to whoever is there then. */
  const insist = Effect.fnUntraced(function* <A, E>(
    use: (runner: MoneyRunner) => Effect.Effect<A, E>,
    mayRepeat: (error: E) => boolean
  ) {
    for (let repeats = 0; ; repeats++) {
      const runner = yield* Effect.orDie(living)
      const result = yield* Effect.result(Effect.raceFirst(runner.died, use(runner)))
      if (result._tag === "Success") return result.success
      const error = result.failure
      if (!(error instanceof RunnerDied) && !mayRepeat(error)) return yield* Effect.fail(error)
      if (repeats >= maxRepeats) return yield* Effect.die(new Error("nobody answers"))
      yield* Effect.sleep("250 millis")
    }
  })

  return {
    sql: Context.get(database, SqlClient.SqlClient),
    desks: connected.map(({ desk }) => desk),
    insist,
    /** How often our process was started. */
    lives: Effect.sync(() => lives),
    /** Kills our process and starts it again at once. */
    crash: Effect.gen(function* () {
      const killed = current
      current = null
      if (killed !== null) yield* killed.kill
      yield* startRunner
    }),
    /** Opens a sale, and answers with the id of its event. */
    open: Effect.fnUntraced(function* (layout: SaleLayout) {
      const eventId = makeEventId(yield* Clock.currentTimeMillis)
      yield* insist(
        ({ inventory }) => inventory.open(eventId, layout),
        () => true
      )
      return eventId
    }),
    /** Whether we have taken a webhook of that type about the payment. */
    hasHeard: (intentId: string, type: SandboxWebhook["type"]) => heard.has(`${intentId} ${type}`)
  }
})

const platform = Layer.mergeAll(NodeServices.layer, NodeHttpClient.layerUndici, macLayer)

/** Lives as long as the scope. */
export const make = (options: MoneyWorldOptions) =>
  Effect.flatMap(Layer.build(platform), (context) => Effect.provide(build(options), context))

export type MoneyWorld = Effect.Success<ReturnType<typeof make>>
