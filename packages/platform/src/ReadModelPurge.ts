/** Removes the rows of generations of a read model that are neither served nor being built. */
import { Effect, Schema } from "effect"
import { SqlClient } from "effect/sql"

/** Rows in one statement: a few milliseconds of work, so that nobody waits for it. */
const pageSize = 5_000

const Next = Schema.Array(Schema.Struct({ generation: Schema.NullOr(Schema.Int), known: Schema.Boolean }))
const Removed = Schema.Array(Schema.Struct({ count: Schema.Int }))

export const purge = Effect.fnUntraced(function* ({
  name,
  schema,
  tables
}: {
  readonly schema: string
  readonly name: string
  readonly tables: ReadonlyArray<string>
}) {
  const sql = yield* SqlClient.SqlClient
  const models = sql.literal(`"${schema}"."read_model"`)
  for (const each of tables) {
    const table = sql.literal(`"${schema}"."${each}"`)
    let after = 0
    while (true) {
      // From one generation to the next by the key: there are few, and a table may have many rows.
      const [next] = yield* sql`SELECT next.generation,
          EXISTS (SELECT 1 FROM ${models} m WHERE m.name = ${name} AND m.generation = next.generation) AS known
        FROM (SELECT min(generation) AS generation FROM ${table} WHERE generation > ${after}::int) AS next`.pipe(
        Effect.flatMap(Schema.decodeUnknownEffect(Next))
      )
      const generation = next?.generation ?? null
      if (generation === null) break
      after = generation
      if (next?.known === true) continue
      let count = pageSize
      while (count === pageSize) {
        const rows = yield* sql`WITH removed AS (
            DELETE FROM ${table} WHERE ctid = ANY(ARRAY(
              SELECT ctid FROM ${table} WHERE generation = ${generation}::int LIMIT ${pageSize}::int))
            RETURNING 1
          ) SELECT count(*)::int AS count FROM removed`.pipe(
          Effect.flatMap(Schema.decodeUnknownEffect(Removed))
        )
        count = rows[0]?.count ?? 0
      }
    }
  }
})
