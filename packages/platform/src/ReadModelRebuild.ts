/**
 * Builds a read model anew from its seed or the beginning of its journal, while the old generation serves and is kept fresh.
 *
 * 1. What an earlier rebuild has left is thrown away: it may stem from another build of the code.
 * 2. A new generation is filled, from its seed where it has one and by its own cursor, until it has caught up.
 * 3. One transaction stops the old generation, takes the new one at least as far, and lets it serve.
 * 4. The rows of the old one go.
 *
 * A process that dies before 3 has changed nothing that is read; one that dies after it leaves rows that the
 * next start or rebuild removes.
 */
import { Clock, Effect, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { whileLocked } from "./DatabaseLock.ts"
import type { Cursor } from "./Journal.ts"
import { CursorMoved } from "./Projection.ts"
import * as ReadModel from "./ReadModel.ts"
import { purge } from "./ReadModelPurge.ts"

/** Somebody else is building this model anew. */
export class RebuildRunning extends Schema.TaggedError<RebuildRunning>()("RebuildRunning", {
  model: Schema.String
}) {}

/** The generation that was being built is gone: the model was emptied meanwhile. Nothing that serves was changed. */
export class RebuildLost extends Schema.TaggedError<RebuildLost>()("RebuildLost", { model: Schema.String }) {}

/** What has come while the old generation was about to stop was too much to read with it standing still. */
class Overtaken extends Schema.TaggedError<Overtaken>()("Overtaken", {}) {}

/** Batches that the old generation waits for at most; then the new one reads on beside it. */
const lastBatches = 4

const Locked = Schema.Array(Schema.Struct({ ahead: Schema.Boolean }))

export interface Rebuilt {
  /** Of the journal and of the seed. */
  readonly rows: number
  readonly tookMs: number
}

const build = Effect.fnUntraced(function* <E>(
  model: ReadModel.Model<E>,
  onProgress: (rows: number) => Effect.Effect<void>
) {
  const sql = yield* SqlClient.SqlClient
  const table = ReadModel.tableOf(sql, model.schema)
  const { name } = model
  const startedAtMs = yield* Clock.currentTimeMillis
  yield* sql`DELETE FROM ${table} WHERE name = ${name} AND NOT serving`
  yield* purge(model)

  let at: ReadModel.Generation = yield* ReadModel.begin(model, false)
  let rows = 0
  const isAhead = Effect.fnUntraced(function* (cursor: Cursor) {
    // Locked: its runner waits, and then finds that it is gone.
    const [old] =
      yield* sql`SELECT (txid, position) > (${cursor.txid}::text::xid8, ${cursor.position}::text::bigint) AS ahead
      FROM ${table} WHERE name = ${name} AND serving FOR UPDATE`.pipe(
        Effect.flatMap(Schema.decodeUnknownEffect(Locked))
      )
    return old?.ahead ?? false
  })
  const swap = sql.withTransaction(
    Effect.gen(function* () {
      let last = at
      for (let batches = 0; yield* isAhead(last.cursor); batches++) {
        if (batches === lastBatches) return yield* new Overtaken()
        const step = yield* ReadModel.advance(model, last)
        rows += step.count
        last = step.at
      }
      yield* sql`DELETE FROM ${table} WHERE name = ${name} AND serving`
      const served = yield* sql`UPDATE ${table} SET serving = true, ready = true, updated_at = now()
        WHERE name = ${name} AND generation = ${at.generation}::int RETURNING 1 AS served`
      if (served.length === 0) return yield* new CursorMoved({ name })
    })
  )

  while (true) {
    const step = yield* ReadModel.advance(model, at)
    at = step.at
    rows += step.count
    yield* onProgress(rows)
    if (!step.caughtUp) continue
    const before = rows
    const swapped = yield* swap.pipe(
      Effect.as(true),
      Effect.catchIf(
        (error) => error instanceof Overtaken,
        () => Effect.succeed(false)
      )
    )
    if (swapped) break
    rows = before
  }
  yield* purge(model)
  return { rows, tookMs: (yield* Clock.currentTimeMillis) - startedAtMs } satisfies Rebuilt
})

export const rebuild = Effect.fn("ReadModel.rebuild")(function* <E>(
  model: ReadModel.Model<E>,
  onProgress: (rows: number) => Effect.Effect<void> = () => Effect.void
) {
  const label = `${model.schema}.${model.name}`
  let rebuilt: Rebuilt | undefined
  yield* whileLocked(
    `rebuild ${label}`,
    Effect.map(build(model, onProgress), (result) => {
      rebuilt = result
    })
  ).pipe(
    Effect.catchIf(
      (error) => error instanceof CursorMoved,
      () => Effect.fail(new RebuildLost({ model: label }))
    )
  )
  return rebuilt ?? (yield* new RebuildRunning({ model: label }))
})
