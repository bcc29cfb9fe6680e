import { assert, layer } from "@effect/vitest"
import type { EventFacts } from "@onsale/contracts/catalog/CatalogEvent"
import type { EventChange } from "@onsale/contracts/catalog/EventChange"
import type { NewEvent } from "@onsale/contracts/catalog/Event"
import { type EventId, makeEventId } from "@onsale/contracts/Ids"
import * as UnheardCommits from "@onsale/testing/UnheardCommits"
import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { TestClock } from "effect/testing"
import { Catalog } from "../src/Catalog.ts"
import { CatalogJournal } from "../src/CatalogJournal.ts"
import { toPretix } from "../src/PretixExport.ts"
import { SaleChanges } from "../src/SaleChanges.ts"
import { at, layerCatalog, layerCatalogAlone, OpenedSales } from "./CatalogFixture.ts"
import { fieldMap, newEvent } from "./Maps.ts"

const start = Date.UTC(2030, 0, 1)

const draft = Effect.fnUntraced(function* (more: Partial<NewEvent> = {}) {
  const catalog = yield* Catalog
  const venue = yield* catalog.createVenue({
    name: "Field",
    location: "Berlin",
    timeZone: "Europe/Berlin",
    seatMap: { format: "pretix", content: toPretix(fieldMap) }
  })
  const tier = { name: "All", price: { amount: 2000, currency: "EUR" } }
  const tiers = [{ ...tier, categories: ["Seats", "Floor", "Terrace"] }]
  return yield* catalog.createEvent(newEvent({ venueId: venue.id, tiers, ...more }))
})

const onSale = Effect.fnUntraced(function* (more: Partial<NewEvent> = {}) {
  const catalog = yield* Catalog
  return yield* catalog.publish((yield* draft(more)).id)
})

/** The rows of its stream. */
const rowsOf = Effect.fnUntraced(function* (eventId: EventId) {
  const journal = yield* CatalogJournal
  return (yield* journal.read(eventId, 1, 1_000)).map(({ events, version }) => ({ version, events }))
})

/** The facts in the order in which they were told. */
const toldOf = Effect.fnUntraced(function* (eventId: EventId) {
  return (yield* rowsOf(eventId)).flatMap(({ events }) =>
    events.flatMap((event): ReadonlyArray<EventFacts> => ("facts" in event ? [event.facts] : []))
  )
})

const layoutOf = Effect.fnUntraced(function* (eventId: EventId) {
  return (yield* OpenedSales).layouts.get(eventId) ?? assert.fail("the sale was not opened")
})

const refusalOf = Effect.fnUntraced(function* (eventId: EventId, change: EventChange) {
  const catalog = yield* Catalog
  return (yield* Effect.flip(catalog.changeEvent(eventId, change)))._tag
})

