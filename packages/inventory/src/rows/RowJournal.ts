/**
 * The journal of an event whose inventory is rows: the same facts in the same table as an entity writes, so
 * that projections, audit and notifications know no difference, and so that an event may go from one level
 * to another. The key `(stream, version)` is the fence here too: rows that stand for an older version than
 * the journal's newest cannot append.
 *
 * Versions come from the event's row in `row_head`, which is the last thing that a transaction locks, after
 * it has won its seats: losers never touch it. The cost: the commits of one event follow one another, each
 * waiting for the one before to reach the disk, so an event has no more holds a second than the disk has
 * flushes. That is what a batch in one row (L3) does away with; different events do not wait for each other.
 *
 * A transaction that takes its version last may have an older transaction id than the one before it, and
 * followers read by transaction id. So `row_head` keeps the newest id of the event, and a row is written
 * with the newer of that and its own.
 */
import type { EventId } from "@onsale/contracts/Ids"
import type { InventoryEvent } from "@onsale/contracts/inventory/InventoryEvent"
import { Effect, Schema } from "effect"
import type { SqlClient, SqlError, Statement } from "effect/sql"
import type { CommandEvent } from "../InventoryState.ts"
import type { make as makeAnswers } from "./RowAnswers.ts"

/**
 * The layout was replaced, the journal went on without these rows, or the same command was answered
 * meanwhile: nothing is written, and everything is to be read again.
 */
export class Outrun extends Schema.TaggedError<Outrun>()("Outrun", {}) {}

/** A hold with this id is there already. */
export class HoldIdUsed extends Schema.TaggedError<HoldIdUsed>()("HoldIdUsed", {}) {}

const constraintOf = (error: SqlError.SqlError): string | undefined =>
  error.reason._tag === "UniqueViolation" ? error.reason.constraint : undefined

export const make = (sql: SqlClient.SqlClient, answers: ReturnType<typeof makeAnswers>) => ({
  /**
   * Appends what was decided, with its answer where it answers a command, and answers the version. The
   * last statement of a transaction. `also` are statements that are carried out with it.
   */
  append: (options: {
    readonly eventId: EventId
    /** The version of the layout by which it was decided. */
    readonly layout: number
    readonly atMs: number
    readonly event: CommandEvent | Extract<InventoryEvent, { readonly _tag: "Expired" }>
    readonly also: ReadonlyArray<Statement.Fragment>
  }): Effect.Effect<number, Outrun | HoldIdUsed | SqlError.SqlError> => {
    const { also, atMs, event, eventId, layout } = options
    const withs = [
      sql`head AS (UPDATE inventory.row_head SET version = version + 1, txid = greatest(txid, pg_current_xact_id())
        WHERE event_id = ${eventId}::uuid AND layout = ${layout}::int RETURNING version, txid)`,
      ...also.map((write, i) => sql`${sql.literal(`also${i}`)} AS (${write})`),
      ...("cmd" in event ? [sql`answered AS (${answers.insert(eventId, event, atMs, sql`head`)})`] : [])
    ]
    const from = "cmd" in event ? sql`head CROSS JOIN answered` : sql`head`
    return sql<{ readonly version: number }>`WITH ${sql.csv(withs)}
      INSERT INTO inventory.journal (stream, version, at, txid, events)
      SELECT ${eventId}::uuid, head.version, to_timestamp(${atMs}::float8 / 1000), head.txid,
        ${JSON.stringify([event])}::json
      FROM ${from} RETURNING version::int4 AS version`.pipe(
      Effect.catchTag("SqlError", (error): Effect.Effect<never, Outrun | HoldIdUsed | SqlError.SqlError> => {
        const constraint = constraintOf(error)
        return constraint === "journal_pkey"
          ? Effect.fail(new Outrun())
          : constraint === "row_hold_pkey"
            ? Effect.fail(new HoldIdUsed())
            : Effect.fail(error)
      }),
      Effect.flatMap(([row]) => (row === undefined ? Effect.fail(new Outrun()) : Effect.succeed(row.version)))
    )
  }
})
