/**
 * Events as the public may see them, a row each: a read model of the catalog, for lists and pages.
 *
 * A new generation is filled from the catalog's own tables, which have events too that came by SQL. Then the journal says
 * which events are others now; what they are is read from those tables, so that a row may be made again at any time. Whoever changes an event has its row made again at once (`refresh`), and reads what
 * it has written; the projection comes behind, and finds those whose process died in between.
 */
import { CatalogEvent } from "@onsale/contracts/catalog/CatalogEvent"
import { EventId } from "@onsale/contracts/Ids"
import * as Journal from "@onsale/platform/Journal"
import * as ReadModel from "@onsale/platform/ReadModel"
import { Context, Effect, Layer, Schema } from "effect"
import { SqlClient, type Statement } from "effect/sql"
import * as CatalogScan from "./CatalogScan.ts"
import { CatalogTouched } from "./CatalogTouched.ts"
import { moment, settled } from "./CatalogSql.ts"
import * as EventRow from "./EventRow.ts"
import type { ListOptions } from "./EventStore.ts"
import { ListedEvent, StoredEvent } from "./StoredEvent.ts"

const schema = "catalog"
const name = "event-pages"

const encodeRows = Schema.encodeEffect(
  Schema.fromJsonString(Schema.Array(Schema.Struct({ id: EventId, detail: Schema.toCodecJson(StoredEvent) })))
)
const Ids = Schema.Array(Schema.Struct({ id: EventId }))
const first = "00000000-0000-0000-0000-000000000000"
/** Events of a page of the seed: as many as of a batch of the journal, some hundredths of a second. */
const pageSize = 256

/** Makes the rows of these events in these generations; one that is a draft, or gone, has none. */
const write = (sql: SqlClient.SqlClient) => {
  const findAll = EventRow.findAll(sql)
  return Effect.fnUntraced(function* (eventIds: ReadonlyArray<EventId>, generations: ReadonlyArray<number>) {
    const events = (yield* findAll(eventIds)).filter(({ state }) => state !== "draft")
    const shown = new Set(events.map(({ id }) => id))
    const hidden = eventIds.filter((id) => !shown.has(id))
    if (hidden.length > 0) {
      yield* sql`DELETE FROM catalog.event_pages
        WHERE event_id = ANY(${hidden}::uuid[]) AND generation = ANY(${generations}::int[])`
    }
    if (events.length === 0) return
    const rows = yield* encodeRows(events.map((event) => ({ id: event.id, detail: event })))
    yield* sql`INSERT INTO catalog.event_pages (generation, event_id, starts_at, venue_id, listed, detail)
      SELECT generation, e.id, e.starts_at, e.venue_id, json_build_object(
          'id', e.id, 'state', e.state, 'venue', json_build_object('id', v.id, 'name', v.name, 'location', v.location),
          'name', e.name, 'atMicros', (extract(epoch FROM e.starts_at) * 1000000)::bigint,
          'startsAtMs', ${sql.literal(EventRow.millisOf("e.starts_at"))}, 'timeZone', e.time_zone,
          'onSaleAtMs', ${sql.literal(EventRow.millisOf("e.on_sale_at"))},
          'saleEndsAtMs', ${sql.literal(EventRow.millisOf("e.sale_ends_at"))},
          'currency', e.currency, 'priceFrom', e.price_from, 'priceTo', e.price_to), made.detail
      FROM json_to_recordset(${rows}::json) AS made (id uuid, detail json)
        JOIN catalog.events e ON e.id = made.id JOIN catalog.venues v ON v.id = e.venue_id,
        unnest(${generations}::int[]) AS generation
      ON CONFLICT (generation, event_id) DO UPDATE SET starts_at = excluded.starts_at,
        venue_id = excluded.venue_id, listed = excluded.listed, detail = excluded.detail`
  })
}

export const model = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const journal = yield* Journal.make({ schema, event: CatalogEvent })
  const writeRows = write(sql)
  const model: ReadModel.Model<CatalogEvent> = {
    schema,
    name,
    tables: ["event_pages"],
    journal,
    // Events that came by SQL have no row in the journal.
    seed: {
      first,
      page: Effect.fnUntraced(function* (after: string, generation: number) {
        const rows = yield* sql`SELECT id::text AS id FROM catalog.events
          WHERE id > ${after}::uuid ORDER BY events.id LIMIT ${pageSize}::int`.pipe(
          Effect.flatMap(Schema.decodeUnknownEffect(Ids))
        )
        yield* writeRows(
          rows.map(({ id }) => id),
          [generation]
        )
        return { count: rows.length, next: rows[pageSize - 1]?.id ?? null }
      })
    },
    handle: (rows, generation) =>
      writeRows(
        [...new Set(rows.map(({ stream }) => stream))].map((id) => EventId.make(id)),
        [generation]
      )
  }
  return model
})

