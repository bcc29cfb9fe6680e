/**
 * Projections: supervised fibers that follow a journal from a cursor of their own.
 *
 * The cursor moves in the transaction of the handler's writes, so each row takes effect exactly once
 * on the database; what a handler does elsewhere happens at least once (INV-09). Two runners of one
 * projection do no harm: the one whose cursor moved under it rolls back and reads again.
 *
 * Who tells others of what it has written, so that they read it, cannot do so in that transaction: they would read what
 * was before. For such a handler the cursor moves behind it (`cursorMoves`), and everything happens at least once.
 */
import { Cause, Clock, Duration, Effect, Layer, Metric, PubSub, Schedule, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { type Cursor, type Journal, type JournalRow, origin } from "./Journal.ts"
import * as Tracing from "./Tracing.ts"

/** Another runner of this projection was faster. */
export class CursorMoved extends Schema.TaggedError<CursorMoved>()("CursorMoved", { name: Schema.String }) {}

/** By projection. It grows while one is stuck: whoever works does not write it, a fiber that looks does. */
const lag = Metric.gauge("onsale_projection_lag_ms", {
  description: "Age of the oldest row that is not projected yet, in milliseconds; 0 where there is none"
})

/** How often the lag is looked at: twice between two scrapes of a busy Prometheus. */
const lagEvery = Duration.seconds(2)

const StoredCursor = Schema.Array(Schema.Struct({ txid: Schema.String, position: Schema.String }))

export interface Options<E, R> {
  /** The Postgres schema that holds the cursor: the one of the context that follows. */
  readonly schema: string
  /** Unique in that schema. */
  readonly name: string
  readonly journal: Journal<E>
  /** Writes what the rows mean, in the given order. Runs in a transaction, unless the cursor moves after it. */
  readonly handle: (rows: ReadonlyArray<JournalRow<E>>) => Effect.Effect<void, unknown, R>
  /**
   * `with` the writes of the handler, when left out: they take effect once. `after` what the handler does, in no
   * transaction but its own: each row is handled at least once, by two runners perhaps at the same time, and whoever
   * dies in between has it handled again.
   */
  readonly cursorMoves?: "with" | "after"
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
  const stored = yield* positionOf(options.schema, options.name)
  const from: Cursor = stored ?? origin
  const rows = yield* options.journal.readAll(from, options.batch ?? defaultBatch)
  const last = rows[rows.length - 1]
  if (last === undefined) return 0
  const move = Effect.gen(function* () {
    const moved = yield* stored === null
      ? sql`INSERT INTO ${table} (name, txid, position, updated_at)
          VALUES (${options.name}, ${last.cursor.txid}::text::xid8, ${last.cursor.position}::text::bigint, now())
          ON CONFLICT DO NOTHING RETURNING name`
      : sql`UPDATE ${table} SET txid = ${last.cursor.txid}::text::xid8, position = ${last.cursor.position}::text::bigint, updated_at = now()
          WHERE name = ${options.name} AND txid = ${from.txid}::text::xid8 AND position = ${from.position}::text::bigint RETURNING name`
    if (moved.length === 0) return yield* new CursorMoved({ name: options.name })
  })
  const [first, ...others] = rows.flatMap(({ correlation }) => Tracing.parents(correlation))
  const handle = options.handle(rows).pipe(
    Tracing.continued(first, `projection ${options.schema}.${options.name}`, {
      kind: "consumer",
      attributes: { "onsale.rows": rows.length },
      links: Tracing.linksTo(others)
    })
  )
  yield* options.cursorMoves === "after"
    ? Effect.andThen(handle, move)
    : // The cursor first, so that a second runner waits there rather than behind half of the work.
      sql.withTransaction(Effect.andThen(move, handle))
  return rows.length
})

/** What is run for as long as somebody follows. */
export interface Follower<E, R> {
  /** With its schema: `schema.name`. */
  readonly label: string
  readonly journal: Journal<E>
  /** Projects what there is to project now, and answers how many rows that were; at most `batch`. */
  readonly runOnce: Effect.Effect<number, unknown, R>
  /** How far it has come. */
  readonly position: Effect.Effect<Cursor, unknown, R>
  readonly batch?: number | undefined
  readonly pollEvery?: Duration.Input | undefined
  readonly gatherFor?: Duration.Input | undefined
  /**
   * After a full batch it rests so many times as long as that took, 5 seconds at most, so that those who share the process
   * keep the rest of the time however much there is to do; 0 when left out.
   */
  readonly rest?: number | undefined
}

