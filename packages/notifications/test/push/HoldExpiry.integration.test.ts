import { assert, layer } from "@effect/vitest"
import { HoldId, makeUuidV7, OrderId } from "@onsale/contracts/Ids"
import { InventoryClient } from "@onsale/contracts/inventory/InventoryClient"
import type { HoldView, Refused } from "@onsale/contracts/inventory/InventoryCommand"
import { pollUntil } from "@onsale/testing/Poll"
import { layerDatabase } from "@onsale/testing/PostgresFixture"
import { Clock, Effect, Layer, Option } from "effect"
import { SqlClient } from "effect/sql"
import { createECDH } from "node:crypto"
import { NoticeJobs } from "../../src/NoticeJobs.ts"
import * as HoldExpiryWorker from "../../src/push/HoldExpiryWorker.ts"
import { maxSubscriptions, PushSubscriptions } from "../../src/push/PushSubscriptions.ts"
import { eventId } from "../Samples.ts"

/** As the inventory has them; one that is not here has ended. */
const holds = new Map<string, HoldView>()
const inventory = Layer.mock(InventoryClient, {
  hold: (_, holdId) =>
    Effect.succeed(holds.get(holdId) ?? ({ _tag: "Refused", code: "hold_not_found" } as unknown as Refused))
})
const services = HoldExpiryWorker.layer({ pollEvery: "20 millis" }).pipe(
  Layer.provideMerge(PushSubscriptions.layer),
  Layer.provideMerge(NoticeJobs.layer),
  Layer.provide(inventory),
  Layer.provideMerge(layerDatabase)
)

const point = createECDH("prime256v1").generateKeys("base64url")

const browser = (n: number, host = "push.example") => ({
  endpoint: `https://${host}/${n}`,
  keys: { p256dh: point, auth: Buffer.alloc(16, n).toString("base64url") }
})

const newHold = Effect.map(Clock.currentTimeMillis, (nowMs) => HoldId.make(makeUuidV7(nowMs)))
const live = (holdId: HoldId, expiresAtMs: number, orderId: OrderId | null = null) =>
  holds.set(holdId, {
    holdId,
    seats: [],
    areas: [],
    amount: 0,
    currency: "EUR",
    expiresAtMs,
    version: 1,
    orderId
  })

const patience = { deadline: "45 seconds" } as const
const listeners = (holdId: HoldId) =>
  Effect.flatMap(PushSubscriptions, (subscriptions) => subscriptions.of({ holdId }))

