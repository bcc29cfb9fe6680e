/** The index of the configuration. */
import { Config, Effect, Layer } from "effect"
import { FetchHttpClient } from "effect/http"
import * as SearchIndexOpenSearch from "./SearchIndexOpenSearch.ts"
import * as SearchIndexPostgres from "./SearchIndexPostgres.ts"

const settings = Config.all({
  kind: Config.Literals(["postgres", "opensearch"], "ONSALE_SEARCH").pipe(
    Config.withDefault("postgres" as const)
  )
})

/** `ONSALE_SEARCH`: `postgres`, or `opensearch` at `ONSALE_OPENSEARCH_URL`. Over the database in any case. */
export const layer = Layer.unwrap(
  Effect.gen(function* () {
    const { kind } = yield* settings
    if (kind === "postgres") return SearchIndexPostgres.layer
    const url = yield* Config.Redacted("ONSALE_OPENSEARCH_URL")
    return SearchIndexOpenSearch.layer({ url }).pipe(Layer.provide(FetchHttpClient.layer))
  })
)