const LagRows = Schema.Array(Schema.Struct({ atMs: Schema.Number }))

/**
 * Milliseconds since the oldest row behind a cursor was written, 0 where there is none. Counts what the
 * watermark holds back as well: it is late for whoever waits for it.
 */
export const lagMs = Effect.fnUntraced(function* (journalSchema: string, after: Cursor) {
  const sql = yield* SqlClient.SqlClient
  const [oldest] = yield* sql`SELECT (extract(epoch FROM at) * 1000)::float8 AS "atMs"
    FROM ${sql.literal(`"${journalSchema}"."journal"`)} AS journal
    WHERE (txid, position) > (${after.txid}::text::xid8, ${after.position}::text::bigint)
    ORDER BY journal.txid, journal.position LIMIT 1`.pipe(Effect.flatMap(Schema.decodeUnknownEffect(LagRows)))
  return oldest === undefined ? 0 : Math.max(0, (yield* Clock.currentTimeMillis) - oldest.atMs)
})

const pauses = Schedule.min([Schedule.exponential("100 millis"), Schedule.spaced("30 seconds")]).pipe(
  Schedule.jittered
)

/** Where the thread is full a batch takes long because it waits for its turn, which is no work that others have to rest from. */
const mostRestMs = 5_000

/**
 * Follows in fibers of the scope. A failure is logged and tried again, with a growing pause of at most
 * 30 seconds: a projection may fall behind, it never gives up.
 */
export const follow = Effect.fnUntraced(function* <E, R>(follower: Follower<E, R>) {
  const { journal, label } = follower
  const wake = yield* journal.appended
  const pollEvery = follower.pollEvery ?? Duration.millis(500)
  const gather = Effect.sleep(follower.gatherFor ?? Duration.millis(25))
  const batch = follower.batch ?? defaultBatch
  const rest = follower.rest ?? 0
  const step = Effect.timed(follower.runOnce).pipe(
    Effect.flatMap(([took, count]) => {
      if (count >= batch)
        return rest === 0
          ? Effect.void
          : Effect.sleep(Duration.millis(Math.min(mostRestMs, rest * Duration.toMillis(took))))
      return count > 0 ? gather : Effect.asVoid(Effect.timeoutOption(PubSub.take(wake), pollEvery))
    }),
    // It has done our work: what comes next is there to be read at once.
    Effect.catchIf(
      (error) => error instanceof CursorMoved,
      () => Effect.logDebug(`projection ${label}: another runner was faster`)
    ),
    // Defects too: a bug in a handler must not end the projection unseen.
    Effect.sandbox,
    Effect.tapError((cause) =>
      Cause.hasInterruptsOnly(cause) ? Effect.void : Effect.logError(`projection ${label} failed`, cause)
    ),
    Effect.retry(pauses)
  )
  const watch = follower.position.pipe(
    Effect.flatMap((position) => lagMs(journal.schema, position)),
    Effect.flatMap((ms) => Metric.update(Metric.withAttributes(lag, { projection: label }), ms)),
    Effect.andThen(Effect.sleep(lagEvery)),
    Effect.sandbox,
    // The projection itself meets the same trouble, and says so.
    Effect.tapError((cause) => Effect.logDebug(`the lag of projection ${label} is not known`, cause)),
    Effect.retry(pauses)
  )
  yield* Effect.forkScoped(Effect.forever(step))
  yield* Effect.forkScoped(Effect.forever(watch))
})

/** Where a projection is; the journal's beginning where it has not begun. */
export const positionOf = Effect.fnUntraced(function* (schema: string, name: string) {
  const sql = yield* SqlClient.SqlClient
  const stored = yield* sql`SELECT txid::text AS txid, position::text AS position
    FROM ${sql.literal(`"${schema}"."cursor"`)} WHERE name = ${name}`.pipe(
    Effect.flatMap(Schema.decodeUnknownEffect(StoredCursor))
  )
  return stored[0] ?? null
})

/** Follows the journal for as long as the layer lives, see `follow`. */
export const layer = <E, R>(options: Options<E, R>) =>
  Layer.effectDiscard(
    follow({
      ...options,
      label: `${options.schema}.${options.name}`,
      runOnce: runOnce(options),
      position: Effect.map(positionOf(options.schema, options.name), (position) => position ?? origin)
    })
  )
