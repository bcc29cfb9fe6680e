/**
 * What was answered to each command, as the event that was decided, for as long as an inventory remembers:
 * a repeat gets the same answer (INV-07). That a return was carried out is remembered for ever.
 */
import { type CommandId, EventId } from "@onsale/contracts/Ids"
import type { InventoryAnswer, InventoryCommand } from "@onsale/contracts/inventory/InventoryCommand"
import { InventoryEvent } from "@onsale/contracts/inventory/InventoryEvent"
import { Effect, Schema } from "effect"
import { type SqlClient, SqlSchema, type Statement } from "effect/sql"
import { answerOf, refusal } from "../InventoryAnswers.ts"
import { type CommandEvent, rememberMs } from "../InventoryState.ts"
import type { Layout } from "../Layout.ts"

const Answer = Schema.Struct({
  fp: Schema.String,
  event: Schema.NullOr(InventoryEvent),
  version: Schema.Int,
  atMs: Schema.Int,
  returned: Schema.Boolean
})

/** What is known before a command is decided. */
const Known = Schema.Struct({
  answer: Schema.NullOr(Answer),
  /** Of the seats it names, those that are not free, in rising order. */
  taken: Schema.Array(Schema.Int),
  /** A live hold has the id that it brings. */
  holdIdUsed: Schema.Boolean
})

const Question = Schema.Struct({
  eventId: EventId,
  cmd: Schema.String,
  seats: Schema.Array(Schema.Int),
  holdId: Schema.NullOr(Schema.String),
  nowMs: Schema.Int
})

/** Old answers deleted at once. */
const pruneLimit = 2_000

export const make = (sql: SqlClient.SqlClient) => {
  const find = SqlSchema.findOne({
    Request: Question,
    Result: Known,
    execute: ({ cmd, eventId, holdId, nowMs, seats }) => sql`SELECT
      (SELECT json_build_object('fp', fp, 'event', event, 'version', version, 'atMs', at_ms, 'returned', returned)
        FROM inventory.row_answer WHERE event_id = ${eventId}::uuid AND cmd = ${cmd}::text) AS answer,
      ARRAY(SELECT seat FROM inventory.row_seat WHERE event_id = ${eventId}::uuid
        AND seat = ANY (${[...seats]}::int[]) AND expires_at_ms > ${nowMs}::bigint ORDER BY seat) AS taken,
      EXISTS (SELECT FROM inventory.row_hold WHERE event_id = ${eventId}::uuid AND hold_id = ${holdId}::uuid
        AND expires_at_ms > ${nowMs}::bigint) AS "holdIdUsed"`
  })

  /** The insert, of rows `(version)`: of none where the command has an answer that still counts. */
  const insert = (
    eventId: EventId,
    event: CommandEvent,
    atMs: number,
    versions: Statement.Fragment
  ): Statement.Fragment =>
    sql`INSERT INTO inventory.row_answer AS answer (event_id, cmd, fp, event, version, at_ms, returned)
      SELECT ${eventId}::uuid, ${event.cmd}::text, ${event.fp}::text, ${JSON.stringify(event)}::json, given.version,
        ${atMs}::bigint, ${event._tag === "Returned"}::boolean
      FROM ${versions} AS given
      ON CONFLICT (event_id, cmd) DO UPDATE SET fp = excluded.fp, event = excluded.event,
        version = excluded.version, at_ms = excluded.at_ms, returned = excluded.returned
      WHERE answer.at_ms <= ${atMs - rememberMs}::bigint AND NOT answer.returned
      RETURNING cmd`

  return {
    insert,

    /**
     * The answer that was given to the command before, and, read in the same moment, what stands in its
     * way: most of those who lose are told so from here, without a transaction.
     */
    ask: Effect.fnUntraced(function* (options: {
      readonly eventId: EventId
      readonly layout: Layout
      readonly command: InventoryCommand
      readonly nowMs: number
    }) {
      const { command, eventId, layout, nowMs } = options
      const isHold = command._tag === "Hold"
      const { answer, holdIdUsed, taken } = yield* find({
        eventId,
        nowMs,
        cmd: command.commandId,
        holdId: isHold ? command.holdId : null,
        seats: isHold
          ? command.seats.filter((seat) => Number.isInteger(seat) && seat >= 0 && seat < layout.seatCount)
          : []
      }).pipe(Effect.catchTag("NoSuchElementError", Effect.die))
      return { taken, holdIdUsed, answer: recall(layout, command, answer, nowMs) }
    }),

    /** Remembers a refusal. False where the command has an answer meanwhile: that one counts. */
    refuse: (eventId: EventId, event: CommandEvent, atMs: number) =>
      Effect.map(
        sql`${insert(eventId, event, atMs, sql`(SELECT 0::bigint AS version)`)}`,
        (rows) => rows.length > 0
      ),

    /** The commands of the event that were answered after a time. */
    since: SqlSchema.findAll({
      Request: Schema.Struct({ eventId: EventId, sinceMs: Schema.Int }),
      Result: Schema.Struct({ cmd: Schema.String, atMs: Schema.Int }),
      execute: ({ eventId, sinceMs }) => sql`SELECT cmd, at_ms::float8 AS "atMs" FROM inventory.row_answer
        WHERE event_id = ${eventId}::uuid AND at_ms > ${sinceMs}::bigint`
    }),

    /** Forgets answers that are older than `rememberMs`, and says how many. */
    prune: (nowMs: number) =>
      Effect.map(
        sql`DELETE FROM inventory.row_answer AS answer
          USING (SELECT event_id, cmd FROM inventory.row_answer
            WHERE at_ms <= ${nowMs - rememberMs}::bigint AND NOT returned
            ORDER BY at_ms LIMIT ${pruneLimit}::int FOR UPDATE SKIP LOCKED) AS old
          WHERE answer.event_id = old.event_id AND answer.cmd = old.cmd RETURNING answer.cmd`,
        (rows) => rows.length
      )
  }
}

const recall = (
  layout: Layout,
  command: { readonly commandId: CommandId; readonly fingerprint: string },
  seen: typeof Answer.Type | null,
  nowMs: number
): InventoryAnswer | undefined => {
  if (seen === null) return undefined
  if (seen.atMs <= nowMs - rememberMs) {
    return seen.returned ? { _tag: "Returned", version: seen.version } : undefined
  }
  if (seen.fp !== command.fingerprint) return refusal("key_reused")
  // Of a return that was read out of a journal from long ago, only the fact is known.
  if (seen.event === null || !("cmd" in seen.event)) return { _tag: "Returned", version: seen.version }
  return answerOf(layout, seen.event, seen.version)
}
