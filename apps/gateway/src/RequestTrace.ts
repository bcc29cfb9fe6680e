/**
 * Which requests are traced: those whose client says so in its `traceparent`, and a part of those that say nothing.
 * One that was not chosen, but broke or took long, is told of when it is over. Of RPC, each call is a request of its
 * own (`rpc/RpcTrace.ts`).
 */
import { rpcPath } from "@onsale/contracts/rpc/OnsaleRpc"
import * as Tracing from "@onsale/platform/Tracing"
import { Clock, Effect, Exit, Random } from "effect"
import { HttpServerResponse } from "effect/http"
import type { RequestHeaders } from "./Correlation.ts"
import { routes } from "./HttpMetrics.ts"
import * as RouteTable from "./RouteTable.ts"

/** The span that a request names. */
export const parentOf = (headers: RequestHeaders) => {
  const { traceparent } = headers
  return typeof traceparent === "string" ? Tracing.parse(traceparent) : undefined
}

const templateOf = RouteTable.make(routes())

/** Of the routes that there are: ids, or what anybody thinks up, would make a name for each request. */
const nameOf = (method: string, url: string): string => {
  const template = templateOf(method, url)
  return template === undefined ? "other" : `${method} ${template.replace(/\{\w+\}/g, "{id}")}`
}

/** Whether it is traced. `random` is of [0, 1). */
export const isChosen = (
  collector: Tracing.Collector | undefined,
  headers: RequestHeaders,
  random: () => number
): boolean => {
  if (collector === undefined) return false
  return headers.traceparent === undefined ? random() < collector.ratio : parentOf(headers)?.sampled === true
}

/** Requests that a lean path has left to the typed one because they are traced: it does not draw again. */
const left = new WeakSet<object>()

/** Whether a lean path leaves this request to the typed one, which has the spans. */
export const isLeft = (
  collector: Tracing.Collector | undefined,
  request: { readonly headers: RequestHeaders },
  random: () => number
): boolean => {
  const chosen = isChosen(collector, request.headers, random)
  if (chosen) left.add(request)
  return chosen
}

interface Request {
  readonly method: string
  readonly url: string
  readonly headers: RequestHeaders
  /** Node's own, which a lean path has seen. */
  readonly source?: object
}

/** The router takes it with a slash behind it too, as the library's clients write it. */
const rpcUrl = new RegExp(`^${rpcPath}/?(?:\\?|$)`)

/** Of a request that was not chosen and is answered now. */
export const tellOf = (
  { headers, method, url }: Request,
  status: number,
  startNanos: bigint
): Effect.Effect<void> =>
  Effect.gen(function* () {
    const collector = yield* Tracing.CurrentCollector
    if (collector === undefined) return
    const tookMs = Number((yield* Clock.currentTimeNanos) - startNanos) / 1e6
    if (status < 500 && tookMs < collector.slowMs) return
    yield* Tracing.told(nameOf(method, url), {
      parent: parentOf(headers),
      startNanos,
      attributes: {
        "http.request.method": method,
        "http.response.status_code": status,
        "onsale.told": "late"
      },
      exit: status < 500 ? Exit.void : Exit.die(new Error(`answered ${status}`))
    })
  })

/** The typed routes. `told` hears of the trace of one that is recorded. */
export const traced =
  (request: Request, correlation: string, told: (traceId: string) => void = () => {}) =>
  <E, R>(app: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>) =>
    Effect.gen(function* () {
      const collector = yield* Tracing.CurrentCollector
      if (collector === undefined) return yield* app
      const startNanos = yield* Clock.currentTimeNanos
      if (rpcUrl.test(request.url)) {
        // A WebSocket is no slow request, and a call that broke tells of itself.
        return yield* Effect.tap(app, ({ status }) =>
          status < 500 ? Effect.void : tellOf(request, status, startNanos)
        )
      }
      const drawn = yield* Random.next
      const chosen =
        (request.source !== undefined && left.has(request.source)) ||
        isChosen(collector, request.headers, () => drawn)
      if (!chosen) {
        return yield* Effect.tap(app, ({ status }) => tellOf(request, status, startNanos))
      }
      const options = {
        kind: "server",
        attributes: { "http.request.method": request.method, "onsale.correlation_id": correlation }
      } as const
      const answered = Effect.gen(function* () {
        const response = yield* app
        yield* Effect.annotateCurrentSpan("http.response.status_code", response.status)
        const span = yield* Tracing.current
        if (span !== undefined) told(span.traceId)
        return span === undefined
          ? response
          : HttpServerResponse.setHeader(response, "traceparent", Tracing.format(span))
      })
      const parent = parentOf(request.headers)
      const name = nameOf(request.method, request.url)
      return yield* parent === undefined
        ? Tracing.begun(name, options)(answered)
        : Tracing.continued(parent, name, options)(answered)
    })
