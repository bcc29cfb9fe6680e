/** Events, their tiers and performers, in Postgres. */
import type { CatalogEvent } from "@onsale/contracts/catalog/CatalogEvent"
import { EventInvalid, EventNotDraft } from "@onsale/contracts/catalog/CatalogErrors"
import type { SeatMap } from "@onsale/contracts/catalog/SeatMap"
import { EventId, makeUuidV7, type TierId, type VenueId } from "@onsale/contracts/Ids"
import { Context, Effect, Layer, Option, Schema } from "effect"
import { SqlClient, SqlSchema } from "effect/sql"
import { CatalogJournal } from "./CatalogJournal.ts"
import { instant, moment, settled } from "./CatalogSql.ts"
import * as DraftReplacement from "./DraftReplacement.ts"
import type { EventDraft } from "./EventDraft.ts"
import * as EventPerformers from "./EventPerformers.ts"
import * as EventRow from "./EventRow.ts"
import * as ListedEventRow from "./ListedEventRow.ts"
import type { Place } from "./PageCursor.ts"
import { keptBySale } from "./SaleRows.ts"
import { ListedEvent, type StoredEvent } from "./StoredEvent.ts"

/** Between reading a draft and publishing it somebody changed it. */
class DraftChanged extends Schema.TaggedError<DraftChanged>()("DraftChanged", { eventId: EventId }) {}

export interface ListOptions {
  readonly fromMs: number | null
  readonly toMs: number | null
  readonly venue: VenueId | null
  readonly after: Place | null
  readonly limit: number
}

/** What a draft is beside what the organiser sent. */
export interface DraftPlace {
  readonly id: EventId
  readonly venueId: VenueId
  readonly seatMapVersion: number
  readonly timeZone: string
  readonly atMs: number
}

