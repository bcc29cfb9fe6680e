/**
 * Refuses what a client asks for too much of, before anything else is done for it: in front of all routes, on Node's
 * own request.
 */
import type * as RequestFront from "@onsale/platform/RequestFront"
import { Clock, Config, Effect } from "effect"
import { ProblemDetails } from "effect/http"
import type { IncomingMessage, ServerResponse } from "node:http"
import * as ClientAddress from "./ClientAddress.ts"
import { answerHeaders, correlationOf } from "./Correlation.ts"
import { type Class, RateLimits, type Refusal } from "./RateLimits.ts"

const api = "/api/v1/"

/** What costs nothing, or is asked for by those who watch us. */
const free = new Set(["/", "/healthz", "/readyz", "/metrics", "/docs", "/openapi.json"])

/**
 * What a request counts as; undefined for what has no limit, the webhooks of providers among it. The routes take
 * paths in other forms too (`//API/v1`): what is not written as we write it counts as what is allowed least.
 */
export const classOf = (method: string | undefined, url: string): Class | undefined => {
  const reads = method === "GET" || method === "HEAD"
  if (url.startsWith(api)) {
    if (url.startsWith("organiser", api.length)) return "organiser"
    if (url.startsWith("webhooks", api.length)) return undefined
    if (reads) return "reads"
    return url.startsWith("events", api.length) || url.startsWith("holds", api.length) ? "holds" : "orders"
  }
  // Calls of every kind come this way.
  if (url.startsWith("/rpc")) return "holds"
  if (free.has(url)) return undefined
  return reads ? "reads" : "orders"
}

const body = JSON.stringify({
  type: "urn:onsale:problem:too-many-requests",
  status: 429,
  title: "Too many requests from your address; try again later"
})

/** As of draft-ietf-httpapi-ratelimit-headers-10: how much in how many seconds, what is left, and when there is more. */
export const headersOf = (name: Class, { limit, waitMs }: Refusal) => {
  const seconds = Math.max(1, Math.ceil(waitMs / 1_000))
  return {
    "retry-after": String(seconds),
    "ratelimit-policy": `"${name}";q=${limit.burst};w=${Math.ceil(limit.windowMs / 1_000)}`,
    ratelimit: `"${name}";r=0;t=${seconds}`
  }
}

const refuse = (
  request: IncomingMessage,
  response: ServerResponse,
  nowMs: number,
  limits: Readonly<Record<string, string>>
): void => {
  response.writeHead(429, {
    ...answerHeaders(request.headers, correlationOf(request.headers, nowMs)),
    ...limits,
    "content-type": ProblemDetails.contentType,
    "content-length": String(Buffer.byteLength(body))
  })
  response.end(request.method === "HEAD" ? undefined : body)
}

const loopback = Config.Literals(["limited", "free"], "ONSALE_RATE_LIMIT_LOOPBACK").pipe(
  Config.withDefault("free")
)

/**
 * In front of somebody else who stands in front. Clients on this machine have no limit, but where
 * `ONSALE_RATE_LIMIT_LOOPBACK` is `limited`: a benchmark is no attack. A proxy on this machine has to be one of
 * `ONSALE_TRUSTED_PROXIES`, else all its clients are taken for it.
 */
export const before = Effect.fnUntraced(function* (front: RequestFront.RequestFront) {
  const limits = yield* RateLimits
  const clock = yield* Clock.Clock
  const proxies = yield* ClientAddress.trustedProxies
  const trusted = proxies.rules.length === 0 ? undefined : proxies
  const hereFree = (yield* loopback) === "free"

  const limited: RequestFront.RequestFront = (request, response, next) => {
    const name = classOf(request.method, request.url ?? "")
    if (name === undefined) return front(request, response, next)
    const address = ClientAddress.addressOf(
      request.socket.remoteAddress ?? "",
      request.headers["x-forwarded-for"],
      trusted
    )
    if (hereFree && ClientAddress.isLoopback(address)) return front(request, response, next)
    const refusal = limits.take(name, ClientAddress.keyOf(address))
    if (refusal === undefined) return front(request, response, next)
    refuse(request, response, clock.currentTimeMillisUnsafe(), headersOf(name, refusal))
  }
  return limited
})
