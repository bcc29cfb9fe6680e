/** A merchant for the tests: calls the sandbox over HTTP and decodes what it answers with the wire's schemas. */
import {
  SandboxErrorBody,
  type SandboxFaults,
  SandboxFaultsReport,
  SandboxLedger,
  SandboxPayment,
  SandboxPaymentList,
  SandboxRefund
} from "@onsale/contracts/payments/Sandbox"
import { Effect, Schedule, Schema } from "effect"
import { FetchHttpClient, HttpClient, HttpClientRequest } from "effect/http"

export const secret = "sandbox-secret"

export interface Answered<A> {
  readonly status: number
  readonly replayed: boolean
  /** The bytes as they came, to compare a replay by. */
  readonly text: string
  readonly body: A
}

const Body = <S extends Schema.Codec<unknown, unknown>>(schema: S) =>
  Schema.fromJsonString(Schema.Union([schema, SandboxErrorBody]))

export const make = (url: string) => {
  const call = Effect.fnUntraced(function* <S extends Schema.Codec<unknown, unknown>>(
    schema: S,
    method: "GET" | "POST" | "DELETE",
    path: string,
    options: { readonly key?: string; readonly body?: unknown } = {}
  ) {
    const client = yield* HttpClient.HttpClient
    const request = HttpClientRequest.make(method)(`${url}${path}`, {
      headers: {
        authorization: `Bearer ${secret}`,
        ...(options.key === undefined ? {} : { "idempotency-key": options.key })
      }
    })
    const response = yield* client.execute(
      options.body === undefined ? request : HttpClientRequest.bodyJsonUnsafe(request, options.body)
    )
    const text = yield* response.text
    const body = yield* Effect.orDie(Schema.decodeUnknownEffect(Body(schema))(text))
    return {
      status: response.status,
      replayed: response.headers["idempotent-replayed"] === "true",
      text,
      body
    }
  }, Effect.provide(FetchHttpClient.layer))

  return {
    create: (key: string, method: string, amount = 1_000) =>
      call(SandboxPayment, "POST", "/v1/payments", {
        key,
        body: { amount, currency: "EUR", method, reference: `intent-${key}`, capture: "manual" }
      }),
    capture: (key: string, id: string, amount?: number) =>
      call(SandboxPayment, "POST", `/v1/payments/${id}/capture`, {
        key,
        body: amount === undefined ? {} : { amount }
      }),
    void: (id: string) => call(SandboxPayment, "POST", `/v1/payments/${id}/void`),
    refund: (key: string, id: string, amount: number) =>
      call(SandboxRefund, "POST", `/v1/payments/${id}/refunds`, { key, body: { amount } }),
    approve: (id: string, approve: boolean) =>
      call(Schema.Struct({ status: Schema.String }), "POST", `/3ds/${id}`, { body: { approve } }),
    payment: (id: string) => call(SandboxPayment, "GET", `/v1/payments/${id}`),
    byKey: (key: string) =>
      call(SandboxPaymentList, "GET", `/v1/payments?idempotencyKey=${encodeURIComponent(key)}`),
    ledger: call(SandboxLedger, "GET", "/v1/ledger"),
    faults: (plan: SandboxFaults) => call(SandboxFaultsReport, "POST", "/v1/faults", { body: plan }),
    noFaults: call(SandboxFaultsReport, "DELETE", "/v1/faults")
  }
}

export type SandboxClient = ReturnType<typeof make>

/** The body, where it is not an error's. */
export const ok = <A>(answered: Answered<A | SandboxErrorBody>): A => {
  const { body } = answered
  if (typeof body === "object" && body !== null && "error" in body) {
    throw new Error(`${answered.status}: ${answered.text}`)
  }
  return body as A
}

/** The error's code, or "" where all went well. */
export const code = (answered: Answered<unknown>): string =>
  Schema.is(SandboxErrorBody)(answered.body) ? answered.body.error.code : ""

/** Asks again until it is so; fails loudly after half a minute. */
export const eventually = <A, E, R>(ask: Effect.Effect<A, E, R>, isSo: (answer: A) => boolean) =>
  ask.pipe(
    Effect.repeat({ until: isSo, schedule: Schedule.spaced("20 millis") }),
    Effect.timeout("30 seconds")
  )