const jsonOrNull = (value: object | null): string | null => (value === null ? null : JSON.stringify(value))

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const journal = yield* CatalogJournal

  const findEvent = EventRow.find(sql)
  const insertPerformers = EventPerformers.insert(sql)
  const decodeListed = Schema.decodeUnknownEffect(Schema.Array(ListedEvent))

  /** Tiers and performers of an event that has none; a tier of a name that is known keeps its id. */
  const insertParts = Effect.fnUntraced(function* (
    id: EventId,
    draft: EventDraft,
    atMs: number,
    known: ReadonlyMap<string, TierId> = new Map()
  ) {
    const tiers = draft.tiers.map((tier, position) => ({
      id: known.get(tier.name) ?? makeUuidV7(atMs),
      position,
      ...tier
    }))
    yield* sql`INSERT INTO catalog.tiers (id, event_id, position, name, amount, categories, sale_from, sale_until,
        min_per_order, max_per_order, voucher_only)
      SELECT id, ${id}::uuid, position, name, amount, categories, to_timestamp("saleFromMs" / 1000),
        to_timestamp("saleUntilMs" / 1000), "minPerOrder", "maxPerOrder", "voucherOnly"
      FROM json_to_recordset(${JSON.stringify(tiers)}::json)
        AS tier (id uuid, position int, name text, amount bigint, categories json, "saleFromMs" float8,
          "saleUntilMs" float8, "minPerOrder" int, "maxPerOrder" int, "voucherOnly" boolean)`
    yield* insertPerformers(id, draft.performers, atMs)
  })

  const prices = (draft: EventDraft) => {
    const amounts = draft.tiers.map((tier) => tier.amount)
    return { from: Math.min(...amounts), to: Math.max(...amounts) }
  }

  const insert = Effect.fn("EventStore.insert")(function* (place: DraftPlace, draft: EventDraft) {
    const { from, to } = prices(draft)
    const write = Effect.gen(function* () {
      const inserted =
        yield* sql`INSERT INTO catalog.events (id, revision, state, venue_id, seat_map_version, name,
          description, starts_at, time_zone, on_sale_at, sale_ends_at, currency, price_from, price_to, max_per_order,
          max_per_customer, max_tickets, quotas, organiser, refund_policy, hold_ttl_ms, hold_max_ms, checkout_max_ms,
          created_at)
        VALUES (${place.id}::uuid, 1, 'draft', ${place.venueId}::uuid, ${place.seatMapVersion}::int, ${draft.name}::text,
          ${draft.description}::text, ${instant(sql, draft.startsAtMs)}, ${place.timeZone}::text, ${instant(sql, draft.onSaleAtMs)},
          ${instant(sql, draft.saleEndsAtMs)}, ${draft.currency}::text, ${from}::bigint, ${to}::bigint,
          ${draft.maxPerOrder}::int, ${draft.maxPerCustomer}::int, ${draft.maxTickets}::int,
          ${JSON.stringify(draft.quotas)}::json, ${draft.organiser}::text, ${jsonOrNull(draft.refundPolicy)}::json,
          ${draft.holdTtlMs}::int, ${draft.holdMaxMs}::int, ${draft.checkoutMaxMs}::int,
          ${instant(sql, place.atMs)})
        ON CONFLICT (id) DO NOTHING RETURNING 1 AS inserted`
      // None when a retry finds what a commit wrote whose answer was lost.
      if (inserted.length > 0) yield* insertParts(place.id, draft, place.atMs)
    })
    yield* sql.withTransaction(write)
  }, settled)

  const update = Effect.fn("EventStore.update")(function* (
    place: DraftPlace,
    draft: EventDraft,
    map: SeatMap
  ) {
    const { from, to } = prices(draft)
    const write = Effect.gen(function* () {
      yield* sql`SELECT 1 FROM catalog.events WHERE id = ${place.id}::uuid FOR UPDATE`
      const before = yield* findEvent(place.id)
      if (Option.isNone(before) || before.value.state !== "draft")
        return yield* new EventNotDraft({ eventId: place.id })
      const known = new Map(before.value.tiers.map(({ id, name }) => [name, id]))
      const kept = yield* keptBySale(sql, place.id)
      const problems = DraftReplacement.check(before.value, place, draft, map, kept)
      if (problems.length > 0) return yield* new EventInvalid({ problems })
      yield* sql`UPDATE catalog.events SET revision = revision + 1, venue_id = ${place.venueId}::uuid,
          seat_map_version = ${place.seatMapVersion}::int, name = ${draft.name}::text,
          description = ${draft.description}::text, starts_at = ${instant(sql, draft.startsAtMs)},
          time_zone = ${place.timeZone}::text, on_sale_at = ${instant(sql, draft.onSaleAtMs)},
          sale_ends_at = ${instant(sql, draft.saleEndsAtMs)}, currency = ${draft.currency}::text,
          price_from = ${from}::bigint, price_to = ${to}::bigint, max_per_order = ${draft.maxPerOrder}::int,
          max_per_customer = ${draft.maxPerCustomer}::int, max_tickets = ${draft.maxTickets}::int,
          quotas = ${JSON.stringify(draft.quotas)}::json, organiser = ${draft.organiser}::text,
          refund_policy = ${jsonOrNull(draft.refundPolicy)}::json, hold_ttl_ms = ${draft.holdTtlMs}::int,
          hold_max_ms = ${draft.holdMaxMs}::int, checkout_max_ms = ${draft.checkoutMaxMs}::int
        WHERE id = ${place.id}::uuid`
      yield* sql`DELETE FROM catalog.tiers WHERE event_id = ${place.id}::uuid`
      yield* sql`DELETE FROM catalog.event_performers WHERE event_id = ${place.id}::uuid`
      yield* insertParts(place.id, draft, place.atMs, known)
    })
    yield* sql.withTransaction(write)
  }, settled)

  const findByNumber = SqlSchema.findOneOption({
    Request: Schema.Int,
    Result: Schema.Struct({ id: EventId }),
    execute: (number) => sql`SELECT id::text AS id FROM catalog.events WHERE number = ${number}::int`
  })

  const listedEvents = ListedEventRow.select(sql)

  const list = Effect.fn("EventStore.list")(function* (options: ListOptions) {
    const { after, fromMs, toMs, venue } = options
    const rows = yield* sql`${listedEvents}
      WHERE ${sql.and([
        sql`e.state <> 'draft'`,
        ...(fromMs === null ? [] : [sql`e.starts_at >= ${instant(sql, fromMs)}`]),
        ...(toMs === null ? [] : [sql`e.starts_at < ${instant(sql, toMs)}`]),
        ...(venue === null ? [] : [sql`e.venue_id = ${venue}::uuid`]),
        ...(after === null
          ? []
          : [sql`(e.starts_at, e.id) > (${moment(sql, after.atMicros)}, ${after.id}::uuid)`])
      ])}
      ORDER BY e.starts_at, e.id LIMIT ${options.limit}::int`
    return yield* decodeListed(rows)
  }, settled)

  const publish = Effect.fn("EventStore.publish")(
    function* (event: StoredEvent, fact: CatalogEvent, atMs: number) {
      const write = Effect.gen(function* () {
        yield* journal.append({ stream: event.id, version: 1, atMs, correlation: null, events: [fact] })
        const published = yield* sql`UPDATE catalog.events
          SET state = 'published', published_at = ${instant(sql, atMs)}, opened_revision = revision
          WHERE id = ${event.id}::uuid AND state = 'draft' AND revision = ${event.revision}::int
          RETURNING 1 AS published`
        if (published.length === 0) return yield* new DraftChanged({ eventId: event.id })
      })
      yield* sql.withTransaction(write)
      return true
    },
    // Its first version is written by whoever publishes it first, also by ourselves before a retry.
    Effect.catchTag("JournalConflict", () => Effect.succeed(true)),
    Effect.catchTag("DraftChanged", () => Effect.succeed(false)),
    Effect.catchTag("UniqueBroken", Effect.die),
    settled
  )

  const findToOpen = SqlSchema.findAll({
    Request: Schema.Struct({ after: Schema.String, limit: Schema.Int }),
    Result: Schema.Struct({ id: EventId }),
    execute: ({ after, limit }) => sql`SELECT id::text AS id FROM catalog.events
      WHERE state <> 'draft' AND opened_revision < revision AND id > ${after}::uuid
      ORDER BY id LIMIT ${limit}::int`
  })

  return EventStore.of({
    insert,
    update,
    publish,
    list,
    listed: Effect.fn("EventStore.listed")(function* (ids: ReadonlyArray<EventId>) {
      return yield* decodeListed(yield* sql`${listedEvents} WHERE e.id = ANY(${ids}::uuid[])`)
    }, settled),
    opened: Effect.fn("EventStore.opened")(function* (id, revision) {
      yield* sql`UPDATE catalog.events SET opened_revision = ${revision}::int
        WHERE id = ${id}::uuid AND opened_revision < ${revision}::int`
    }, settled),
    toOpen: Effect.fn("EventStore.toOpen")(function* (after, limit) {
      return (yield* findToOpen({ after, limit })).map(({ id }) => id)
    }, settled),
    find: Effect.fn("EventStore.find")(function* (id: EventId) {
      return Option.getOrNull(yield* findEvent(id))
    }, settled),
    idByNumber: Effect.fn("EventStore.idByNumber")(function* (number: number) {
      return Option.getOrNull(Option.map(yield* findByNumber(number), ({ id }) => id))
    }, settled)
  })
})

