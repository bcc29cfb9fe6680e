import { assert, describe, layer } from "@effect/vitest"
import type { NewEvent } from "@onsale/contracts/catalog/Event"
import {
  areaId,
  BlockId,
  type EventId,
  makeEventId,
  makeUuidV7,
  rowId,
  seatId,
  TierId,
  VoucherId
} from "@onsale/contracts/Ids"
import { keyOf } from "@onsale/platform/Digest"
import { pollUntil } from "@onsale/testing/Poll"
import { Effect, type Result as R, Result } from "effect"
import { SqlClient } from "effect/sql"
import { Blocks } from "../src/Blocks.ts"
import { Catalog } from "../src/Catalog.ts"
import { CatalogJournal } from "../src/CatalogJournal.ts"
import { toPretix } from "../src/PretixExport.ts"
import { SaleChanges } from "../src/SaleChanges.ts"
import { Vouchers } from "../src/Vouchers.ts"
import { at, layerCatalog, OpenedSales } from "./CatalogFixture.ts"
import { fieldMap, newEvent } from "./Maps.ts"

const start = Date.UTC(2030, 0, 1)
const price = (amount: number) => ({ amount, currency: "EUR" })

const field = (more: Partial<NewEvent> = {}): Partial<NewEvent> => ({
  tiers: [
    { name: "Seat", price: price(4000), categories: ["Seats"] },
    {
      name: "Early bird",
      price: price(1500),
      categories: ["Floor"],
      sale: { until: "2030-03-01T00:00:00Z" },
      maxPerOrder: 4
    },
    { name: "Regular", price: price(2000), categories: ["Floor", "Terrace"], minPerOrder: 2 },
    { name: "Members", price: price(1000), categories: ["Terrace"], voucherOnly: true }
  ],
  quotas: [{ name: "Early", capacity: 30, tiers: ["Early bird"] }],
  maxPerCustomer: 8,
  maxTickets: 110,
  ...more
})

const someDraft = Effect.fnUntraced(function* (more: Partial<NewEvent> = {}) {
  const catalog = yield* Catalog
  const venue = yield* catalog.createVenue({
    name: "Field",
    location: "",
    timeZone: "UTC",
    seatMap: { format: "pretix", content: toPretix(fieldMap) }
  })
  return yield* catalog.createEvent(newEvent({ venueId: venue.id, ...field(more) }))
})

const onSale = Effect.fnUntraced(function* (more: Partial<NewEvent> = {}) {
  const catalog = yield* Catalog
  return yield* catalog.publish((yield* someDraft(more)).id)
})

const opened = Effect.fnUntraced(function* (eventId: EventId) {
  const { layouts } = yield* OpenedSales
  return layouts.get(eventId) ?? assert.fail("the sale was not opened")
})

const told = Effect.fnUntraced(function* (eventId: EventId) {
  const journal = yield* CatalogJournal
  const rows = yield* journal.read(eventId, 1, 100)
  return rows.flatMap(({ events, version }) =>
    events.map((event) =>
      event._tag === "SaleChanged" ? `${version} ${event.revision}` : `${version} ${event._tag}`
    )
  )
})

const tagOf = <A, E extends { readonly _tag: string }>(result: R.Result<A, E>) =>
  Result.isFailure(result) ? result.failure._tag : "done"

const pathsOf = (error: {
  readonly _tag: string
  readonly problems?: ReadonlyArray<{ readonly path: string }>
}) => [error._tag, ...(error.problems ?? []).map(({ path }) => path)]

