/**
 * Goes through ids in their order, a page at a time, and remembers how far it has come: where the process dies, the
 * next one goes on there. Bounded in memory, however many there are.
 */
import { Effect, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { settled } from "./CatalogSql.ts"

/** Before the first id, and behind the last. */
const first = "00000000-0000-0000-0000-000000000000"
const end = "ffffffff-ffff-ffff-ffff-ffffffffffff"

/** Ids in one page: a transaction of some tenths of a second. */
export const pageSize = 1_000

const Places = Schema.Array(Schema.Struct({ after: Schema.String }))

export interface Options<Id extends string, E, R> {
  /** Who goes through them; it does so once at a time. */
  readonly name: string
  /** Which time it is: of the same one only what is left is done. Without it begins at the first, and nothing is remembered. */
  readonly scan: string | undefined
  /** The first {@link pageSize} behind an id, in their order; none at the end. */
  readonly page: (after: string) => Effect.Effect<ReadonlyArray<Id>, E, R>
  /** What may be done twice. */
  readonly each: (ids: ReadonlyArray<Id>) => Effect.Effect<void, E, R>
}

/** Answers how many ids it has gone through itself. */
export const through = Effect.fn("CatalogScan.through")(function* <Id extends string, E, R>(
  options: Options<Id, E, R>
) {
  const sql = yield* SqlClient.SqlClient
  const { name, scan } = options
  const reached = (after: string) =>
    scan === undefined
      ? Effect.void
      : settled(
          Effect.asVoid(sql`INSERT INTO catalog.scans (name, scan, after, updated_at)
            VALUES (${name}::text, ${scan}::text, ${after}::uuid, now())
            ON CONFLICT (name) DO UPDATE SET scan = excluded.scan, after = excluded.after, updated_at = now()`)
        )
  const places =
    scan === undefined
      ? []
      : yield* sql`SELECT after::text AS after FROM catalog.scans
          WHERE name = ${name}::text AND scan = ${scan}::text`.pipe(
          Effect.flatMap(Schema.decodeUnknownEffect(Places)),
          settled
        )
  let after = places[0]?.after ?? first
  let count = 0
  while (true) {
    const ids = yield* options.page(after)
    const last = ids[ids.length - 1]
    if (last === undefined) break
    yield* options.each(ids)
    count += ids.length
    after = last
    yield* reached(after)
  }
  yield* reached(end)
  return count
})
