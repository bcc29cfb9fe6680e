/**
 * The events that are to come, the next first: what is shown of a catalogue before anything was typed. Work is bounded,
 * however many there are: the first ones are read in the order of an index, and nothing is counted behind them.
 */
import { EventId } from "@onsale/contracts/Ids"
import { Cache, Clock, Duration, Effect, Exit, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { instant, settled } from "../CatalogSql.ts"

/** Those beyond are neither counted nor shown. */
const most = 1_000
/** Those that were cancelled stand among them; so many more are looked at. */
const lookedAt = 2 * most
/** The same for everybody, and fresh enough: what is new shows within this time. */
const keptFor = Duration.seconds(1)

const decodeIds = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ id: EventId })))
const decodeDescriptions = Schema.decodeUnknownEffect(
  Schema.Array(Schema.Struct({ id: EventId, description: Schema.String }))
)

export const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  const next = Effect.fn("UpcomingEvents.next")(function* () {
    const nowMs = yield* Clock.currentTimeMillis
    const rows = yield* sql`SELECT id::text AS id FROM (
        SELECT id, state, starts_at FROM catalog.events WHERE state <> 'draft' AND starts_at > ${instant(sql, nowMs)}
        ORDER BY starts_at, id LIMIT ${lookedAt}::int) AS soonest
      WHERE state = 'published' ORDER BY starts_at, soonest.id LIMIT ${most}::int`
    return (yield* decodeIds(rows)).map(({ id }) => id)
  }, settled)
  const first = yield* Cache.makeWith((_: "events") => next(), {
    capacity: 1,
    timeToLive: (exit) => (Exit.isSuccess(exit) ? keptFor : Duration.zero)
  })

  return {
    /** Some of them, and how many there are: 1,000 at the most. */
    page: (offset: number, limit: number) =>
      Effect.map(Cache.get(first, "events"), (ids) => ({
        ids: ids.slice(offset, offset + limit),
        total: ids.length
      })),

    /** By the id of the event. */
    descriptions: Effect.fn("UpcomingEvents.descriptions")(function* (ids: ReadonlyArray<EventId>) {
      const rows =
        yield* sql`SELECT id::text AS id, description FROM catalog.events WHERE id = ANY(${ids}::uuid[])`
      return new Map((yield* decodeDescriptions(rows)).map(({ description, id }) => [id, description]))
    }, settled)
  }
})
