/** Who writes the search's index does so alone: what was read last is written last. */
import type { SqlClient } from "effect/sql"

const key = 0x5ea2c4

/** Until the end of the transaction; once more in it changes nothing. */
export const hold = (sql: SqlClient.SqlClient) =>
  // What others delete is lost (migration 0028).
  sql`SELECT pg_advisory_xact_lock(${key}::bigint), set_config('onsale.search_keeper', 'on', true)`
