/**
 * How many streams of availability one client may have open, so that nobody takes the places of all others
 * (`ONSALE_VIEWERS`). Streams of server-sent events are counted in front of the routes, for as long as their answer is
 * open; those of RPC by its guards.
 */
import type * as RequestFront from "@onsale/platform/RequestFront"
import { Clock, Config, Context, Effect, Layer, Metric } from "effect"
import { ProblemDetails } from "effect/http"
import * as ClientKey from "./ClientKey.ts"
import { answerHeaders, correlationOf } from "./Correlation.ts"

/** `ONSALE_VIEWERS_PER_CLIENT`: a household or an office behind one address, not a machine; 0 is no limit. */
const most = Config.Int("ONSALE_VIEWERS_PER_CLIENT").pipe(Config.withDefault(64))

/** Who has so many keeps them for minutes; a viewer that has just left makes room. */
const retryAfterSeconds = 10

const refused = Metric.withAttributes(
  Metric.counter("onsale_rate_limited_total", {
    description: "Requests that were refused because their client had asked for too much",
    incremental: true
  }),
  { class: "viewers" }
)

const body = JSON.stringify({
  type: "urn:onsale:problem:too-many-requests",
  status: 429,
  title: "Too many streams are open from your address; close one, or try again later"
})

/** What is told of a refusal. */
export interface Told {
  readonly retryAfterSeconds: number
  readonly policy: string
  readonly limit: string
}

export class ViewersPerClient extends Context.Service<
  ViewersPerClient,
  {
    /** Takes a place; a refusal where the client has as many as it may. Null is a client without a limit. */
    readonly enter: (client: string | null) => Told | undefined
    /** Gives the place back that `enter` has given. */
    readonly leave: (client: string | null) => void
  }
>()("@onsale/gateway/ViewersPerClient") {
  static readonly layer = Layer.effect(
    ViewersPerClient,
    Effect.gen(function* () {
      const limit = yield* most
      const context = yield* Effect.context<never>()
      /** Those who have one open. */
      const open = new Map<string, number>()
      const told: Told = {
        retryAfterSeconds,
        policy: `"viewers";q=${limit}`,
        limit: `"viewers";r=0;t=${retryAfterSeconds}`
      }
      return ViewersPerClient.of({
        enter: (client) => {
          if (client === null || limit <= 0) return undefined
          const count = open.get(client) ?? 0
          if (count >= limit) {
            refused.updateUnsafe(1, context)
            return told
          }
          open.set(client, count + 1)
          return undefined
        },
        leave: (client) => {
          if (client === null || limit <= 0) return
          const left = (open.get(client) ?? 1) - 1
          if (left > 0) open.set(client, left)
          else open.delete(client)
        }
      })
    })
  )
}

/** The routes take a path in other forms, too: in another case, encoded, with slashes more. */
export const isStream = (url: string): boolean => {
  // Most requests go no further.
  if (!/stream|%/i.test(url)) return false
  const path = url.split(/[?;#]/, 1)[0] ?? ""
  try {
    return /\/availability\/+stream\/*$/i.test(decodeURI(path))
  } catch {
    // Nor does the router take it.
    return false
  }
}

/** In front of somebody else who stands in front. */
export const before = Effect.fnUntraced(function* (front: RequestFront.RequestFront) {
  const viewers = yield* ViewersPerClient
  const clock = yield* Clock.Clock
  const clientOf = yield* ClientKey.make

  const counted: RequestFront.RequestFront = (request, response, next) => {
    if (!isStream(request.url ?? "")) return front(request, response, next)
    const client = clientOf(request.socket.remoteAddress ?? "", request.headers["x-forwarded-for"])
    const refusal = viewers.enter(client)
    if (refusal === undefined) {
      response.once("close", () => viewers.leave(client))
      return front(request, response, next)
    }
    response.writeHead(429, {
      ...answerHeaders(request.headers, correlationOf(request.headers, clock)),
      "retry-after": String(refusal.retryAfterSeconds),
      "ratelimit-policy": refusal.policy,
      ratelimit: refusal.limit,
      "content-type": ProblemDetails.contentType,
      "content-length": String(Buffer.byteLength(body))
    })
    response.end(request.method === "HEAD" ? undefined : body)
  }
  return counted
})
