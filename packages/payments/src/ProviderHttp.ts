/**
 * HTTP to payment providers: every call has a time limit, every answer a bound, and what breaks is told by
 * what it means for money. The SDKs of providers get `makeFetch` in place of their own transport.
 */
import { Duration, Effect, Predicate, Schema, Stream } from "effect"
import {
  HttpClient,
  type HttpClientError,
  HttpClientRequest,
  type HttpClientResponse,
  HttpMethod
} from "effect/http"
import { ProviderFailure } from "./PaymentProvider.ts"

export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
}

export const failure = (kind: ProviderFailure["kind"], code: string, message: string) =>
  new ProviderFailure({ kind, code, message })

export const unknown = (code: string, message: string) => failure("unknown", code, message)

/** For a question before anything is done: whatever went wrong with it, nothing has happened. */
export const nothingHappened = (why: ProviderFailure): ProviderFailure =>
  failure("retryable", why.code, why.message)

/** For a question about what has happened: only an answer is one. */
export const notAnswered = (why: ProviderFailure): ProviderFailure =>
  why.kind === "declined" ? unknown(why.code, why.message) : why

/** For a question after something was done: that it failed says nothing about what was done. */
export const happened = (why: ProviderFailure): ProviderFailure => unknown(why.code, why.message)

export interface CallLimits {
  /** For one call, its answer included. */
  readonly timeout: Duration.Duration
  readonly maxAnswerBytes: number
}

/** Sends a request and reads its answer whole, whatever its status. */
export const call = (
  client: HttpClient.HttpClient,
  request: HttpClientRequest.HttpClientRequest,
  limits: CallLimits
): Effect.Effect<Reply, ProviderFailure> =>
  client.execute(request).pipe(
    Effect.flatMap((response) =>
      Effect.map(
        readBounded(response, limits.maxAnswerBytes),
        (text): Reply => ({ status: response.status, headers: response.headers, text })
      )
    ),
    Effect.timeout(limits.timeout),
    Effect.catchTags({
      HttpClientError: (error) => Effect.fail(transportFailure(error)),
      TimeoutError: () =>
        Effect.fail(unknown("timeout", `no answer within ${Duration.format(limits.timeout)}`))
    })
  )

/** Where the connection was never made, nothing was sent. */
const notConnected = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT"
])

const transportFailure = (error: HttpClientError.HttpClientError): ProviderFailure => {
  if (error.reason._tag === "InvalidUrlError" || error.reason._tag === "EncodeError") {
    return failure("retryable", "request_invalid", error.message)
  }
  // The clients wrap the system's error in others; more than a few deep it is none of theirs.
  let cause: unknown = error.reason.cause
  for (let depth = 0; depth < 4 && Predicate.isObject(cause); depth++) {
    if (Predicate.hasProperty(cause, "code") && Predicate.isString(cause.code)) {
      return notConnected.has(cause.code)
        ? failure("retryable", "unreachable", `${cause.code} before anything was sent`)
        : unknown("connection_broken", cause.code)
    }
    cause = Predicate.hasProperty(cause, "cause") ? cause.cause : undefined
  }
  return unknown("connection_broken", error.message)
}

const readBounded = (
  response: HttpClientResponse.HttpClientResponse,
  maxBytes: number
): Effect.Effect<string, HttpClientError.HttpClientError | ProviderFailure> => {
  const declared = Number(response.headers["content-length"] ?? Number.NaN)
  if (declared <= maxBytes) return response.text
  return Stream.runFoldEffect(
    response.stream,
    (): { readonly bytes: number; readonly chunks: ReadonlyArray<Uint8Array> } => ({ bytes: 0, chunks: [] }),
    (read, chunk) => {
      const bytes = read.bytes + chunk.length
      return bytes > maxBytes
        ? Effect.fail(unknown("answer_too_large", `more than ${maxBytes} bytes`))
        : Effect.succeed({ bytes, chunks: [...read.chunks, chunk] })
    }
  ).pipe(
    Effect.map(({ bytes, chunks }) => {
      const whole = new Uint8Array(bytes)
      let at = 0
      for (const chunk of chunks) {
        whole.set(chunk, at)
        at += chunk.length
      }
      return new TextDecoder().decode(whole)
    })
  )
}

// --- for SDKs -----------------------------------------------------------------------------------

/**
 * What `makeFetch` rejects with. It has none of the system's `code`s: Stripe's SDK sends a request again by
 * itself, whatever its settings are, where it sees `ECONNRESET` or `EPIPE`, and repeating is ours to decide.
 */
export class TransportBroken extends Error {
  override readonly name = "TransportBroken"
  readonly failure: ProviderFailure
  constructor(failure: ProviderFailure) {
    super(failure.code)
    this.failure = failure
  }
}

/** The failure of the transport that an SDK has wrapped in its own error; null where it is about something else. */
export const brokenTransport = (error: unknown): ProviderFailure | null => {
  let cause: unknown = error
  for (let depth = 0; depth < 5 && Predicate.isObject(cause); depth++) {
    if (cause instanceof TransportBroken) return cause.failure
    if (Predicate.hasProperty(cause, "detail")) cause = cause.detail
    else if (Predicate.hasProperty(cause, "exception")) cause = cause.exception
    else cause = Predicate.hasProperty(cause, "cause") ? cause.cause : undefined
  }
  return null
}

/** As SDKs call it: an URL and its options, or a `Request`. */
export type Fetch = (input: RequestInfo | URL, init?: RequestInit) => Promise<Response>

const isMethod = Schema.is(Schema.Literals(["GET", "POST", "PATCH", "DELETE"]))

/** The client writes these itself, and would not have two of them. */
const ownHeaders = new Set(["content-length", "host", "cookie"])

/**
 * A `fetch` over Effect's `HttpClient`, with the limits of `call`. Its answer has been read whole. The signal
 * of the caller ends the request.
 */
export const makeFetch = Effect.fnUntraced(function* (limits: CallLimits) {
  const client = yield* HttpClient.HttpClient
  const run = Effect.runPromiseWith(yield* Effect.context<never>())

  const fetch: Fetch = async (input, init) => {
    const request = new Request(input, init)
    if (!isMethod(request.method)) throw new TypeError(`${request.method} is no method of an SDK's`)
    const headers: Record<string, string> = {}
    request.headers.forEach((value, name) => {
      if (!ownHeaders.has(name)) headers[name] = value
    })
    const bare = HttpClientRequest.make(request.method)(request.url, { headers })
    const text = HttpMethod.hasBody(request.method) ? await request.text() : ""
    const sent =
      text === "" ? bare : HttpClientRequest.bodyText(bare, text, headers["content-type"] ?? "text/plain")
    const reply = await run(
      call(client, sent, limits).pipe(
        Effect.mapError((failure) => new TransportBroken(failure)),
        // Our traces are none of theirs.
        Effect.provideService(HttpClient.TracerPropagationEnabled, false)
      ),
      { signal: request.signal }
    )
    return new Response(bodyless.has(reply.status) ? null : reply.text, {
      status: reply.status,
      headers: { ...reply.headers }
    })
  }
  return fetch
})

/** A `Response` with a body may not have these. */
const bodyless = new Set([204, 205, 304])
