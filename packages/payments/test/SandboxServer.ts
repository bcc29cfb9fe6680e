/** The sandbox's adapter against the sandbox as a process of its own, for the suite of all adapters. */
import { NodeHttpClient } from "@effect/platform-node"
import { type SandboxFaults, SandboxLedger, type SandboxWebhook } from "@onsale/contracts/payments/Sandbox"
import * as FaultProxy from "@onsale/testing/FaultProxy"
import { PaymentServer } from "@onsale/testing/PaymentServer"
import { Effect, Layer, Redacted, Schema } from "effect"
import { Mac, SecureRandom } from "effect/crypto"
import { HttpClient, HttpClientRequest } from "effect/http"
import * as SandboxProvider from "../src/SandboxProvider.ts"
import { SandboxProcess, signed } from "./SandboxProcess.ts"

const secret = Redacted.make("sandbox-secret")
const secrets = {
  current: Redacted.make("webhook-secret-new"),
  old: Redacted.make("webhook-secret-old"),
  forged: Redacted.make("a guess")
} as const

const decodeLedger = Schema.decodeUnknownEffect(Schema.fromJsonString(SandboxLedger))

/** Longer than the adapter waits, and over before a test gives up. */
const slow: SandboxFaults = { rate: 1, kinds: ["slow"], seed: 1, slowMs: 2_000 }

export const layerSandbox = Layer.effect(
  PaymentServer,
  Effect.gen(function* () {
    const { url } = yield* SandboxProcess
    const http = yield* HttpClient.HttpClient
    const proxy = yield* FaultProxy.make(url)
    const make = (options: Partial<SandboxProvider.SandboxProviderOptions> = {}) =>
      SandboxProvider.make({
        url: proxy.url,
        secret,
        webhookSecrets: [secrets.current, secrets.old],
        timeout: "1 second",
        ...options
      })
    const call = (method: "GET" | "POST" | "DELETE", path: string, body?: object) => {
      const request = HttpClientRequest.make(method)(path.startsWith("http") ? path : `${url}${path}`).pipe(
        HttpClientRequest.bearerToken(secret)
      )
      return http
        .execute(body === undefined ? request : HttpClientRequest.bodyJsonUnsafe(request, body))
        .pipe(
          Effect.flatMap((response) => response.text),
          Effect.orDie
        )
    }
    return PaymentServer.of({
      provider: yield* make(),
      stranger: yield* make({ secret: Redacted.make("wrong") }),
      unreachable: yield* make({ url: "http://127.0.0.1:9" }),
      methods: { ok: "tok_ok", declined: "tok_declined", action: "tok_3ds", processing: "tok_late_1" },
      ledgerOf: (intentId) =>
        Effect.orDie(Effect.flatMap(call("GET", "/v1/ledger"), decodeLedger)).pipe(
          Effect.map(({ payments }) =>
            payments
              .filter(({ reference }) => reference === intentId)
              .map(({ captured, id, refunded, refunds, status }) => ({
                reference: id,
                captured,
                refunded,
                refunds: refunds.length,
                isLive: status !== "voided" && status !== "failed"
              }))
          )
        ),
      act: ({ nextAction }, isApproved) =>
        Effect.asVoid(call("POST", nextAction?.url ?? "", { approve: isApproved })),
      // It does so by itself, in a second.
      settle: () => Effect.void,
      dispute: (reference, outcome) =>
        Effect.asVoid(call("POST", `/v1/payments/${reference}/dispute`, { outcome })),
      strike: proxy.strike,
      // It tells what it is working on, so it has to be at work.
      hold: Effect.as(call("POST", "/v1/faults", slow), Effect.asVoid(call("DELETE", "/v1/faults"))),
      webhook: ({ atMs, intentId, reference, secret }) =>
        Effect.sync(() => {
          const webhook: SandboxWebhook = {
            id: `evt_${reference}`,
            type: "payment.authorised",
            createdAt: "2026-11-21T10:00:00.000Z",
            data: {
              id: reference,
              status: "authorised",
              amount: 4_200,
              currency: "EUR",
              captured: 0,
              refunded: 0,
              reference: intentId,
              createdAt: "2026-11-21T10:00:00.000Z"
            }
          }
          return { ...signed(webhook, secrets[secret], Math.floor(atMs / 1000)), token: undefined }
        }),
      signsTime: true
    })
  })
).pipe(
  Layer.provide(
    SandboxProcess.layer({
      secret,
      webhookUrl: "http://127.0.0.1:9/webhooks/sandbox",
      webhookSecret: secrets.current
    })
  ),
  Layer.provide([
    NodeHttpClient.layerUndici,
    Mac.layerWebCrypto.pipe(Layer.provide(SecureRandom.layerWebCrypto))
  ])
)
