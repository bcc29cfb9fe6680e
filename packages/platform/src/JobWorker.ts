/** Works on a queue of `Jobs`: as many at a time as it may, with pauses, a last attempt, and an end that leaves nothing half done. */
import {
  Cause,
  Clock,
  Duration,
  Effect,
  Exit,
  FiberSet,
  Layer,
  Metric,
  Option,
  PubSub,
  Schedule,
  Schema,
  Semaphore
} from "effect"
import { pauseAfter } from "./Backoff.ts"
import type * as Jobs from "./Jobs.ts"
import * as Tracing from "./Tracing.ts"

const outcomes = Metric.counter("onsale_jobs_total", {
  description: "Attempts at jobs, by how they ended",
  incremental: true
})

export interface WorkerOptions<A, E, R> {
  readonly queue: Jobs.JobQueue<A>
  readonly handle: (job: Jobs.Job<A>) => Effect.Effect<void, E, R>
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
  /**
   * From one look to the next where nothing fills the worker: what comes meanwhile, and what is done, shares a statement.
   * The first job after a rest is taken at once. No time when left out.
   */
  readonly gatherFor?: Duration.Input
  /** How long a stopping worker waits for what it has begun; 10 seconds when left out. */
  readonly drainFor?: Duration.Input
}

/** Whoever asks us to wait longer is asked again anyway. */
const maxRetryAfter = Duration.hours(1)

/** Jobs that are taken at a time: those that come later belong to whoever is free then. */
const maxLeased = 16

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

  const half = Math.ceil(options.concurrency / 2)
  const gatherMs = Duration.toMillis(Duration.fromInputUnsafe(options.gatherFor ?? Duration.zero))

  /** Of an attempt that did not succeed. */
  const settle = Effect.fnUntraced(function* (
    job: Jobs.LeasedJob,
    exit: Exit.Failure<void, E | Cause.TimeoutError | Schema.SchemaError>
  ) {
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
    function* (job: Jobs.LeasedJob, done: Array<Jobs.Attempt>) {
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
      if (Exit.isSuccess(exit)) {
        done.push({ id: job.id, lease: job.lease })
        return yield* count("done")
      }
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
      let lookedMs = Number.NEGATIVE_INFINITY
      /** Settled with the next lease: a process that dies before it has them repeated, as one that dies before it says so. */
      const done: Array<Jobs.Attempt> = []
      const leaseSeconds = Duration.toSeconds(attemptLimit) * 1.25
      const lease = (places: number) =>
        Effect.suspend(() => {
          const settled = done.splice(0)
          return Effect.onError(queue.lease(leaseSeconds, places, settled), () =>
            Effect.sync(() => done.push(...settled))
          )
        })
      yield* Effect.addFinalizer(() =>
        Effect.suspend(() => (done.length === 0 ? Effect.void : lease(0))).pipe(
          Effect.retry({
            schedule: Schedule.exponential("50 millis"),
            times: 5,
            while: (error) => error.isRetryable
          }),
          Effect.catchCause((cause) =>
            Effect.logError(`jobs ${queue.queue} that were done could not be settled`, cause)
          )
        )
      )
      const running = yield* FiberSet.make<void>()
      yield* Effect.addFinalizer(() =>
        Effect.asVoid(
          Effect.timeoutOption(FiberSet.awaitEmpty(running), options.drainFor ?? Duration.seconds(10))
        )
      )
      /** One place is taken; the others that are free are, too: a statement takes as many jobs as can be begun. */
      const start = Effect.gen(function* () {
        let places = 1
        while (places < maxLeased && (yield* slots.takeIfAvailable(1))) places++
        lookedMs = yield* Clock.currentTimeMillis
        const jobs = yield* Effect.onError(lease(places), () => slots.release(places))
        if (jobs.length < places) yield* slots.release(places - jobs.length)
        const ended = Effect.andThen(slots.release(1), queue.announce)
        for (const job of jobs) yield* FiberSet.run(running, Effect.ensuring(run(job, done), ended))
        return jobs.length === places
      })

      /** What is left of the time from one look to the next. */
      const rest = Effect.map(Clock.currentTimeMillis, (now) =>
        // A clock that is set back must not make a rest of it.
        Duration.millis(Math.max(0, Math.min(gatherMs, lookedMs + gatherMs - now)))
      )
      /** There is more to do than places were free: others come free meanwhile. */
      const gatherPlaces = Effect.flatMap(rest, (time) =>
        Duration.isZero(time)
          ? Effect.void
          : Effect.asVoid(Effect.timeoutOption(slots.withPermits(half)(Effect.void), time))
      )
      const gatherJobs = Effect.timeoutOption(
        PubSub.take(wake),
        options.pollEvery ?? Duration.seconds(1)
      ).pipe(
        Effect.andThen(rest),
        Effect.flatMap((time) => (Duration.isZero(time) ? Effect.void : Effect.sleep(time)))
      )
      const step = slots.take(1).pipe(
        // A job that was leased is always begun, so that it is given back when we stop.
        Effect.andThen(Effect.uninterruptible(start)),
        Effect.flatMap((isFull) => (isFull ? gatherPlaces : gatherJobs)),
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
