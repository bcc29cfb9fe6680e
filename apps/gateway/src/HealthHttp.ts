/**
 * `/healthz`: the process is alive. `/readyz`: its database answers. `/metrics`: Prometheus, for those who
 * may see it.
 */
import { Effect, Layer } from "effect"
import { HttpRouter, HttpServerResponse } from "effect/http"
import { PrometheusMetrics } from "effect/observability"
import { SqlClient } from "effect/sql"
import * as LocalOnly from "./LocalOnly.ts"

const ready = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  return sql`SELECT 1`.pipe(
    Effect.timeout("2 seconds"),
    Effect.match({
      onSuccess: () => HttpServerResponse.jsonUnsafe({ status: "ready" }),
      onFailure: () =>
        HttpServerResponse.jsonUnsafe({ status: "unready", database: "does not answer" }, { status: 503 })
    })
  )
})

const metrics = Effect.map(PrometheusMetrics.format(), (text) =>
  HttpServerResponse.text(text, { contentType: "text/plain; version=0.0.4; charset=utf-8" })
)

const metricsRoute = HttpRouter.add("GET", "/metrics", metrics).pipe(Layer.provide(LocalOnly.layer))

export const layer = Layer.mergeAll(
  HttpRouter.add("GET", "/healthz", HttpServerResponse.jsonUnsafe({ status: "alive" })),
  HttpRouter.use(
    Effect.fnUntraced(function* (router) {
      yield* router.add("GET", "/readyz", yield* ready)
    })
  ),
  metricsRoute
)
