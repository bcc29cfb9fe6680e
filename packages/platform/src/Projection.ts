/**
 * Projections: supervised fibers that follow a journal from a cursor of their own.
 *
 * The cursor moves in the transaction of the handler's writes, so each row takes effect exactly once
 * on the database; what a handler does elsewhere happens at least once (INV-09). Two runners of one
 * projection do no harm: the one whose cursor moved under it rolls back and reads again.
 */
import { Cause, Duration, Effect, Layer, Metric, PubSub, Schedule, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { type Cursor, type Journal, type JournalRow, origin } from "./Journal.ts"

/** Another runner of this projection was faster. */
class CursorMoved extends Schema.TaggedError<CursorMoved>()("CursorMoved", { name: Schema.String }) {}

/** How far behind the newest row it has seen a projection is, in milliseconds, by name. */
const lag = Metric.gauge("onsale_projection_lag_ms", {
  description: "Age of the newest row when it was projected, in milliseconds"
})

const StoredCursor = Schema.Array(Schema.Struct({ txid: Schema.String, position: Schema.String }))

export interface Options<E, R> {
  /** The Postgres schema that holds the cursor: the one of the context that follows. */
  readonly schema: string
  /** Unique in that schema. */
  readonly name: string
  readonly journal: Journal<E>
  /** Writes what the rows mean, in the given order. Runs in a transaction. */
  readonly handle: (rows: ReadonlyArray<JournalRow<E>>) => Effect.Effect<void, unknown, R>
  /** Rows in one transaction at the most; 256 when left out. */
  readonly batch?: number
  /** How often to look when nothing in this process tells of an append; 500 ms when left out. */
  readonly pollEvery?: Duration.Input
  /** After rows that did not fill a batch, so that those that come meanwhile share a transaction; 25 ms when left out. */
  readonly gatherFor?: Duration.Input
}

const defaultBatch = 256

/** Projects what there is to project now, and answers how many rows that were. */
export const runOnce = Effect.fnUntraced(function* <E, R>(options: Options<E, R>) {
  const sql = yield* SqlClient.SqlClient
  const table = sql.literal(`"${options.schema}"."cursor"`)
  const stored =
    yield* sql`SELECT txid::text AS txid, position::text AS position FROM ${table} WHERE name = ${options.name}`.pipe(
      Effect.flatMap(Schema.decodeUnknownEffect(StoredCursor))
    )
  const from: Cursor = stored[0] ?? origin
  const rows = yield* options.journal.readAll(from, options.batch ?? defaultBatch)
  const last = rows[rows.length - 1]
  if (last === undefined) return 0
  yield* sql.withTransaction(
    Effect.gen(function* () {
      // First of all, so that a second runner waits here rather than behind half of the work.
      const moved = yield* stored.length === 0
        ? sql`INSERT INTO ${table} (name, txid, position, updated_at)
            VALUES (${options.name}, ${last.cursor.txid}::text::xid8, ${last.cursor.position}::text::bigint, now())
            ON CONFLICT DO NOTHING RETURNING name`
        : sql`UPDATE ${table} SET txid = ${last.cursor.txid}::text::xid8, position = ${last.cursor.position}::text::bigint, updated_at = now()
            WHERE name = ${options.name} AND txid = ${from.txid}::text::xid8 AND position = ${from.position}::text::bigint RETURNING name`
      if (moved.length === 0) return yield* new CursorMoved({ name: options.name })
      yield* options.handle(rows)
    })
  )
  const now = yield* Effect.clockWith((clock) => clock.currentTimeMillis)
  yield* Metric.update(
    Metric.withAttributes(lag, { projection: `${options.schema}.${options.name}` }),
    now - last.atMs
  )
  return rows.length
})

/**
 * Follows the journal for as long as the layer lives. A failure is logged and tried again, with a
 * growing pause of at most 30 seconds: a projection may fall behind, it never gives up.
 */
export const layer = <E, R>(options: Options<E, R>) =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const wake = yield* options.journal.appended
      const pollEvery = options.pollEvery ?? Duration.millis(500)
      const gather = Effect.sleep(options.gatherFor ?? Duration.millis(25))
      const batch = options.batch ?? defaultBatch
      const step = runOnce(options).pipe(
        Effect.flatMap((count) => {
          if (count >= batch) return Effect.void
          return count > 0 ? gather : Effect.asVoid(Effect.timeoutOption(PubSub.take(wake), pollEvery))
        }),
        // It has done our work: what comes next is there to be read at once.
        Effect.catchIf(
          (error) => error instanceof CursorMoved,
          () => Effect.logDebug(`projection ${options.schema}.${options.name}: another runner was faster`)
        ),
        // Defects too: a bug in a handler must not end the projection unseen.
        Effect.sandbox,
        Effect.tapError((cause) =>
          Cause.hasInterruptsOnly(cause)
            ? Effect.void
            : Effect.logError(`projection ${options.schema}.${options.name} failed`, cause)
        ),
        Effect.retry(
          Schedule.min([Schedule.exponential("100 millis"), Schedule.spaced("30 seconds")]).pipe(
            Schedule.jittered
          )
        )
      )
      yield* Effect.forkScoped(Effect.forever(step))
    })
  )
