import { assert, layer } from "@effect/vitest"
import type { NewVenue } from "@onsale/contracts/catalog/Event"
import { type EventId, makeEventId, makeUuidV7, seatId, VenueId } from "@onsale/contracts/Ids"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { Catalog } from "../src/Catalog.ts"
import { CatalogJournal } from "../src/CatalogJournal.ts"
import { arena } from "../src/demo/ArenaPlan.ts"
import * as PlanOutline from "../src/PlanOutline.ts"
import { toPretix } from "../src/PretixExport.ts"
import { at, layerCatalog, OpenedSales } from "./CatalogFixture.ts"
import { newEvent, smallMap } from "./Maps.ts"

const newVenue = (more: Partial<NewVenue> = {}): NewVenue => ({
  name: "A House",
  location: "Somewhere",
  timeZone: "Europe/Vienna",
  seatMap: { format: "pretix", content: toPretix(smallMap) },
  ...more
})

const start = Date.UTC(2030, 0, 1)

const someVenue = Effect.gen(function* () {
  const catalog = yield* Catalog
  return yield* catalog.createVenue(newVenue())
})

const published = Effect.fnUntraced(function* (more: Parameters<typeof newEvent>[0] = {}) {
  const catalog = yield* Catalog
  const draft = yield* catalog.createEvent(newEvent(more))
  return yield* catalog.publish(draft.id)
})

