/**
 * What happens to the events of one partition between a broker and a handler: a lane for each stream, in which
 * an event waits until the one before it is settled. The same for every event bus.
 */
import { Cause, Duration, Effect, Exit, FiberSet, Metric, Option, Schedule, Semaphore } from "effect"
import type { CloudEvent } from "./CloudEvent.ts"
import type { ConsumeOptions, EventBusError } from "./EventBus.ts"
import type { EventAges } from "./EventAges.ts"
import * as EventBusMetrics from "./EventBusMetrics.ts"
import { pauseAfter } from "./Backoff.ts"
import * as Tracing from "./Tracing.ts"

export interface Message {
  readonly event: CloudEvent
  /** Attempts before this delivery that are known of; more than 0 where a consumer died with it. */
  readonly earlier: number
  readonly replayed: boolean
  /** It is for another group, and counts as handled. */
  readonly skip?: boolean
}

/** How a partition tells its broker. Both are tried until they succeed. */
export interface Settle<M extends Message> {
  /** Runs before each attempt; one that does not return begins none. */
  readonly beginning?: (message: M) => Effect.Effect<void, EventBusError>
  readonly handled: (message: M) => Effect.Effect<void, EventBusError>
  /** Makes it a dead letter and settles it, in one step. */
  readonly dead: (message: M, attempts: number, error: string) => Effect.Effect<void, EventBusError>
}

const defaults = {
  concurrency: 8,
  maxAttempts: 8,
  backoff: Duration.millis(200),
  maxBackoff: Duration.seconds(10),
  attemptLimit: Duration.minutes(1),
  inFlight: 128
}

/** Enough of an error to know it by. */
const maxErrorLength = 2000

const textOf = (error: unknown) =>
  (error instanceof Error && error.message !== "" ? `${error.name}: ${error.message}` : String(error)).slice(
    0,
    maxErrorLength
  )

/** One for each consumer: what its partitions share. */
export const makeSlots = <E, R>(options: ConsumeOptions<E, R>) =>
  Semaphore.make(options.concurrency ?? defaults.concurrency)

/** One for each partition, in the scope of its ownership. */
export const make = Effect.fnUntraced(function* <M extends Message, E, R>(
  topic: string,
  options: ConsumeOptions<E, R>,
  slots: Semaphore.Semaphore,
  ages: EventAges,
  settle: Settle<M>
) {
  const { group } = options
  const types = options.types === undefined ? undefined : new Set(options.types)
  const maxAttempts = options.maxAttempts ?? defaults.maxAttempts
  const room = yield* Semaphore.make(options.inFlight ?? defaults.inFlight)
  const lanes = new Map<string, Array<M>>()
  const running = yield* FiberSet.make<void>()
  const isWanted = ({ event, skip }: M) => skip !== true && (types === undefined || types.has(event.type))
  /** In a lane they are in order. One that is replayed is as old as it is, and not late. */
  yield* ages.watch(function* () {
    for (const lane of lanes.values()) {
      const first = lane.find((message) => isWanted(message) && !message.replayed)
      if (first !== undefined) yield first.event
    }
  })
  const count = (outcome: string) =>
    Metric.update(Metric.withAttributes(EventBusMetrics.handled, { topic, group, outcome }), 1)
  // Else the first one is not an increase, to those who watch.
  yield* Metric.update(Metric.withAttributes(EventBusMetrics.handled, { topic, group, outcome: "dead" }), 0)

  // The broker is away: the event stays where it is, and so does its stream.
  const insist = <A>(effect: Effect.Effect<A, EventBusError>) =>
    effect.pipe(
      Effect.tapError((error) =>
        Effect.logDebug(`bus ${topic}: ${group} cannot settle an event yet: ${error.message}`)
      ),
      Effect.retry(
        Schedule.min([Schedule.exponential("50 millis"), Schedule.spaced("2 seconds")]).pipe(
          Schedule.jittered
        )
      ),
      Effect.orDie
    )

  const bury = Effect.fnUntraced(function* (message: M, attempts: number, error: string) {
    const { id, subject, type } = message.event
    yield* Effect.logError(
      `bus ${topic}: ${group} gives up ${type} ${id} of ${subject} after ${attempts} attempts: ${error}`
    )
    yield* insist(settle.dead(message, attempts, error))
    yield* count("dead")
  })

  const attempt = (message: M, attempt: number) =>
    options
      .handle({ event: message.event, attempt, replayed: message.replayed })
      .pipe(Effect.timeout(options.attemptLimit ?? defaults.attemptLimit), slots.withPermit, Effect.exit)

  const work = Effect.fn("EventBus.handle")(function* (message: M) {
    if (!isWanted(message)) return yield* insist(settle.handled(message))
    // It has taken its consumers down with it: without this it would do so for ever.
    if (message.earlier >= maxAttempts) {
      return yield* bury(message, message.earlier, "the last attempts ended without a word")
    }
    for (let n = message.earlier + 1; ; n++) {
      if (settle.beginning !== undefined) yield* insist(settle.beginning(message))
      const exit = yield* attempt(message, n)
      if (Exit.isSuccess(exit)) {
        yield* insist(settle.handled(message))
        if (!message.replayed) yield* ages.handled(message.event)
        return yield* count("done")
      }
      const typed = Option.getOrUndefined(Cause.findErrorOption(exit.cause))
      const final =
        typed !== undefined && !Cause.isTimeoutError(typed) && (options.isFinal?.(typed as E) ?? false)
      const text = textOf(Cause.squash(exit.cause))
      if (final || n >= maxAttempts) return yield* bury(message, n, text)
      const pause = yield* pauseAfter(
        n,
        options.backoff ?? defaults.backoff,
        options.maxBackoff ?? defaults.maxBackoff
      )
      yield* count("retried")
      yield* Effect.logWarning(
        `bus ${topic}: ${group} failed at ${message.event.type} ${message.event.id}, attempt ${n}; again in ${Duration.format(pause)}: ${text}`
      )
      yield* Effect.sleep(pause)
    }
  })

  const drain = Effect.fnUntraced(function* (subject: string, lane: Array<M>) {
    for (let message = lane[0]; message !== undefined; message = lane[0]) {
      const { correlationid, traceparent, type } = message.event
      yield* work(message).pipe(
        Tracing.continued(Tracing.parse(traceparent), `${group} ${type}`, { kind: "consumer" }),
        Effect.annotateLogs(correlationid === undefined ? {} : { correlationId: correlationid })
      )
      lane.shift()
      yield* room.release(1)
    }
    lanes.delete(subject)
  })

  /** Puts an event into its lane; waits while the partition has as many in flight as it may. */
  return Effect.fnUntraced(function* (message: M) {
    yield* room.take(1)
    const { subject } = message.event
    const lane = lanes.get(subject)
    if (lane !== undefined) {
      lane.push(message)
      return
    }
    const made = [message]
    lanes.set(subject, made)
    yield* FiberSet.run(running, drain(subject, made))
  })
})