export class EventStore extends Context.Service<
  EventStore,
  {
    /** Stores a new draft; one of this id that is there already stays as it is. */
    readonly insert: (place: DraftPlace, draft: EventDraft) => Effect.Effect<void>
    /**
     * Replaces a draft, but for its blocks and vouchers; a tier keeps its id by its name. Fails also where there
     * is no such event, and with `EventInvalid` where blocks or vouchers need what would be gone.
     */
    readonly update: (
      place: DraftPlace,
      draft: EventDraft,
      map: SeatMap
    ) => Effect.Effect<void, EventNotDraft | EventInvalid>
    /**
     * Marks a draft, whose sale was opened, as published and writes the fact into the journal, in one
     * transaction. True too
     * where it was published before; false where the draft is another than the one that was read.
     */
    readonly publish: (event: StoredEvent, fact: CatalogEvent, atMs: number) => Effect.Effect<boolean>
    readonly find: (id: EventId) => Effect.Effect<StoredEvent | null>
    readonly idByNumber: (number: number) => Effect.Effect<EventId | null>
    /** Remembers that the inventory has the layout of this revision, or a newer one. */
    readonly opened: (id: EventId, revision: number) => Effect.Effect<void>
    /**
     * Published events whose newest layout the inventory is not known to have, and cancelled ones whose sale is not
     * known to be closed: those behind an id, in their order.
     */
    readonly toOpen: (after: string, limit: number) => Effect.Effect<ReadonlyArray<EventId>>
    /** Published events, the cancelled too, in the order of their start, then of their id. */
    readonly list: (options: ListOptions) => Effect.Effect<ReadonlyArray<ListedEvent>>
    /** Those of the ids that there are, in any state and order. */
    readonly listed: (ids: ReadonlyArray<EventId>) => Effect.Effect<ReadonlyArray<ListedEvent>>
  }
>()("@onsale/catalog/EventStore") {
  static readonly layer = Layer.effect(EventStore, make)
}
