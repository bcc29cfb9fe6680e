/** What the contexts tell one another over the bus: nothing personal, and nothing but speed. */
import { assert, describe, layer } from "@effect/vitest"
import * as BookingNews from "@onsale/booking/BookingNews"
import * as BookingRelay from "@onsale/booking/BookingRelay"
import * as CatalogRelay from "@onsale/catalog/CatalogRelay"
import { OrderEvent } from "@onsale/contracts/booking/Order"
import { CatalogEvent } from "@onsale/contracts/catalog/CatalogEvent"
import { InventoryEvent } from "@onsale/contracts/inventory/InventoryEvent"
import { PaymentEvent } from "@onsale/contracts/payments/PaymentIntent"
import { contexts, topicOf } from "@onsale/contracts/Topics"
import * as InventoryRelay from "@onsale/inventory/InventoryRelay"
import * as NotificationNews from "@onsale/notifications/NotificationNews"
import * as PaymentRelay from "@onsale/payments/PaymentRelay"
import type { CloudEvent } from "@onsale/platform/CloudEvent"
import { EventBus } from "@onsale/platform/EventBus"
import * as EventBusMemory from "@onsale/platform/EventBusMemory"
import * as EventBusRedis from "@onsale/platform/EventBusRedis"
import * as Journal from "@onsale/platform/Journal"
import * as Projection from "@onsale/platform/Projection"
import * as Redis from "@onsale/platform/Redis"
import { pollUntil } from "@onsale/testing/Poll"
import { layerDatabase } from "@onsale/testing/PostgresFixture"
import { ownRedis, suiteName, TestRedis } from "@onsale/testing/RedisFixture"
import { Context, Effect, Layer, References, Schema } from "effect"
import { SqlClient } from "effect/sql"

const quiet = Layer.succeed(References.MinimumLogLevel, "None")
const uuid = (n: number) => `00000000-0000-7000-8000-${String(n).padStart(12, "0")}`
const person = "ada.lovelace@example.com"
const relays = Layer.mergeAll(
  CatalogRelay.layer,
  InventoryRelay.layer,
  BookingRelay.layer,
  PaymentRelay.layer
)
const memory = Effect.map(Layer.build(EventBusMemory.layer()), Context.get(EventBus))

/** Rows as other processes write them: nobody here is woken by it. */
const insert = Effect.fnUntraced(function* (
  schema: string,
  stream: number,
  events: ReadonlyArray<object>,
  version = 1
) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`INSERT INTO ${sql(`${schema}.journal`)} (stream, version, at, events)
    VALUES (${uuid(stream)}::uuid, ${version}::int, now(), ${JSON.stringify(events)}::json)`
})

const schemas = {
  catalog: CatalogEvent,
  inventory: InventoryEvent,
  booking: OrderEvent,
  payments: PaymentEvent
}

/** The events of a context that its schema makes up, each with an address in every text it may stand in. */
const withAddresses = {
  booking: [
    {
      _tag: "Placed",
      eventId: uuid(1),
      holdId: uuid(2),
      customer: { name: `Ada <${person}>`, email: person },
      intentId: uuid(3),
      provider: "sandbox",
      method: "tok_ok",
      total: { amount: 4500, currency: "EUR" },
      seats: [],
      areas: [],
      payUntilMs: 1
    },
    {
      _tag: "PaymentPending",
      provider: "sandbox",
      status: "requires_action",
      nextAction: { type: "redirect", url: `https://pay.example/?email=${person}` }
    },
    { _tag: "Abandoned", reason: person },
    { _tag: "Cancelled", reason: person, payment: null },
    { _tag: "RefundRequested", refundId: uuid(4), amount: 100, tickets: [], reason: `tell ${person}` }
  ],
  inventory: [
    {
      _tag: "Held",
      cmd: uuid(5),
      fp: person,
      hold: uuid(2),
      seats: [1],
      areas: [],
      exp: 1,
      cap: 2,
      customer: person
    },
    {
      _tag: "Sold",
      cmd: uuid(6),
      fp: person,
      hold: uuid(2),
      order: uuid(7),
      seats: [1],
      areas: [],
      reclaimed: false,
      customer: person
    }
  ],
  payments: [
    {
      _tag: "RequiresAction",
      reference: "ref",
      nextAction: { type: "redirect", url: `https://pay.example/?email=${person}` }
    },
    { _tag: "Processing", reference: null, reason: `${person} was not answered` },
    { _tag: "Rerouted", provider: "sandbox", reason: person }
  ],
  catalog: [{ _tag: "EventCancelled", eventId: uuid(1), reason: `ask ${person}` }]
}

