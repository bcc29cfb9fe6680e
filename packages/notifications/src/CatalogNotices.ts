/** Follows the catalog: keeps the newest facts of each event, and has its buyers told what changes for them. */
import { CatalogEvent, EventFacts, rowsAtATime } from "@onsale/contracts/catalog/CatalogEvent"
import * as Journal from "@onsale/platform/Journal"
import * as Projection from "@onsale/platform/Projection"
import { Clock, Duration, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { lockChanges, mattersToBuyers } from "./EventChange.ts"
import { FanOut, fanOutId, NoticeJobs } from "./NoticeJobs.ts"
import * as NoticeTimes from "./NoticeTimes.ts"

const facts = Schema.toCodecJson(EventFacts)
const encode = Schema.encodeUnknownEffect(Schema.fromJsonString(facts))
const decode = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ facts })))

export const layer = Layer.unwrap(
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const { fanOuts } = yield* NoticeJobs
    const { horizon } = yield* NoticeTimes.config
    const journal = yield* Journal.make({ schema: "catalog", event: CatalogEvent })

    /** By how much the revision is ahead of the version; null where the row does not tell. */
    const untold = (event: CatalogEvent, version: number) =>
      event.revision === undefined ? null : event.revision - version

    const keep = Effect.fnUntraced(function* (
      event: Extract<CatalogEvent, { readonly facts: EventFacts }>,
      version: number
    ) {
      const next = event.facts
      const known = yield* sql`SELECT facts FROM notifications.events WHERE event_id = ${next.eventId}::uuid`
      const before = (yield* decode(known))[0]?.facts
      yield* sql`INSERT INTO notifications.events (event_id, facts, starts_at, version, untold_revisions)
        VALUES (${next.eventId}::uuid, ${yield* encode(next)}::json, ${next.startsAt}::timestamptz, ${version}::int,
          coalesce(${untold(event, version)}::int, 0))
        ON CONFLICT (event_id) DO UPDATE SET facts = excluded.facts, starts_at = excluded.starts_at,
          version = excluded.version, updated_at = now(),
          untold_revisions = coalesce(${untold(event, version)}::int, events.untold_revisions)`
      return before
    })

    const tell = Effect.fnUntraced(function* (
      row: Journal.JournalRow<CatalogEvent>,
      before: EventFacts,
      after: EventFacts
    ) {
      if (!mattersToBuyers(before, after)) return
      const { eventId } = after
      if ((yield* Clock.currentTimeMillis) - row.atMs > Duration.toMillis(horizon)) {
        return yield* Effect.logInfo(
          `nobody is told of change ${row.version} of event ${eventId}: it is too old`
        )
      }
      yield* lockChanges
      yield* sql`INSERT INTO notifications.event_changes (event_id, change, before, at)
        VALUES (${eventId}::uuid, ${row.version}::int, ${yield* encode(before)}::json,
          to_timestamp(${row.atMs}::float8 / 1000))
        ON CONFLICT DO NOTHING`
      const fanOut = FanOut.cases.EventChanged.make({ eventId, change: row.version })
      yield* fanOuts.offer(fanOutId(fanOut), fanOut, { correlation: row.correlation })
    })

    return Projection.layer({
      schema: "notifications",
      name: "catalog",
      journal,
      batch: rowsAtATime,
      handle: Effect.fnUntraced(function* (rows) {
        for (const row of rows) {
          for (const event of row.events) {
            if (event._tag === "EventPublished") yield* keep(event, row.version)
            if (event._tag === "EventChanged") {
              const before = yield* keep(event, row.version)
              if (before !== undefined) yield* tell(row, before, event.facts)
            }
            // What has no facts is not read again by who needs the newest ones.
            if (!("facts" in event)) {
              yield* sql`UPDATE notifications.events SET version = ${row.version}::int,
                  untold_revisions = coalesce(${untold(event, row.version)}::int, untold_revisions)
                WHERE event_id = ${row.stream}::uuid`
            }
            if (event._tag === "EventCancelled") {
              yield* sql`UPDATE notifications.events SET cancelled_at = to_timestamp(${row.atMs}::float8 / 1000)
                WHERE event_id = ${event.eventId}::uuid AND cancelled_at IS NULL`
            }
          }
        }
      })
    })
  })
)
