/**
 * Makes the rows of an event from its journal, where that has gone on without them: an entity had the event
 * (another level), or the rows were lost. The journal is the truth, the rows stand for it.
 */
import type { CommandId, EventId } from "@onsale/contracts/Ids"
import { Effect } from "effect"
import type { SqlClient } from "effect/sql"
import type { State } from "../InventoryState.ts"
import { columnsOf } from "./RowHolds.ts"
import { Outrun } from "./RowJournal.ts"
import { neverMs } from "./RowSeats.ts"

/** Rows written by one statement. */
const chunk = 5_000

const chunks = <A>(rows: ReadonlyArray<A>): ReadonlyArray<ReadonlyArray<A>> =>
  Array.from({ length: Math.ceil(rows.length / chunk) }, (_, i) => rows.slice(i * chunk, (i + 1) * chunk))

/** Fails with `Outrun` where the journal goes on even now. */
export const rebuild = Effect.fn("RowRebuild.rebuild")(function* (
  sql: SqlClient.SqlClient,
  eventId: EventId,
  state: State
) {
  const write = Effect.gen(function* () {
    yield* sql`INSERT INTO inventory.row_head (event_id, version, layout, txid)
      VALUES (${eventId}::uuid, 0, 0, '0'::xid8) ON CONFLICT DO NOTHING`
    // Whoever is writing rows of this event now finds that he was outrun.
    yield* sql`SELECT version FROM inventory.row_head WHERE event_id = ${eventId}::uuid FOR UPDATE`
    const moved = yield* sql`UPDATE inventory.row_head SET version = newest.version, txid = newest.txid,
        layout = ${state.layout.version}::int
      FROM (SELECT version, txid FROM inventory.journal WHERE stream = ${eventId}::uuid
        ORDER BY version DESC LIMIT 1) AS newest
      WHERE event_id = ${eventId}::uuid AND newest.version = ${state.version}::int RETURNING event_id`
    if (moved.length === 0) return yield* new Outrun()
    for (const table of ["row_hold", "row_seat", "row_area", "row_area_sale", "row_answer"]) {
      yield* sql`DELETE FROM ${sql(`inventory.${table}`)} WHERE event_id = ${eventId}::uuid`
    }
    yield* Effect.forEach(
      chunks(holdsOf(state)),
      (rows) =>
        sql`INSERT INTO inventory.row_hold (event_id, hold_id, seats, areas, quantities, expires_at_ms,
          own_expiry_ms, cap_ms, order_id, frozen_once)
        SELECT ${eventId}::uuid, * FROM json_to_recordset(${JSON.stringify(rows)}::json) AS hold (id uuid,
          seats int[], areas int[], quantities int[], "expiresAtMs" bigint, "ownExpiryMs" bigint,
          "capMs" bigint, "order" uuid, "frozenOnce" boolean)`
    )
    yield* Effect.forEach(
      chunks(seatsOf(state)),
      (rows) =>
        sql`INSERT INTO inventory.row_seat (event_id, seat, hold_id, cmd, order_id, expires_at_ms)
        SELECT ${eventId}::uuid, * FROM json_to_recordset(${JSON.stringify(rows)}::json) AS claim (seat int,
          "hold" uuid, cmd text, "order" uuid, "expiresAtMs" bigint)`
    )
    yield* sql`INSERT INTO inventory.row_area (event_id, area, capacity, held, sold)
      SELECT ${eventId}::uuid, * FROM json_to_recordset(${JSON.stringify(areasOf(state))}::json) AS counter
        (area int, capacity int, held int, sold int)`
    yield* Effect.forEach(
      chunks(areaSalesOf(state)),
      (rows) =>
        sql`INSERT INTO inventory.row_area_sale (event_id, area, order_id, quantity)
        SELECT ${eventId}::uuid, * FROM json_to_recordset(${JSON.stringify(rows)}::json) AS sale (area int,
          "order" uuid, quantity int)`
    )
    yield* Effect.forEach(
      chunks(answersOf(state)),
      (rows) =>
        sql`INSERT INTO inventory.row_answer (event_id, cmd, fp, event, version, at_ms, returned)
        SELECT ${eventId}::uuid, * FROM json_to_recordset(${JSON.stringify(rows)}::json) AS answer (cmd text,
          fp text, event json, version bigint, "atMs" bigint, returned boolean)`
    )
  })
  yield* sql.withTransaction(write)
  yield* Effect.logInfo(`the inventory of event ${eventId} was made from its journal, up to ${state.version}`)
})

const holdsOf = (state: State) =>
  Array.from(
    state.holds.values(),
    ({ areas, capMs, expiresAtMs, frozenOnce, id, order, ownExpiryMs, seats }) => ({
      id,
      seats,
      ...columnsOf(areas),
      expiresAtMs,
      ownExpiryMs,
      capMs,
      order,
      frozenOnce
    })
  )

const seatsOf = (state: State) => {
  const commands = new Map<string, CommandId>()
  for (const { event } of state.answers.values()) {
    if (event._tag === "Held") commands.set(event.hold, event.cmd)
  }
  const rows: Array<{
    seat: number
    hold: string | null
    cmd: string | null
    order: string | null
    expiresAtMs: number
  }> = []
  for (let seat = 0; seat < state.layout.seatCount; seat++) {
    const order = state.sold[seat]
    const hold = state.owner[seat]
    if (order !== undefined) rows.push({ seat, hold: null, cmd: null, order, expiresAtMs: neverMs })
    else if (hold !== undefined) {
      const { expiresAtMs, id } = hold
      rows.push({ seat, hold: id, cmd: commands.get(id) ?? null, order: null, expiresAtMs })
    }
  }
  return rows
}

const areasOf = (state: State) =>
  state.layout.source.areas.map(({ capacity }, area) => ({
    area,
    capacity,
    held: state.areaHeld[area]!,
    sold: state.areaSold[area]!.total
  }))

const areaSalesOf = (state: State) =>
  state.areaSold.flatMap(({ byOrder }, area) =>
    Array.from(byOrder, ([order, quantity]) => ({ area, order, quantity }))
  )

const answersOf = (state: State) => {
  const given: ReadonlyMap<string, unknown> = state.answers
  return [
    ...Array.from(state.answers, ([cmd, { atMs, event, version }]) => ({
      cmd,
      fp: event.fp,
      event,
      version,
      atMs,
      returned: event._tag === "Returned"
    })),
    ...Array.from(state.returns)
      .filter((cmd) => !given.has(cmd))
      .map((cmd) => ({ cmd, fp: "", event: null, version: state.version, atMs: 0, returned: true }))
  ]
}
