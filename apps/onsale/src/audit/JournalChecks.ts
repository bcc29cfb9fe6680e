/** INV-09: journals without gaps, and followers that have read them. */
import { origin } from "@onsale/platform/Journal"
import * as Relay from "@onsale/platform/Relay"
import { Effect, Schema } from "effect"
import { SqlClient, SqlSchema } from "effect/sql"
import { graceMs } from "./CrossChecks.ts"
import type { Found } from "./Found.ts"

const journals = ["catalog", "inventory", "booking", "payments", "notifications"] as const

/** Who follows whom: the projections and relays that this build runs. A cursor of any other is left over. */
const followers: ReadonlyArray<{
  readonly schema: (typeof journals)[number]
  readonly name: string
  readonly follows: (typeof journals)[number]
  /** Where it has no cursor it has nothing to do. */
  readonly onlyWithCursor?: boolean
  /**
   * It runs at some levels only, and elsewhere its cursor stands still without harm: what it does when it runs again is
   * only to forget copies.
   */
  readonly mayRest?: boolean
  /** Its cursor is the one of the generation that serves. */
  readonly isReadModel?: boolean
}> = [
  { schema: "booking", name: "payment-news", follows: "payments" },
  { schema: "booking", name: "cancelled-events", follows: "catalog" },
  { schema: "notifications", name: "catalog", follows: "catalog" },
  { schema: "notifications", name: "booking", follows: "booking" },
  { schema: "notifications", name: "webhooks-catalog", follows: "catalog", onlyWithCursor: true },
  { schema: "notifications", name: "webhooks-booking", follows: "booking", onlyWithCursor: true },
  { schema: "catalog", name: "search", follows: "catalog", onlyWithCursor: true },
  // Where a cache is shared: L1, and wherever there is a Redis for it.
  { schema: "catalog", name: "shared_cache", follows: "catalog", onlyWithCursor: true, mayRest: true },
  // Without a generation that serves, its source answers.
  ...(
    [
      ["catalog", "event-pages"],
      ["booking", "customer-orders"],
      ["booking", "sales"],
      ["inventory", "availability"]
    ] as const
  ).map(([schema, name]) => ({ schema, name, follows: schema, onlyWithCursor: true, isReadModel: true })),
  // The relays of the contexts, which have a cursor once there was a bus to tell.
  ...(["catalog", "inventory", "booking", "payments"] as const).map((schema) => ({
    schema,
    name: Relay.ofContext.name,
    follows: schema,
    onlyWithCursor: true
  }))
]

export interface JournalFacts {
  readonly found: ReadonlyArray<Found>
  /** Rows of all journals. */
  readonly rows: number
  /** Of the follower that is furthest behind, in milliseconds. */
  readonly lagMs: number
}

const Gaps = Schema.Struct({ stream: Schema.String, rows: Schema.Int, last: Schema.Int })
const Total = Schema.Struct({ rows: Schema.Int })
const Behind = Schema.Struct({
  exists: Schema.Boolean,
  known: Schema.Boolean,
  unseen: Schema.Int,
  overdue: Schema.Int,
  lagMs: Schema.Finite
})
const Cursor = Schema.Struct({ schema: Schema.String, name: Schema.String })
const Dead = Schema.Struct({ queue: Schema.String, jobs: Schema.Int })

