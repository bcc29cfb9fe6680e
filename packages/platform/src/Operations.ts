/**
 * What operators and their tools look at: `/healthz` (the process is alive), `/readyz` (its database answers) and
 * `/metrics` (Prometheus).
 */
import { Config, Effect, Layer } from "effect"
import { HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"
import { PrometheusMetrics } from "effect/observability"
import { SqlClient } from "effect/sql"
import * as HttpServer from "./HttpServer.ts"
import * as OpenMetrics from "./OpenMetrics.ts"

export const alive = HttpServerResponse.jsonUnsafe({ status: "alive" })

/** 200, or 503 where the database does not answer within 2 seconds. */
export const ready: Effect.Effect<HttpServerResponse.HttpServerResponse, never, SqlClient.SqlClient> =
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    return yield* sql`SELECT 1`.pipe(
      Effect.timeout("2 seconds"),
      Effect.match({
        onSuccess: () => HttpServerResponse.jsonUnsafe({ status: "ready" }),
        onFailure: () =>
          HttpServerResponse.jsonUnsafe({ status: "unready", database: "does not answer" }, { status: 503 })
      })
    )
  })

/** In the form that is asked for: OpenMetrics has the exemplars. */
export const metrics = Effect.gen(function* () {
  const { headers } = yield* HttpServerRequest.HttpServerRequest
  return OpenMetrics.isWanted(headers["accept"])
    ? HttpServerResponse.text(yield* OpenMetrics.format, { contentType: OpenMetrics.contentType })
    : HttpServerResponse.text(yield* PrometheusMetrics.format(), {
        contentType: "text/plain; version=0.0.4; charset=utf-8"
      })
})

const routes = Layer.mergeAll(
  HttpRouter.add("GET", "/healthz", alive),
  HttpRouter.use(
    Effect.fnUntraced(function* (router) {
      const sql = yield* SqlClient.SqlClient
      yield* router.add("GET", "/readyz", Effect.provideService(ready, SqlClient.SqlClient, sql))
    })
  ),
  HttpRouter.add("GET", "/metrics", metrics)
)

/**
 * All of them on a port of their own, `ONSALE_OPERATIONS_PORT` (9464): whoever reaches it may see them, so it
 * belongs in a network of the operators'.
 */
export const layer = Layer.unwrap(
  Effect.map(Config.Port("ONSALE_OPERATIONS_PORT").pipe(Config.withDefault(9464)), (port) =>
    HttpServer.serve(routes, { port })
  )
)