layer(layerCatalog)("the sale of an event", (it) => {
  describe("its rules", () => {
    it.effect("are stored with the draft, and its quotas are shown to its organiser alone", () =>
      Effect.gen(function* () {
        const catalog = yield* Catalog
        const draft = yield* someDraft()
        const [seat, early, regular, members] = draft.tiers
        assert.deepInclude(draft, {
          maxPerCustomer: 8,
          maxTickets: 110,
          quotas: [{ name: "Early", capacity: 30, tiers: [early!.id] }]
        })
        assert.notProperty(seat!, "sale")
        assert.deepInclude(early!, { sale: { until: "2030-03-01T00:00:00.000Z" }, maxPerOrder: 4 })
        assert.deepInclude(regular!, { minPerOrder: 2 })
        assert.deepInclude(members!, { voucherOnly: true })
        yield* catalog.publish(draft.id)
        const { maxTickets: _, quotas: __, ...shown } = draft
        assert.deepStrictEqual(yield* catalog.get(draft.id), { ...shown, status: "on_sale" })
        assert.deepStrictEqual(yield* catalog.getAny(draft.id), { ...draft, status: "on_sale" })
        const map = yield* catalog.seatMap(draft.id)
        assert.deepStrictEqual(
          map.areas.map(({ name, tier }) => [name, tier]),
          [
            ["Floor", early!.id],
            ["Terrace", regular!.id],
            ["Floor", regular!.id],
            ["Terrace", members!.id]
          ]
        )
        const layout = yield* opened(draft.id)
        assert.deepStrictEqual(layout.tiers[1], {
          id: early!.id,
          name: "Early bird",
          price: 1500,
          closesAtMs: Date.UTC(2030, 2, 1),
          maxPerOrder: 4
        })
        assert.deepStrictEqual(
          layout.quotas?.map(({ capacity, name }) => `${name} ${capacity}`),
          ["Early 30", "event 110", "Floor 100", "Terrace 20"]
        )
      }).pipe(at(start))
    )

    it.effect("are none of an event that was stored before there were any", () =>
      Effect.gen(function* () {
        const catalog = yield* Catalog
        const sql = yield* SqlClient.SqlClient
        const draft = yield* someDraft({ quotas: [] })
        // As the columns of such a row are after the migration.
        yield* sql`UPDATE catalog.events SET quotas = DEFAULT, max_per_customer = NULL, max_tickets = NULL
          WHERE id = ${draft.id}::uuid`
        yield* sql`UPDATE catalog.tiers SET sale_until = NULL, min_per_order = NULL, max_per_order = NULL,
          voucher_only = DEFAULT WHERE event_id = ${draft.id}::uuid`
        const event = yield* catalog.publish(draft.id)
        assert.doesNotHaveAnyKeys(event, ["quotas", "maxPerCustomer", "maxTickets", "accessibleReleased"])
        assert.deepStrictEqual(Object.keys(event.tiers[1]!).sort(), ["categories", "id", "name", "price"])
      }).pipe(at(start))
    )
  })

  describe("house seats", () => {
    it.effect("are kept from the moment they are asked for, of a draft and of a published event", () =>
      Effect.gen(function* () {
        const blocks = yield* Blocks
        const catalog = yield* Catalog
        const { id } = yield* someDraft()
        const first = yield* blocks.create(id, {
          name: "Artists",
          seats: [seatId(id, 3)],
          rows: [rowId(id, 0)],
          areas: [{ areaId: areaId(id, 2), quantity: 10 }]
        })
        assert.deepStrictEqual(first, {
          id: first.id,
          name: "Artists",
          seats: [seatId(id, 0), seatId(id, 1), seatId(id, 3)],
          areas: [{ areaId: areaId(id, 4), name: "Floor", of: areaId(id, 0), quantity: 10, kept: 10 }]
        })
        // Nobody but the catalog knows of a draft.
        assert.deepStrictEqual(yield* told(id), [])
        yield* catalog.publish(id)
        assert.deepStrictEqual((yield* opened(id)).blocks, [
          { id: first.id, name: "Artists", seats: [0, 1, 3] }
        ])
        const second = yield* blocks.create(id, {
          name: "Press",
          areas: [{ areaId: areaId(id, 0), quantity: 5 }]
        })
        assert.deepStrictEqual(second.areas[0]?.areaId, areaId(id, 5))
        const layout = yield* opened(id)
        assert.deepStrictEqual(layout.areas.slice(4), [
          { name: "Floor", tier: 2, capacity: 10, block: 0, reserved: 10 },
          { name: "Floor", tier: 1, capacity: 5, block: 1, reserved: 5 }
        ])
        assert.strictEqual(layout.revision, 3)
        assert.deepStrictEqual(yield* told(id), ["1 EventPublished", "2 3"])
        assert.deepStrictEqual(yield* blocks.list(id), [first, second])
      }).pipe(at(start))
    )

    it.effect("are given to everybody, in part and whole, once", () =>
      Effect.gen(function* () {
        const blocks = yield* Blocks
        const { id } = yield* onSale()
        const block = yield* blocks.create(id, {
          name: "House",
          rows: [rowId(id, 0), rowId(id, 1)],
          areas: [{ areaId: areaId(id, 0), quantity: 10 }]
        })
        const places = block.areas[0]!.areaId
        const part = yield* blocks.release(id, block.id, {
          seats: [seatId(id, 1)],
          areas: [{ areaId: places, quantity: 4 }]
        })
        assert.deepStrictEqual(part.seats, [seatId(id, 0), seatId(id, 2), seatId(id, 3)])
        assert.deepInclude(part.areas[0]!, { quantity: 10, kept: 6 })
        assert.deepInclude((yield* opened(id)).areas.at(-1)!, { capacity: 10, reserved: 6 })
        // An empty list is not the whole block.
        assert.deepStrictEqual(yield* blocks.release(id, block.id, { seats: [] }), part)
        const unknown = yield* Effect.flip(
          blocks.release(id, block.id, {
            seats: [seatId(id, 1)],
            areas: [{ areaId: areaId(id, 0), quantity: 1 }]
          })
        )
        assert.deepInclude(unknown, {
          _tag: "PlacesUnknown",
          seats: [seatId(id, 1)],
          areas: [areaId(id, 0)]
        })
        assert.deepStrictEqual(
          pathsOf(
            yield* Effect.flip(blocks.release(id, block.id, { areas: [{ areaId: places, quantity: 7 }] }))
          ),
          ["EventInvalid", "/areas/0/quantity"]
        )
        const whole = yield* blocks.release(id, block.id, {})
        assert.deepInclude(whole, { seats: [] })
        assert.deepInclude(whole.areas[0]!, { kept: 0 })
        assert.notProperty((yield* opened(id)).areas.at(-1)!, "reserved")
        assert.deepStrictEqual(yield* blocks.release(id, block.id, {}), whole)
        // Of the four releases two changed anything, beside the block itself.
        assert.deepStrictEqual(yield* told(id), ["1 EventPublished", "2 2", "3 3", "4 4"])
        // What was released can be kept anew.
        yield* blocks.create(id, { name: "Again", seats: [seatId(id, 0)] })
      }).pipe(at(start))
    )

    it.effect("are in one block only, whoever asks at the same time", () =>
      Effect.gen(function* () {
        const blocks = yield* Blocks
        const sql = yield* SqlClient.SqlClient
        const { id } = yield* onSale()
        const results = yield* Effect.all(
          Array.from({ length: 8 }, (_, i) =>
            Effect.result(blocks.create(id, { name: `${i}`, seats: [seatId(id, 0), seatId(id, 2)] }))
          ),
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual(results.map(tagOf).sort(), [
          ...Array.from({ length: 7 }, () => "SeatsBlocked"),
          "done"
        ])
        const [block] = yield* blocks.list(id)
        const again = yield* Effect.result(
          sql`INSERT INTO catalog.block_seats (event_id, seat, block_id)
            VALUES (${id}::uuid, 2, ${block!.id}::uuid)`
        )
        assert.strictEqual(tagOf(again), "SqlError", "the database refuses it too")
      }).pipe(at(start))
    )

    it.effect("are refused where there is no such event or block", () =>
      Effect.gen(function* () {
        const blocks = yield* Blocks
        const { id } = yield* onSale()
        const nowhere = makeEventId(1)
        const blockId = BlockId.make(makeUuidV7(1))
        const create = blocks.create(nowhere, { name: "x", seats: [seatId(nowhere, 0)] })
        assert.strictEqual((yield* Effect.flip(create))._tag, "EventNotFound")
        assert.strictEqual((yield* Effect.flip(blocks.list(nowhere)))._tag, "EventNotFound")
        assert.strictEqual((yield* Effect.flip(blocks.release(id, blockId, {})))._tag, "BlockNotFound")
        const sql = yield* SqlClient.SqlClient
        yield* sql`UPDATE catalog.events SET state = 'cancelled', cancelled_at = now(), cancel_reason = '' WHERE id = ${id}::uuid`
        const late = blocks.create(id, { name: "x", seats: [seatId(id, 0)] })
        assert.strictEqual((yield* Effect.flip(late))._tag, "EventCancelled")
      }).pipe(at(start))
    )
  })

  describe("vouchers", () => {
    it.effect("have codes that nobody guesses, or the organiser's own", () =>
      Effect.gen(function* () {
        const vouchers = yield* Vouchers
        const { id, tiers } = yield* onSale()
        const members = tiers[3]!.id
        const random = yield* vouchers.create(id, { count: 300, tiers: [members], maxTickets: 2 })
        for (const { code } of random) assert.match(code, /^[2-9A-HJKMNP-TV-Z]{13}$/)
        assert.lengthOf(new Set(random.map(({ code }) => code)), 300)
        const [own] = yield* vouchers.create(id, {
          codes: [" Summer-30 "],
          tiers: [members, members],
          maxTickets: 40,
          from: "2030-02-01T00:00:00Z",
          until: "2030-03-01T00:00:00Z"
        })
        assert.deepInclude(own!, {
          code: "Summer-30",
          tiers: [members],
          blocks: [],
          from: "2030-02-01T00:00:00.000Z"
        })
        const layout = yield* opened(id)
        assert.lengthOf(layout.vouchers ?? [], 301)
        assert.deepStrictEqual(
          layout.vouchers?.find((voucher) => voucher.id === own!.id),
          {
            id: own!.id,
            key: keyOf("SUMMER-30"),
            tiers: [3],
            blocks: [],
            maxTickets: 40,
            fromMs: Date.UTC(2030, 1, 1),
            untilMs: Date.UTC(2030, 2, 1)
          }
        )
      }).pipe(at(start))
    )

    it.effect("are listed page by page, and taken back", () =>
      Effect.gen(function* () {
        const vouchers = yield* Vouchers
        const { id, tiers } = yield* onSale()
        const made = yield* vouchers.create(id, { count: 5, tiers: [tiers[3]!.id], maxTickets: 1 })
        const seen: Array<string> = []
        let cursor: string | null = null
        do {
          const page: { readonly vouchers: typeof made; readonly nextCursor: string | null } =
            yield* vouchers.page(id, { limit: 2, ...(cursor === null ? {} : { cursor }) })
          seen.push(...page.vouchers.map(({ code }) => code))
          cursor = page.nextCursor
        } while (cursor !== null && seen.length < 10)
        assert.sameMembers(
          seen,
          made.map(({ code }) => code)
        )
        yield* vouchers.remove(id, made[0]!.id)
        assert.lengthOf((yield* opened(id)).vouchers ?? [], 4)
        assert.strictEqual((yield* Effect.flip(vouchers.remove(id, made[0]!.id)))._tag, "VoucherNotFound")
        assert.strictEqual((yield* Effect.flip(vouchers.page(id, { cursor: "x" })))._tag, "CursorInvalid")
        const nowhere = makeEventId(1)
        assert.strictEqual((yield* Effect.flip(vouchers.page(nowhere, {})))._tag, "EventNotFound")
        const gone = vouchers.remove(nowhere, VoucherId.make(makeUuidV7(1)))
        assert.strictEqual((yield* Effect.flip(gone))._tag, "EventNotFound")
      }).pipe(at(start))
    )

    it.effect("are refused, all of them, where one cannot be", () =>
      Effect.gen(function* () {
        const vouchers = yield* Vouchers
        const { id, tiers } = yield* onSale()
        const members = [tiers[3]!.id]
        const create = (more: Partial<Parameters<typeof vouchers.create>[1]>) =>
          Effect.flip(vouchers.create(id, { tiers: members, maxTickets: 1, ...more }))
        yield* vouchers.create(id, { codes: ["one"], tiers: members, maxTickets: 1 })
        const known = yield* create({ codes: ["two", " ONE"] })
        assert.deepInclude(known, { _tag: "VoucherExists", codes: ["one"] })
        assert.deepStrictEqual(pathsOf(yield* create({ codes: ["two", "three", "Two "] })), [
          "EventInvalid",
          "/codes/2"
        ])
        const unknown = {
          tiers: [...members, TierId.make(makeUuidV7(1))],
          blocks: [BlockId.make(makeUuidV7(1))]
        }
        assert.deepStrictEqual(pathsOf(yield* create({ count: 1, ...unknown })), [
          "EventInvalid",
          "/tiers/1",
          "/blocks/0"
        ])
        assert.deepStrictEqual(
          pathsOf(yield* create({ count: 1, from: "2030-03-01T00:00:00Z", until: "2030-02-01T00:00:00Z" })),
          ["EventInvalid", "/until"]
        )
        assert.deepStrictEqual(pathsOf(yield* create({ count: 1, until: "2030-01-01T00:00:00Z" })), [
          "EventInvalid",
          "/until"
        ])
        assert.lengthOf((yield* vouchers.page(id, {})).vouchers, 1)
      }).pipe(at(start))
    )

    it.effect("are 20,000 an event at the most", () =>
      Effect.gen(function* () {
        const vouchers = yield* Vouchers
        const sql = yield* SqlClient.SqlClient
        const { id, tiers } = yield* someDraft()
        yield* sql`INSERT INTO catalog.vouchers (id, event_id, key, code, tiers, blocks, max_tickets, created_at)
          SELECT gen_random_uuid(), ${id}::uuid, n::text, n::text, '[]', '[]', 1, now()
          FROM generate_series(1, 19999) AS n`
        const create = (count: number) => vouchers.create(id, { count, tiers: [tiers[3]!.id], maxTickets: 1 })
        assert.deepStrictEqual(pathsOf(yield* Effect.flip(create(2))), ["EventInvalid", "/count"])
        assert.lengthOf(yield* create(1), 1)
      }).pipe(at(start))
    )
  })

  it.effect("gives the accessible pool to everybody, once", () =>
    Effect.gen(function* () {
      const catalog = yield* Catalog
      const { id } = yield* onSale()
      assert.notProperty(yield* opened(id), "accessibleReleased")
      const event = yield* catalog.releaseAccessible(id)
      assert.isTrue(event.accessibleReleased)
      assert.isTrue((yield* opened(id)).accessibleReleased)
      assert.isTrue((yield* catalog.get(id)).accessibleReleased)
      yield* catalog.releaseAccessible(id)
      assert.deepStrictEqual(yield* told(id), ["1 EventPublished", "2 2"])
      assert.strictEqual(
        (yield* Effect.flip(catalog.releaseAccessible(makeEventId(1))))._tag,
        "EventNotFound"
      )
    }).pipe(at(start))
  )

  describe("a change of a draft", () => {
    it.effect("keeps the ids of tiers by their names, and the blocks and vouchers on them", () =>
      Effect.gen(function* () {
        const catalog = yield* Catalog
        const blocks = yield* Blocks
        const vouchers = yield* Vouchers
        const draft = yield* someDraft()
        const { id, tiers, venue } = draft
        yield* vouchers.create(id, { count: 1, tiers: [tiers[3]!.id], maxTickets: 1 })
        const block = yield* blocks.create(id, {
          name: "House",
          seats: [seatId(id, 0)],
          areas: [{ areaId: areaId(id, 2), quantity: 10 }]
        })
        const update = (more: Partial<NewEvent>) =>
          catalog.updateEvent(id, newEvent({ venueId: venue.id, ...field(more) }))
        const sent = field().tiers ?? []
        const reversed = yield* update({ tiers: sent.toReversed() })
        assert.deepStrictEqual(
          reversed.tiers.map((tier) => tier.id),
          tiers.map((tier) => tier.id).toReversed()
        )
        // Of the areas behind the map's, the block's are still the last.
        assert.deepStrictEqual(yield* blocks.list(id), [block])
        const refusal = yield* Effect.flip(update({ tiers: [sent[0]!, sent[1]!], quotas: [], maxTickets: 9 }))
        assert.deepStrictEqual(
          refusal._tag === "EventInvalid"
            ? refusal.problems.map(({ message, path }) => `${path}: ${message}`)
            : [],
          [
            '/tiers: vouchers unlock the tier "Members"',
            '/tiers: the block "House" has places of the area "Floor" on the tier "Regular"'
          ]
        )
        assert.deepStrictEqual(
          pathsOf(yield* Effect.flip(update({ quotas: [{ name: "R", capacity: 9, tiers: ["Regular"] }] }))),
          ["EventInvalid", "/quotas"]
        )
        const elsewhere = yield* catalog.createVenue({
          name: "Another",
          location: "",
          timeZone: "UTC",
          seatMap: { format: "pretix", content: toPretix(fieldMap) }
        })
        assert.deepStrictEqual(pathsOf(yield* Effect.flip(update({ venueId: elsewhere.id }))), [
          "EventInvalid",
          "/venueId"
        ])
        assert.deepStrictEqual(yield* catalog.getAny(id), reversed)
      }).pipe(at(start))
    )
  })

  describe("a change of a published event", () => {
    it.effect("is stored where the inventory has no time, and in force once somebody looks", () =>
      Effect.gen(function* () {
        const blocks = yield* Blocks
        const changes = yield* SaleChanges
        const sales = yield* OpenedSales
        const { id } = yield* onSale()
        sales.failures = 1
        const block = yield* blocks.create(id, { name: "House", seats: [seatId(id, 0)] })
        assert.notProperty(yield* opened(id), "blocks")
        assert.strictEqual(yield* changes.openDue, 0)
        assert.deepInclude(yield* opened(id), {
          revision: 2,
          blocks: [{ id: block.id, name: "House", seats: [0] }]
        })
        sales.layouts.clear()
        assert.strictEqual(yield* changes.openDue, 0)
        assert.strictEqual(sales.layouts.size, 0, "nothing is due any more")
      }).pipe(at(start))
    )

    it.effect("does not wait for another event that cannot be opened", () =>
      Effect.gen(function* () {
        const blocks = yield* Blocks
        const changes = yield* SaleChanges
        const sales = yield* OpenedSales
        const events = [yield* onSale(), yield* onSale()]
        sales.failures = 2
        for (const { id } of events) yield* blocks.create(id, { name: "House", seats: [seatId(id, 0)] })
        sales.failures = 1
        assert.strictEqual(yield* changes.openDue, 1)
        assert.strictEqual(yield* changes.openDue, 0)
        for (const { id } of events) assert.strictEqual((yield* opened(id)).revision, 2)
      }).pipe(at(start))
    )

    it.effect("is the newest in the end, however many are made at the same time", () =>
      Effect.gen(function* () {
        const blocks = yield* Blocks
        const vouchers = yield* Vouchers
        const { id, tiers } = yield* onSale()
        yield* Effect.all(
          [
            ...Array.from({ length: 4 }, (_, seat) =>
              blocks.create(id, { name: `${seat}`, seats: [seatId(id, seat)] })
            ),
            ...Array.from({ length: 4 }, () =>
              vouchers.create(id, { count: 1, tiers: [tiers[3]!.id], maxTickets: 1 })
            )
          ],
          { concurrency: "unbounded" }
        )
        const layout = yield* opened(id)
        assert.strictEqual(layout.revision, 9)
        assert.lengthOf(layout.blocks ?? [], 4)
        assert.lengthOf(layout.vouchers ?? [], 4)
        assert.deepStrictEqual(yield* told(id), [
          "1 EventPublished",
          ...Array.from({ length: 8 }, (_, i) => `${i + 2} ${i + 2}`)
        ])
      }).pipe(at(start))
    )
  })
})

layer(layerCatalog, { excludeTestServices: true })("the supervisor of sales", (it) => {
  it.effect("gives the inventory what it could not take at the time", () =>
    Effect.gen(function* () {
      const blocks = yield* Blocks
      const sales = yield* OpenedSales
      const { id } = yield* onSale({ quotas: [] })
      sales.failures = 1
      yield* blocks.create(id, { name: "House", seats: [seatId(id, 0)] })
      const layout = yield* pollUntil(opened(id), ({ blocks }) => blocks !== undefined, {
        deadline: "20 seconds"
      })
      assert.strictEqual(layout.revision, 2)
    }).pipe(at(start))
  )
})
