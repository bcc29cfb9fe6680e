/** How far the refunds of a cancelled event's orders are. */
import { Context, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { EventId } from "@onsale/contracts/Ids"

const Rows = Schema.Array(
  Schema.Struct({
    /** Milliseconds since 1970; null as long as nobody has begun, or come to the end. */
    startedAtMs: Schema.NullOr(Schema.Int),
    finishedAtMs: Schema.NullOr(Schema.Int),
    /** Paid orders all of whose tickets are refunded, and whose money is back. */
    refunded: Schema.Int,
    /** Paid orders that are not so far. */
    pending: Schema.Int,
    /** Orders that are not paid yet, or whose purchase is being undone. */
    unfinished: Schema.Int,
    /** Minor units that were paid back. */
    amount: Schema.Int
  })
)
export type Progress = (typeof Rows.Type)[number]

export class EventRefunds extends Context.Service<
  EventRefunds,
  {
    /** As the orders stand now; of an event that is not cancelled too. */
    readonly progress: (eventId: EventId) => Effect.Effect<Progress>
  }
>()("@onsale/booking/EventRefunds") {
  static readonly layer: Layer.Layer<EventRefunds, never, SqlClient.SqlClient> = Layer.effect(
    EventRefunds,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const millis = (column: string) => sql.literal(`floor(extract(epoch FROM ${column}) * 1000)::float8`)
      return EventRefunds.of({
        progress: Effect.fn("EventRefunds.progress")(function* (eventId: EventId) {
          const rows = yield* sql`WITH event_orders AS (
              SELECT status, refunded_amount, next_check_at IS NOT NULL AS open,
                status IN ('confirmed', 'partially_refunded', 'refunded') AS paid
              FROM booking.orders WHERE event_id = ${eventId}::uuid)
            SELECT ${millis("c.started_at")} AS "startedAtMs", ${millis("c.finished_at")} AS "finishedAtMs", o.*
            FROM (SELECT count(*) FILTER (WHERE status = 'refunded' AND NOT open)::int AS refunded,
                count(*) FILTER (WHERE paid AND (status <> 'refunded' OR open))::int AS pending,
                count(*) FILTER (WHERE open AND NOT paid)::int AS unfinished,
                coalesce(sum(refunded_amount) FILTER (WHERE NOT open), 0)::float8 AS amount
              FROM event_orders) AS o
            LEFT JOIN booking.cancelled_events c ON c.event_id = ${eventId}::uuid`
          const [progress] = yield* Schema.decodeUnknownEffect(Rows)(rows)
          return progress ?? (yield* Effect.die(new Error("a query of sums had no row")))
        }, Effect.orDie)
      })
    })
  )
}
