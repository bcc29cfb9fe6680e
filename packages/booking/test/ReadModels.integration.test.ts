import { assert, layer } from "@effect/vitest"
import { CustomerId, makeUuidV7 } from "@onsale/contracts/Ids"
import * as ReadModel from "@onsale/platform/ReadModel"
import { rebuild } from "@onsale/platform/ReadModelRebuild"
import { pollUntil } from "@onsale/testing/Poll"
import { layerDatabase } from "@onsale/testing/PostgresFixture"
import { Effect } from "effect"
import * as CustomerOrders from "../src/CustomerOrders.ts"
import * as EventSales from "../src/EventSales.ts"
import { makeHarness } from "./BookingHarness.ts"

const ada = { id: CustomerId.make("ada"), email: "Ada@Example.org" }
/** Counts as Ada for limits, and is not her. */
const almostAda = { id: CustomerId.make("almost-ada"), email: "ada+x@example.org" }
const bob = { id: CustomerId.make("bob"), email: null }

/** Orders of two customers, one of them partly given back; and both models over them. */
const prepare = Effect.gen(function* () {
  const h = yield* makeHarness
  yield* h.sql`TRUNCATE booking.read_model, booking.customer_orders, booking.sales_by_day, booking.sales_by_tier`
  const { orders } = yield* h.start()
  const place = Effect.fnUntraced(function* (seats: ReadonlyArray<number>, of: typeof bob | null) {
    const request = h.request(h.inventory.makeHold([...seats]))
    return (yield* orders.place(of === null ? request : { ...request, customerId: of.id })).order
  })
  const anonymous = yield* place([1, 2], null)
  const first = yield* place([3], bob)
  const second = yield* place([4, 5], bob)
  yield* orders.refund(second.id, {
    key: makeUuidV7(0),
    fingerprint: "one",
    tickets: [second.tickets[0]!.id],
    reason: "ill"
  })
  const models = { orders: yield* CustomerOrders.model, sales: yield* EventSales.model }
  const { eventId } = h.inventory
  const sales = orders.sales(eventId)
  const pageOf = (owner: CustomerOrders.Owner) =>
    Effect.map(orders.ofCustomer(owner, null, 10), (found) => found.map(({ atMicros: _, ...order }) => order))
  const answers = Effect.all({ ada: pageOf(ada), almostAda: pageOf(almostAda), bob: pageOf(bob), sales })
  const serves = (name: string) =>
    Effect.map(ReadModel.serving({ schema: "booking", name }), (found) => found?.ready === true)
  /** Both, until they have seen everything. */
  const run = Effect.gen(function* () {
    for (const { name, once } of [
      { name: models.orders.name, once: ReadModel.runOnce(models.orders) },
      { name: models.sales.name, once: ReadModel.runOnce(models.sales) }
    ]) {
      const end = h.sql<{ readonly behind: number }>`SELECT count(*)::int AS behind FROM booking.journal j
        LEFT JOIN booking.read_model m ON m.name = ${name} AND m.serving
        WHERE m.name IS NULL OR (j.txid, j.position) > (m.txid, m.position)`
      yield* pollUntil(Effect.andThen(once, end), (rows) => rows[0]?.behind === 0)
    }
  })
  return { anonymous, answers, first, h, models, orders, place, run, second, serves }
})

layer(layerDatabase, { excludeTestServices: true })("Read models of booking", (it) => {
  it.effect("without them the journal answers, with them the same, and after they were dropped again", () =>
    Effect.gen(function* () {
      const { anonymous, answers, first, h, run, second, serves } = yield* prepare
      assert.isFalse(yield* serves("sales"))
      const slow = yield* answers
      yield* run
      assert.isTrue((yield* serves("sales")) && (yield* serves("customer-orders")))
      const fast = yield* answers
      assert.deepStrictEqual(fast, slow)

      assert.deepStrictEqual(
        fast.ada.map(({ id }) => id),
        [anonymous.id]
      )
      assert.isEmpty(fast.almostAda)
      // What a token has named is nobody else's who writes the same address.
      assert.deepStrictEqual(
        fast.bob.map(({ id }) => id),
        [second.id, first.id]
      )
      const [sales] = fast.sales
      const back = second.tickets[0]!.price
      const amount = anonymous.total.amount + first.total.amount + second.total.amount
      assert.deepInclude(sales, { orders: 3, tickets: 5, amount, refunded: back, kept: 0, currency: "EUR" })
      for (const parts of [sales!.days, sales!.tiers]) {
        const sum = (of: (part: (typeof parts)[number]) => number) =>
          parts.reduce((total, part) => total + of(part), 0)
        assert.deepStrictEqual(
          [sum((p) => p.tickets), sum((p) => p.amount), sum((p) => p.refunded), sum((p) => p.returned)],
          [5, amount, back, 1]
        )
      }

      yield* h.sql`TRUNCATE booking.read_model, booking.customer_orders, booking.sales_by_day, booking.sales_by_tier`
      assert.deepStrictEqual(yield* answers, fast)
      yield* run
      assert.deepStrictEqual(yield* answers, fast)
      // One table alone is no different.
      yield* h.sql`TRUNCATE booking.sales_by_tier`
      assert.isFalse(yield* serves("sales"))
      assert.deepStrictEqual(yield* answers, fast)
    })
  )

  it.effect("built anew they say the same", () =>
    Effect.gen(function* () {
      const { answers, h, models, run } = yield* prepare
      yield* run
      const before = yield* answers
      // What a bug has left in a table is gone with it.
      yield* h.sql`UPDATE booking.sales_by_day SET amount = amount + 1`
      assert.notDeepEqual(yield* answers, before)
      yield* rebuild(models.sales)
      yield* rebuild(models.orders)
      assert.deepStrictEqual(yield* answers, before)
    })
  )

  it.effect("pages of orders follow each other without a gap", () =>
    Effect.gen(function* () {
      const { orders, place, run } = yield* prepare
      for (const seat of [6, 7, 8]) yield* place([seat], bob)
      const walk = Effect.gen(function* () {
        const seen: Array<string> = []
        let after: CustomerOrders.Place | null = null
        while (true) {
          const page: ReadonlyArray<CustomerOrders.CustomerOrder> = yield* orders.ofCustomer(bob, after, 2)
          seen.push(...page.map(({ id }) => id))
          const last = page[1]
          if (last === undefined) return seen
          after = last
        }
      })
      const slow = yield* walk
      yield* run
      assert.deepStrictEqual(yield* walk, slow)
      assert.lengthOf(new Set(slow), 5)
      assert.lengthOf(slow, 5)
    })
  )
})
