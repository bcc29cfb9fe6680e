/**
 * Read models: tables that a projection fills from its own context's journal, and that can be built anew while
 * they serve.
 *
 * Every row of a model bears a generation. A row of `<schema>.read_model` says which generation serves, how far
 * the journal is in it, and whether it has ever caught up: what is being filled is not read. `read` asks for
 * this row and for the model's in one statement, so that a reader has one whole generation or is told that there
 * is none (and asks the tables that are written, or the journal). See `ReadModelRebuild.ts` for the next one.
 *
 * A model that shows what is in other tables of its context as well, also what no row of the journal tells of, is
 * first filled from them (`seed`), page after page, and follows the journal from where it was before the first page.
 * Whoever makes rows of a generation, for whatever reason, locks its row in `<schema>.read_model` before it reads what
 * they are made of (`advance`, `lockAll`): so nothing older is written over something newer.
 *
 * Who empties a table of the model (TRUNCATE) makes it begin anew: a trigger forgets the generation.
 */
import { Cause, Duration, Effect, Layer, Schedule, Schema } from "effect"
import { SqlClient, type Statement } from "effect/sql"
import { whileLocked } from "./DatabaseLock.ts"
import { type Cursor, type Journal, type JournalRow, origin } from "./Journal.ts"
import { CursorMoved, type Follower, follow } from "./Projection.ts"
import { purge } from "./ReadModelPurge.ts"

export interface Seed {
  /** A place before the first. */
  readonly first: string
  /**
   * Writes what is behind a place into that generation, a bounded part of it: how many rows, and where it goes on; null
   * after the last. Runs in a transaction, which has the generation's lock.
   */
  readonly page: (
    after: string,
    generation: number
  ) => Effect.Effect<{ readonly count: number; readonly next: string | null }, unknown>
}

export interface Model<E> {
  /** The context's. */
  readonly schema: string
  /** Unique among the models of the schema. */
  readonly name: string
  /** In the schema; their first key column is `generation`. */
  readonly tables: ReadonlyArray<string>
  readonly journal: Journal<E>
  /** Writes what the rows mean into that generation, in the given order. Runs in a transaction. */
  readonly handle: (rows: ReadonlyArray<JournalRow<E>>, generation: number) => Effect.Effect<void, unknown>
  /** Of a model that is more than what its journal tells. */
  readonly seed?: Seed
  /** As those of a projection. */
  readonly batch?: number
  readonly pollEvery?: Follower<E, never>["pollEvery"]
  readonly gatherFor?: Follower<E, never>["gatherFor"]
  readonly rest?: Follower<E, never>["rest"]
}

/** A generation, and how far it is. */
export interface Generation {
  readonly generation: number
  readonly ready: boolean
  readonly cursor: Cursor
  /** Where its seed goes on; null where it has all of it. */
  readonly seed: string | null
}

const defaultBatch = 256

/** What must be there before the first `ownTable` of a schema. */
export const createTables = Effect.fnUntraced(function* (schema: string) {
  const sql = yield* SqlClient.SqlClient
  const name = sql.literal(`"${schema}"`)
  yield* sql`CREATE TABLE ${name}.read_model (
    name text NOT NULL,
    generation int NOT NULL,
    serving boolean NOT NULL,
    ready boolean NOT NULL,
    txid xid8 NOT NULL,
    position bigint NOT NULL,
    updated_at timestamptz NOT NULL,
    seed text,
    PRIMARY KEY (name, generation)
  )`
  yield* sql`CREATE UNIQUE INDEX read_model_serving ON ${name}.read_model (name) WHERE serving`
  // Never used twice, also where every table is emptied.
  yield* sql`CREATE SEQUENCE ${name}.read_model_generation AS int`
  yield* sql`CREATE FUNCTION ${name}.read_model_emptied() RETURNS trigger LANGUAGE plpgsql AS
    ${sql.literal(`$$ BEGIN DELETE FROM "${schema}".read_model WHERE name = TG_ARGV[0]; RETURN NULL; END $$`)}`
})

/** For what `createTables` has made before there were seeds. */
export const addSeeds = Effect.fnUntraced(function* (schema: string) {
  const sql = yield* SqlClient.SqlClient
  yield* sql.unsafe(`ALTER TABLE "${schema}".read_model ADD COLUMN IF NOT EXISTS seed text`)
})

/** To be run for each table of a model, after `createTables`. */
export const ownTable = Effect.fnUntraced(function* (schema: string, model: string, table: string) {
  const sql = yield* SqlClient.SqlClient
  yield* sql.unsafe(`CREATE TRIGGER emptied AFTER TRUNCATE ON "${schema}"."${table}"
    FOR EACH STATEMENT EXECUTE FUNCTION "${schema}".read_model_emptied('${model}')`)
})

