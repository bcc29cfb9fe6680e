/** What this process knows of each event whose inventory is rows: its layout, compiled. */
import { EventId } from "@onsale/contracts/Ids"
import { SaleLayout } from "@onsale/contracts/inventory/SaleLayout"
import { Cache, Duration, Effect, Exit, Option, Schema } from "effect"
import { SqlClient, SqlSchema } from "effect/sql"
import { InventoryStore } from "../InventoryStore.ts"
import * as Layout from "../Layout.ts"
import { rebuild } from "./RowRebuild.ts"

/** Events whose layout is kept in memory: a megabyte or so each. */
const capacity = 500

const Head = Schema.Struct({
  version: Schema.Int,
  layoutVersion: Schema.Int,
  layout: Schema.NullOr(SaleLayout),
  newest: Schema.Int
})

export const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const store = yield* InventoryStore

  const find = SqlSchema.findOneOption({
    Request: EventId,
    Result: Head,
    execute: (eventId) => sql`SELECT coalesce(head.version, 0)::int4 AS version,
        coalesce(head.layout, 0) AS "layoutVersion", layout.layout, newest.version::int4 AS newest
      FROM (SELECT coalesce(max(version), 0) AS version FROM inventory.journal WHERE stream = ${eventId}::uuid)
        AS newest
      LEFT JOIN inventory.row_head AS head ON head.event_id = ${eventId}::uuid
      LEFT JOIN inventory.layout AS layout ON layout.event_id = head.event_id AND layout.version = head.layout`
  })

  const load = Effect.fn("RowEvents.load")(function* (eventId: EventId) {
    const head = Option.getOrUndefined(yield* Effect.catchTag(find(eventId), "SchemaError", Effect.die))
    if (head === undefined || head.newest === 0) return null
    if (head.version === head.newest && head.layout !== null)
      return Layout.compile(head.layoutVersion, head.layout)
    const state = yield* store.load(eventId)
    if (state === null) return null
    yield* rebuild(sql, eventId, state)
    return state.layout
  })

  // Others wait for it too: who asked first may go away, the load goes on.
  const layouts = yield* Cache.makeWith((eventId: EventId) => Effect.uninterruptible(load(eventId)), {
    capacity,
    // An event that is not on sale may be at any time; and a failure is no knowledge.
    timeToLive: (exit) => (Exit.isSuccess(exit) && exit.value !== null ? Duration.infinity : Duration.zero)
  })

  return {
    /** The layout that is sold by; null for an event whose sale was never opened. */
    layout: (eventId: EventId) => Cache.get(layouts, eventId),
    /** What this process has written itself: to read a layout of 100,000 seats takes a second. */
    learn: (eventId: EventId, layout: Layout.Layout) => Cache.set(layouts, eventId, layout),
    /** To be called when it was found that what is known is old. */
    forget: (eventId: EventId) => Cache.invalidate(layouts, eventId)
  }
})

export type RowEvents = Effect.Success<typeof make>
