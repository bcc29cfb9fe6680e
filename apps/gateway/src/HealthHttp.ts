/** `/healthz`, `/readyz`, and `/metrics` for those who may see it, on the port that everybody reaches. */
import * as Operations from "@onsale/platform/Operations"
import { Effect, Layer } from "effect"
import { HttpRouter } from "effect/http"
import { SqlClient } from "effect/sql"
import * as LocalOnly from "./LocalOnly.ts"

const metricsRoute = HttpRouter.add("GET", "/metrics", Operations.metrics).pipe(
  Layer.provide(LocalOnly.layer)
)

export const layer = Layer.mergeAll(
  HttpRouter.add("GET", "/healthz", Operations.alive),
  HttpRouter.use(
    Effect.fnUntraced(function* (router) {
      const sql = yield* SqlClient.SqlClient
      yield* router.add("GET", "/readyz", Effect.provideService(Operations.ready, SqlClient.SqlClient, sql))
    })
  ),
  metricsRoute
)
