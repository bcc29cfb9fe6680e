/** The sale of an event opened, or its layout replaced, on rows. */
import type { EventId } from "@onsale/contracts/Ids"
import { LayoutRefused } from "@onsale/contracts/inventory/InventoryClient"
import { SaleLayout } from "@onsale/contracts/inventory/SaleLayout"
import type { InventoryEvent } from "@onsale/contracts/inventory/InventoryEvent"
import type { Journal } from "@onsale/platform/Journal"
import { Effect, Schema } from "effect"
import type { SqlClient } from "effect/sql"
import { relayout, relayoutProblem } from "../InventoryState.ts"
import * as Layout from "../Layout.ts"
import { lockHead, Outrun, outrunOnConflict, timeAfter } from "./RowBatch.ts"
import { ensureHead } from "./RowRebuild.ts"
import * as RowView from "./RowView.ts"

const sameLayout = Schema.toEquivalence(SaleLayout)

/** True where the layout changes nothing: it is the one in force, or an older one that has come late. */
export const isKnown = (inForce: SaleLayout, next: SaleLayout): boolean =>
  sameLayout(inForce, next) || (next.revision ?? 0) < (inForce.revision ?? 0)

export const make = (sql: SqlClient.SqlClient, journal: Pick<Journal<InventoryEvent>, "announce">) => {
  const view = RowView.make(sql)
  const encode = Schema.encodeEffect(Schema.fromJsonString(SaleLayout))

  /** What of the layout in force stands against the next one; else what counts against the next one's quotas. */
  const fit = Effect.fnUntraced(function* (
    eventId: EventId,
    before: Layout.Layout,
    next: Layout.Layout,
    nowMs: number
  ) {
    const seen = yield* view(eventId, nowMs)
    if (seen === undefined || seen.newest !== seen.version) return yield* new Outrun()
    const state = RowView.stateOf(before, seen, nowMs)
    const problem = relayoutProblem(state, next)
    if (problem !== undefined) return yield* new LayoutRefused({ problem })
    relayout(state, next)
    return state.counts.quotaTaken.map((taken, quota) => ({ quota, taken }))
  })

  /**
   * Writes `source` as the layout behind `before`, null for the first one, and answers it compiled. Fails with `Outrun` where somebody
   * else has written one meanwhile.
   */
  return Effect.fnUntraced(function* (eventId: EventId, before: Layout.Layout | null, source: SaleLayout) {
    const version = (before?.version ?? 0) + 1
    const next = yield* Effect.try({
      try: () => Layout.compile(version, source),
      catch: (cause) => new LayoutRefused({ problem: String(cause) })
    })
    const json = yield* Effect.orDie(encode(source))
    const write = Effect.gen(function* () {
      yield* ensureHead(sql, eventId)
      // Who commits before this is seen below, who commits after it finds another layout and begins anew.
      const head = yield* lockHead(sql, eventId)
      if (head === undefined || head.layout !== version - 1) return yield* new Outrun()
      const nowMs = yield* timeAfter(head.atMs)
      const quotas = before === null ? [] : yield* fit(eventId, before, next, nowMs)
      yield* sql`DELETE FROM inventory.row_quota WHERE event_id = ${eventId}::uuid`
      yield* sql`INSERT INTO inventory.row_quota (event_id, quota, taken)
        SELECT ${eventId}::uuid, * FROM json_to_recordset(${JSON.stringify(quotas)}::json) AS new (quota int, taken int)`
      // An area that is sold nothing of may be another one now, or none; the others have room, as was asked.
      yield* sql`DELETE FROM inventory.row_area WHERE event_id = ${eventId}::uuid AND held = 0 AND sold = 0`
      const capacities = source.areas.map(({ capacity }) => capacity)
      yield* sql`UPDATE inventory.row_area AS counter SET capacity = new.capacity
        FROM unnest(${capacities}::int[]) WITH ORDINALITY AS new (capacity, number)
        WHERE counter.event_id = ${eventId}::uuid AND counter.area = new.number - 1`
      yield* sql`INSERT INTO inventory.layout (event_id, version, layout)
        VALUES (${eventId}::uuid, ${version}::int, ${json}::json)`
      yield* sql`WITH head AS (UPDATE inventory.row_head SET version = version + 1, layout = ${version}::int,
          txid = greatest(txid, pg_current_xact_id()), at_ms = ${nowMs}::bigint
        WHERE event_id = ${eventId}::uuid RETURNING version, txid)
        INSERT INTO inventory.journal (stream, version, at, txid, events)
        SELECT ${eventId}::uuid, head.version, to_timestamp(${nowMs}::float8 / 1000), head.txid,
          ${JSON.stringify([{ _tag: "Opened", layout: version }])}::json FROM head`
      yield* journal.announce
    })
    yield* outrunOnConflict(sql.withTransaction(write))
    return next
  })
}