layer(layerCatalog)("the catalog", (it) => {
  it.effect("stores a venue with its map and gives the same map back", () =>
    Effect.gen(function* () {
      const catalog = yield* Catalog
      const venue = yield* someVenue
      assert.deepInclude(venue, {
        name: "A House",
        location: "Somewhere",
        timeZone: "Europe/Vienna",
        seatMapVersion: 1
      })
      assert.deepInclude(venue.report, { seats: 7, rows: 4, areas: 1, areaCapacity: 50 })
      assert.deepStrictEqual(yield* catalog.venue(venue.id), venue)
      assert.deepStrictEqual(yield* catalog.exportVenue(venue.id), toPretix(smallMap))
    }).pipe(at(start))
  )

  it.effect("stores a map of thousands of seats", () =>
    Effect.gen(function* () {
      const catalog = yield* Catalog
      const venue = yield* catalog.createVenue(
        newVenue({ seatMap: { format: "pretix", content: toPretix(arena) } })
      )
      assert.deepStrictEqual(venue.report.seats, 8897)
      assert.deepStrictEqual(yield* catalog.exportVenue(venue.id), toPretix(arena))
    }).pipe(at(start))
  )

  it.effect("stores nothing of a plan that it refuses", () =>
    Effect.gen(function* () {
      const catalog = yield* Catalog
      const sql = yield* SqlClient.SqlClient
      const count = sql`SELECT (SELECT count(*) FROM catalog.venues)::int AS venues,
        (SELECT count(*) FROM catalog.seat_map_rows)::int AS rows`
      const before = yield* count
      const content = "section,row,seat_from,seat_to,quantity,price\nS,A,1,3,,1\nS,A,2,2,,1"
      const refusal = yield* Effect.flip(
        catalog.createVenue(newVenue({ seatMap: { format: "csv", content } }))
      )
      assert.deepStrictEqual(refusal._tag, "PlanRefused")
      assert.deepStrictEqual(
        refusal.report.problems.map(({ code, path }) => `${code} ${path}`),
        ["duplicate_seat line 3"]
      )
      assert.deepStrictEqual(yield* count, before)
    }).pipe(at(start))
  )

  it.effect("tells of venues and events that are not there", () =>
    Effect.gen(function* () {
      const catalog = yield* Catalog
      const venueId = VenueId.make(makeUuidV7(0))
      const eventId = makeEventId(0)
      assert.deepStrictEqual((yield* Effect.flip(catalog.venue(venueId)))._tag, "VenueNotFound")
      assert.deepStrictEqual(
        (yield* Effect.flip(catalog.createEvent(newEvent({ venueId }))))._tag,
        "VenueNotFound"
      )
      assert.deepStrictEqual((yield* Effect.flip(catalog.get(eventId)))._tag, "EventNotFound")
      assert.deepStrictEqual((yield* Effect.flip(catalog.publish(eventId)))._tag, "EventNotFound")
      assert.deepStrictEqual((yield* Effect.flip(catalog.eventNumber(eventId)))._tag, "EventNotFound")
      assert.isNull(yield* catalog.eventIdByNumber(0xffffff))
      assert.isNull(yield* catalog.eventIdByNumber(-1))
    }).pipe(at(start))
  )

  it.effect("keeps a draft from the public until it is published", () =>
    Effect.gen(function* () {
      const catalog = yield* Catalog
      const { id: venueId } = yield* someVenue
      const draft = yield* catalog.createEvent(newEvent({ venueId }))
      assert.deepInclude(draft, {
        name: "An Evening",
        startsAt: "2030-06-01T18:00:00.000Z",
        onSaleAt: "2030-01-01T00:00:00.000Z",
        saleEndsAt: "2030-06-01T18:00:00.000Z",
        timeZone: "Europe/Vienna",
        maxPerOrder: 10,
        status: "draft"
      })
      assert.deepStrictEqual(
        draft.performers.map(({ description, name }) => [name, description]),
        [
          ["Somebody", "Sings."],
          ["Anybody", ""]
        ]
      )
      assert.deepStrictEqual(
        draft.tiers.map(({ categories, name, price }) => [name, price.amount, price.currency, categories]),
        [
          ["Front", 4500, "EUR", ["Stalls"]],
          ["Back", 3000, "EUR", ["Circle"]]
        ]
      )
      assert.deepStrictEqual((yield* Effect.flip(catalog.get(draft.id)))._tag, "EventNotFound")
      assert.deepStrictEqual((yield* Effect.flip(catalog.seatMap(draft.id)))._tag, "EventNotFound")
      assert.deepStrictEqual(yield* catalog.getAny(draft.id), draft)
      const event = yield* catalog.publish(draft.id)
      assert.deepStrictEqual(event, { ...draft, status: "on_sale" })
      assert.deepStrictEqual(yield* catalog.get(draft.id), event)
    }).pipe(at(start))
  )

  it.effect("tells everything that is wrong with an event", () =>
    Effect.gen(function* () {
      const catalog = yield* Catalog
      const { id: venueId } = yield* someVenue
      const tiers = [{ name: "x", price: { amount: 1, currency: "EUR" }, categories: ["Nowhere"] }]
      const invalid = yield* Effect.flip(
        catalog.createEvent(newEvent({ venueId, tiers, saleEndsAt: "2029-01-01T00:00:00Z" }))
      )
      assert.deepStrictEqual(
        invalid._tag === "EventInvalid" ? invalid.problems.map(({ path }) => path) : [],
        ["/saleEndsAt", "/tiers/0/categories/0"]
      )
    }).pipe(at(start))
  )

  it.effect("opens the sale, then tells the journal, once", () =>
    Effect.gen(function* () {
      const catalog = yield* Catalog
      const journal = yield* CatalogJournal
      const sales = yield* OpenedSales
      const { id: venueId } = yield* someVenue
      const draft = yield* catalog.createEvent(newEvent({ venueId }))
      sales.failures = 1
      assert.deepStrictEqual((yield* Effect.flip(catalog.publish(draft.id)))._tag, "InventoryUnavailable")
      assert.deepStrictEqual((yield* catalog.getAny(draft.id)).status, "draft")
      const events = yield* Effect.all(
        [catalog.publish(draft.id), catalog.publish(draft.id), catalog.publish(draft.id)],
        {
          concurrency: 3
        }
      )
      assert.deepStrictEqual(new Set(events.map(({ status }) => status)), new Set(["on_sale"] as const))
      yield* catalog.publish(draft.id)
      const rows = yield* journal.read(draft.id, 1, 10)
      assert.deepStrictEqual(rows.length, 1)
      assert.deepStrictEqual(rows[0]!.events, [
        {
          _tag: "EventPublished",
          facts: {
            eventId: draft.id,
            name: "An Evening",
            description: "With music.",
            startsAt: "2030-06-01T18:00:00.000Z",
            timeZone: "Europe/Vienna",
            venue: { id: venueId, name: "A House", location: "Somewhere" },
            performers: ["Somebody", "Anybody"],
            tiers: draft.tiers.map(({ id, name }) => ({ id, name }))
          },
          revision: 1,
          plan: PlanOutline.of(smallMap) ?? assert.fail("no plan")
        }
      ])
      assert.deepInclude(sales.layouts.get(draft.id)!, {
        currency: "EUR",
        onSaleAtMs: start,
        holdTtlMs: 600_000
      })
    }).pipe(at(start))
  )

  it.effect("sells the draft as it was changed while it was being published", () =>
    Effect.gen(function* () {
      const catalog = yield* Catalog
      const sales = yield* OpenedSales
      const { id: venueId } = yield* someVenue
      const draft = yield* catalog.createEvent(newEvent({ venueId }))
      sales.meanwhile = Effect.orDie(
        catalog.updateEvent(draft.id, newEvent({ venueId, name: "Changed", maxPerOrder: 3 }))
      )
      const event = yield* catalog.publish(draft.id)
      assert.deepInclude(event, { name: "Changed", maxPerOrder: 3, status: "on_sale" })
      assert.deepStrictEqual(sales.layouts.get(draft.id)!.maxPerOrder, 3)
    }).pipe(at(start))
  )

  it.effect("changes drafts only", () =>
    Effect.gen(function* () {
      const catalog = yield* Catalog
      const { id: venueId } = yield* someVenue
      const draft = yield* catalog.createEvent(newEvent({ venueId }))
      const tiers = [
        { name: "All", price: { amount: 100, currency: "USD" }, categories: ["Standing", "Stalls"] }
      ]
      const changed = yield* catalog.updateEvent(
        draft.id,
        newEvent({ venueId, name: "New", tiers, performers: [] })
      )
      assert.deepInclude(changed, { id: draft.id, name: "New", performers: [], status: "draft" })
      assert.deepStrictEqual(
        changed.tiers.map(({ name }) => name),
        ["All"]
      )
      yield* catalog.publish(draft.id)
      const refusal = yield* Effect.flip(catalog.updateEvent(draft.id, newEvent({ venueId })))
      assert.deepStrictEqual(refusal._tag, "EventNotDraft")
    }).pipe(at(start))
  )

  it.effect("does not publish an event whose sale is over", () =>
    Effect.gen(function* () {
      const catalog = yield* Catalog
      const { id: venueId } = yield* someVenue
      const draft = yield* catalog.createEvent(newEvent({ venueId }))
      const late = catalog.publish(draft.id).pipe(at(Date.UTC(2030, 5, 1, 18)))
      assert.deepStrictEqual((yield* Effect.flip(late))._tag, "EventInvalid")
    }).pipe(at(start))
  )

  it.effect("knows an event by the number in its holds", () =>
    Effect.gen(function* () {
      const catalog = yield* Catalog
      const { id: venueId } = yield* someVenue
      const { id } = yield* catalog.createEvent(newEvent({ venueId }))
      // Nobody can hold seats of a draft, and that it was one is not remembered.
      assert.strictEqual((yield* Effect.flip(catalog.eventNumber(id)))._tag, "EventNotFound")
      yield* catalog.publish(id)
      const number = yield* catalog.eventNumber(id)
      assert.isAbove(number, 0)
      assert.deepStrictEqual(yield* catalog.eventIdByNumber(number), id)
      // A number that no event has yet is not remembered as such.
      assert.isNull(yield* catalog.eventIdByNumber(number + 1))
      const next = yield* catalog.createEvent(newEvent({ venueId }))
      assert.deepStrictEqual(yield* catalog.eventIdByNumber(number + 1), next.id)
    }).pipe(at(start))
  )

  it.effect("gives the seat map the event's ids and tiers", () =>
    Effect.gen(function* () {
      const catalog = yield* Catalog
      const { id: venueId } = yield* someVenue
      const event = yield* published({ venueId })
      const map = yield* catalog.seatMap(event.id)
      const seats = map.sections.flatMap((section) => section.rows.flatMap((row) => row.seats))
      assert.deepStrictEqual(
        seats.map(({ id }) => id),
        seats.map((_, index) => seatId(event.id, index))
      )
      assert.deepStrictEqual(seats[2], {
        id: seatId(event.id, 2),
        label: "1",
        x: -10,
        y: 20,
        tier: event.tiers[0]!.id,
        accessible: true
      })
      assert.deepStrictEqual(map.version, 1)
    }).pipe(at(start))
  )

  it.effect("makes tiers of the prices of a CSV plan", () =>
    Effect.gen(function* () {
      const catalog = yield* Catalog
      const content = "section,row,seat_from,seat_to,quantity,price\nStalls,A,1,3,,45\nField,,,,10,19.50"
      const venue = yield* catalog.createVenue(newVenue({ seatMap: { format: "csv", content } }))
      const event = yield* published({ venueId: venue.id, tiers: [], currency: "EUR" })
      assert.deepStrictEqual(
        event.tiers.map(({ name, price }) => [name, price.amount]),
        [
          ["45.00", 4500],
          ["19.50", 1950]
        ]
      )
    }).pipe(at(start))
  )

  it.effect("lists published events page by page, in the order of their start", () =>
    Effect.gen(function* () {
      const catalog = yield* Catalog
      const { id: venueId } = yield* someVenue
      yield* catalog.createEvent(newEvent({ venueId, name: "a draft" }))
      const made: Array<EventId> = []
      for (const day of [3, 1, 2, 2, 2]) {
        const event = yield* published({
          venueId,
          startsAt: `2030-07-0${day}T19:00:00+02:00`,
          name: `day ${day}`
        })
        made.push(event.id)
      }
      const query = { venue: venueId, limit: 2 }
      const first = yield* catalog.list(query)
      const second = yield* catalog.list({ ...query, cursor: first.nextCursor! })
      const third = yield* catalog.list({ ...query, cursor: second.nextCursor! })
      assert.isNull(third.nextCursor)
      const all = [...first.events, ...second.events, ...third.events]
      assert.deepStrictEqual(
        all.map(({ name }) => name),
        ["day 1", "day 2", "day 2", "day 2", "day 3"]
      )
      assert.deepStrictEqual(new Set(all.map(({ id }) => id)), new Set(made))
      assert.deepInclude(all[0]!, {
        startsAt: "2030-07-01T17:00:00.000Z",
        status: "on_sale",
        priceRange: { from: { amount: 3000, currency: "EUR" }, to: { amount: 4500, currency: "EUR" } }
      })
      const window = yield* catalog.list({
        venue: venueId,
        from: "2030-07-02T17:00:00Z",
        to: "2030-07-03T17:00:00Z"
      })
      assert.deepStrictEqual(window.events.length, 3)
      const later = yield* catalog.list(query).pipe(at(Date.UTC(2030, 6, 1, 17)))
      assert.deepStrictEqual(
        later.events.map(({ status }) => status),
        ["ended", "on_sale"]
      )
    }).pipe(at(start))
  )

  it.effect("pages over events whose start was set in the database by hand", () =>
    Effect.gen(function* () {
      const catalog = yield* Catalog
      const sql = yield* SqlClient.SqlClient
      const { id: venueId } = yield* someVenue
      for (let i = 0; i < 4; i++) yield* published({ venueId })
      yield* sql`UPDATE catalog.events SET starts_at = '2030-06-01 18:00:00.000001Z' WHERE venue_id = ${venueId}::uuid`
      yield* sql`UPDATE catalog.events SET starts_at = '2030-06-01 18:00:00.000002Z'
        WHERE id = (SELECT id FROM catalog.events WHERE venue_id = ${venueId}::uuid ORDER BY id LIMIT 1)`
      const seen = new Set<string>()
      let cursor: string | undefined
      do {
        const page = yield* catalog.list({
          venue: venueId,
          limit: 1,
          ...(cursor === undefined ? {} : { cursor })
        })
        for (const { id } of page.events) seen.add(id)
        cursor = page.nextCursor ?? undefined
      } while (cursor !== undefined && seen.size < 5)
      assert.deepStrictEqual(seen.size, 4)
    }).pipe(at(start))
  )

  it.effect("refuses cursors that it did not give", () =>
    Effect.gen(function* () {
      const catalog = yield* Catalog
      for (const cursor of ["", "x", "????", btoa("[1]"), btoa('["1","2"]'), btoa('[1,"x"]'), "W10"]) {
        assert.deepStrictEqual((yield* Effect.flip(catalog.list({ cursor })))._tag, "CursorInvalid")
        assert.deepStrictEqual((yield* Effect.flip(catalog.venues({ cursor })))._tag, "CursorInvalid")
      }
    }).pipe(at(start))
  )

  it.effect("lists venues page by page", () =>
    Effect.gen(function* () {
      const catalog = yield* Catalog
      yield* someVenue
      const seen: Array<string> = []
      let cursor: string | undefined
      do {
        const page = yield* catalog.venues(cursor === undefined ? { limit: 3 } : { limit: 3, cursor })
        seen.push(...page.venues.map(({ id }) => id))
        cursor = page.nextCursor ?? undefined
      } while (cursor !== undefined)
      const sql = yield* SqlClient.SqlClient
      const stored = yield* sql<{
        readonly id: string
      }>`SELECT id::text AS id FROM catalog.venues ORDER BY created_at, id`
      assert.deepStrictEqual(
        seen,
        stored.map(({ id }) => id)
      )
    }).pipe(at(start))
  )
})
