/**
 * Append-only journals in Postgres: one table a context (`<schema>.journal`), one row an append.
 *
 * - The primary key `(stream, version)` is the fence: of two owners of a stream, who both believe
 *   that the next version is theirs, one gets `JournalConflict`.
 * - The journal is the outbox. Followers read it in commit order: rows are numbered by a sequence
 *   when they are written, but become visible when their transaction commits, so reading by that
 *   number alone would skip a slow transaction's rows. `readAll` orders by transaction id and stops
 *   before the oldest transaction that is still running (the commit-order watermark).
 *   Within a stream that is the order of versions, as long as the append is the first write of its
 *   transaction: transaction ids are given at the first write. Who appends last writes a `txid` that is
 *   not below the one of the row before (it may be above its own, which is still running then, so that
 *   no reader can have come so far), and calls `announce` after the commit.
 */
import { Context, Effect, PubSub, Schema, type Scope } from "effect"
import { SqlClient, type SqlError, type Statement } from "effect/sql"

/** Another owner has written this version of the stream: whoever gets this has lost the stream. */
export class JournalConflict extends Schema.TaggedError<JournalConflict>()("JournalConflict", {
  stream: Schema.String,
  version: Schema.Int
}) {}

/** A statement that was written together with the append broke a unique constraint; nothing was written. */
export class UniqueBroken extends Schema.TaggedError<UniqueBroken>()("UniqueBroken", {
  constraint: Schema.String
}) {}

export interface Entry<E> {
  /** A UUID. */
  readonly stream: string
  /** 1 for the first row of a stream, then without a gap. */
  readonly version: number
  /** Milliseconds since 1970. */
  readonly atMs: number
  /** The correlation id of the request it stems from, if one is known. */
  readonly correlation: string | null
  readonly events: ReadonlyArray<E>
}

/** A place in the commit order of a journal. */
export interface Cursor {
  /** A transaction id, in decimal. */
  readonly txid: string
  readonly position: string
}

/** Rows of a stream that are read at a time: few streams have more. */
const foldPage = 1_000

export const origin: Cursor = { txid: "0", position: "0" }

export interface JournalRow<E> extends Entry<E> {
  readonly cursor: Cursor
}

/** What must be true when `schema.journal` is created; every context's migration runs it. */
export const createTable = Effect.fnUntraced(function* (schema: string) {
  const sql = yield* SqlClient.SqlClient
  const table = sql(`${schema}.journal`)
  yield* sql`CREATE TABLE ${table} (
    stream uuid NOT NULL,
    version bigint NOT NULL CHECK (version > 0),
    at timestamptz NOT NULL,
    correlation text,
    txid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    position bigint GENERATED ALWAYS AS IDENTITY,
    events json NOT NULL,
    PRIMARY KEY (stream, version)
  )`
  yield* sql`CREATE INDEX journal_order ON ${table} (txid, position)`
  yield* sql`CREATE TABLE ${sql(`${schema}.cursor`)} (
    name text PRIMARY KEY,
    txid xid8 NOT NULL,
    position bigint NOT NULL,
    updated_at timestamptz NOT NULL
  )`
})

const StoredRow = <S extends Schema.Constraint>(event: S) =>
  Schema.Struct({
    stream: Schema.String,
    version: Schema.Int,
    atMs: Schema.Number,
    correlation: Schema.NullOr(Schema.String),
    txid: Schema.String,
    position: Schema.String,
    events: Schema.Array(event)
  })

/** By schema: followers in this process are woken by it; those elsewhere poll. */
export const WakeUps = Context.Reference<Map<string, PubSub.PubSub<void>>>(
  "@onsale/platform/Journal/WakeUps",
  {
    defaultValue: () => new Map()
  }
)

const wakeUpOf = Effect.fnUntraced(function* (schema: string) {
  const wakeUps = yield* WakeUps
  const found = wakeUps.get(schema)
  if (found !== undefined) return found
  // Only the newest wake-up matters.
  const made = yield* PubSub.sliding<void>(1)
  wakeUps.set(schema, made)
  return made
})

/** Wakes the followers in this process of the journal of that schema: somebody else has appended to it. */
export const wake = Effect.fnUntraced(function* (schema: string) {
  return Effect.asVoid(PubSub.publish(yield* wakeUpOf(schema), undefined))
})