export const run = Effect.fn("JournalChecks.run")(function* (nowMs: number) {
  const sql = yield* SqlClient.SqlClient
  const now = sql`to_timestamp(${nowMs}::float8 / 1000)`
  const overdueAt = sql`to_timestamp(${nowMs - graceMs}::float8 / 1000)`
  const found: Array<Found> = []
  const add = (kind: Found["kind"], what: string) => found.push({ invariant: "INV-09", kind, what })
  const journalOf = (schema: string) => sql(`${schema}.journal`)
  const cursorOf = (schema: string) => sql(`${schema}.cursor`)

  let rows = 0
  for (const schema of journals) {
    const total = yield* SqlSchema.findOne({
      Request: Schema.Void,
      Result: Total,
      execute: () => sql`SELECT count(*)::int AS rows FROM ${journalOf(schema)}`
    })()
    rows += total.rows
    // The inventory's own audit counts its versions.
    if (schema === "inventory") continue
    const gaps = yield* SqlSchema.findAll({
      Request: Schema.Void,
      Result: Gaps,
      execute: () => sql`SELECT stream::text AS stream, count(*)::int AS rows, max(version)::int AS last
        FROM ${journalOf(schema)} GROUP BY stream HAVING count(*) <> max(version) ORDER BY stream LIMIT 1000`
    })()
    for (const { last, rows, stream } of gaps) {
      add("breach", `stream ${stream} of ${schema}.journal has ${rows} rows up to version ${last}`)
    }
  }

  let lagMs = 0
  for (const {
    follows,
    isReadModel = false,
    mayRest = false,
    name,
    onlyWithCursor = false,
    schema
  } of followers) {
    const own = isReadModel
      ? sql`SELECT txid, position FROM ${sql(`${schema}.read_model`)} WHERE name = ${name} AND serving`
      : sql`SELECT txid, position FROM ${cursorOf(schema)} WHERE name = ${name}`
    const behind = yield* SqlSchema.findOne({
      Request: Schema.Void,
      Result: Behind,
      execute: () => sql`WITH own AS (${own})
        SELECT EXISTS (SELECT 1 FROM own) AS exists,
          NOT EXISTS (SELECT 1 FROM own WHERE position <> ${origin.position}::text::bigint) OR EXISTS (
            SELECT 1 FROM ${journalOf(follows)} j JOIN own ON (j.txid, j.position) = (own.txid, own.position)) AS known,
          count(j.stream)::int AS unseen, count(j.stream) FILTER (WHERE j.at < ${overdueAt})::int AS overdue,
          greatest(0, coalesce(extract(epoch FROM ${now} - min(j.at)) * 1000, 0))::float8 AS "lagMs"
        FROM ${journalOf(follows)} j LEFT JOIN own ON true
        WHERE own.txid IS NULL OR (j.txid, j.position) > (own.txid, own.position)`
    })()
    const who = `${schema}.${name}, which follows the ${follows} journal,`
    if (onlyWithCursor && !behind.exists) continue
    const rests = mayRest && behind.overdue > 0
    if (!rests) lagMs = Math.max(lagMs, behind.lagMs)
    if (!behind.known) add("breach", `${who} stands at a row that the journal does not have`)
    if (rests) {
      add(
        "note",
        `${who} has ${behind.unseen} rows to go, and rests where no cache is shared; where one is, it is stuck`
      )
    } else if (behind.overdue > 0) {
      add(
        "breach",
        `${who} ${behind.exists ? "has not seen" : "has no cursor, and has not seen"} ${behind.unseen} rows, the oldest for ${Math.round(behind.lagMs / 1000)} s (they are read once the service runs)`
      )
    } else if (behind.unseen > 0) {
      add("in progress", `${who} has ${behind.unseen} rows to go, ${Math.round(behind.lagMs)} ms behind`)
    }
  }

  for (const schema of journals) {
    const cursors = yield* SqlSchema.findAll({
      Request: Schema.Void,
      Result: Cursor,
      execute: () => sql`SELECT ${schema}::text AS schema, name FROM ${cursorOf(schema)} ORDER BY name`
    })()
    for (const { name } of cursors) {
      if (followers.some((follower) => follower.schema === schema && follower.name === name)) continue
      add("note", `${schema}.${name} has a cursor, and nothing of this version follows by it`)
    }
  }

  const dead = yield* SqlSchema.findAll({
    Request: Schema.Void,
    Result: Dead,
    execute: () =>
      sql`SELECT queue, count(*)::int AS jobs FROM notifications.jobs WHERE failed_at IS NOT NULL GROUP BY queue`
  })()
  for (const { jobs, queue } of dead)
    add("note", `${jobs} jobs of ${queue} failed for good and wait for an operator`)

  const facts: JournalFacts = { found, rows, lagMs }
  return facts
})
