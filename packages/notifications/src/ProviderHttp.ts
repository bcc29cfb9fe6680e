/** One call of a provider over HTTP, and what its failure says of whether the message was handed over. */
import { Effect, Option, type Scope } from "effect"
import type { LookupFunction } from "node:net"
import { Agent, request } from "undici"
import { DeliveryError } from "./Channel.ts"
import * as RetryAfter from "./RetryAfter.ts"

/** Milliseconds; together they end before the provider's time does (`Channel.providerLimit`). */
const timeouts = { connect: 5_000, answer: 12_000 }
type Timeouts = typeof timeouts

/** Of an answer, to know an error by; whatever else comes is not read. */
const maxAnswerBytes = 16 * 1024

/** Calls to one provider at a time; the delivery workers have fewer. */
const maxConnections = 32

interface Call {
  readonly url: string
  readonly method: "POST" | "GET"
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Buffer
}

export interface Answer {
  readonly status: number
  readonly text: string
  readonly header: (name: string) => string | undefined
}

export interface HttpOptions {
  /** Where names lead; the system says when left out. */
  readonly lookup?: LookupFunction
  /** Certificates that are trusted besides, in PEM. */
  readonly ca?: string
  /** For tests, which need not wait for as long. */
  readonly timeouts?: Partial<Timeouts>
}

/** Before these nothing was sent: there was no connection. */
const notConnected =
  /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT|ERR_TLS_.*|ERR_SSL_.*|CERT_.*|DEPTH_ZERO_.*|SELF_SIGNED_.*|UNABLE_TO_.*)$/

const codeOf = (cause: unknown): string =>
  cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : ""

/** Of a socket or TLS. Its code, as its words may repeat the URL. */
const failureOf = (cause: unknown): DeliveryError => {
  const code = codeOf(cause)
  if (cause instanceof Error && cause.name === "AddressRefused") {
    return DeliveryError.gone("its address is not of the public internet")
  }
  const said = code === "" ? (cause instanceof Error ? cause.name : "no answer") : code
  return DeliveryError.of(notConnected.test(code) ? "unreachable" : "unknown", said)
}

/**
 * What a status says that is none of success. A refused login is our configuration, which somebody will put right; of a
 * failure on their side nobody knows what was done before it.
 */
const kindOf = (status: number): DeliveryError["kind"] => {
  if (status === 429 || status === 503) return "deferred"
  if (status === 401 || status === 403) return "unreachable"
  return status >= 500 || status === 408 ? "unknown" : "refused"
}

/** Over connections that are closed with the scope. */
export const make = Effect.fnUntraced(function* (
  options: HttpOptions = {}
): Effect.fn.Return<(call: Call) => Promise<Answer>, never, Scope.Scope> {
  const limits = { ...timeouts, ...options.timeouts }
  const agent = yield* Effect.acquireRelease(
    Effect.sync(
      () =>
        new Agent({
          connections: maxConnections,
          // A connection a call: one that idled may be closed under it, and then nobody knows whether it was taken.
          pipelining: 0,
          connect: {
            timeout: limits.connect,
            ...(options.lookup === undefined ? {} : { lookup: options.lookup }),
            ...(options.ca === undefined ? {} : { ca: options.ca })
          },
          headersTimeout: limits.answer,
          bodyTimeout: limits.answer,
          maxHeaderSize: maxAnswerBytes
        })
    ),
    (agent) => Effect.promise(() => agent.destroy())
  )
  return async (call) => {
    const answer = await request(call.url, {
      dispatcher: agent,
      method: call.method,
      headers: call.headers,
      body: call.body,
      signal: AbortSignal.timeout(limits.connect + limits.answer)
    })
    const chunks: Array<Buffer> = []
    let size = 0
    for await (const chunk of answer.body) {
      const bytes = Buffer.from(chunk)
      chunks.push(bytes)
      size += bytes.length
      // Leaving the loop ends the connection, whatever is still to come.
      if (size >= maxAnswerBytes) break
    }
    return {
      status: answer.statusCode,
      text: Buffer.concat(chunks).subarray(0, maxAnswerBytes).toString("utf8"),
      header: (name) => {
        const value = answer.headers[name]
        return Array.isArray(value) ? value[0] : value
      }
    }
  }
})

/** Carries out a call, and tells of its failure without repeating its address. */
export const call = <A>(run: () => Promise<A>): Effect.Effect<A, DeliveryError> =>
  Effect.tryPromise({ try: run, catch: failureOf })

/** Of an answer that is none of success, in its words. */
export const refusal = (answer: Answer, nowMs: number, words: string = answer.text): DeliveryError =>
  DeliveryError.of(
    kindOf(answer.status),
    `${answer.status} ${words}`.trim(),
    Option.getOrUndefined(RetryAfter.parse(answer.header("retry-after"), nowMs))
  )
