/** What the older contracts answer with: JSON of their own, for errors as well. */
import type { InventoryUnavailable } from "@onsale/contracts/inventory/InventoryClient"
import type { Overloaded } from "@onsale/contracts/http/Problems"
import { Cause, Data, Effect, Schema } from "effect"
import { type HttpServerRequest, HttpServerResponse } from "effect/http"

/** An answer that is none of the good ones. */
export class Refused extends Data.TaggedError("CompatRefused")<{
  readonly status: number
  /** For people who look into it. */
  readonly error: string
  /** As the contract has it. */
  readonly message: string
  readonly headers?: Readonly<Record<string, string>>
}> {}

export const refused = (
  status: number,
  error: string,
  message: string,
  headers: Readonly<Record<string, string>> = {}
) => new Refused({ status, error, message, headers })

export const internal = "Internal server error"

/** Nothing is wrong with the request; the same may be sent again. */
export const later = (error: string, seconds = 1) =>
  refused(503, error, internal, { "retry-after": String(seconds) })

export const overloaded = ({ reason, retryAfterSeconds }: Overloaded) =>
  later(reason ?? "overloaded", retryAfterSeconds)

export const unavailable = ({ reason, retryAfterMs }: InventoryUnavailable) =>
  later(reason, Math.max(1, Math.ceil(retryAfterMs / 1_000)))

export const json = (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}) =>
  HttpServerResponse.text(JSON.stringify(body), { status, contentType: "application/json", headers })

/** 200 without a body, which is said: else it would be an empty one in chunks. */
export const done = HttpServerResponse.empty({ status: 200, headers: { "content-length": "0" } })

/** The body, where it is what the schema says; clients of that age send all kinds of content types. */
export const bodyOf =
  <A, I>(schema: Schema.Codec<A, I>, invalid: (error: string) => Refused) =>
  (request: HttpServerRequest.HttpServerRequest): Effect.Effect<A, Refused> =>
    request.text.pipe(
      Effect.mapError(() => invalid("the body cannot be read")),
      Effect.flatMap((text) =>
        Effect.mapError(Schema.decodeUnknownEffect(Schema.fromJsonString(schema))(text), () =>
          invalid("the body is not what it should be")
        )
      )
    )

/** Every request ends with an answer in the form of these contracts. */
export const answered = <R>(
  effect: Effect.Effect<HttpServerResponse.HttpServerResponse, Refused, R>
): Effect.Effect<HttpServerResponse.HttpServerResponse, never, R> =>
  effect.pipe(
    Effect.catchTag("CompatRefused", ({ error, headers, message, status }) =>
      Effect.succeed(json(status, { error, message }, headers))
    ),
    Effect.catchCause((cause) =>
      Cause.hasInterruptsOnly(cause)
        ? Effect.failCause(cause)
        : Effect.as(
            Effect.logError("a request failed", cause),
            json(500, { error: "something broke on our side", message: internal })
          )
    )
  )
