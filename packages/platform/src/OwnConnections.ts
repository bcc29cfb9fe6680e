/**
 * Connections of their own, for reads that are slow at times: on a connection that is shared others would wait behind
 * them, and one for transactions is taken from who buys. They begin with their settings and keep them, so that a read
 * with a limit is one statement, and not one within a transaction that has to be set up.
 *
 * They come on top of the pool's, and are opened when they are needed. What a transaction of the other client has not
 * committed is not seen on them.
 */
import { PgClient } from "@effect/sql-pg"
import { Effect, Predicate } from "effect"
import { Reactivity } from "effect/reactivity"
import type { SqlClient } from "effect/sql"

const isPostgres = (sql: SqlClient.SqlClient): sql is PgClient.PgClient =>
  Predicate.hasProperty(sql, PgClient.TypeId)

/**
 * A client of the same database that begins its sessions with those settings. It has as many connections as `sql` has for
 * the statements that share some, three of 16 (`SqlPools.ts`). A client of another driver, as tests have it, is itself.
 */
export const make = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  settings: Readonly<Record<string, string>>
) {
  if (!isPostgres(sql)) return sql
  const { config } = sql
  return yield* PgClient.make({
    ...config,
    multiplex: false,
    startupParameters: { ...config.startupParameters, ...settings }
  })
}, Effect.provide(Reactivity.layer))
