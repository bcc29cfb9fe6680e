/** Read models that are first filled from the tables of their context, and the one of availability. */
import * as ReadModel from "@onsale/platform/ReadModel"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* ReadModel.addSeeds("catalog")
  yield* ReadModel.addSeeds("booking")
  // It has no events that came by SQL alone: it is filled anew, and the tables answer until it is.
  yield* sql`DELETE FROM catalog.read_model WHERE name = 'event-pages'`
})