const Rows = Schema.Array(
  Schema.Struct({
    generation: Schema.Int,
    ready: Schema.Boolean,
    txid: Schema.String,
    position: Schema.String,
    seed: Schema.NullOr(Schema.String)
  })
)
const columns = "generation, ready, txid::text AS txid, position::text AS position, seed"

const toGeneration = ({
  generation,
  position,
  ready,
  seed,
  txid
}: (typeof Rows.Type)[number]): Generation => ({
  generation,
  ready,
  seed,
  cursor: { txid, position }
})

type Named = Pick<Model<never>, "schema" | "name">

export const tableOf = (sql: SqlClient.SqlClient, schema: string) => sql.literal(`"${schema}"."read_model"`)

/** The generation that serves, ready or not; null before the first. */
export const serving = Effect.fnUntraced(function* ({ name, schema }: Named) {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql`SELECT ${sql.literal(columns)}
    FROM ${tableOf(sql, schema)} WHERE name = ${name} AND serving`.pipe(
    Effect.flatMap(Schema.decodeUnknownEffect(Rows))
  )
  return row === undefined ? null : toGeneration(row)
})

const Ids = Schema.Array(Schema.Struct({ generation: Schema.Int }))

/**
 * All generations, those too that are being built: to be asked for in a transaction that makes rows of them again,
 * before anything is read. Nobody else makes rows meanwhile; of two that did, the one that has read earlier could write
 * later.
 */
export const lockAll = Effect.fnUntraced(function* ({ name, schema }: Named) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql`SELECT generation FROM ${tableOf(sql, schema)} WHERE name = ${name}
    ORDER BY generation FOR UPDATE`.pipe(Effect.flatMap(Schema.decodeUnknownEffect(Ids)))
  return rows.map(({ generation }) => generation)
})

/**
 * A new generation; of two that would serve one comes about. At the journal's beginning, or, where there is a seed, at
 * the newest row of which readers can see that everything before it has ended: the seed, which is read later, has that.
 */
export const begin = Effect.fnUntraced(function* (
  { name, schema, seed }: Named & Pick<Model<never>, "seed">,
  serves: boolean
) {
  const sql = yield* SqlClient.SqlClient
  const from =
    seed === undefined
      ? sql`SELECT NULL::xid8 AS txid, NULL::bigint AS position`
      : sql`SELECT j.txid, j.position FROM ${sql.literal(`"${schema}"."journal"`)} AS j
          WHERE j.txid < pg_snapshot_xmin(pg_current_snapshot()) ORDER BY j.txid DESC, j.position DESC LIMIT 1`
  const rows = yield* sql`INSERT INTO ${tableOf(sql, schema)}
      (name, generation, serving, ready, txid, position, updated_at, seed)
    SELECT ${name}::text, nextval(${`${schema}.read_model_generation`}::text::regclass)::int, ${serves}::boolean, false,
      coalesce(start.txid, ${origin.txid}::text::xid8), coalesce(start.position, ${origin.position}::text::bigint), now(),
      ${seed?.first ?? null}::text
    FROM (SELECT 1) AS one LEFT JOIN (${from}) AS start ON true
    ON CONFLICT DO NOTHING
    RETURNING ${sql.literal(columns)}`.pipe(Effect.flatMap(Schema.decodeUnknownEffect(Rows)))
  const [row] = rows
  return row === undefined ? yield* new CursorMoved({ name }) : toGeneration(row)
})

export interface Step {
  readonly at: Generation
  readonly caughtUp: boolean
  /** Rows of the journal, or of the seed. */
  readonly count: number
}

const sow = Effect.fnUntraced(function* <E>(model: Model<E>, { page }: Seed, at: Generation, after: string) {
  const sql = yield* SqlClient.SqlClient
  const table = tableOf(sql, model.schema)
  return yield* sql.withTransaction(
    Effect.gen(function* () {
      // The lock, before anything is read.
      const there = yield* sql`UPDATE ${table} SET updated_at = now()
        WHERE name = ${model.name} AND generation = ${at.generation}::int AND seed = ${after}::text
        RETURNING 1 AS there`
      if (there.length === 0) return yield* new CursorMoved({ name: model.name })
      const { count, next } = yield* page(after, at.generation)
      yield* sql`UPDATE ${table} SET seed = ${next}::text
        WHERE name = ${model.name} AND generation = ${at.generation}::int`
      return { at: { ...at, seed: next }, caughtUp: false, count } satisfies Step
    })
  )
})

