/**
 * INV-03, INV-04 and INV-05 over HTTP: the service is killed while hundreds buy, and started again. What was
 * answered is there, and who got no answer asks again with the same key and is not charged twice.
 */
import { assert, describe, it } from "@effect/vitest"
import { Hold } from "@onsale/contracts/http/HoldsApi"
import { Order } from "@onsale/contracts/http/OrdersApi"
import { EventSales } from "@onsale/contracts/http/OrganiserApi"
import type { EventId } from "@onsale/contracts/Ids"
import * as DeliveryWorker from "@onsale/notifications/DeliveryWorker"
import { pollUntil } from "@onsale/testing/Poll"
import { Effect, Schedule, Schema, type Scope } from "effect"
import { readdirSync, readFileSync } from "node:fs"
import type { ConnectionLost, Reply } from "./HttpCall.ts"
import * as SeatsioChart from "./SeatsioChart.ts"
import * as Service from "./Service.ts"
import * as Shop from "./Shop.ts"

/** As many as CI has the time for; a thousand take three times as long and end no other way. */
const purchases = 300
const concurrency = 32
/** The kills come when so many orders have been answered. */
const killAt = [100, 180]
/**
 * Mails that are on their way to the mail server at the same time. Those of a crash may come twice, and come
 * when the dead worker's lease has run out: later than a test can wait.
 */
const mailsInFlight = DeliveryWorker.concurrency

/** What the n-th buyer pays with; null only holds the seats. */
const methodOf = (n: number): string | null => {
  if (n % 20 === 1) return null
  if (n % 20 === 3) return "tok_declined"
  if (n % 20 === 5) return "tok_late_1"
  if (n % 20 === 7) return "tok_capture_error"
  if (n % 20 === 9) return "tok_error_charged"
  return "tok_ok"
}

interface Answered {
  readonly holds: Map<number, Hold>
  readonly orders: Map<number, { readonly status: number; readonly order: Order | null }>
}

/** The service that there is now; null between a kill and the next start. */
interface Now {
  shop: Shop.Shop | null
  /** Requests that got no answer. */
  lost: number
}

/** Asks again, at the service that comes next, for as long as no answer comes. */
const insist = (now: Now, ask: (shop: Shop.Shop) => Effect.Effect<Reply, ConnectionLost>) =>
  Effect.gen(function* () {
    const shop = yield* pollUntil(
      Effect.sync(() => now.shop),
      (shop): shop is Shop.Shop => shop !== null,
      { deadline: "60 seconds" }
    )
    const reply = yield* ask(shop).pipe(
      Effect.tapError(() =>
        Effect.sync(() => {
          now.lost++
        })
      )
    )
    // A first request with the key may still be running: it has lost its connection, not its work.
    if (reply.status === 503 || (reply.status === 409 && reply.text.includes("idempotency-key-in-use"))) {
      return yield* new Shop.Unexpected({ message: `try again: ${reply.text}` })
    }
    return reply
  }).pipe(Effect.retry({ schedule: Schedule.spaced("50 millis"), times: 400 }))

const buy = Effect.fnUntraced(function* (now: Now, answered: Answered, eventId: EventId, n: number) {
  const held = yield* insist(now, (shop) =>
    shop.tryHold(eventId, { bestAvailable: { quantity: 1 + (n % 3) } }, `hold-${n}`)
  )
  const hold = yield* Shop.expect(201, Hold)(held)
  answered.holds.set(n, hold)
  const method = methodOf(n)
  if (method === null) return
  const ordered = yield* insist(now, (shop) =>
    shop.tryOrder(hold.id, method, { key: `order-${n}`, email: `buyer-${n}@example.org` })
  )
  if (ordered.status === 402) {
    const { type } = yield* Shop.problemOf(ordered)
    assert.strictEqual(type, "urn:onsale:problem:payment-declined")
    answered.orders.set(n, { status: 402, order: null })
    return
  }
  assert.include([201, 202], ordered.status, ordered.text)
  answered.orders.set(n, {
    status: ordered.status,
    order: yield* Shop.expect(ordered.status, Order)(ordered)
  })
})

/** What was answered before is there as it was answered. */
const remembers = Effect.fnUntraced(function* (shop: Shop.Shop, before: Answered) {
  yield* Effect.forEach(
    before.holds,
    ([n, hold]) =>
      methodOf(n) !== null
        ? Effect.void
        : Effect.map(Effect.flatMap(shop.holdOf(hold.id), Shop.expect(200, Hold)), (found) => {
            assert.isAtLeast(found.version, hold.version)
            assert.deepStrictEqual({ ...found, version: hold.version }, hold)
          }),
    { concurrency: 8, discard: true }
  )
  yield* Effect.forEach(
    before.orders.values(),
    ({ order, status }) =>
      order === null || status !== 201
        ? Effect.void
        : Effect.map(shop.order(order.id), (found) => assert.deepStrictEqual(found, order)),
    { concurrency: 8, discard: true }
  )
})

/** Kills and starts again whenever it is time to; the service that lives at the end. */
const crashes = Effect.fnUntraced(function* (
  now: Now,
  answered: Answered,
  first: Service.Service
): Effect.fn.Return<Service.Service, unknown, Scope.Scope> {
  let service = first
  for (const orders of killAt) {
    yield* pollUntil(
      Effect.sync(() => answered.orders.size),
      (size) => size >= orders,
      { deadline: "60 seconds", every: "5 millis" }
    )
    now.shop = null
    const before = { holds: new Map(answered.holds), orders: new Map(answered.orders) }
    yield* service.kill9
    service = yield* Service.start({ dataDir: service.dataDir })
    const shop = Shop.at(service.url)
    yield* remembers(shop, before)
    now.shop = shop
  }
  return service
})

