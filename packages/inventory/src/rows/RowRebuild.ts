/**
 * Makes the rows of an event from its journal, where that has gone on without them: an entity had the event
 * (another level), or the rows were lost. The journal is the truth, the rows stand for it.
 */
import type { EventId } from "@onsale/contracts/Ids"
import { Effect } from "effect"
import type { SqlClient } from "effect/sql"
import { rememberMs, type State } from "../InventoryState.ts"
import { Outrun } from "./RowBatch.ts"
import { type Changes, changesOf } from "./RowChanges.ts"
import { nothing } from "./RowPart.ts"
import * as RowWrites from "./RowWrites.ts"

/** Rows of a kind written by one statement. */
const chunk = 5_000

/** The tables that are made from the journal, beside the head. */
const tables = [
  "row_hold",
  "row_seat",
  "row_area",
  "row_area_sale",
  "row_answer",
  "row_quota",
  "row_customer",
  "row_voucher",
  "row_buyer"
] as const

/** In parts of a size that a statement takes. */
const partsOf = (changes: Changes): ReadonlyArray<Changes> => {
  const longest = Math.max(...Object.values(changes).map((rows: ReadonlyArray<unknown>) => rows.length))
  return Array.from({ length: Math.ceil(longest / chunk) }, (_, i) => {
    const part = <Row>(rows: ReadonlyArray<Row>) => rows.slice(i * chunk, (i + 1) * chunk)
    return {
      claimed: part(changes.claimed),
      moved: part(changes.moved),
      holds: part(changes.holds),
      ended: part(changes.ended),
      areas: part(changes.areas),
      quotas: part(changes.quotas),
      places: part(changes.places),
      buyers: part(changes.buyers),
      customers: part(changes.customers),
      vouchers: part(changes.vouchers)
    }
  })
}

/** The head of the event, there and locked until the transaction ends. */
export const ensureHead = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, eventId: EventId) {
  yield* sql`INSERT INTO inventory.row_head (event_id, version, layout, txid, at_ms)
    VALUES (${eventId}::uuid, 0, 0, '0'::xid8, 0) ON CONFLICT DO NOTHING`
  yield* sql`SELECT version FROM inventory.row_head WHERE event_id = ${eventId}::uuid FOR UPDATE`
})

/** Fails with `Outrun` where the journal goes on even now. */
export const rebuild = Effect.fn("RowRebuild.rebuild")(function* (
  sql: SqlClient.SqlClient,
  eventId: EventId,
  state: State
) {
  const writes = RowWrites.make(sql)
  const write = Effect.gen(function* () {
    // Whoever is about to write rows of this event finds that he was outrun.
    yield* ensureHead(sql, eventId)
    const moved = yield* sql`UPDATE inventory.row_head SET version = newest.version, txid = newest.txid,
        layout = ${state.layout.version}::int, at_ms = ${state.atMs}::bigint
      FROM (SELECT version, txid FROM inventory.journal WHERE stream = ${eventId}::uuid
        ORDER BY version DESC LIMIT 1) AS newest
      WHERE event_id = ${eventId}::uuid AND newest.version = ${state.version}::int RETURNING event_id`
    if (moved.length === 0) return yield* new Outrun()
    for (const table of tables) {
      yield* sql`DELETE FROM ${sql(`inventory.${table}`)} WHERE event_id = ${eventId}::uuid`
    }
    // The seats of holds whose time is over are free, swept or not.
    const seats = Array.from({ length: state.layout.seatCount }, (_, seat) => seat)
    const { rows } = changesOf(nothing, state, state.atMs, [], seats)
    yield* Effect.forEach(partsOf(rows), (part) => writes.rows(eventId, state.atMs, part), { discard: true })
    yield* sql`INSERT INTO inventory.row_answer (event_id, cmd, version, at_ms, place, returned)
      SELECT DISTINCT ON (event.value ->> 'cmd') ${eventId}::uuid, event.value ->> 'cmd', row.version,
        round(extract(epoch FROM row.at) * 1000)::bigint, event.ordinality - 1, event.value ->> '_tag' = 'Returned'
      FROM inventory.journal AS row, json_array_elements(row.events) WITH ORDINALITY AS event
      WHERE row.stream = ${eventId}::uuid AND event.value ->> 'cmd' IS NOT NULL
        AND row.at > to_timestamp(${state.atMs - rememberMs}::float8 / 1000)
      ORDER BY event.value ->> 'cmd', row.version DESC, event.ordinality DESC`
    // Returns are remembered for ever; of those from before, nobody remembers more than that they were.
    const returns = Array.from(state.returns)
    for (let i = 0; i < returns.length; i += chunk) {
      yield* sql`INSERT INTO inventory.row_answer (event_id, cmd, version, at_ms, place, returned)
        SELECT ${eventId}::uuid, cmd, 0, 0, 0, true FROM unnest(${returns.slice(i, i + chunk)}::text[]) AS old (cmd)
        ON CONFLICT (event_id, cmd) DO UPDATE SET returned = true`
    }
  })
  yield* sql.withTransaction(write)
  yield* Effect.logInfo(`the inventory of event ${eventId} was made from its journal, up to ${state.version}`)
})
