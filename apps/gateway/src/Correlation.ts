/** The correlation id of a request: what its log lines, its jobs and its answer have in common. */
import { makeUuidV7 } from "@onsale/contracts/Ids"
import { type Clock, Context } from "effect"

/** Headers as Node or the HTTP server gives them: names in lower case. */
export interface RequestHeaders {
  readonly [name: string]: string | ReadonlyArray<string> | undefined
}

/** Of the request that is being answered. */
export const Correlation = Context.Reference<string>("@onsale/gateway/Correlation", {
  defaultValue: () => "none"
})

/** Of a UUIDv7 the first 32 characters; the last four count (RFC 9562 §6.2): to draw each costs more than to answer a 304. */
const beginningLength = 32
const idsABeginning = 0x1_0000
let beginning = ""
let used = idsABeginning

/** Nobody else's, and no secret; its time is that of the first one of its beginning. */
const makeId = (clock: Clock.Clock): string => {
  if (used === idsABeginning) {
    beginning = makeUuidV7(clock.currentTimeMillisUnsafe()).slice(0, beginningLength)
    used = 0
  }
  return beginning + (idsABeginning + used++).toString(16).slice(1)
}

/** Taken from the client where it is harmless to log and to send back, made anew otherwise. */
export const correlationOf = (headers: RequestHeaders, clock: Clock.Clock): string => {
  const given = headers["x-correlation-id"]
  if (given === undefined) return makeId(clock)
  return typeof given === "string" && /^[\w.:/+=-]{1,128}$/.test(given) ? given : makeId(clock)
}

/** W3C trace context, version 00. */
const traceParent = /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/

/** What every answer carries: the correlation id, and the trace that the client has named. */
export const answerHeaders = (headers: RequestHeaders, correlation: string): Record<string, string> => {
  const { traceparent } = headers
  return typeof traceparent === "string" && traceParent.test(traceparent)
    ? { "x-correlation-id": correlation, traceparent }
    : { "x-correlation-id": correlation }
}
