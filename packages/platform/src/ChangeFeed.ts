/**
 * Change feeds: supervised fibers that hear of every committed change of the rows of a publication, by whomever, also
 * by SQL past this service, and also of what was changed while nobody listened.
 *
 * A change is handled at least once: Postgres keeps it until the handler is done with it. A handler that fails is asked
 * again, together with what has come meanwhile. Of all processes that run a feed one works; the others wait until the
 * slot is free. Where Postgres could not keep all (`max_slot_wal_keep_size`), the slot is made anew, and `resync` looks
 * through everything; so it does where a table was emptied (TRUNCATE), of which the log has no rows.
 *
 * A server that does not write what is needed (`wal_level`), or does not let us, is no reason not to start, unless told
 * so: it is said once, and looked at again.
 */
import { PgClient } from "@effect/sql-pg"
import { Cause, Clock, Duration, Effect, Layer, Metric, Predicate, Queue, Schedule, Schema } from "effect"
import { SqlError } from "effect/sql"
import * as ChangeFollower from "./ChangeFollower.ts"
import * as ChangeMetrics from "./ChangeMetrics.ts"
import * as ReplicationConnection from "./ReplicationConnection.ts"
import * as ReplicationSlot from "./ReplicationSlot.ts"
import type { RowChange } from "./RowChange.ts"

/** Changes cannot be followed on this server. */
export class ChangeFeedUnavailable extends Schema.TaggedError<ChangeFeedUnavailable>()(
  "ChangeFeedUnavailable",
  { message: Schema.String }
) {}

export interface Options<E, R, E2, R2> {
  /** Of the row about the slot (`ReplicationSlot.createTable`). */
  readonly schema: string
  readonly publication: string
  /** The name of the slot is this with the number of the database. */
  readonly slotPrefix: string
  /** Whether anybody wants to know: as long as not, nothing is followed, and no slot made. */
  readonly wanted: Effect.Effect<boolean>
  /**
   * Takes over changes in their order, which can be read by now; perhaps some of them again. A part of a transaction
   * may come alone.
   */
  readonly handle: (changes: ReadonlyArray<RowChange>) => Effect.Effect<void, E, R>
  /**
   * Nobody knows what has changed: looks through everything, while changes are handled. Where it does not come to its
   * end, it is asked again with the same name, also in another process.
   */
  readonly resync: (scan: string) => Effect.Effect<void, E2, R2>
  /** Does not start where changes cannot be followed. */
  readonly required?: boolean
  /** After a change, so that those that come meanwhile share a call; 100 ms when left out. */
  readonly gatherFor?: Duration.Input
}

/** How soon a slot that is free is taken: who depends on changes wants them within 2 seconds. */
const tryEvery = Duration.millis(500)
/** It is an operator's work, and takes a restart of the server. */
const unavailableEvery = Duration.seconds(30)
const measureEvery = Duration.seconds(2)
/** After a stream that had worked. */
const reconnectAfter = Duration.millis(100)
/** Other transactions end before; one that does not keeps slots from being made. */
const makeLimit = Duration.minutes(1)
const pauses = Schedule.min([Schedule.exponential("100 millis"), Schedule.spaced("5 seconds")]).pipe(
  Schedule.jittered
)

/** What an operator has to change before a slot can be made, by SQL state. */
const refusals: ReadonlyMap<string, string> = new Map([
  ["42501", "its user may not replicate (ALTER ROLE … REPLICATION)"],
  ["53400", "it has no more replication slots (max_replication_slots)"]
])

const refusal = (error: SqlError.SqlError): string | undefined => {
  const cause = error.reason.cause
  return Predicate.hasProperty(cause, "code") && Predicate.isString(cause.code)
    ? refusals.get(cause.code)
    : undefined
}

const unavailable = (why: string) =>
  new ChangeFeedUnavailable({
    message: `changes by SQL are not followed on this database: ${why}; see docs/runbooks/changes-by-sql.md`
  })

/** The slot as it is, once it is one that can be consumed. */
const prepare = Effect.fnUntraced(function* (schema: string, slot: string, publication: string) {
  const state = yield* ReplicationSlot.look(slot, publication)
  if (!state.logical) return yield* unavailable("its wal_level is not logical")
  if (!state.published) return yield* unavailable(`it has no publication ${publication}`)
  if (state.exists && !state.lost) return state
  if (state.lost) {
    yield* Metric.update(Metric.withAttributes(ChangeMetrics.lost, { feed: publication }), 1)
    yield* Effect.logError(
      `Postgres has given up the slot ${slot}, as more of its log was unread than max_slot_wal_keep_size: looks through everything`
    )
  }
  if (state.unlimited) {
    yield* Effect.logWarning(
      `max_slot_wal_keep_size is not set: while nobody follows the slot ${slot}, the log of Postgres may fill its disk`
    )
  }
  yield* ReplicationSlot.make(schema, slot, publication).pipe(
    Effect.timeout(makeLimit),
    Effect.catchIf(SqlError.isSqlError, (error) => {
      const why = refusal(error)
      return Effect.fail(why === undefined ? error : unavailable(why))
    })
  )
  return yield* ReplicationSlot.look(slot, publication)
})

