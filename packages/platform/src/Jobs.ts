/**
 * Durable jobs in Postgres: one table a context (`<schema>.jobs`), any number of queues in it.
 *
 * A job is offered in the transaction of the fact that causes it, so neither is ever there without the
 * other; its id is made from that fact, so offering it again changes nothing. A worker leases a job, one
 * attempt each lease, and settles it afterwards. A worker that dies leaves a lease that runs out, so a job
 * is carried out at least once: what it does elsewhere must be recognisable when repeated. A job that
 * failed for good stays in the table as a dead letter until somebody revives it.
 *
 * The library's `PersistedQueue` is not used: its SQL store makes its own tables at start, and cannot make
 * them in a schema of ours (it builds index names out of the table's).
 *
 * Times are the database's, so that the clocks of many workers need not agree.
 */
import { Duration, Effect, PubSub, Schema } from "effect"
import { SqlClient, type SqlError } from "effect/sql"

/** The table, for the migration of the context that owns the schema. */
export const createTable = Effect.fnUntraced(function* (schema: string) {
  const sql = yield* SqlClient.SqlClient
  const table = sql(`${schema}.jobs`)
  yield* sql`CREATE TABLE ${table} (
    queue text NOT NULL,
    id text NOT NULL,
    payload json NOT NULL,
    correlation text,
    created_at timestamptz NOT NULL DEFAULT now(),
    run_at timestamptz NOT NULL,
    attempts int NOT NULL DEFAULT 0,
    leased_until timestamptz,
    done_at timestamptz,
    failed_at timestamptz,
    last_error text,
    PRIMARY KEY (queue, id)
  )`
  yield* sql`CREATE INDEX jobs_due ON ${table} (queue, run_at) WHERE done_at IS NULL AND failed_at IS NULL`
  yield* sql`CREATE INDEX jobs_failed ON ${table} (queue, failed_at) WHERE failed_at IS NOT NULL`
  yield* sql`CREATE INDEX jobs_done ON ${table} (queue, done_at) WHERE done_at IS NOT NULL`
})

export interface Job<A> {
  readonly id: string
  readonly payload: A
  /** 1 for the first. */
  readonly attempt: number
  /** The correlation id of the request it stems from, if one is known. */
  readonly correlation: string | null
}

/** A job that failed for good. */
export const DeadJob = Schema.Struct({
  id: Schema.String,
  payload: Schema.Unknown,
  attempts: Schema.Int,
  lastError: Schema.NullOr(Schema.String),
  createdAt: Schema.Date,
  failedAt: Schema.Date
})
export type DeadJob = typeof DeadJob.Type

/** How a queue stands now. */
export const Backlog = Schema.Struct({
  waiting: Schema.Int,
  dead: Schema.Int,
  /** Age of the oldest job that waits and of the oldest dead letter, in milliseconds; 0 where there is none. */
  oldestWaitingMs: Schema.Finite,
  oldestDeadMs: Schema.Finite
})

/** A job that a worker has taken: its payload as it is stored. */
export const LeasedJob = Schema.Struct({
  id: Schema.String,
  payload: Schema.Unknown,
  attempts: Schema.Int,
  correlation: Schema.NullOr(Schema.String),
  runAt: Schema.Date,
  /** Until when it is the worker's, as the database says it: no other attempt at the job has the same. */
  lease: Schema.String
})
export type LeasedJob = typeof LeasedJob.Type
const LeasedRows = Schema.Array(Schema.toType(LeasedJob))

type Settling = Effect.Effect<unknown, SqlError.SqlError>

/** An attempt at a job that is settled. */
export type Attempt = Pick<LeasedJob, "id" | "lease">

/** Enough of an error to know it by; a stack of a megabyte helps nobody. */
const maxErrorLength = 2000

export interface JobQueue<A> extends Effect.Success<ReturnType<typeof make<A, unknown>>> {}