export class EventPages extends Context.Service<
  EventPages,
  {
    /** Null where the model is not there. */
    readonly list: (options: ListOptions) => Effect.Effect<ReadonlyArray<ListedEvent> | null>
    /** Null where the model, or the event in it, is not there. */
    readonly find: (eventId: EventId) => Effect.Effect<StoredEvent | null>
    /** Makes the rows of events again from the catalog's tables. */
    readonly refresh: (eventIds: ReadonlyArray<EventId>) => Effect.Effect<void>
    /**
     * All of them, those too that the journal does not know; page after page while others write, and where it was
     * begun for the same `scan` before, from where that has come. Answers how many.
     */
    readonly refreshAll: (scan?: string) => Effect.Effect<number>
  }
>()("@onsale/catalog/EventPages") {
  static readonly layer = Layer.effect(
    EventPages,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const provide = Effect.provideService(SqlClient.SqlClient, sql)
      const readListed = ReadModel.read({ schema, name }, Schema.Struct({ listed: ListedEvent }))
      const readDetail = ReadModel.read({ schema, name }, Schema.Struct({ detail: StoredEvent }))
      const writeRows = write(sql)

      const refresh = Effect.fn("EventPages.refresh")(function* (eventIds: ReadonlyArray<EventId>) {
        const step = Effect.gen(function* () {
          const generations = yield* provide(ReadModel.lockAll({ schema, name }))
          if (generations.length > 0) yield* writeRows(eventIds, generations)
        })
        yield* sql.withTransaction(step)
      }, settled)

      return EventPages.of({
        list: Effect.fn("EventPages.list")(function* (options: ListOptions) {
          const { after, fromMs, toMs, venue } = options
          const rows = yield* readListed(
            (generation): Statement.Fragment => sql`SELECT p.listed FROM catalog.event_pages p
              WHERE ${sql.and([
                sql`p.generation = ${generation}`,
                ...(fromMs === null ? [] : [sql`p.starts_at >= to_timestamp(${fromMs}::float8 / 1000)`]),
                ...(toMs === null ? [] : [sql`p.starts_at < to_timestamp(${toMs}::float8 / 1000)`]),
                ...(venue === null ? [] : [sql`p.venue_id = ${venue}::uuid`]),
                ...(after === null
                  ? []
                  : [sql`(p.starts_at, p.event_id) > (${moment(sql, after.atMicros)}, ${after.id}::uuid)`])
              ])}
              ORDER BY p.starts_at, p.event_id LIMIT ${options.limit}::int`
          ).pipe(provide)
          return rows === null ? null : rows.map(({ listed }) => listed)
        }, settled),
        find: Effect.fn("EventPages.find")(function* (eventId: EventId) {
          const rows = yield* readDetail(
            (generation) => sql`SELECT p.detail FROM catalog.event_pages p
              WHERE p.generation = ${generation} AND p.event_id = ${eventId}::uuid`
          ).pipe(provide)
          return rows?.[0]?.detail ?? null
        }, settled),
        refresh,
        refreshAll: (scan) =>
          CatalogScan.through({
            name,
            scan,
            page: Effect.fnUntraced(function* (after: string) {
              // Each in the order of an index: also what is in the model and nowhere else.
              const ids = yield* sql`SELECT id::text AS id FROM (
                  (SELECT id FROM catalog.events WHERE id > ${after}::uuid
                    ORDER BY events.id LIMIT ${CatalogScan.pageSize}::int)
                  UNION
                  SELECT there.event_id FROM catalog.read_model m CROSS JOIN LATERAL (
                    SELECT p.event_id FROM catalog.event_pages p
                    WHERE p.generation = m.generation AND p.event_id > ${after}::uuid
                    ORDER BY p.event_id LIMIT ${CatalogScan.pageSize}::int
                  ) AS there WHERE m.name = ${name}
                ) AS each ORDER BY each.id LIMIT ${CatalogScan.pageSize}::int`.pipe(
                Effect.flatMap(Schema.decodeUnknownEffect(Ids))
              )
              return ids.map(({ id }) => id)
            }, settled),
            each: refresh
          }).pipe(provide)
      })
    })
  )

  /** Has rows made again of which somebody says that they are not as they were, also past this service. */
  static readonly layerTouched = Layer.effectDiscard(
    Effect.gen(function* () {
      const pages = yield* EventPages
      const touched = yield* CatalogTouched
      yield* touched.onTouched("event-pages", (changes) =>
        changes._tag === "Everything"
          ? Effect.asVoid(pages.refreshAll(changes.scan))
          : pages.refresh(changes.eventIds)
      )
    })
  )
}
