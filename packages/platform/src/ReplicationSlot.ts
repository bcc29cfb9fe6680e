/**
 * A replication slot: what a Postgres keeps of its log for one consumer of changes, wherever that is.
 *
 * A slot begins where it was made. What happened before, or while an invalidated one was not replaced yet, it does not
 * tell: a row beside it says whether everything was looked through since.
 */
import { Effect, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { parseLsn } from "./ReplicationConnection.ts"

const Looked = Schema.Tuple([
  Schema.Struct({
    walLevel: Schema.String,
    keepsMb: Schema.Finite,
    exists: Schema.Boolean,
    active: Schema.Boolean,
    walStatus: Schema.NullOr(Schema.String),
    confirmedLsn: Schema.NullOr(Schema.String),
    lagBytes: Schema.NullOr(Schema.Finite),
    published: Schema.Boolean
  })
])

export interface SlotState {
  /** The server writes into its log what a consumer of changes needs. */
  readonly logical: boolean
  /** The publication is there. */
  readonly published: boolean
  /** The server keeps any amount of log for a slot: its disk may fill. */
  readonly unlimited: boolean
  readonly exists: boolean
  /** Somebody consumes it. */
  readonly active: boolean
  /** The server has thrown away log that was not consumed yet: the slot is of no use any more. */
  readonly lost: boolean
  readonly confirmedLsn: bigint
  /** Of the log, behind what was confirmed; most of it may be of tables that are not published. */
  readonly lagBytes: number
}

const Named = Schema.Tuple([Schema.Struct({ name: Schema.String })])

/** One per database: slots are named server-wide, databases by anything. */
export const nameOf = Effect.fnUntraced(function* (prefix: string) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql`SELECT ${prefix}::text || '_' || oid AS name FROM pg_database
    WHERE datname = current_database()`
  return (yield* Schema.decodeUnknownEffect(Named)(rows))[0].name
})

export const look = Effect.fnUntraced(function* (slot: string, publication: string) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql`SELECT current_setting('wal_level') AS "walLevel",
      (SELECT setting::float8 FROM pg_settings WHERE name = 'max_slot_wal_keep_size') AS "keepsMb",
      slot_name IS NOT NULL AS exists, coalesce(active, false) AS active, wal_status AS "walStatus",
      confirmed_flush_lsn::text AS "confirmedLsn",
      pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn)::float8 AS "lagBytes",
      EXISTS (SELECT FROM pg_publication WHERE pubname = ${publication}::text) AS published
    FROM (SELECT) AS one LEFT JOIN pg_replication_slots ON slot_name = ${slot}::text`
  const [found] = yield* Schema.decodeUnknownEffect(Looked)(rows)
  return {
    logical: found.walLevel === "logical",
    published: found.published,
    unlimited: found.keepsMb < 0,
    exists: found.exists,
    active: found.active,
    lost: found.walStatus === "lost",
    confirmedLsn: parseLsn(found.confirmedLsn ?? "0/0"),
    lagBytes: found.lagBytes ?? 0
  } satisfies SlotState
})

/** Where it is remembered what a slot has to be told of; for the migration of the schema of the consumer. */
export const createTable = Effect.fnUntraced(function* (schema: string) {
  const sql = yield* SqlClient.SqlClient
  // The generation counts why everything has to be looked through: slots that were made under the name, and what they
  // cannot tell of.
  yield* sql`CREATE TABLE ${sql.literal(`"${schema}"."change_slots"`)} (
    slot text PRIMARY KEY,
    generation int NOT NULL,
    scanned boolean NOT NULL,
    made_at timestamptz NOT NULL
  )`
})

const Remembered = Schema.Array(Schema.Struct({ generation: Schema.Int, scanned: Schema.Boolean }))

/** Which time everything has to be looked through it is, and whether that was done. */
export const remembered = Effect.fnUntraced(function* (schema: string, slot: string) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql`SELECT generation, scanned FROM ${sql.literal(`"${schema}"."change_slots"`)}
    WHERE slot = ${slot}::text`
  return (yield* Schema.decodeUnknownEffect(Remembered)(rows))[0] ?? { generation: 0, scanned: false }
})

/** Something has happened that the slot cannot tell of row by row: everything is to be looked through again. */
export const doubted = Effect.fnUntraced(function* (schema: string, slot: string) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`INSERT INTO ${sql.literal(`"${schema}"."change_slots"`)} AS known (slot, generation, scanned, made_at)
    VALUES (${slot}::text, 1, false, now())
    ON CONFLICT (slot) DO UPDATE SET generation = known.generation + 1, scanned = false`
})

/** Nothing where everything is to be looked through once more, of this slot or another one that was made meanwhile. */
export const scanned = Effect.fnUntraced(function* (schema: string, slot: string, generation: number) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`INSERT INTO ${sql.literal(`"${schema}"."change_slots"`)} AS known (slot, generation, scanned, made_at)
    VALUES (${slot}::text, ${generation}::int, true, now())
    ON CONFLICT (slot) DO UPDATE SET scanned = true WHERE known.generation = ${generation}::int`
})

/**
 * Makes the slot where there is none, and anew where it was lost. Waits for the transactions that write at the moment.
 * It needs the right to replicate.
 */
export const make = Effect.fnUntraced(function* (schema: string, slot: string, publication: string) {
  const sql = yield* SqlClient.SqlClient
  // Before the slot: should we die in between, everything is looked through once too often.
  yield* sql`INSERT INTO ${sql.literal(`"${schema}"."change_slots"`)} AS known (slot, generation, scanned, made_at)
    VALUES (${slot}::text, 1, false, now())
    ON CONFLICT (slot) DO UPDATE SET generation = known.generation + 1, scanned = false, made_at = now()`
  // Two at a time would each take the other's new slot for the lost one. It writes nothing: else no slot could be made.
  yield* sql.withTransaction(
    Effect.gen(function* () {
      yield* sql`SELECT pg_advisory_xact_lock(hashtextextended(${`slot ${slot}`}::text, 0))`
      const { exists, lost } = yield* look(slot, publication)
      if (exists && !lost) return
      if (lost) yield* sql`SELECT pg_drop_replication_slot(${slot}::text)`
      yield* sql`SELECT 1 AS made FROM pg_create_logical_replication_slot(${slot}::text, 'pgoutput')`
    })
  )
})

const Snapshot = Schema.Tuple([Schema.Struct({ next: Schema.Finite, running: Schema.Array(Schema.Finite) })])

/** Transaction ids of the stream have 32 bits, and begin again. */
const idSpace = 2 ** 32

/**
 * Whether what the transactions have committed can be read. A commit is in the log, and so in the stream, a moment
 * before anybody sees it; long before, where it waits for a synchronous standby.
 */
export const areVisible = Effect.fnUntraced(function* (xids: ReadonlySet<number>) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql`SELECT (pg_snapshot_xmax(now_seen)::text::bigint % 4294967296)::float8 AS next,
      ARRAY(SELECT (xid::text::bigint % 4294967296)::float8 FROM pg_snapshot_xip(now_seen) AS xid) AS running
    FROM pg_current_snapshot() AS now_seen`
  const [{ next, running }] = yield* Schema.decodeUnknownEffect(Snapshot)(rows)
  const isBefore = (xid: number) => (next - xid + idSpace) % idSpace <= idSpace / 2 && xid !== next
  return [...xids].every((xid) => isBefore(xid) && !running.includes(xid))
})