const uniqueConstraint = (error: SqlError.SqlError): string | undefined =>
  error.reason._tag === "UniqueViolation" ? error.reason.constraint : undefined

/**
 * The journal of a context. `schema` is the context's Postgres schema; `event` the union of its
 * domain events, encoded as JSON.
 */
export const make = Effect.fnUntraced(function* <E, I, RD, RE>(options: {
  readonly schema: string
  readonly event: Schema.Codec<E, I, RD, RE>
}) {
  const sql = yield* SqlClient.SqlClient
  const table = sql.literal(`"${options.schema}"."journal"`)
  const decodeRows = Schema.decodeUnknownEffect(Schema.Array(StoredRow(Schema.toCodecJson(options.event))))
  const encodeEvents = Schema.encodeUnknownEffect(
    Schema.fromJsonString(Schema.Array(Schema.toCodecJson(options.event)))
  )
  const appended = yield* wakeUpOf(options.schema)

  const columns = sql.literal(
    `stream::text AS stream, version::int AS version, (extract(epoch FROM at) * 1000)::float8 AS "atMs",
     correlation, txid::text AS txid, position::text AS position, events`
  )

  const toRow = (row: {
    readonly stream: string
    readonly version: number
    readonly atMs: number
    readonly correlation: string | null
    readonly txid: string
    readonly position: string
    readonly events: ReadonlyArray<E>
  }): JournalRow<E> => ({
    stream: row.stream,
    version: row.version,
    atMs: Math.round(row.atMs),
    correlation: row.correlation,
    events: row.events,
    cursor: { txid: row.txid, position: row.position }
  })

  /**
   * Appends a row whose events are already encoded as a JSON array. `also` are INSERT, UPDATE or
   * DELETE statements that are carried out with it, in one statement and so in one transaction.
   * Where both the row and one of `also` break a constraint, either error may be told: Postgres does
   * not say in which order they are carried out. Nothing is written in any case.
   */
  const appendEncoded = (
    entry: Omit<Entry<E>, "events"> & { readonly json: string },
    also: ReadonlyArray<Statement.Fragment> = []
  ): Effect.Effect<void, JournalConflict | UniqueBroken | SqlError.SqlError> => {
    const insert = sql`INSERT INTO ${table} (stream, version, at, correlation, events) VALUES (
      ${entry.stream}::uuid, ${entry.version}::int, to_timestamp(${entry.atMs}::float8 / 1000), ${entry.correlation}::text,
      ${entry.json}::json)`
    const statement =
      also.length === 0
        ? insert
        : sql`WITH ${sql.csv(also.map((write, i) => sql`${sql.literal(`also${i}`)} AS (${write})`))} ${insert}`
    return statement.pipe(
      Effect.catchTag(
        "SqlError",
        (error): Effect.Effect<never, JournalConflict | UniqueBroken | SqlError.SqlError> => {
          const constraint = uniqueConstraint(error)
          if (constraint === undefined) return Effect.fail(error)
          return constraint === "journal_pkey"
            ? Effect.fail(new JournalConflict({ stream: entry.stream, version: entry.version }))
            : Effect.fail(new UniqueBroken({ constraint }))
        }
      ),
      // A follower that looks before the commit would see nothing, and sleep.
      Effect.andThen(sql.afterCommit(Effect.asVoid(PubSub.publish(appended, undefined)))),
      Effect.asVoid
    )
  }

  const read = Effect.fnUntraced(function* (stream: string, fromVersion: number, limit: number) {
    const rows = yield* sql`SELECT ${columns} FROM ${table}
      WHERE stream = ${stream}::uuid AND version >= ${fromVersion}::int ORDER BY version LIMIT ${limit}::int`
    return (yield* Effect.orDie(decodeRows(rows))).map(toRow)
  })

  /** A stream from a version to its end, however long it is: what `step` makes of its rows, one after the other. */
  const fold = Effect.fnUntraced(function* <S>(
    stream: string,
    fromVersion: number,
    initial: S,
    step: (state: S, row: JournalRow<E>) => S
  ) {
    let state = initial
    let from = fromVersion
    while (true) {
      const rows = yield* read(stream, from, foldPage)
      for (const row of rows) {
        state = step(state, row)
        from = row.version + 1
      }
      if (rows.length < foldPage) return state
    }
  })

  return {
    schema: options.schema,
    appendEncoded,

    /** As `appendEncoded`, of events. */
    append: Effect.fnUntraced(function* (entry: Entry<E>, also?: ReadonlyArray<Statement.Fragment>) {
      const json = yield* Effect.orDie(encodeEvents(entry.events))
      return yield* appendEncoded({ ...entry, json }, also)
    }),

    /** The rows of a stream from a version on, oldest first, at most `limit`. */
    read,

    fold,

    /** The first rows of these streams, in no order; of one that has none, none. */
    firsts: Effect.fnUntraced(function* (streams: ReadonlyArray<string>) {
      if (streams.length === 0) return []
      const rows = yield* sql`SELECT ${columns} FROM ${table}
        WHERE stream = ANY(${streams}::uuid[]) AND version = 1`
      return (yield* Effect.orDie(decodeRows(rows))).map(toRow)
    }),

    /**
     * As `fold`, of several streams, each named once, from behind a version; by their ids in lower case. It is one
     * statement where there is not much behind them.
     */
    foldAll: Effect.fnUntraced(function* <S>(
      streams: ReadonlyArray<{ readonly stream: string; readonly version: number; readonly initial: S }>,
      step: (state: S, row: JournalRow<E>) => S
    ) {
      // As the rows write them.
      const states = new Map(streams.map(({ initial, stream }) => [stream.toLowerCase(), initial]))
      if (streams.length === 0) return states
      const rows = yield* sql`SELECT ${columns} FROM ${table}
          JOIN unnest(${streams.map(({ stream }) => stream)}::uuid[], ${streams.map(({ version }) => version)}::int[])
            AS known (known_stream, known_version) ON stream = known_stream AND version > known_version
        ORDER BY journal.stream, journal.version LIMIT ${foldPage}::int`
      if (rows.length < foldPage) {
        for (const row of yield* Effect.orDie(decodeRows(rows)))
          states.set(row.stream, step(states.get(row.stream)!, toRow(row)))
        return states
      }
      for (const { initial, stream, version } of streams)
        states.set(stream.toLowerCase(), yield* fold(stream, version + 1, initial, step))
      return states
    }),

    /**
     * The rows of all streams behind a cursor in commit order, at most `limit`. What a transaction
     * that still runs may yet put before a row holds that row back.
     */
    readAll: Effect.fnUntraced(function* (after: Cursor, limit: number) {
      const rows = yield* sql`SELECT ${columns} FROM ${table}
        WHERE (txid, position) > (${after.txid}::text::xid8, ${after.position}::text::bigint)
          AND txid < pg_snapshot_xmin(pg_current_snapshot())
        ORDER BY journal.txid, journal.position LIMIT ${limit}::int`
      return (yield* Effect.orDie(decodeRows(rows))).map(toRow)
    }),

    /** Tells the followers in this process of a row that was appended by a statement of one's own. */
    announce: sql.afterCommit(Effect.asVoid(PubSub.publish(appended, undefined))),

    /** Tells of appends in this process; it may tell of several once. */
    get appended(): Effect.Effect<PubSub.Subscription<void>, never, Scope.Scope> {
      return PubSub.subscribe(appended)
    }
  }
})

export interface Journal<E> {
  readonly schema: string
  readonly appendEncoded: (
    entry: Omit<Entry<E>, "events"> & { readonly json: string },
    also?: ReadonlyArray<Statement.Fragment>
  ) => Effect.Effect<void, JournalConflict | UniqueBroken | SqlError.SqlError>
  readonly append: (
    entry: Entry<E>,
    also?: ReadonlyArray<Statement.Fragment>
  ) => Effect.Effect<void, JournalConflict | UniqueBroken | SqlError.SqlError>
  readonly read: (
    stream: string,
    fromVersion: number,
    limit: number
  ) => Effect.Effect<ReadonlyArray<JournalRow<E>>, SqlError.SqlError>
  readonly fold: <S>(
    stream: string,
    fromVersion: number,
    initial: S,
    step: (state: S, row: JournalRow<E>) => S
  ) => Effect.Effect<S, SqlError.SqlError>
  readonly readAll: (
    after: Cursor,
    limit: number
  ) => Effect.Effect<ReadonlyArray<JournalRow<E>>, SqlError.SqlError>
  readonly announce: Effect.Effect<void>
  readonly appended: Effect.Effect<PubSub.Subscription<void>, never, Scope.Scope>
}
