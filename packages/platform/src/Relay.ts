/**
 * Relays: supervised fibers that follow a journal and publish its rows on the event bus, in commit order.
 *
 * A relay publishes ahead of its cursor, by `window` batches at most. The cursor moves when the bus has settled
 * a batch, so every row reaches the bus at least once (INV-09), also where the process dies, or the
 * broker and all it knew (INV-10): then all behind the cursor is published again.
 *
 * Where nobody wants its topic (the bus of one process, without consumers) it reads nothing at all.
 *
 * Of all processes that run a relay of one name, one works; the others wait for its lock in Postgres. It is
 * held by a transaction that writes nothing, which therefore holds no follower of a journal back.
 */
import { Cause, Clock, Duration, Effect, Layer, Metric, PubSub, Queue, Schedule, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { CloudEvent } from "./CloudEvent.ts"
import { EventBus, EventBusError } from "./EventBus.ts"
import { whileLocked } from "./DatabaseLock.ts"
import { type Cursor, type Journal, type JournalRow, origin } from "./Journal.ts"
import * as Tracing from "./Tracing.ts"

/** Another relay of the name has moved the cursor: it leads now. */
class CursorMoved extends Schema.TaggedError<CursorMoved>()("CursorMoved", { name: Schema.String }) {}

const lag = Metric.gauge("onsale_relay_lag_ms", {
  description:
    "Age of the oldest row that the bus has not settled, or has since the last look, in milliseconds; 0 where there is none"
})

/** How often it is looked at, by a statement each. */
const lagEvery = Duration.seconds(2)

const OldestRow = Schema.Array(Schema.Struct({ atMs: Schema.Number }))

const StoredCursor = Schema.Array(Schema.Struct({ txid: Schema.String, position: Schema.String }))

export interface Options<E> {
  readonly journal: Journal<E>
  /** Of the cursor, unique among the followers of the schema of the journal. */
  readonly name: string
  readonly topic: string
  /** The `source` of the events: the context. */
  readonly source: string
  /** What a row says to others, in order; nothing where it is nobody else's business. */
  readonly describe: (row: JournalRow<E>) => ReadonlyArray<Pick<CloudEvent, "type" | "data">>
  /** Rows in one publication at the most; 256 when left out. */
  readonly batch?: number
  /** Batches that are published and not settled yet, at the most; 16 when left out. */
  readonly window?: number
  /** How often to look when nothing in this process tells of an append; 500 ms when left out. */
  readonly pollEvery?: Duration.Input
  /** After rows that did not fill a batch, so that those that come meanwhile share one; 25 ms when left out. */
  readonly gatherFor?: Duration.Input
}

/**
 * What the relays of all contexts have in common. Rows of another process are found by looking, which one
 * relay does for all followers elsewhere: it can look more often than each of them. Each publication costs a command
 * for each partition that it touches, a look at whether that is settled, and a read of it by each group, so there are
 * fewer than ten a second: who follows elsewhere is woken a tenth of a second later, and would look by himself after half
 * a second.
 */
export const ofContext = {
  name: "bus",
  pollEvery: Duration.millis(100),
  gatherFor: Duration.millis(100)
} as const

/** How soon a lock that is free is taken. */
const tryLockEvery = Duration.seconds(1)

const pauses = Schedule.min([Schedule.exponential("100 millis"), Schedule.spaced("30 seconds")]).pipe(
  Schedule.jittered
)

export const toCloudEvents = <E>(
  options: Pick<Options<E>, "source" | "describe">,
  row: JournalRow<E>
): ReadonlyArray<CloudEvent> => {
  const { correlation, parent } = Tracing.split(row.correlation)
  return options.describe(row).map(({ data, type }, index) => ({
    specversion: "1.0",
    // The same whenever it is published.
    id: `${row.stream}.${row.version}.${index}`,
    source: options.source,
    type,
    subject: row.stream,
    time: new Date(row.atMs).toISOString(),
    datacontenttype: "application/json",
    sequence: row.version,
    ...(correlation === undefined ? {} : { correlationid: correlation }),
    ...(parent === undefined ? {} : { traceparent: Tracing.format(parent) }),
    data
  }))
}

/** Publishes for as long as it leads: never ends but by an error. */
const lead = Effect.fnUntraced(function* <E>(
  options: Options<E>,
  wake: PubSub.Subscription<void>,
  settledLate: (ms: number) => void
) {
  const bus = yield* EventBus
  const sql = yield* SqlClient.SqlClient
  const { journal, name } = options
  const table = sql.literal(`"${journal.schema}"."cursor"`)
  const batch = options.batch ?? 256

  yield* sql`INSERT INTO ${table} (name, txid, position, updated_at)
    VALUES (${name}, ${origin.txid}::text::xid8, ${origin.position}::text::bigint, now()) ON CONFLICT DO NOTHING`
  const stored = yield* sql`SELECT txid::text AS txid, position::text AS position FROM ${table}
    WHERE name = ${name}`.pipe(Effect.flatMap(Schema.decodeUnknownEffect(StoredCursor)))
  const start: Cursor = stored[0] ?? origin

  const published = yield* Queue.bounded<{
    readonly last: JournalRow<E>
    /** When its oldest row was written, in milliseconds since 1970. */
    readonly sinceMs: number
    readonly settled: Effect.Effect<void, EventBusError>
  }>(options.window ?? 16)
  const { publish } = yield* bus.publisher(options.topic)

  const publishAll = Effect.gen(function* () {
    let at = start
    while (true) {
      const rows = yield* journal.readAll(at, batch)
      const last = rows[rows.length - 1]
      if (last === undefined) {
        yield* Effect.timeoutOption(PubSub.take(wake), options.pollEvery ?? Duration.millis(500))
        continue
      }
      const settled = yield* publish(rows.flatMap((row) => toCloudEvents(options, row))).pipe(
        Effect.tapError((error) =>
          error.reason === "Lost"
            ? Effect.void
            : Effect.logWarning(`relay ${journal.schema}.${name} waits for the bus: ${error.message}`)
        ),
        Effect.retry({ schedule: pauses, while: (error) => error.reason !== "Lost" })
      )
      yield* Queue.offer(published, { last, settled, sinceMs: rows[0]?.atMs ?? last.atMs })
      at = last.cursor
      if (rows.length < batch) yield* Effect.sleep(options.gatherFor ?? Duration.millis(25))
    }
  })

  const moveCursor = Effect.gen(function* () {
    let from = start
    while (true) {
      const { last, settled, sinceMs } = yield* Queue.take(published)
      // That the broker cannot be asked is no reason to publish again.
      yield* Effect.retry(settled, { schedule: pauses, while: (error) => error.reason !== "Lost" })
      const moved = yield* sql`UPDATE ${table}
        SET txid = ${last.cursor.txid}::text::xid8, position = ${last.cursor.position}::text::bigint, updated_at = now()
        WHERE name = ${name} AND txid = ${from.txid}::text::xid8 AND position = ${from.position}::text::bigint
        RETURNING name`
      if (moved.length === 0) return yield* new CursorMoved({ name })
      from = last.cursor
      settledLate((yield* Clock.currentTimeMillis) - sinceMs)
    }
  })

  return yield* Effect.raceFirst(publishAll, moveCursor)
})

/** Milliseconds since the oldest row behind the cursor was written, whoever leads, or where nobody does. */
const behindMs = Effect.fnUntraced(function* <E>({ journal, name }: Options<E>) {
  const sql = yield* SqlClient.SqlClient
  const schema = sql.literal(`"${journal.schema}"`)
  const [oldest] = yield* sql`SELECT (extract(epoch FROM row.at) * 1000)::float8 AS "atMs"
    FROM (
      SELECT txid, position FROM ${schema}."cursor" WHERE name = ${name}
      UNION ALL SELECT ${origin.txid}::text::xid8, ${origin.position}::text::bigint
      ORDER BY txid DESC, position DESC LIMIT 1
    ) AS reached
    CROSS JOIN LATERAL (
      SELECT at FROM ${schema}."journal" AS journal
      WHERE (journal.txid, journal.position) > (reached.txid, reached.position)
      ORDER BY journal.txid, journal.position LIMIT 1
    ) AS row`.pipe(Effect.flatMap(Schema.decodeUnknownEffect(OldestRow)))
  return oldest === undefined ? 0 : Math.max(0, (yield* Clock.currentTimeMillis) - oldest.atMs)
})

/**
 * Follows the journal for as long as the layer lives. A failure is told and tried again, with a growing pause of
 * at most 30 seconds. Build the consumers of this process before it: see `EventBusMemory.ts`.
 */
export const layer = <E>(options: Options<E>) =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const wake = yield* options.journal.appended
      const name = `${options.journal.schema}.${options.name}`
      const bus = yield* EventBus
      let lateMs = 0
      const settledLate = (ms: number) => {
        lateMs = Math.max(lateMs, ms)
      }
      const watch = bus.wanted(options.topic).pipe(
        Effect.flatMap((wanted) => (wanted ? behindMs(options) : Effect.succeed(0))),
        Effect.flatMap((ms) => {
          const shown = Math.max(ms, lateMs)
          lateMs = 0
          return Metric.update(Metric.withAttributes(lag, { relay: name }), shown)
        }),
        Effect.andThen(Effect.sleep(lagEvery)),
        Effect.sandbox,
        // The relay itself meets the same trouble, and says so.
        Effect.tapError((cause) => Effect.logDebug(`the lag of relay ${name} is not known`, cause)),
        Effect.retry(pauses)
      )
      const step = Effect.flatMap(bus.wanted(options.topic), (wanted) =>
        // Nobody listens: neither the journal nor a connection is needed for that.
        wanted ? whileLocked(`relay ${name}`, lead(options, wake, settledLate)) : Effect.succeed(false)
      ).pipe(
        Effect.flatMap((led) => (led ? Effect.void : Effect.sleep(tryLockEvery))),
        Effect.catchIf(
          (error) => error instanceof CursorMoved,
          () => Effect.logDebug(`relay ${name}: another process leads`)
        ),
        Effect.catchIf(
          (error) => error instanceof EventBusError && error.reason === "Lost",
          () =>
            Effect.logWarning(
              `relay ${name}: the bus may have lost events; publishes again what was not settled`
            )
        ),
        Effect.sandbox,
        Effect.tapError((cause) =>
          Cause.hasInterruptsOnly(cause) ? Effect.void : Effect.logError(`relay ${name} failed`, cause)
        ),
        Effect.retry(pauses)
      )
      yield* Effect.forkScoped(Effect.forever(step))
      yield* Effect.forkScoped(Effect.forever(watch))
    })
  )