const project = Effect.fnUntraced(function* <E>(model: Model<E>, at: Generation) {
  const sql = yield* SqlClient.SqlClient
  const table = tableOf(sql, model.schema)
  const batch = model.batch ?? defaultBatch
  const rows = yield* model.journal.readAll(at.cursor, batch)
  const to = rows[rows.length - 1]?.cursor ?? at.cursor
  const caughtUp = rows.length < batch
  const ready = at.ready || caughtUp
  if (rows.length === 0 && at.ready) return { at, caughtUp, count: 0 } satisfies Step
  yield* sql.withTransaction(
    Effect.gen(function* () {
      // First of all, so that a second runner waits here rather than behind half of the work.
      const moved =
        yield* sql`UPDATE ${table} SET txid = ${to.txid}::text::xid8, position = ${to.position}::text::bigint,
          ready = ${ready}::boolean, updated_at = now()
        WHERE name = ${model.name} AND generation = ${at.generation}::int AND txid = ${at.cursor.txid}::text::xid8
          AND position = ${at.cursor.position}::text::bigint RETURNING 1 AS moved`
      if (moved.length === 0) return yield* new CursorMoved({ name: model.name })
      if (rows.length > 0) yield* model.handle(rows, at.generation)
    })
  )
  return { at: { ...at, ready, cursor: to }, caughtUp, count: rows.length } satisfies Step
})

/** Takes a generation one page of its seed further, or one batch of the journal, and answers where it is then. */
export const advance = <E>(model: Model<E>, at: Generation) =>
  model.seed === undefined || at.seed === null ? project(model, at) : sow(model, model.seed, at, at.seed)

/** Projects what there is to project now into the generation that serves, and answers how many rows that were. */
export const runOnce = Effect.fnUntraced(function* <E>(model: Model<E>) {
  const found = yield* serving(model)
  let step: Step = yield* advance(model, found ?? (yield* begin(model, true)))
  // Nothing was behind the last page of a seed: no reason to wait for somebody to append.
  if (step.count === 0 && !step.caughtUp) step = yield* advance(model, step.at)
  return step.count
})

const followModel = <E>(model: Model<E>) =>
  Effect.gen(function* () {
    const label = `${model.schema}.${model.name}`
    yield* follow({
      ...model,
      label,
      runOnce: runOnce(model),
      position: Effect.map(serving(model), (found) => found?.cursor ?? origin)
    })
    // What a generation has left that was forgotten, or whose successor's process died.
    yield* Effect.forkScoped(
      purge(model).pipe(
        Effect.catchCause((cause) => Effect.logWarning(`old rows of ${label} are still there`, cause))
      )
    )
  })

/**
 * Fills the model for as long as the layer lives, as a projection does. Any number of processes may: each row
 * takes effect once.
 */
export const layer = <E>(model: Model<E>) => Layer.effectDiscard(followModel(model))

/** How soon the model of a process that ended is followed by another one. */
const tryLockEvery = Duration.seconds(1)
const pauses = Schedule.min([Schedule.exponential("100 millis"), Schedule.spaced("30 seconds")]).pipe(
  Schedule.jittered
)

/**
 * The same for a handler that remembers what it has read, which of several processes would each have to: of those that
 * run it one works, for as long as it holds a lock in Postgres, and a connection. `beside` is run by the one that works.
 */
export const layerAlone = <E, R>(model: Model<E>, beside: Effect.Effect<never, never, R>) =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const label = `${model.schema}.${model.name}`
      const step = whileLocked(
        `model ${label}`,
        Effect.scoped(Effect.andThen(followModel(model), beside))
      ).pipe(
        Effect.flatMap((led) => (led ? Effect.void : Effect.sleep(tryLockEvery))),
        Effect.sandbox,
        Effect.tapError((cause) =>
          Cause.hasInterruptsOnly(cause)
            ? Effect.void
            : Effect.logError(`the read model ${label} is not followed`, cause)
        ),
        Effect.retry(pauses)
      )
      yield* Effect.forkScoped(Effect.forever(step))
    })
  )

const Read = <S extends Schema.Constraint>(row: S) => Schema.Array(Schema.Struct({ rows: Schema.Array(row) }))

/**
 * The rows of a query on one whole generation; null where none is ready. The query gets the generation as an
 * expression, and its columns are decoded from JSON.
 */
export const read = <A, I>(model: Named, row: Schema.Codec<A, I>) => {
  const decode = Schema.decodeUnknownEffect(Read(Schema.toCodecJson(row)))
  return Effect.fnUntraced(function* (query: (generation: Statement.Fragment) => Statement.Fragment) {
    const sql = yield* SqlClient.SqlClient
    const [found] = yield* sql`SELECT (
        SELECT coalesce(json_agg(each), '[]'::json) FROM (${query(sql.literal("model.generation"))}) AS each
      ) AS rows
      FROM ${tableOf(sql, model.schema)} AS model
      WHERE model.name = ${model.name} AND model.serving AND model.ready`.pipe(Effect.flatMap(decode))
    return found?.rows ?? null
  })
}