/** A queue of `schema.jobs`, whose payloads are stored as JSON. Make one in a process and share it. */
export const make = Effect.fnUntraced(function* <A, I>(options: {
  readonly schema: string
  readonly queue: string
  readonly payload: Schema.Codec<A, I>
}) {
  const sql = yield* SqlClient.SqlClient
  const { queue } = options
  const table = sql.literal(`"${options.schema}"."jobs"`)
  const codec = Schema.toCodecJson(options.payload)
  const encode = Schema.encodeUnknownEffect(Schema.fromJsonString(codec))
  const decode = Schema.decodeUnknownEffect(codec)
  const offered = yield* PubSub.sliding<void>(1)
  const wake = Effect.asVoid(PubSub.publish(offered, undefined))

  /**
   * Puts a job into the queue, in the transaction that is open, if one is. A job whose id is known,
   * waiting or done, is left as it is.
   */
  const offer = Effect.fn("Jobs.offer")(function* (
    id: string,
    payload: A,
    {
      correlation = null,
      delay = Duration.zero
    }: {
      /** As `Tracing.carried` makes it. */
      readonly correlation?: string | null
      readonly delay?: Duration.Input
    } = {}
  ): Effect.fn.Return<void, SqlError.SqlError> {
    const json = yield* Effect.orDie(encode(payload))
    const seconds = Duration.toSeconds(Duration.fromInputUnsafe(delay))
    yield* sql`INSERT INTO ${table} (queue, id, payload, correlation, run_at)
      VALUES (${queue}::text, ${id}::text, ${json}::json, ${correlation}::text,
        clock_timestamp() + make_interval(secs => ${seconds}::float8))
      ON CONFLICT DO NOTHING`
    yield* sql.afterCommit(wake)
  })

  /** Puts many jobs into the queue, as `offer` does each, in one statement. */
  const offerAll = Effect.fn("Jobs.offerAll")(function* (
    jobs: ReadonlyArray<{
      readonly id: string
      readonly payload: A
      readonly correlation?: string | null
      readonly delay?: Duration.Duration
    }>
  ): Effect.fn.Return<void, SqlError.SqlError> {
    if (jobs.length === 0) return
    const payloads = yield* Effect.orDie(Effect.forEach(jobs, ({ payload }) => encode(payload)))
    yield* sql`INSERT INTO ${table} (queue, id, payload, correlation, run_at)
      SELECT ${queue}::text, id, payload::json, nullif(correlation, ''), clock_timestamp() + make_interval(secs => delay)
      FROM unnest(${jobs.map(({ id }) => id)}::text[], ${payloads}::text[],
        ${jobs.map(({ correlation }) => correlation ?? "")}::text[],
        ${jobs.map(({ delay = Duration.zero }) => String(Duration.toSeconds(delay)))}::float8[])
        AS job (id, payload, correlation, delay)
      ON CONFLICT DO NOTHING`
    yield* sql.afterCommit(wake)
  })

  /**
   * Takes the jobs that have been due longest, at most `limit`, for as long as `leaseSeconds`, and settles those that were
   * `done` in the same statement. Where it fails neither has happened.
   */
  const lease = Effect.fnUntraced(function* (
    leaseSeconds: number,
    limit: number,
    done: ReadonlyArray<Attempt> = []
  ) {
    const rows = yield* sql`WITH done AS (
        UPDATE ${table} AS job SET done_at = clock_timestamp(), leased_until = NULL, last_error = NULL
        FROM unnest(${done.map(({ id }) => id)}::text[], ${done.map(({ lease }) => lease)}::text[]) AS done (id, lease)
        WHERE job.queue = ${queue}::text AND job.id = done.id AND job.leased_until = done.lease::timestamptz
          AND job.done_at IS NULL AND job.failed_at IS NULL)
      UPDATE ${table} SET attempts = attempts + 1,
        leased_until = clock_timestamp() + make_interval(secs => ${leaseSeconds}::float8)
      WHERE queue = ${queue}::text AND id = ANY(ARRAY(
        SELECT id FROM ${table}
        WHERE queue = ${queue}::text AND done_at IS NULL AND failed_at IS NULL AND run_at <= clock_timestamp()
          AND (leased_until IS NULL OR leased_until < clock_timestamp())
          AND id <> ALL(${done.map(({ id }) => id)}::text[])
        ORDER BY run_at LIMIT ${limit}::int FOR UPDATE SKIP LOCKED))
      RETURNING id, payload, attempts, correlation, run_at AS "runAt", leased_until::text AS lease`
    const leased = yield* Effect.orDie(Schema.decodeUnknownEffect(LeasedRows)(rows))
    return leased.toSorted((a, b) => a.runAt.getTime() - b.runAt.getTime())
  })

  // Each settlement names the lease: a worker whose own ran out, or was taken back, has no say over the next attempt. Its
  // number would not do: a job that is done again counts from one.
  const settle = (job: Attempt) =>
    sql`WHERE queue = ${queue}::text AND id = ${job.id}::text AND leased_until = ${job.lease}::text::timestamptz
      AND done_at IS NULL AND failed_at IS NULL`

  return {
    queue,
    offer,
    offerAll,
    /** Tells the workers in this process of jobs that were put into the table by a statement of one's own. */
    announce: sql.afterCommit(wake),
    lease,
    decode,

    retry: (job: Attempt, delay: Duration.Duration, error: string): Settling =>
      sql`UPDATE ${table} SET leased_until = NULL, last_error = ${error.slice(0, maxErrorLength)}::text,
        run_at = clock_timestamp() + make_interval(secs => ${Duration.toSeconds(delay)}::float8) ${settle(job)}`,

    fail: (job: Attempt, error: string): Settling =>
      sql`UPDATE ${table} SET failed_at = clock_timestamp(), leased_until = NULL,
        last_error = ${error.slice(0, maxErrorLength)}::text ${settle(job)}`,

    /** Gives a leased job back as if nothing had been tried. */
    release: (job: Attempt): Settling =>
      sql`UPDATE ${table} SET leased_until = NULL, attempts = attempts - 1 ${settle(job)}`,

    /** Forgets jobs that were done longer ago than that, a thousand at most, and answers how many. */
    prune: (olderThan: Duration.Duration) =>
      Effect.map(
        sql`DELETE FROM ${table} WHERE queue = ${queue}::text AND id IN (
          SELECT id FROM ${table} WHERE queue = ${queue}::text AND done_at IS NOT NULL
            AND done_at < clock_timestamp() - make_interval(secs => ${Duration.toSeconds(olderThan)}::float8)
          LIMIT 1000) RETURNING id`,
        (rows) => rows.length
      ),

    /** The dead letters, oldest first, at most `limit`. */
    dead: Effect.fn("Jobs.dead")(function* (limit: number) {
      const rows =
        yield* sql`SELECT id, payload, attempts, last_error AS "lastError", created_at AS "createdAt",
          failed_at AS "failedAt"
        FROM ${table} WHERE queue = ${queue}::text AND failed_at IS NOT NULL ORDER BY failed_at LIMIT ${limit}::int`
      return yield* Effect.orDie(Schema.decodeUnknownEffect(Schema.Array(Schema.toType(DeadJob)))(rows))
    }),

    /** Gives a dead letter all its attempts again; false where there is none of that id. */
    revive: Effect.fn("Jobs.revive")(function* (id: string) {
      const rows = yield* sql`UPDATE ${table} SET failed_at = NULL, attempts = 0, run_at = clock_timestamp()
        WHERE queue = ${queue}::text AND id = ${id}::text AND failed_at IS NOT NULL RETURNING id`
      yield* sql.afterCommit(wake)
      return rows.length > 0
    }),

    /**
     * Has a job done once more, whether it was done, failed for good, or is forgotten; one that waits is left as it is. Who
     * asks for it knows that no worker is at it: one that is leased is done, and its worker has yet to say so.
     */
    again: Effect.fn("Jobs.again")(function* (id: string, payload: A, correlation: string | null = null) {
      const json = yield* Effect.orDie(encode(payload))
      yield* sql`INSERT INTO ${table} AS job (queue, id, payload, correlation, run_at)
        VALUES (${queue}::text, ${id}::text, ${json}::json, ${correlation}::text, clock_timestamp())
        ON CONFLICT (queue, id) DO UPDATE SET done_at = NULL, failed_at = NULL, attempts = 0, leased_until = NULL,
          run_at = excluded.run_at
        WHERE job.done_at IS NOT NULL OR job.failed_at IS NOT NULL OR job.leased_until IS NOT NULL`
      yield* sql.afterCommit(wake)
    }),

    backlog: Effect.gen(function* () {
      const rows = yield* sql`SELECT count(*) FILTER (WHERE failed_at IS NULL)::int AS waiting,
          count(*) FILTER (WHERE failed_at IS NOT NULL)::int AS dead,
          coalesce(extract(epoch FROM clock_timestamp() - min(created_at) FILTER (WHERE failed_at IS NULL)) * 1000, 0)::float8
            AS "oldestWaitingMs",
          coalesce(extract(epoch FROM clock_timestamp() - min(failed_at)) * 1000, 0)::float8 AS "oldestDeadMs"
        FROM ${table} WHERE queue = ${queue}::text AND done_at IS NULL`
      const [backlog] = yield* Effect.orDie(Schema.decodeUnknownEffect(Schema.Tuple([Backlog]))(rows))
      return backlog
    }).pipe(Effect.withSpan("Jobs.backlog")),

    /** Tells of jobs that were offered in this process; it may tell of several once. */
    offered: PubSub.subscribe(offered)
  }
})