/** How many confirmations there are of each order, by the mails' `Message-ID`; who was declined is told that, too. */
const mailsByOrder = (dataDir: string, seen: Map<string, string>) => {
  const directory = `${dataDir}/mail`
  for (const file of readdirSync(directory)) {
    if (!file.endsWith(".eml") || seen.has(file)) continue
    const id = /^message-id:\s+<([^.]+)\.confirmed@/im.exec(
      readFileSync(`${directory}/${file}`, "latin1")
    )?.[1]
    if (id !== undefined) seen.set(file, id)
  }
  const counts = new Map<string, number>()
  for (const id of seen.values()) counts.set(id, (counts.get(id) ?? 0) + 1)
  return counts
}

describe("A crash", () => {
  it.live(
    `in the middle of ${purchases} purchases, ${killAt.length} times, loses nothing that was answered and charges nobody twice`,
    () =>
      Effect.gen(function* () {
        const first = yield* Service.start()
        const { dataDir } = first
        const opening = Shop.at(first.url)
        const venue = yield* opening.importPlan("seatsio", SeatsioChart.make({ seats: 3_000 }))
        const event = yield* opening.openEvent(venue)
        const answered: Answered = { holds: new Map(), orders: new Map() }
        const now: Now = { shop: opening, lost: 0 }
        // The catcher keeps the newest mails only, so they are counted all along.
        const seen = new Map<string, string>()
        yield* Effect.sync(() => mailsByOrder(dataDir, seen)).pipe(
          Effect.repeat(Schedule.spaced("500 millis")),
          Effect.forkScoped
        )

        const [service] = yield* Effect.all(
          [
            crashes(now, answered, first),
            Effect.forEach(
              Array.from({ length: purchases }, (_, n) => n),
              (n) => buy(now, answered, event.id, n),
              { concurrency, discard: true }
            )
          ],
          { concurrency: 2 }
        )
        const shop = Shop.at(service.url)
        assert.isAbove(now.lost, 0, "some requests were under way when it was killed")
        assert.strictEqual(answered.holds.size, purchases)
        yield* remembers(shop, answered)

        // Whatever was left between two steps is resumed.
        const orders = yield* Effect.forEach(
          [...answered.orders.values()].flatMap(({ order }) => (order === null ? [] : [order])),
          ({ id }) =>
            pollUntil(shop.order(id), ({ status }) => status !== "payment_pending", {
              deadline: "60 seconds"
            }),
          { concurrency: 8 }
        )
        assert.isTrue(orders.every(({ status }) => status === "confirmed"))
        const tickets = orders.flatMap((order) => order.tickets)
        assert.strictEqual(new Set(tickets.map(({ seatId }) => seatId)).size, tickets.length)

        // The same key again: the same order.
        const sample = [...answered.orders].find(([n]) => methodOf(n) === "tok_ok")
        const hold = answered.holds.get(sample?.[0] ?? -1)
        assert.isDefined(hold)
        const repeated = yield* shop.tryOrder(hold.id, methodOf(sample?.[0] ?? -1) ?? "", {
          key: `order-${sample?.[0]}`,
          email: `buyer-${sample?.[0]}@example.org`
        })
        assert.strictEqual((yield* Shop.expect(201, Order)(repeated)).id, sample?.[1].order?.id)

        // The provider's books and ours: a capture for each order that has tickets, and no other.
        const probe = yield* Effect.flatMap(
          shop.hold(event.id, { bestAvailable: { quantity: 1 } }),
          ({ id }) => Effect.flatMap(shop.tryOrder(id, "tok_3ds"), Shop.expect(202, Order))
        )
        const sandbox = new URL(probe.nextAction?.url ?? "").origin
        const { payments } = yield* pollUntil(
          Shop.ledger(sandbox, dataDir),
          ({ payments }) =>
            payments.every(({ status }) => status !== "authorised" && status !== "processing"),
          { deadline: "60 seconds", every: "200 millis" }
        )
        const kept = payments.filter(({ captured, refunded }) => captured > refunded)
        assert.lengthOf(kept, orders.length)
        assert.strictEqual(
          kept.reduce((sum, { captured, refunded }) => sum + captured - refunded, 0),
          orders.reduce((sum, { total }) => sum + total.amount, 0)
        )
        const { sales } = yield* pollUntil(
          Effect.flatMap(
            shop.send({
              path: shop.api(`/organiser/events/${event.id}/sales`),
              headers: { authorization: `Bearer ${Service.organiserKey}` }
            }),
            Shop.expect(200, Schema.Struct({ sales: Schema.Array(EventSales) }))
          ),
          // A read model, which follows.
          ({ sales }) => sales[0]?.orders === orders.length
        )
        assert.strictEqual(sales[0]?.orders, orders.length)
        assert.strictEqual(sales[0]?.tickets, tickets.length)

        const mails = yield* pollUntil(
          Effect.sync(() => mailsByOrder(dataDir, seen)),
          (mails) => orders.filter(({ id }) => !mails.has(id)).length <= killAt.length * mailsInFlight,
          { deadline: "60 seconds", every: "200 millis" }
        )
        const repeats = [...mails.values()].map((count) => count - 1)
        assert.isAtMost(Math.max(...repeats), killAt.length)
        assert.isAtMost(
          repeats.reduce((sum, count) => sum + count, 0),
          killAt.length * mailsInFlight
        )
        assert.includeMembers(
          orders.map(({ id }): string => id),
          [...mails.keys()]
        )

        yield* Service.assertAudited(service)
        assert.include(Service.cleanExits, yield* service.stop)
      }).pipe(Effect.scoped),
    180_000
  )
})
