/**
 * Rate, errors and durations of every route, the lean ones in front of the server too: a request is counted where
 * its answer ends, by the template of its path. What no route takes is `other`.
 */
import { Api } from "@onsale/contracts/http/Api"
import { rpcPath } from "@onsale/contracts/rpc/OnsaleRpc"
import * as DurationSeries from "@onsale/platform/DurationSeries"
import { FrontPlace } from "@onsale/platform/RequestFront"
import type { Observer } from "@onsale/platform/TimedResponse"
import { Effect, Layer, Metric } from "effect"
import { HttpApi } from "effect/http-api"
import * as RouteTable from "./RouteTable.ts"

/** Seconds. Each level's p95 and p99 is one of them, so that the share above is a count and no guess. */
export const boundaries = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.3, 0.35, 0.38, 0.5, 0.6, 0.7, 0.9, 1, 2.5, 5, 10
]

/** What is served beside the API. */
const beside: ReadonlyArray<RouteTable.Route> = [
  ...(["/", "/docs", "/openapi.json", "/healthz", "/readyz", "/metrics", rpcPath] as const).map(
    (template) => ({ method: "GET", template })
  ),
  { method: "POST", template: rpcPath }
]

/** Open for as long as a client listens: how long says nothing of us. */
const lasting: ReadonlySet<string> = new Set(["/api/v1/events/{eventId}/availability/stream", rpcPath])

/** Of everything that is described, with parameters in braces. */
export const routes = (): ReadonlyArray<RouteTable.Route> => {
  const all = [...beside]
  HttpApi.reflect(Api, {
    onGroup: () => {},
    onEndpoint: ({ endpoint }) => {
      all.push({ method: endpoint.method, template: `/${endpoint.path.slice(1).replace(/:(\w+)/g, "{$1}")}` })
    }
  })
  return all
}

/** Others are anybody's inventions. */
const methods: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])

const family: DurationSeries.Family = {
  count: {
    name: "onsale_http_requests_total",
    description:
      "Requests that were answered, by route, method and status (`aborted`: the client left before)"
  },
  duration: {
    name: "onsale_http_request_duration_seconds",
    description: "From the head of a request to the end of its answer, by route and method; not of streams"
  },
  boundaries
}

type Series = ReturnType<typeof DurationSeries.make>

/** What is counted of one route. */
class RouteSeries {
  /** By the first digit of the status; 0 where there was no answer. */
  private readonly classes: Array<{ value: number } | undefined> = []
  private readonly series: Series
  private readonly labels: { readonly route: string; readonly method: string }
  private readonly took: ((seconds: number, traceId: string | undefined) => void) | undefined

  constructor(series: Series, route: string, method: string) {
    this.series = series
    this.labels = { route, method }
    this.took = lasting.has(route) ? undefined : series.histogram(this.labels)
  }

  record(statusClass: number, seconds: number, traceId: string | undefined): void {
    const counted = (this.classes[statusClass] ??= this.series.counter({
      ...this.labels,
      status_class: statusClass === 0 ? "aborted" : `${statusClass}xx`
    }))
    counted.value++
    // Also of who left: how long he has waited is what he left for.
    this.took?.(seconds, traceId)
  }
}

/** Hears of every request of the server that it is built for, while the scope is open. */
export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const place = yield* FrontPlace
    const context = yield* Effect.context<never>()
    const series = DurationSeries.make(context, yield* Metric.MetricRegistry, family)
    const templateOf = RouteTable.make(routes())
    const byMethod = new Map<string, Map<string, RouteSeries>>()

    const seriesOf = (method: string, route: string): RouteSeries => {
      let ofMethod = byMethod.get(method)
      if (ofMethod === undefined) byMethod.set(method, (ofMethod = new Map()))
      let known = ofMethod.get(route)
      if (known === undefined) ofMethod.set(route, (known = new RouteSeries(series, route, method)))
      return known
    }

    const observer: Observer = ({ method = "", url = "" }, response, answered) => {
      const known = methods.has(method)
      const route = (known ? templateOf(method, url) : undefined) ?? "other"
      const seconds = (performance.now() - response.startedMs) / 1e3
      const statusClass = answered ? Math.trunc(response.statusCode / 100) : 0
      seriesOf(known ? method : "other", route).record(statusClass, seconds, response.traceId)
    }

    yield* Effect.acquireRelease(
      Effect.sync(() => {
        place.observer = observer
      }),
      () =>
        Effect.sync(() => {
          place.observer = undefined
          series.remove()
        })
    )
  })
)