const make = Effect.fnUntraced(function* <E, R, E2, R2>(options: Options<E, R, E2, R2>) {
  const { config } = yield* PgClient.PgClient
  const { publication, schema } = options
  const url = config.url
  if (url === undefined)
    return yield* Effect.die("the change feed needs a database that is known by its address")
  const slot = yield* ReplicationSlot.nameOf(options.slotPrefix)
  const label = <A, B>(metric: Metric.Metric<A, B>) => Metric.withAttributes(metric, { feed: publication })
  const followed = (value: 0 | 1) => Metric.update(label(ChangeMetrics.followed), value)

  let oldestMs: number | null = null
  let said = ""

  /** Consumes the slot until the connection ends. */
  const lead = Effect.fnUntraced(function* (confirmedLsn: bigint) {
    const connection = yield* ReplicationConnection.open({ url, slot, publication, confirmedLsn })
    yield* followed(1)
    yield* Effect.logDebug(`follows the changes of ${publication}`)
    // One is enough, however many there are.
    const emptied = yield* Queue.sliding<void>(1)
    // Only who consumes the slot looks through everything: the others would do so at the same time.
    const lookThrough = Effect.gen(function* () {
      const { generation, scanned } = yield* ReplicationSlot.remembered(schema, slot)
      if (scanned) return yield* Queue.take(emptied)
      yield* options.resync(`${slot}:${generation}`)
      yield* ReplicationSlot.scanned(schema, slot, generation)
    }).pipe(
      Effect.sandbox,
      Effect.tapError((cause) =>
        Cause.hasInterruptsOnly(cause)
          ? Effect.void
          : Effect.logError(`looking through everything of ${publication} failed`, cause)
      ),
      Effect.retry(pauses)
    )
    yield* Effect.forkScoped(Effect.forever(lookThrough))
    return yield* ChangeFollower.follow(
      {
        name: publication,
        handle: Effect.fnUntraced(function* (changes: ReadonlyArray<RowChange>) {
          yield* options.handle(changes)
          if (!changes.some(({ kind }) => kind === "truncate")) return
          yield* ReplicationSlot.doubted(schema, slot)
          yield* Queue.offer(emptied, undefined)
        }),
        gatherFor: options.gatherFor ?? Duration.millis(100),
        onOldest: (atMs) => {
          oldestMs = atMs
        }
      },
      connection
    ).pipe(
      // It has worked: the next attempt is a first one.
      Effect.catchIf(
        (error) => error instanceof ReplicationConnection.ReplicationError,
        (error) =>
          Effect.logWarning(`the changes of ${publication} stopped coming: ${error.message}`).pipe(
            Effect.andThen(Effect.sleep(reconnectAfter))
          )
      )
    )
  }, Effect.scoped)

  const step = Effect.gen(function* () {
    if (!(yield* options.wanted)) return yield* Effect.sleep(tryEvery)
    const state = yield* prepare(schema, slot, publication)
    said = ""
    if (state.active) {
      yield* followed(1)
      return yield* Effect.sleep(tryEvery)
    }
    yield* lead(state.confirmedLsn).pipe(
      // Another process was faster, or has made it anew.
      Effect.catchIf(
        (error) => error instanceof ReplicationConnection.ReplicationError && error.reason !== "Broken",
        () => Effect.sleep(tryEvery)
      )
    )
  }).pipe(
    Effect.catchIf(
      (error) => error instanceof ChangeFeedUnavailable,
      ({ message }) =>
        Effect.gen(function* () {
          yield* followed(0)
          if (message !== said) yield* Effect.logWarning(message)
          said = message
          yield* Effect.sleep(unavailableEvery)
        })
    ),
    Effect.ensuring(
      Effect.sync(() => {
        oldestMs = null
      })
    ),
    // Defects too: a bug in a handler must not end the feed unseen.
    Effect.sandbox,
    Effect.tapError((cause) =>
      Cause.hasInterruptsOnly(cause)
        ? Effect.void
        : Effect.logError(`following the changes of ${publication} failed`, cause)
    ),
    Effect.retry(pauses)
  )

  const measure = Effect.gen(function* () {
    const { exists, lagBytes } = yield* ReplicationSlot.look(slot, publication)
    if (exists) yield* Metric.update(label(ChangeMetrics.lagBytes), lagBytes)
    if (oldestMs !== null) {
      yield* Metric.update(label(ChangeMetrics.lagMs), (yield* Clock.currentTimeMillis) - oldestMs)
    }
  }).pipe(
    Effect.catchCause((cause) => Effect.logDebug(`the lag of ${publication} is not known`, cause)),
    Effect.andThen(Effect.sleep(measureEvery))
  )

  if (options.required === true) yield* prepare(schema, slot, publication)
  yield* Effect.forkScoped(Effect.forever(step))
  yield* Effect.forkScoped(Effect.forever(measure))
})

/** Follows for as long as it lives. Fails with `ChangeFeedUnavailable` only where `required` says so. */
export const layer = <E, R, E2, R2>(options: Options<E, R, E2, R2>) => Layer.effectDiscard(make(options))
