/**
 * What this process knows of each event whose inventory is rows: its layout, compiled, and how many of its
 * commands are under way.
 */
import { EventId } from "@onsale/contracts/Ids"
import { InventoryUnavailable } from "@onsale/contracts/inventory/InventoryClient"
import { SaleLayout } from "@onsale/contracts/inventory/SaleLayout"
import { Cache, Duration, Effect, Exit, Option, Schema, Semaphore } from "effect"
import { SqlClient, SqlSchema } from "effect/sql"
import { InventoryStore } from "../InventoryStore.ts"
import * as Layout from "../Layout.ts"
import { rebuild } from "./RowRebuild.ts"

/** Events whose layout is kept in memory: a megabyte or so each. */
const capacity = 500
/**
 * Commands of one event that may be in a transaction at once. Its commits follow one another anyway; a
 * crowd at one event must not take all connections from the others.
 */
const atOnce = 4
/** And that may wait for it. */
const waitingLimit = 2_048

export interface EventRows {
  readonly layout: Layout.Layout
  /** Runs what needs a transaction of this event when its turn comes; fails at once where too many wait. */
  readonly inTurn: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E | InventoryUnavailable, R>
  /** One after another: who chooses the best seats at the same time as others chooses the same seats. */
  readonly alone: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
}

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
    let layout: Layout.Layout
    if (head.version === head.newest && head.layout !== null) {
      layout = Layout.compile(head.layoutVersion, head.layout)
    } else {
      const state = yield* store.load(eventId)
      if (state === null) return null
      yield* rebuild(sql, eventId, state)
      layout = state.layout
    }
    const turns = Semaphore.makeUnsafe(atOnce)
    const single = Semaphore.makeUnsafe(1)
    let waiting = 0
    const entry: EventRows = {
      layout,
      inTurn: <A, E, R>(effect: Effect.Effect<A, E, R>) =>
        Effect.suspend((): Effect.Effect<A, E | InventoryUnavailable, R> => {
          if (waiting >= waitingLimit) {
            return Effect.fail(new InventoryUnavailable({ reason: "overloaded", retryAfterMs: 1_000 }))
          }
          waiting++
          return turns
            .withPermits(1)(effect)
            .pipe(
              Effect.ensuring(
                Effect.sync(() => {
                  waiting--
                })
              )
            )
        }),
      alone: single.withPermits(1)
    }
    return entry
  })

  // Others wait for it too: who asked first may go away, the load goes on.
  const entries = yield* Cache.makeWith((eventId: EventId) => Effect.uninterruptible(load(eventId)), {
    capacity,
    // An event that is not on sale may be at any time; and a failure is no knowledge.
    timeToLive: (exit) => (Exit.isSuccess(exit) && exit.value !== null ? Duration.infinity : Duration.zero)
  })

  return {
    /** Null for an event whose sale was never opened. */
    get: (eventId: EventId) => Cache.get(entries, eventId),
    /** To be called when it was found that what is known is old. */
    forget: (eventId: EventId) => Cache.invalidate(entries, eventId)
  }
})

export type RowEvents = Effect.Success<typeof make>
