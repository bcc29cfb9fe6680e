/** The search's index made anew while it serves, for the command line: whatever was lost of it, or put into it by mistake. */
import { Clock, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import * as ConfiguredSearchIndex from "./ConfiguredSearchIndex.ts"
import * as SearchLock from "./SearchLock.ts"
import { SearchRefresh } from "./SearchRefresh.ts"
import * as SearchWords from "./SearchWords.ts"

const layer = SearchRefresh.layer.pipe(Layer.provide(ConfiguredSearchIndex.layer))

/** Answers how many events are in it. Fails where the index does not answer, and may be tried again. */
export const rebuild = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const startedAtMs = yield* Clock.currentTimeMillis
  const rows = yield* Effect.flatMap(SearchRefresh, ({ everything }) => everything())
  // Another index has no documents here, and counts no words.
  yield* sql.withTransaction(Effect.andThen(SearchLock.hold(sql), SearchWords.recount(sql)))
  return { rows, tookMs: (yield* Clock.currentTimeMillis) - startedAtMs }
}).pipe(Effect.provide(layer), Effect.withSpan("SearchRebuild.rebuild"))
