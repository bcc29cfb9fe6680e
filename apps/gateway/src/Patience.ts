/**
 * How long a client waits for its answer, as it says by `Prefer: wait=SECONDS` (RFC 7240 §4.3): what nobody waits for any
 * more is not begun. It is never the reason why something is undone.
 */
import { NodeHttpServerRequest } from "@effect/platform-node"
import { type Clock, Context } from "effect"
import type { HttpServerRequest } from "effect/http"
import type { IncomingMessage } from "node:http"
import type { RequestHeaders } from "./Correlation.ts"

/** Longer than we take for anything; each kind of work has its own limit below it. */
const longestMs = 60_000
/** Who says less could never buy: with less than a second left no order is begun, so that its hold keeps its one freeze. */
const shortestMs = 2_000

const wait = /(?:^|[\s,;])wait *= *(\d{1,5})(?=$|[\s,;])/i

/** Since 1970, when the client that is answered now goes away; undefined where it said nothing. */
export const Until = Context.Reference<number | undefined>("@onsale/gateway/Patience/Until", {
  defaultValue: () => undefined
})

/** Milliseconds that a client waits from when it asked; undefined where it says nothing that is understood. */
export const waitMsOf = ({ prefer }: RequestHeaders): number | undefined => {
  if (typeof prefer !== "string") return undefined
  const seconds = wait.exec(prefer)?.[1]
  return seconds === undefined
    ? undefined
    : Math.min(longestMs, Math.max(shortestMs, Number(seconds) * 1_000))
}

/** What keeps to it; `OpenAPI` says so there. */
const waiting = /^\/api\/v1\/(?:orders|events\/[^/?]+\/holds)(?:\?|$)/

interface Asked {
  readonly method?: string | undefined
  readonly url?: string | undefined
  readonly headers: RequestHeaders
}

/** For the answer, what was understood (RFC 7240 §3); nothing where nothing was said, or by a request that does not wait. */
export const applied = ({ headers, method, url = "" }: Asked): Record<string, string> | undefined => {
  if (headers["prefer"] === undefined || method !== "POST" || !waiting.test(url)) return undefined
  const waitMs = waitMsOf(headers)
  return waitMs === undefined ? undefined : { "preference-applied": `wait=${waitMs / 1_000}` }
}

/** When requests came that said how long they wait: time in front of the routes counts. */
const untils = new WeakMap<object, number>()

/** Until when somebody waits who asks now, in milliseconds since 1970. */
export const untilOf = (headers: RequestHeaders, clock: Clock.Clock): number | undefined => {
  const waitMs = waitMsOf(headers)
  return waitMs === undefined ? undefined : clock.currentTimeMillisUnsafe() + waitMs
}

/** To be asked when the request comes: the routes find it again. */
export const came = (request: IncomingMessage, clock: Clock.Clock): number | undefined => {
  if (request.headers["prefer"] === undefined) return undefined
  const untilMs = untilOf(request.headers, clock)
  if (untilMs !== undefined) untils.set(request, untilMs)
  return untilMs
}

/** Of a request that has come to the routes. */
export const ofRequest = (
  request: HttpServerRequest.HttpServerRequest,
  clock: Clock.Clock
): number | undefined =>
  request.headers["prefer"] === undefined
    ? undefined
    : (untils.get(NodeHttpServerRequest.toIncomingMessage(request)) ?? untilOf(request.headers, clock))