layer(layerDatabase, { excludeTestServices: true, timeout: "60 seconds" })(
  "The bus of the contexts",
  (it) => {
    it.effect("no e-mail address and no name comes to the bus", () =>
      Effect.gen(function* () {
        const bus = yield* memory
        const seen: Array<CloudEvent> = []
        yield* bus.consume({
          group: "strangers",
          topics: contexts.map(topicOf),
          handle: ({ event }) => Effect.sync(() => void seen.push(event))
        })
        for (const context of contexts) {
          // What stands here is what may stand in the journal.
          yield* Schema.decodeUnknownEffect(
            Schema.Array(Schema.toCodecJson<Schema.Codec<unknown>>(schemas[context]))
          )(withAddresses[context])
          yield* insert(context, 10, withAddresses[context])
        }
        yield* Layer.build(relays.pipe(Layer.provide(Layer.succeed(EventBus, bus)), Layer.provide(quiet)))
        const wanted = Object.values(withAddresses).flat().length
        yield* pollUntil(
          Effect.sync(() => seen.length),
          (count) => count >= wanted
        )
        for (const event of seen) assert.notMatch(JSON.stringify(event), /@|Ada|lovelace/i, event.type)
        const sold = seen.find(({ type }) => type === "onsale.inventory.Sold")
        assert.strictEqual(sold?.source, "/onsale/inventory")
        assert.strictEqual(sold?.subject, uuid(10))
        assert.deepStrictEqual(sold?.data, {
          _tag: "Sold",
          hold: uuid(2),
          order: uuid(7),
          seats: [1],
          areas: [],
          reclaimed: false
        })
      }).pipe(Effect.scoped)
    )
  }
)

/** Rows that a follower elsewhere has to be woken for: who tells of them, who listens, and what is written. */
const routes = [
  {
    context: "booking",
    relay: BookingRelay.layer,
    news: NotificationNews.layer,
    event: { _tag: "Confirmed", tickets: [] }
  },
  {
    context: "catalog",
    relay: CatalogRelay.layer,
    news: NotificationNews.layer,
    event: { _tag: "SaleChanged", eventId: uuid(1), revision: 1 }
  },
  {
    context: "payments",
    relay: PaymentRelay.layer,
    news: BookingNews.layer,
    event: { _tag: "Captured", amount: 1 }
  },
  {
    context: "catalog",
    relay: CatalogRelay.layer,
    news: BookingNews.layer,
    event: { _tag: "EventCancelled", eventId: uuid(1), reason: "rain" }
  }
] as const

/** As of a process of its own: it shares Postgres and Redis with others, and no wake-ups. */
const apart = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.provideService(effect, Journal.WakeUps, new Map())

/** A follower of a journal that tells when it sleeps, and what has come to it. */
const follow = Effect.fnUntraced(function* (
  context: (typeof routes)[number]["context"],
  name: string,
  pollEvery: "1 hour" | "1500 millis"
) {
  const journal = yield* Journal.make({ schema: context, event: Schema.Unknown as Schema.Codec<unknown> })
  const streams: Array<string> = []
  let empty = 0
  const follower = Projection.layer({
    schema: "notifications",
    name,
    pollEvery,
    gatherFor: 0,
    journal: {
      ...journal,
      readAll: (after, limit) =>
        Effect.tap(journal.readAll(after, limit), (rows) =>
          Effect.sync(() => void (rows.length === 0 && empty++))
        )
    },
    handle: (rows) => Effect.sync(() => void streams.push(...rows.map(({ stream }) => stream)))
  })
  yield* Layer.build(follower)
  return {
    /** It has found nothing more to read. */
    asleep: pollUntil(
      Effect.sync(() => empty),
      (count) => count > 0
    ),
    comes: (stream: number) =>
      pollUntil(
        Effect.sync(() => streams),
        (all) => all.includes(uuid(stream)),
        { deadline: "20 seconds" }
      )
  }
})

const withRedis = Layer.merge(layerDatabase, TestRedis.layer)

describe.runIf(ownRedis)(suiteName("Two processes over Redis"), () => {
  layer(withRedis, { excludeTestServices: true, timeout: "60 seconds" })("Two processes over Redis", (it) => {
    const bus = Effect.gen(function* () {
      const { url } = yield* TestRedis
      return EventBusRedis.layer().pipe(Layer.provide(Redis.layerUrl({ url })), Layer.provide(quiet))
    })

    for (const [index, { context, event, news, relay }] of routes.entries()) {
      it.effect(`${event._tag} of ${context} wakes who follows it elsewhere, long before its poll`, () =>
        Effect.gen(function* () {
          const redis = yield* bus
          const follower = yield* apart(
            Effect.gen(function* () {
              yield* Layer.build(news.pipe(Layer.provide(redis), Layer.provide(quiet)))
              return yield* follow(context, `probe${index}`, "1 hour")
            })
          )
          yield* apart(Layer.build(relay.pipe(Layer.provide(redis), Layer.provide(quiet))))
          yield* follower.asleep
          yield* insert(context, 100 + index, [event])
          yield* follower.comes(100 + index)
        }).pipe(Effect.scoped)
      )
    }

    it.effect("INV-10: without Redis it comes by the poll", () =>
      Effect.gen(function* () {
        const server = yield* TestRedis
        const redis = yield* bus
        const follower = yield* apart(
          Effect.gen(function* () {
            yield* Layer.build(NotificationNews.layer.pipe(Layer.provide(redis), Layer.provide(quiet)))
            return yield* follow("booking", "without", "1500 millis")
          })
        )
        yield* apart(Layer.build(BookingRelay.layer.pipe(Layer.provide(redis), Layer.provide(quiet))))
        yield* server.stop
        yield* follower.asleep
        yield* insert("booking", 200, [{ _tag: "Confirmed", tickets: [] }])
        yield* follower.comes(200)
        yield* server.start
      }).pipe(Effect.scoped)
    )
  })
})
