/**
 * What somebody has yet to hear of the changes of an event. One that was changed again before they heard of it is told
 * with the newest change, in one letter: as they know the event, and as it is now.
 *
 * They may have heard of a change where no answer to its letter came, or where the process that sent it has died: they are
 * told from there on, and never that nothing has changed.
 */
import { EventFacts } from "@onsale/contracts/catalog/CatalogEvent"
import { type Notice, noticeId } from "@onsale/contracts/notifications/Notice"
import { EventId } from "@onsale/contracts/Ids"
import { Effect, Schedule, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { NoticeJobs } from "./NoticeJobs.ts"
import { settled } from "./SettledSql.ts"

/** The letter of a change before it is with a channel at the moment: nobody knows yet what its reader knows. That passes. */
export class ChangeLetterUnderWay extends Schema.TaggedError<ChangeLetterUnderWay>()("ChangeLetterUnderWay", {
  eventId: EventId
}) {
  override get message(): string {
    return `a letter about an earlier change of event ${this.eventId} is under way, the next waits for it`
  }
}

const patience = { schedule: Schedule.spaced("100 millis"), times: 5 }

const Row = Schema.Struct({
  /** There is a newer change, whose letter tells of this one as well. */
  isOld: Schema.Boolean,
  isUnderWay: Schema.Boolean,
  /** The event before the first of the changes that they have not heard of; null where none is on record. */
  before: Schema.NullOr(Schema.toCodecJson(EventFacts))
})
const decode = Schema.decodeUnknownEffect(Schema.Tuple([Row]))

type EventChanged = Extract<Notice, { readonly _tag: "EventChanged" }>

export const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const { fanOuts, notices } = yield* NoticeJobs
  return {
    /** For whoever was there since then (milliseconds since 1970): they are told of every later change that is on record. */
    of: Effect.fn("ChangeLetters.of")(
      function* (notice: EventChanged, sinceMs: number) {
        const { change, eventId, holder, orderId } = notice
        const theirs = sql`c.event_id = ${eventId}::uuid AND c.at > to_timestamp(${sinceMs}::float8 / 1000)`
        /** All that `noticeId` says before the number of the change. */
        const reader = noticeId(notice).slice(0, -String(change).length)
        const rows = yield* sql`WITH letters AS (
            SELECT (m.notice ->> 'change')::int AS change,
              m.sent_at IS NOT NULL OR tried.perhaps OR (at_it.is_open AND at_it.is_silent) AS heard,
              m.sent_at IS NULL AND m.skipped IS NULL AND NOT tried.perhaps AND at_it.is_open AND at_it.is_leased AS under_way
            FROM notifications.messages m
            CROSS JOIN LATERAL (SELECT EXISTS (SELECT 1 FROM notifications.attempts a
              WHERE a.message_id = m.id AND a.outcome IN ('sent', 'unknown')) AS perhaps) AS tried
            LEFT JOIN LATERAL (SELECT j.done_at IS NULL AND j.failed_at IS NULL AS is_open,
                -- An attempt that has said nothing: its process may have sent it and died.
                j.attempts > m.rounds AS is_silent, j.leased_until > clock_timestamp() AS is_leased
              FROM notifications.jobs j WHERE j.queue = m.channel AND j.id = m.id) AS at_it ON true
            WHERE m.order_id = ${orderId}::uuid AND m.notice ->> '_tag' = 'EventChanged' AND m.channel IS NOT NULL
              AND m.notice ->> 'holder' IS NOT DISTINCT FROM ${holder ?? null}::text
              AND (m.notice ->> 'change')::int < ${change}::int)
          SELECT
            -- Whom the newer one is told, or will be: it may pass by who had no ticket then.
            EXISTS (SELECT 1 FROM notifications.event_changes c WHERE ${theirs} AND c.change > ${change}::int
              AND (EXISTS (SELECT 1 FROM notifications.jobs j WHERE j.queue = ${notices.queue}::text
                  AND j.id = ${reader}::text || c.change)
                OR EXISTS (SELECT 1 FROM notifications.messages m WHERE m.order_id = ${orderId}::uuid
                  AND starts_with(m.id, ${reader}::text || c.change) AND (m.notice ->> 'change')::int = c.change)
                OR NOT EXISTS (SELECT 1 FROM notifications.jobs j WHERE j.queue = ${fanOuts.queue}::text
                  AND j.id = ${eventId}::text || ':event-changed:' || c.change AND j.done_at IS NOT NULL))) AS "isOld",
            EXISTS (SELECT 1 FROM letters WHERE under_way) AS "isUnderWay",
            (SELECT c.before FROM notifications.event_changes c WHERE ${theirs} AND c.change <= ${change}::int
              AND c.change > coalesce((SELECT max(change) FROM letters WHERE heard), 0)
              ORDER BY c.change LIMIT 1) AS before`.pipe(Effect.flatMap(decode), settled)
        const [{ before, isOld, isUnderWay }] = rows
        // An old one is not told in any case.
        if (isUnderWay && !isOld) return yield* new ChangeLetterUnderWay({ eventId })
        return { before, isOld }
      },
      // A letter is with its channel for a moment.
      Effect.retry(patience)
    )
  }
})
