import { assert, layer } from "@effect/vitest"
import { makeEventId } from "@onsale/contracts/Ids"
import { pollUntil } from "@onsale/testing/Poll"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { Blocks } from "../src/Blocks.ts"
import { Catalog } from "../src/Catalog.ts"
import { CatalogJournal } from "../src/CatalogJournal.ts"
import { toPretix } from "../src/PretixExport.ts"
import { SaleChanges } from "../src/SaleChanges.ts"
import type { EventId } from "@onsale/contracts/Ids"
import { at, layerCatalog, OpenedSales } from "./CatalogFixture.ts"
import { fieldMap, newEvent } from "./Maps.ts"

const start = Date.UTC(2030, 0, 1)
const later = Date.UTC(2030, 0, 2)
const tier = (name: string) => ({ name, price: { amount: 2000, currency: "EUR" } })

const draft = Effect.gen(function* () {
  const catalog = yield* Catalog
  const venue = yield* catalog.createVenue({
    name: "Field",
    location: "",
    timeZone: "UTC",
    seatMap: { format: "pretix", content: toPretix(fieldMap) }
  })
  const tiers = [
    { ...tier("Seat"), categories: ["Seats"] },
    { ...tier("Regular"), categories: ["Floor", "Terrace"] }
  ]
  return yield* catalog.createEvent(newEvent({ venueId: venue.id, tiers }))
})

const onSale = Effect.gen(function* () {
  const catalog = yield* Catalog
  return yield* catalog.publish((yield* draft).id)
})

const layoutOf = Effect.fnUntraced(function* (eventId: EventId) {
  return (yield* OpenedSales).layouts.get(eventId) ?? assert.fail("the sale was not opened")
})

/** The events of its stream, but for the first. */
const told = Effect.fnUntraced(function* (eventId: EventId) {
  const journal = yield* CatalogJournal
  return (yield* journal.read(eventId, 2, 100)).flatMap(({ events }) => events)
})

layer(layerCatalog)("an event that is cancelled", (it) => {
  it.effect("sells nothing from then on, is shown as cancelled, and is told once its sale is closed", () =>
    Effect.gen(function* () {
      const catalog = yield* Catalog
      const { id } = yield* onSale
      assert.notProperty(yield* layoutOf(id), "cancelled")
      const answer = yield* catalog.cancel(id, "The tenor is ill")
      assert.deepInclude(answer, {
        status: "cancelled",
        cancellation: { at: "2030-01-01T00:00:00.000Z", reason: "The tenor is ill" }
      })
      assert.deepInclude(yield* layoutOf(id), { cancelled: true, revision: 2 })
      assert.deepStrictEqual(yield* told(id), [
        { _tag: "EventCancelled", eventId: id, reason: "The tenor is ill", revision: 2 }
      ])
      assert.deepInclude(yield* catalog.get(id), {
        status: "cancelled",
        cancellation: answer.cancellation!
      })
      const { events } = yield* catalog.list({})
      assert.strictEqual(events.find((event) => event.id === id)?.status, "cancelled")
    }).pipe(at(start))
  )

  it.effect("stays as it was cancelled first, and is never sold or changed again", () =>
    Effect.gen(function* () {
      const catalog = yield* Catalog
      const blocks = yield* Blocks
      const changes = yield* SaleChanges
      const { id } = yield* onSale
      const first = yield* catalog.cancel(id, "Rain")
      assert.deepStrictEqual(yield* catalog.cancel(id, "Snow").pipe(at(later)), first)
      assert.strictEqual(yield* changes.openDue, 0)
      assert.strictEqual((yield* layoutOf(id)).revision, 2)
      assert.lengthOf(yield* told(id), 1)
      assert.strictEqual((yield* Effect.flip(catalog.publish(id)))._tag, "EventNotDraft")
      assert.strictEqual((yield* Effect.flip(catalog.releaseAccessible(id)))._tag, "EventCancelled")
      const house = { name: "House", seats: [] }
      assert.strictEqual((yield* Effect.flip(blocks.create(id, house)))._tag, "EventCancelled")
    }).pipe(at(start))
  )

  it.effect("cannot be a draft, or one that does not exist", () =>
    Effect.gen(function* () {
      const catalog = yield* Catalog
      const { id } = yield* draft
      assert.strictEqual((yield* Effect.flip(catalog.cancel(id, "")))._tag, "EventNotPublished")
      assert.strictEqual((yield* catalog.getAny(id)).status, "draft")
      assert.strictEqual((yield* Effect.flip(catalog.cancel(makeEventId(1), "")))._tag, "EventNotFound")
    }).pipe(at(start))
  )

  it.effect("is told by nobody before its sale is closed, and by one of many who close it", () =>
    Effect.gen(function* () {
      const catalog = yield* Catalog
      const changes = yield* SaleChanges
      const sales = yield* OpenedSales
      const { id } = yield* onSale
      sales.failures = 1
      assert.strictEqual((yield* catalog.cancel(id, "Rain")).status, "cancelled")
      assert.notProperty(yield* layoutOf(id), "cancelled")
      assert.lengthOf(yield* told(id), 0)
      // As a process that dies after the inventory has it, and before it is remembered.
      const sql = yield* SqlClient.SqlClient
      yield* Effect.all(
        Array.from({ length: 4 }, () => changes.openDue),
        { concurrency: "unbounded" }
      )
      assert.deepInclude(yield* layoutOf(id), { cancelled: true })
      assert.lengthOf(yield* told(id), 1)
      assert.lengthOf(
        yield* sql`SELECT 1 FROM catalog.events WHERE id = ${id}::uuid AND opened_revision = revision`,
        1
      )
    }).pipe(at(start))
  )

  it.effect("is closed where a change was made at the same time", () =>
    Effect.gen(function* () {
      const catalog = yield* Catalog
      const sales = yield* OpenedSales
      const { id } = yield* onSale
      // The layout of the change is opened, and before that is remembered the event is cancelled.
      sales.meanwhile = Effect.orDie(catalog.cancel(id, "Rain"))
      yield* catalog.releaseAccessible(id)
      assert.deepInclude(yield* layoutOf(id), { cancelled: true, revision: 3 })
      assert.deepStrictEqual(
        (yield* told(id)).map(({ _tag }) => _tag),
        ["SaleChanged", "EventCancelled"]
      )
    }).pipe(at(start))
  )
})

layer(layerCatalog, { excludeTestServices: true })("the supervisor of sales", (it) => {
  it.effect("closes the sale of an event whose cancellation was stored, and tells of it", () =>
    Effect.gen(function* () {
      const catalog = yield* Catalog
      const sales = yield* OpenedSales
      const { id } = yield* onSale
      sales.failures = 2
      yield* catalog.cancel(id, "Rain")
      yield* pollUntil(told(id), ({ length }) => length === 1, { deadline: "20 seconds" })
      assert.deepInclude(yield* layoutOf(id), { cancelled: true, revision: 2 })
    }).pipe(at(start))
  )
})
