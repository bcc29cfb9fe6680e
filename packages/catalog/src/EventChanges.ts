/**
 * Changes of what people are told of a published event. Each is one transaction under the lock of the event (see
 * `SaleChanges`): its row, its next revision, and an `EventChanged` with all facts in the journal where they are other
 * than those that it told last. SQL changes rows and tells nothing: the next change of an event tells of that, too.
 */
import type { EventCancelled, EventInvalid, EventNotFound } from "@onsale/contracts/catalog/CatalogErrors"
import { EventNotPublished } from "@onsale/contracts/catalog/CatalogErrors"
import { EventFacts } from "@onsale/contracts/catalog/CatalogEvent"
import type { EventChange } from "@onsale/contracts/catalog/EventChange"
import type { EventId } from "@onsale/contracts/Ids"
import { Context, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { instant } from "./CatalogSql.ts"
import * as EventPerformers from "./EventPerformers.ts"
import { toFacts } from "./EventView.ts"
import * as PublishedChange from "./PublishedChange.ts"
import { SaleChanges } from "./SaleChanges.ts"
import type { StoredEvent } from "./StoredEvent.ts"

const Told = Schema.Array(Schema.Struct({ facts: Schema.toCodecJson(EventFacts) }))
const isSame = Schema.toEquivalence(EventFacts)

const samePerformers = (
  a: PublishedChange.Changeable["performers"],
  b: PublishedChange.Changeable["performers"]
): boolean =>
  a.length === b.length &&
  a.every(({ description, name }, i) => name === b[i]?.name && description === b[i].description)

export class EventChanges extends Context.Service<
  EventChanges,
  {
    /** Of two changes at the same time one comes after the other, and what the first has set stays. */
    readonly change: (
      eventId: EventId,
      change: EventChange
    ) => Effect.Effect<void, EventNotFound | EventNotPublished | EventCancelled | EventInvalid>
  }
>()("@onsale/catalog/EventChanges") {
  static readonly layer = Layer.effect(
    EventChanges,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const changes = yield* SaleChanges
      const insertPerformers = EventPerformers.insert(sql)
      const decodeTold = Schema.decodeUnknownEffect(Told)

      /** Undefined of an event that SQL has put there. */
      const lastTold = Effect.fnUntraced(function* (eventId: EventId) {
        const rows = yield* sql`SELECT event.value -> 'facts' AS facts
          FROM catalog.journal j, json_array_elements(j.events) AS event
          WHERE j.stream = ${eventId}::uuid AND event.value -> 'facts' IS NOT NULL
          ORDER BY j.version DESC LIMIT 1`
        return (yield* decodeTold(rows))[0]?.facts
      })

      /** Only what is other: whatever was set by SQL keeps its microseconds. Answers whether anything is. */
      const store = Effect.fnUntraced(function* (
        { id, ...before }: StoredEvent,
        next: PublishedChange.Changeable,
        atMs: number
      ) {
        const columns = [
          ...(next.name === before.name ? [] : [sql`name = ${next.name}::text`]),
          ...(next.description === before.description ? [] : [sql`description = ${next.description}::text`]),
          ...(next.startsAtMs === before.startsAtMs
            ? []
            : [sql`starts_at = ${instant(sql, next.startsAtMs)}`]),
          ...(next.saleEndsAtMs === before.saleEndsAtMs
            ? []
            : [sql`sale_ends_at = ${instant(sql, next.saleEndsAtMs)}`])
        ]
        if (columns.length > 0)
          yield* sql`UPDATE catalog.events SET ${sql.csv(columns)} WHERE id = ${id}::uuid`
        if (samePerformers(before.performers, next.performers)) return columns.length > 0
        yield* sql`DELETE FROM catalog.event_performers WHERE event_id = ${id}::uuid`
        yield* insertPerformers(id, next.performers, atMs)
        return true
      })

      return EventChanges.of({
        change: Effect.fn("EventChanges.change")((eventId: EventId, change: EventChange) =>
          changes.change(
            eventId,
            Effect.fnUntraced(function* (event, atMs) {
              if (event.state === "draft") return yield* new EventNotPublished({ eventId })
              const next = yield* Effect.fromResult(PublishedChange.check(event, change, atMs))
              const told = yield* lastTold(eventId)
              const facts = toFacts({ ...event, ...next })
              const isOther = yield* store(event, next, atMs)
              // The end of its sale, say, is no fact that people are told.
              return told !== undefined && isSame(told, facts) ? isOther : facts
            })
          )
        )
      })
    })
  )
}
