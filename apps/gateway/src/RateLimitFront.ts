/**
 * Refuses what a client asks for too much of, before anything else is done for it: in front of all routes, on Node's
 * own request.
 */
import type * as RequestFront from "@onsale/platform/RequestFront"
import { Clock, Effect } from "effect"
import { ProblemDetails } from "effect/http"
import type { IncomingMessage, ServerResponse } from "node:http"
import * as ClientKey from "./ClientKey.ts"
import { answerHeaders, correlationOf } from "./Correlation.ts"
import type { ProvedCustomer } from "./CurrentCustomer.ts"
import { CustomerToken } from "./CustomerToken.ts"
import { type Class, RateLimits, type Refusal } from "./RateLimits.ts"

const api = "/api/v1/"
/** The older contracts' ways to hold a seat. */
const compatHolds = ["/compat/api/v1/seats/lock", "/compat/api/v1/booking/tickets/reserve"]

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
    if (url.startsWith("checkins", api.length)) return "checkIns"
    return url.startsWith("events", api.length) || url.startsWith("holds", api.length) ? "holds" : "orders"
  }
  // What its calls are, they count as themselves.
  if (url.startsWith("/rpc")) return "reads"
  if (compatHolds.includes(url)) return "holds"
  if (free.has(url)) return undefined
  return reads ? "reads" : "orders"
}

const body = JSON.stringify({
  type: "urn:onsale:problem:too-many-requests",
  status: 429,
  title: "Too many requests from your address, or by your token; try again later"
})

/** What is told of a refusal; as of draft-ietf-httpapi-ratelimit-headers-10: how much in how many seconds, what is left, and when there is more. */
export const told = (name: Class, { limit, waitMs }: Refusal) => {
  const seconds = Math.max(1, Math.ceil(waitMs / 1_000))
  return {
    retryAfterSeconds: seconds,
    policy: `"${name}";q=${limit.burst};w=${Math.ceil(limit.windowMs / 1_000)}`,
    limit: `"${name}";r=0;t=${seconds}`
  }
}

export const headersOf = (name: Class, refusal: Refusal) => {
  const { limit, policy, retryAfterSeconds } = told(name, refusal)
  return { "retry-after": String(retryAfterSeconds), "ratelimit-policy": policy, ratelimit: limit }
}

/** A customer as limits count it, beside the address. No address is written so. */
export const customerKey = ({ id }: ProvedCustomer): string => `customer ${id}`

const refuse = (
  request: IncomingMessage,
  response: ServerResponse,
  clock: Clock.Clock,
  limits: Readonly<Record<string, string>>
): void => {
  response.writeHead(429, {
    ...answerHeaders(request.headers, correlationOf(request.headers, clock)),
    ...limits,
    "content-type": ProblemDetails.contentType,
    "content-length": String(Buffer.byteLength(body))
  })
  response.end(request.method === "HEAD" ? undefined : body)
}

/**
 * In front of somebody else who stands in front. A request counts for its address, and for the customer where its token
 * is one that was seen before; the first one by a token counts for its address alone.
 */
export const before = Effect.fnUntraced(function* (front: RequestFront.RequestFront) {
  const limits = yield* RateLimits
  const tokens = yield* CustomerToken
  const clock = yield* Clock.Clock
  const clientOf = yield* ClientKey.make

  const refusalOf = (name: Class, request: IncomingMessage): Refusal | undefined => {
    const client = clientOf(request.socket.remoteAddress ?? "", request.headers["x-forwarded-for"])
    if (client === null) return undefined
    const refusal = limits.take(name, client)
    const { authorization } = request.headers
    if (refusal !== undefined || authorization === undefined) return refusal
    const customer = tokens.known(authorization)
    return customer === undefined ? undefined : limits.take(name, customerKey(customer))
  }

  const limited: RequestFront.RequestFront = (request, response, next) => {
    const name = classOf(request.method, request.url ?? "")
    const refusal = name === undefined ? undefined : refusalOf(name, request)
    if (name === undefined || refusal === undefined) return front(request, response, next)
    refuse(request, response, clock, headersOf(name, refusal))
  }
  return limited
})
