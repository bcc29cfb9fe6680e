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
import {
  Cause,
  Duration,
  Effect,
  Exit,
  FiberSet,
  Layer,
  Metric,
  Option,
  PubSub,
  Random,
  Schedule,
  Schema,
  Semaphore
} from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import * as Tracing from "./Tracing.ts"

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

const LeasedRow = Schema.Array(
  Schema.Struct({
    id: Schema.String,
    payload: Schema.Unknown,
    attempts: Schema.Int,
    correlation: Schema.NullOr(Schema.String)
  })
)

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

  /** Takes the job that has been due longest, for as long as `leaseSeconds`. */
  const lease = Effect.fnUntraced(function* (leaseSeconds: number) {
    const rows = yield* sql`UPDATE ${table} SET attempts = attempts + 1,
        leased_until = clock_timestamp() + make_interval(secs => ${leaseSeconds}::float8)
      WHERE queue = ${queue}::text AND id = (
        SELECT id FROM ${table}
        WHERE queue = ${queue}::text AND done_at IS NULL AND failed_at IS NULL AND run_at <= clock_timestamp()
          AND (leased_until IS NULL OR leased_until < clock_timestamp())
        ORDER BY run_at LIMIT 1 FOR UPDATE SKIP LOCKED)
      RETURNING id, payload, attempts, correlation`
    const [row] = yield* Effect.orDie(Schema.decodeUnknownEffect(LeasedRow)(rows))
    return Option.fromUndefinedOr(row)
  })

  // Each settlement names the attempt: a worker whose lease ran out has no say over the next one's.
  const settle = (job: { readonly id: string; readonly attempts: number }) =>
    sql`WHERE queue = ${queue}::text AND id = ${job.id}::text AND attempts = ${job.attempts}::int
      AND done_at IS NULL AND failed_at IS NULL`

  return {
    queue,
    offer,
    offerAll,
    /** Tells the workers in this process of jobs that were put into the table by a statement of one's own. */
    announce: sql.afterCommit(wake),
    lease,
    decode,

    complete: (job: { readonly id: string; readonly attempts: number }) =>
      sql`UPDATE ${table} SET done_at = clock_timestamp(), leased_until = NULL, last_error = NULL ${settle(job)}`,

    retry: (
      job: { readonly id: string; readonly attempts: number },
      delay: Duration.Duration,
      error: string
    ) =>
      sql`UPDATE ${table} SET leased_until = NULL, last_error = ${error.slice(0, maxErrorLength)}::text,
        run_at = clock_timestamp() + make_interval(secs => ${Duration.toSeconds(delay)}::float8) ${settle(job)}`,

    fail: (job: { readonly id: string; readonly attempts: number }, error: string) =>
      sql`UPDATE ${table} SET failed_at = clock_timestamp(), leased_until = NULL,
        last_error = ${error.slice(0, maxErrorLength)}::text ${settle(job)}`,

    /** Gives a leased job back as if nothing had been tried. */
    release: (job: { readonly id: string; readonly attempts: number }) =>
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
     * Has a job done once more, whether it was done, failed for good, or is forgotten; one that waits is left as it is.
     */
    again: Effect.fn("Jobs.again")(function* (id: string, payload: A, correlation: string | null = null) {
      const json = yield* Effect.orDie(encode(payload))
      yield* sql`INSERT INTO ${table} AS job (queue, id, payload, correlation, run_at)
        VALUES (${queue}::text, ${id}::text, ${json}::json, ${correlation}::text, clock_timestamp())
        ON CONFLICT (queue, id) DO UPDATE SET done_at = NULL, failed_at = NULL, attempts = 0, leased_until = NULL,
          run_at = excluded.run_at
        WHERE job.done_at IS NOT NULL OR job.failed_at IS NOT NULL`
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

// --- workers ------------------------------------------------------------------------------------

const outcomes = Metric.counter("onsale_jobs_total", {
  description: "Attempts at jobs, by how they ended",
  incremental: true
})

export interface WorkerOptions<A, E, R> {
  readonly queue: JobQueue<A>
  readonly handle: (job: Job<A>) => Effect.Effect<void, E, R>
  /** True for an error that no repetition will cure: the job becomes a dead letter at once. */
  readonly isFinal: (error: E) => boolean
  /** Not before this has passed, where the error knows; else, and where that is longer, the pause of `backoff`. */
  readonly retryAfter?: (error: E) => Duration.Duration | undefined
  /** Jobs at the same time. */
  readonly concurrency: number
  /** How long an attempt may take; a lease lasts a quarter longer. 1 minute when left out. */
  readonly attemptLimit?: Duration.Input
  /** Attempts before a job is a dead letter. */
  readonly maxAttempts: number
  /** The pause after the first failure; it doubles with each. */
  readonly backoff: Duration.Input
  readonly maxBackoff: Duration.Input
  /** How often to look when nothing in this process tells of a job; 1 second when left out. */
  readonly pollEvery?: Duration.Input
  /** How long a stopping worker waits for what it has begun; 10 seconds when left out. */
  readonly drainFor?: Duration.Input
}

/** The pause after the `attempt`-th failure: doubling, capped, and a random half of it off. */
export const pauseAfter = (attempt: number, backoff: Duration.Input, maxBackoff: Duration.Input) =>
  Effect.map(Random.next, (random) => {
    const capMs = Duration.toMillis(Duration.fromInputUnsafe(maxBackoff))
    // 2^30 is past every cap, and below where numbers get imprecise.
    const fullMs = Duration.toMillis(Duration.fromInputUnsafe(backoff)) * 2 ** Math.min(attempt - 1, 30)
    return Duration.millis(Math.ceil(Math.min(fullMs, capMs) * (0.5 + random / 2)))
  })

/** Whoever asks us to wait longer is asked again anyway. */
const maxRetryAfter = Duration.hours(1)

/** How long the ids of jobs that are done are remembered. */
const rememberFor = Duration.days(30)

/**
 * Works on the queue for as long as the layer lives. When it ends, it takes no more jobs, waits for those
 * it has begun, and gives back what is unfinished even then.
 */
export const worker = <A, E, R>(options: WorkerOptions<A, E, R>) => {
  const { queue } = options
  const attemptLimit = Duration.fromInputUnsafe(options.attemptLimit ?? Duration.minutes(1))
  const count = (outcome: string) =>
    Metric.update(Metric.withAttributes(outcomes, { queue: queue.queue, outcome }), 1)

  const settle = Effect.fnUntraced(function* (
    job: { readonly id: string; readonly attempts: number },
    exit: Exit.Exit<void, E | Cause.TimeoutError | Schema.SchemaError>
  ) {
    if (Exit.isSuccess(exit)) {
      yield* queue.complete(job)
      return yield* count("done")
    }
    if (Cause.hasInterruptsOnly(exit.cause)) return yield* queue.release(job)
    const error = Cause.squash(exit.cause)
    const text =
      error instanceof Error && error.message !== "" ? `${error.name}: ${error.message}` : String(error)
    const typed = Option.getOrUndefined(Cause.findErrorOption(exit.cause))
    const final =
      typed !== undefined &&
      (Schema.isSchemaError(typed) || (!Cause.isTimeoutError(typed) && options.isFinal(typed)))
    if (final || job.attempts >= options.maxAttempts) {
      yield* Effect.logError(
        `job ${queue.queue} ${job.id} is given up after ${job.attempts} attempts`,
        exit.cause
      )
      yield* queue.fail(job, text)
      return yield* count("dead")
    }
    const asked =
      typed === undefined || Cause.isTimeoutError(typed) || Schema.isSchemaError(typed)
        ? undefined
        : options.retryAfter?.(typed)
    const pause = Duration.max(
      yield* pauseAfter(job.attempts, options.backoff, options.maxBackoff),
      Duration.min(asked ?? Duration.zero, maxRetryAfter)
    )
    yield* Effect.logWarning(
      `job ${queue.queue} ${job.id} failed, attempt ${job.attempts}; again in ${Duration.format(pause)}: ${text}`
    )
    yield* queue.retry(job, pause, text)
    yield* count("retried")
  })

  const run = Effect.fn("Jobs.run")(
    function* (job: (typeof LeasedRow.Type)[number]) {
      // An attempt that took the whole process down has settled nothing: without this it would be repeated for ever.
      if (job.attempts > options.maxAttempts) {
        yield* Effect.logError(`job ${queue.queue} ${job.id} is given up: its attempts end without a word`)
        yield* Effect.ignore(queue.fail(job, "the last attempts ended without a word"))
        return yield* count("dead")
      }
      const exit = yield* queue.decode(job.payload).pipe(
        Effect.flatMap((payload) =>
          options.handle({
            id: job.id,
            payload,
            attempt: job.attempts,
            correlation: Tracing.split(job.correlation).correlation ?? null
          })
        ),
        Effect.timeout(attemptLimit),
        Effect.interruptible,
        Effect.exit
      )
      yield* settle(job, exit).pipe(
        Effect.retry({
          schedule: Schedule.exponential("50 millis"),
          times: 5,
          while: (error) => error.isRetryable
        }),
        // Not settled is not lost: the lease runs out and the job is repeated.
        Effect.catchCause((cause) =>
          Effect.logError(`job ${queue.queue} ${job.id} could not be settled`, cause)
        )
      )
    },
    (effect, job) => {
      const { correlation, parent } = Tracing.split(job.correlation)
      return Effect.uninterruptible(effect).pipe(
        Tracing.continued(parent, `job ${queue.queue}`, {
          kind: "consumer",
          attributes: { "onsale.attempt": job.attempts }
        }),
        Effect.annotateLogs({
          job: job.id,
          ...(correlation === undefined ? {} : { correlationId: correlation })
        })
      )
    }
  )

  return Layer.effectDiscard(
    Effect.gen(function* () {
      const wake = yield* queue.offered
      const slots = yield* Semaphore.make(options.concurrency)
      const running = yield* FiberSet.make<void>()
      yield* Effect.addFinalizer(() =>
        Effect.asVoid(
          Effect.timeoutOption(FiberSet.awaitEmpty(running), options.drainFor ?? Duration.seconds(10))
        )
      )
      const leaseSeconds = Duration.toSeconds(attemptLimit) * 1.25
      const start = Effect.gen(function* () {
        const job = yield* Effect.onError(queue.lease(leaseSeconds), () => slots.release(1))
        if (Option.isNone(job)) {
          yield* slots.release(1)
          return false
        }
        yield* FiberSet.run(running, Effect.ensuring(run(job.value), slots.release(1)))
        return true
      })
      const step = slots.take(1).pipe(
        // A job that was leased is always begun, so that it is given back when we stop.
        Effect.andThen(Effect.uninterruptible(start)),
        Effect.flatMap((started) =>
          started
            ? Effect.void
            : Effect.asVoid(Effect.timeoutOption(PubSub.take(wake), options.pollEvery ?? Duration.seconds(1)))
        ),
        Effect.sandbox,
        Effect.tapError((cause) =>
          Cause.hasInterruptsOnly(cause)
            ? Effect.void
            : Effect.logError(`jobs ${queue.queue} cannot be taken`, cause)
        ),
        Effect.retry(
          Schedule.min([Schedule.exponential("100 millis"), Schedule.spaced("30 seconds")]).pipe(
            Schedule.jittered
          )
        )
      )
      yield* Effect.forkScoped(Effect.forever(step))
      yield* queue.prune(rememberFor).pipe(
        Effect.repeat({ while: (pruned) => pruned > 0 }),
        Effect.catchCause((cause) => Effect.logWarning(`jobs ${queue.queue} cannot be pruned`, cause)),
        Effect.repeat(Schedule.spaced("1 hour")),
        Effect.forkScoped
      )
    })
  )
}
