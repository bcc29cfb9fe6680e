import { layerDatabase } from "@onsale/testing/PostgresFixture"
import { suite } from "@onsale/testing/SearchIndexSuite"
import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import * as SearchIndexPostgres from "../../src/search/SearchIndexPostgres.ts"
import * as SearchState from "../../src/search/SearchState.ts"

/** The catalog has none of the suite's events: the index is all there is. */
const whole = Layer.effectDiscard(
  Effect.flatMap(SqlClient.SqlClient, (sql) => SearchState.markWhole(sql, { whole: false, losses: 0 }))
)

suite(
  "SearchIndex on Postgres",
  Layer.merge(SearchIndexPostgres.layer, whole).pipe(Layer.provide(layerDatabase), Layer.orDie)
)
