/** The correlation id of a request: what its log lines, its jobs and its answer have in common. */
import { makeUuidV7 } from "@onsale/contracts/Ids"
import { Context } from "effect"

/** Headers as Node or the HTTP server gives them: names in lower case. */
export interface RequestHeaders {
  readonly [name: string]: string | ReadonlyArray<string> | undefined
}

/** Of the request that is being answered. */
export const Correlation = Context.Reference<string>("@onsale/gateway/Correlation", {
  defaultValue: () => "none"
})

/** Taken from the client where it is harmless to log and to send back, made anew otherwise. */
export const correlationOf = (headers: RequestHeaders, nowMs: number): string => {
  const given = headers["x-correlation-id"]
  return typeof given === "string" && /^[\w.:/+=-]{1,128}$/.test(given) ? given : makeUuidV7(nowMs)
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