layer(layerCatalog)("a published event that is changed", (it) => {
  it.effect("shows the change, tells all of its facts once, and sells until its new start", () =>
    Effect.gen(function* () {
      const catalog = yield* Catalog
      const event = yield* onSale()
      const { id } = event
      const [published] = yield* toldOf(id)
      const change = {
        name: "A Night",
        startsAt: "2030-07-01T19:00:00+02:00",
        performers: [{ name: "Anybody" }, { name: "Nobody", description: "Dances." }]
      }
      const answer = yield* catalog.changeEvent(id, change)
      assert.deepInclude(answer, {
        name: "A Night",
        description: "With music.",
        startsAt: "2030-07-01T17:00:00.000Z",
        saleEndsAt: "2030-07-01T17:00:00.000Z",
        status: "on_sale",
        tiers: event.tiers
      })
      assert.deepStrictEqual(
        answer.performers.map(({ description, name }) => [name, description]),
        [
          ["Anybody", ""],
          ["Nobody", "Dances."]
        ]
      )
      assert.deepStrictEqual(yield* catalog.get(id), answer)
      const { events } = yield* catalog.list({ venue: event.venue.id })
      assert.deepInclude(events[0]!, { name: "A Night", startsAt: "2030-07-01T17:00:00.000Z" })
      assert.deepStrictEqual((yield* rowsOf(id)).slice(1), [
        {
          version: 2,
          events: [
            {
              _tag: "EventChanged",
              facts: {
                ...published!,
                name: "A Night",
                startsAt: "2030-07-01T17:00:00.000Z",
                performers: ["Anybody", "Nobody"]
              },
              revision: 2
            }
          ]
        }
      ])
      assert.deepInclude(yield* layoutOf(id), { revision: 2, saleEndsAtMs: Date.UTC(2030, 6, 1, 17) })
    }).pipe(at(start))
  )

  it.effect("writes nothing where nothing changes, however often it is asked to", () =>
    Effect.gen(function* () {
      const catalog = yield* Catalog
      const sql = yield* SqlClient.SqlClient
      const { id } = yield* onSale()
      const stored = sql`SELECT e.*, e.xmin::text AS xmin FROM catalog.events e WHERE id = ${id}::uuid`
      const before = yield* stored
      const same = {
        name: "An Evening",
        description: "With music.",
        startsAt: "2030-06-01T20:00:00+02:00",
        saleEndsAt: "2030-06-01T18:00:00Z",
        performers: [{ name: "Somebody", description: "Sings." }, { name: "Anybody" }]
      }
      yield* catalog.changeEvent(id, same)
      yield* catalog.changeEvent(id, {})
      const [{ xmin: _, ...row }, { xmin: __, ...rowBefore }] = [(yield* stored)[0]!, before[0]!]
      assert.deepStrictEqual(row, rowBefore)
      assert.lengthOf(yield* rowsOf(id), 1)

      const change = { startsAt: "2030-07-01T18:00:00Z" }
      const moved = yield* catalog.changeEvent(id, change)
      assert.deepStrictEqual(yield* catalog.changeEvent(id, change), moved)
      // A repeat that comes when the event has begun.
      yield* catalog.changeEvent(id, change).pipe(at(Date.UTC(2031, 0, 1)))
      assert.lengthOf(yield* rowsOf(id), 2)
      assert.strictEqual((yield* layoutOf(id)).revision, 2)
    }).pipe(at(start))
  )

  it.effect("is refused as a draft, where it is cancelled or not there, and for what cannot be", () =>
    Effect.gen(function* () {
      const catalog = yield* Catalog
      const { id: draftId } = yield* draft()
      assert.strictEqual(yield* refusalOf(draftId, { name: "x" }), "EventNotPublished")
      assert.strictEqual((yield* catalog.getAny(draftId)).name, "An Evening")
      assert.strictEqual(yield* refusalOf(makeEventId(1), { name: "x" }), "EventNotFound")
      const { id } = yield* onSale()
      const past = yield* Effect.flip(
        catalog.changeEvent(id, { name: "x", startsAt: "2029-12-31T23:59:59Z" })
      )
      assert.deepStrictEqual(past._tag === "EventInvalid" ? past.problems : past._tag, [
        { path: "/startsAt", message: "the event would have begun already" },
        { path: "/startsAt", message: "the sale would end before it begins" }
      ])
      assert.strictEqual((yield* catalog.getAny(id)).name, "An Evening")
      yield* catalog.cancel(id, "Rain")
      assert.strictEqual(yield* refusalOf(id, { startsAt: "2030-07-01T18:00:00Z" }), "EventCancelled")
      assert.deepStrictEqual(
        (yield* rowsOf(id)).flatMap(({ events }) => events.map(({ _tag }) => _tag)),
        ["EventPublished", "EventCancelled"]
      )
    }).pipe(at(start))
  )

  it.effect("keeps the distance between the end of its sale and its start, unless one is named", () =>
    Effect.gen(function* () {
      const catalog = yield* Catalog
      const { id } = yield* onSale({ saleEndsAt: "2030-06-01T17:00:00Z" })
      const moved = yield* catalog.changeEvent(id, { startsAt: "2030-06-08T18:00:00Z" })
      assert.strictEqual(moved.saleEndsAt, "2030-06-08T17:00:00.000Z")
      const named = yield* catalog.changeEvent(id, { saleEndsAt: "2030-06-08T12:00:00Z" })
      assert.strictEqual(named.startsAt, "2030-06-08T18:00:00.000Z")
      assert.deepInclude(yield* layoutOf(id), { revision: 3, saleEndsAtMs: Date.UTC(2030, 5, 8, 12) })
      // Until when something is sold is no fact that buyers or webhooks are told.
      assert.deepStrictEqual(
        (yield* rowsOf(id)).flatMap(({ events }) => events.map(({ _tag }) => _tag)),
        ["EventPublished", "EventChanged", "SaleChanged"]
      )
    }).pipe(at(start))
  )

  it.effect("loses none of many changes at the same time, and tells each of them whole", () =>
    Effect.gen(function* () {
      const catalog = yield* Catalog
      const { id } = yield* onSale()
      const changes = Array.from({ length: 24 }, (_, i): EventChange => {
        const startsAt = `2030-07-${String(i + 1).padStart(2, "0")}T18:00:00.000Z`
        return [
          { name: `Name ${i}` },
          { startsAt },
          { description: `Text ${i}` },
          { performers: [{ name: `Performer ${i}`, description: `Who ${i}` }, { name: "Shared" }] }
        ][i % 4]!
      })
      yield* Effect.forEach(changes, (change) => catalog.changeEvent(id, change), {
        concurrency: "unbounded",
        discard: true
      })
      const rows = yield* rowsOf(id)
      assert.deepStrictEqual(
        rows.map(({ version }) => version),
        Array.from({ length: 25 }, (_, i) => i + 1)
      )
      const told = yield* toldOf(id)
      const isOther = (a: unknown, b: unknown) => JSON.stringify(a) !== JSON.stringify(b)
      const steps = told
        .slice(1)
        .map((facts, i) =>
          (["name", "startsAt", "description", "performers"] as const).flatMap((field) =>
            isOther(facts[field], told[i]![field]) ? [[field, facts[field]] as const] : []
          )
        )
      // Each differs from the one before by what one change has set, and no change is missing.
      assert.sameDeepMembers(
        steps,
        changes.map(({ description, name, performers, startsAt }) =>
          name !== undefined
            ? [["name", name] as const]
            : startsAt !== undefined
              ? [["startsAt", startsAt] as const]
              : description !== undefined
                ? [["description", description] as const]
                : [["performers", performers!.map(({ name }) => name)] as const]
        )
      )
      const event = yield* catalog.getAny(id)
      const last = told.at(-1)!
      assert.deepStrictEqual(
        [event.name, event.startsAt, event.description, event.performers.map(({ name }) => name)],
        [last.name, last.startsAt, last.description, last.performers]
      )
      assert.strictEqual(event.saleEndsAt, event.startsAt)
      const { revision, saleEndsAtMs } = yield* layoutOf(id)
      assert.deepStrictEqual([revision, saleEndsAtMs], [25, Date.parse(event.startsAt)])
    }).pipe(at(start))
  )

  it.effect("is made once where its COMMIT is not heard of, and leaves what others have changed since", () =>
    Effect.gen(function* () {
      const catalog = yield* Catalog
      const { id } = yield* onSale()
      const deaf: UnheardCommits.Deaf = { times: 0 }
      const cut = yield* Catalog.pipe(
        Effect.provide(Layer.fresh(layerCatalogAlone).pipe(Layer.provide(UnheardCommits.layer(deaf))))
      )
      const names = Effect.map(toldOf(id), (told) => told.map(({ name }) => name).slice(1))

      deaf.times = 2
      yield* cut.changeEvent(id, { name: "Alone" })
      assert.deepStrictEqual(yield* names, ["Alone"])

      deaf.times = 2
      deaf.meanwhile = catalog
        .changeEvent(id, { name: "Theirs" })
        .pipe(
          Effect.andThen(catalog.changeEvent(id, { description: "Also theirs." })),
          Effect.orDie,
          Effect.asVoid
        )
      yield* cut.changeEvent(id, { name: "Ours" })
      assert.deepInclude(yield* catalog.get(id), { name: "Theirs", description: "Also theirs." })
      assert.deepStrictEqual(yield* names, ["Alone", "Ours", "Theirs", "Theirs"])
      // A retry waits a moment.
    }).pipe(at(start), TestClock.withLive)
  )

  it.effect("tells with its next change what SQL has changed, and an event that SQL has made", () =>
    Effect.gen(function* () {
      const catalog = yield* Catalog
      const sql = yield* SqlClient.SqlClient
      const { id, venue } = yield* onSale()
      yield* sql`UPDATE catalog.venues SET name = 'Great Field' WHERE id = ${venue.id}::uuid`
      yield* sql`UPDATE catalog.events SET starts_at = '2030-06-02T18:00:00.123456Z' WHERE id = ${id}::uuid`
      yield* catalog.changeEvent(id, {})
      yield* catalog.changeEvent(id, {})
      const [, told, ...more] = yield* toldOf(id)
      assert.lengthOf(more, 0)
      assert.strictEqual(told?.startsAt, "2030-06-02T18:00:00.123Z")
      assert.strictEqual(told?.venue.name, "Great Field")
      yield* catalog.changeEvent(id, { name: "x" })
      const micros = yield* sql`SELECT 1 FROM catalog.events
        WHERE id = ${id}::uuid AND starts_at = '2030-06-02T18:00:00.123456Z'`
      assert.lengthOf(micros, 1, "what is not changed stays to the microsecond")

      const { id: made } = yield* draft()
      yield* sql`UPDATE catalog.events SET state = 'published', published_at = now() WHERE id = ${made}::uuid`
      yield* catalog.changeEvent(made, {})
      assert.deepStrictEqual(
        (yield* rowsOf(made)).map(({ events, version }) => [version, events[0]?._tag]),
        [[1, "EventChanged"]]
      )
    }).pipe(at(start))
  )

  it.effect("is in force later where the inventory has no time, and told at once", () =>
    Effect.gen(function* () {
      const catalog = yield* Catalog
      const changes = yield* SaleChanges
      const sales = yield* OpenedSales
      const { id } = yield* onSale()
      sales.failures = 1
      yield* catalog.changeEvent(id, { startsAt: "2030-07-01T18:00:00Z" })
      assert.lengthOf(yield* toldOf(id), 2)
      assert.strictEqual((yield* layoutOf(id)).revision, 1)
      assert.strictEqual(yield* changes.openDue, 0)
      assert.deepInclude(yield* layoutOf(id), { revision: 2, saleEndsAtMs: Date.UTC(2030, 6, 1, 18) })
    }).pipe(at(start))
  )
})