layer(services, { excludeTestServices: true, timeout: "60 seconds" })("Warnings of holds", (it) => {
  it.effect("one that lives a minute before its end is told of, once", () =>
    Effect.gen(function* () {
      const subscriptions = yield* PushSubscriptions
      const { notices } = yield* NoticeJobs
      const holdId = yield* newHold
      const expiresAtMs = (yield* Clock.currentTimeMillis) + 50_000
      live(holdId, expiresAtMs)
      const before = (yield* notices.backlog).waiting
      yield* subscriptions.add({ eventId, holdId, expiresAtMs }, browser(1))
      yield* subscriptions.add({ eventId, holdId, expiresAtMs }, browser(1))
      yield* pollUntil(notices.backlog, ({ waiting }) => waiting === before + 1, patience)
      assert.strictEqual((yield* listeners(holdId)).length, 1)
    })
  )

  it.effect("one that was bought or released is not, and nobody listens any more", () =>
    Effect.gen(function* () {
      const subscriptions = yield* PushSubscriptions
      const { notices } = yield* NoticeJobs
      const holdId = yield* newHold
      const before = (yield* notices.backlog).waiting
      const expiresAtMs = (yield* Clock.currentTimeMillis) + 50_000
      yield* subscriptions.add({ eventId, holdId, expiresAtMs }, browser(1))
      yield* pollUntil(listeners(holdId), ({ length }) => length === 0, patience)
      assert.strictEqual((yield* notices.backlog).waiting, before)
    })
  )

  it.effect("one that was extended is asked after again, later", () =>
    Effect.gen(function* () {
      const subscriptions = yield* PushSubscriptions
      const { holdExpiries, notices } = yield* NoticeJobs
      const holdId = yield* newHold
      const nowMs = yield* Clock.currentTimeMillis
      live(holdId, nowMs + 600_000)
      const [asked, before] = [(yield* holdExpiries.backlog).waiting, (yield* notices.backlog).waiting]
      yield* subscriptions.add({ eventId, holdId, expiresAtMs: nowMs + 50_000 }, browser(1))
      yield* pollUntil(
        subscriptions.expiryOf(holdId),
        (atMs) => Option.isSome(atMs) && Math.round(atMs.value) === nowMs + 600_000,
        patience
      )
      yield* pollUntil(holdExpiries.backlog, ({ waiting }) => waiting === asked + 1, patience)
      assert.strictEqual((yield* notices.backlog).waiting, before)
    })
  )

  it.effect(
    "one that is extended after its warning is warned of again, and forgotten when it has ended",
    () =>
      Effect.gen(function* () {
        const subscriptions = yield* PushSubscriptions
        const { notices } = yield* NoticeJobs
        const holdId = yield* newHold
        const nowMs = yield* Clock.currentTimeMillis
        live(holdId, nowMs + 1_500)
        const before = (yield* notices.backlog).waiting
        yield* subscriptions.add({ eventId, holdId, expiresAtMs: nowMs + 1_500 }, browser(3))
        yield* pollUntil(notices.backlog, ({ waiting }) => waiting === before + 1, patience)
        live(holdId, nowMs + 7_000)
        yield* pollUntil(notices.backlog, ({ waiting }) => waiting === before + 2, patience)
        assert.strictEqual((yield* listeners(holdId)).length, 1)
        // Nobody has let it go; it is over by the clock.
        yield* pollUntil(listeners(holdId), ({ length }) => length === 0, patience)
        assert.strictEqual((yield* notices.backlog).waiting, before + 2)
      })
  )

  it.effect("one that is paid for is asked of again until that has ended", () =>
    Effect.gen(function* () {
      const subscriptions = yield* PushSubscriptions
      const { holdExpiries, notices } = yield* NoticeJobs
      const sql = yield* SqlClient.SqlClient
      const holdId = yield* newHold
      const nowMs = yield* Clock.currentTimeMillis
      live(holdId, nowMs + 50_000, OrderId.make(makeUuidV7(nowMs)))
      const [asked, told] = [(yield* holdExpiries.backlog).waiting, (yield* notices.backlog).waiting]
      yield* subscriptions.add({ eventId, holdId, expiresAtMs: nowMs + 50_000 }, browser(4))
      const paying = sql<{ readonly id: string }>`SELECT id FROM notifications.jobs
        WHERE queue = 'hold-expiry' AND id LIKE ${`${holdId}:%:paying:1`}::text`
      yield* pollUntil(paying, ({ length }) => length === 1, patience)
      assert.strictEqual((yield* listeners(holdId)).length, 1)
      holds.delete(holdId)
      yield* sql`UPDATE notifications.jobs SET run_at = clock_timestamp()
        WHERE queue = 'hold-expiry' AND id LIKE ${`${holdId}:%:paying:%`}::text`
      yield* pollUntil(listeners(holdId), ({ length }) => length === 0, patience)
      // The question is settled after what it does, and none follows it.
      yield* pollUntil(holdExpiries.backlog, ({ waiting }) => waiting === asked, patience)
      assert.strictEqual((yield* notices.backlog).waiting, told)
    })
  )

  it.effect(
    "an order has so many browsers, none in a private network, none that nothing is encrypted to",
    () =>
      Effect.gen(function* () {
        const subscriptions = yield* PushSubscriptions
        const orderId = OrderId.make(makeUuidV7(yield* Clock.currentTimeMillis))
        const about = { eventId, orderId }
        yield* Effect.forEach(
          Array.from({ length: maxSubscriptions }, (_, n) => n),
          (n) => subscriptions.add(about, browser(n)),
          { concurrency: "unbounded" }
        )
        const full = yield* Effect.flip(subscriptions.add(about, browser(maxSubscriptions)))
        assert.strictEqual(full._tag, "PushSubscriptionsFull")
        const inside = yield* Effect.flip(subscriptions.add(about, browser(1, "169.254.169.254")))
        assert.strictEqual(inside._tag, "WebhookUrlRefused")
        const broken = { ...browser(1), keys: { ...browser(1).keys, p256dh: "p" } }
        assert.strictEqual((yield* Effect.flip(subscriptions.add(about, broken)))._tag, "PushKeysRefused")
        const [first] = yield* subscriptions.of({ orderId })
        yield* subscriptions.remove(first?.key ?? "")
        assert.strictEqual((yield* subscriptions.of({ orderId })).length, maxSubscriptions - 1)
      })
  )
})
