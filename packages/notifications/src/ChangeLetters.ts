/**
 * What somebody has yet to hear of the changes of an event. One that was changed again before they heard of it is told
 * with the newest change, in one letter: as they know the event, and as it is now.
 */
import { EventFacts } from "@onsale/contracts/catalog/CatalogEvent"
import type { Notice } from "@onsale/contracts/notifications/Notice"
import { Effect, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { settled } from "./SettledSql.ts"

const Row = Schema.Struct({
  /** There is a newer change, whose letter tells of this one as well. */
  isOld: Schema.Boolean,
  /** The event before the first of the changes that they have not heard of; null where none is on record. */
  before: Schema.NullOr(Schema.toCodecJson(EventFacts))
})
const decode = Schema.decodeUnknownEffect(Schema.Tuple([Row]))

export const make = Effect.map(SqlClient.SqlClient, (sql) => ({
  /** For whoever was there since then (milliseconds since 1970): they are told of every later change that is on record. */
  of: Effect.fn("ChangeLetters.of")(function* (
    { change, eventId, holder, orderId }: Extract<Notice, { readonly _tag: "EventChanged" }>,
    sinceMs: number
  ) {
    const theirs = sql`c.event_id = ${eventId}::uuid AND c.at > to_timestamp(${sinceMs}::float8 / 1000)`
    const rows = yield* sql`SELECT
        EXISTS (SELECT 1 FROM notifications.event_changes c WHERE ${theirs} AND c.change > ${change}::int) AS "isOld",
        (SELECT c.before FROM notifications.event_changes c WHERE ${theirs} AND c.change <= ${change}::int
          AND c.change > coalesce((SELECT max((m.notice ->> 'change')::int) FROM notifications.messages m
            WHERE m.order_id = ${orderId}::uuid AND m.sent_at IS NOT NULL AND m.notice ->> '_tag' = 'EventChanged'
              AND m.notice ->> 'holder' IS NOT DISTINCT FROM ${holder ?? null}::text
              AND (m.notice ->> 'change')::int < ${change}::int), 0)
          ORDER BY c.change LIMIT 1) AS before`
    return (yield* decode(rows))[0]
  }, settled)
}))
