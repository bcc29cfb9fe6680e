/**
 * Booking on a runner that can be killed: the database and the fakes stay, what was in memory is gone.
 */
import { Clock, ConfigProvider, Context, Effect, Exit, Layer, References, Scope } from "effect"
import {
  MessageStorage,
  RunnerHealth,
  Runners,
  RunnerStorage,
  Sharding,
  ShardingConfig
} from "effect/cluster"
import { SqlClient } from "effect/sql"
import { type HoldId, makeUuidV7, OrderId } from "@onsale/contracts/Ids"
import type { OrderStatus } from "@onsale/contracts/booking/Order"
import { OrderEntity } from "@onsale/contracts/booking/OrderEntity"
import { CatalogEvent } from "@onsale/contracts/catalog/CatalogEvent"
import { InventoryClient } from "@onsale/contracts/inventory/InventoryClient"
import { PaymentEvent } from "@onsale/contracts/payments/PaymentIntent"
import * as Journal from "@onsale/platform/Journal"
import { pollUntil } from "@onsale/testing/Poll"
import * as BookingAudit from "../src/BookingAudit.ts"
import { CheckIns } from "../src/CheckIns.ts"
import * as CancelledEvents from "../src/CancelledEvents.ts"
import { Checkout } from "../src/Checkout.ts"
import * as OrderEntityLayer from "../src/OrderEntity.ts"
import { OrderStore } from "../src/OrderStore.ts"
import * as OrderSupervisor from "../src/OrderSupervisor.ts"
import { Orders, type PlaceOrder } from "../src/Orders.ts"
import { FakeInventory } from "./FakeInventory.ts"
import { FakePayments } from "./FakePayments.ts"

const groups = ["booking", "payment", "default"]

const cluster = Sharding.layer.pipe(
  Layer.provideMerge(Runners.layerNoop),
  Layer.provideMerge(MessageStorage.layerMemory),
  Layer.provide([RunnerStorage.layerMemory, RunnerHealth.layerNoop]),
  Layer.provide(
    ShardingConfig.layer({
      availableShardGroups: groups,
      assignedShardGroups: groups,
      shardsPerGroup: 8,
      // A killed process does not wait for what it was at.
      entityTerminationTimeout: "1 millis"
    })
  )
)

export interface Options {
  /** Without it, nothing resumes an order but the test. */
  readonly supervised?: boolean
}

export const makeHarness = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const inventory = new FakeInventory()
  const payments = new FakePayments()
  // The database is the suite's: each test begins with empty tables.
  yield* sql`TRUNCATE booking.journal, booking.orders, booking.tickets, booking.idempotency, booking.cursor,
    booking.cancelled_events, booking.check_ins, booking.scan_conflicts, payments.journal, catalog.journal`

  const start = Effect.fnUntraced(function* ({ supervised = true }: Options = {}) {
    const scope = yield* Scope.make()
    yield* Effect.addFinalizer(() => Scope.close(scope, Exit.void))
    const layer = Layer.mergeAll(
      Orders.layer,
      CheckIns.layer,
      supervised ? Layer.merge(OrderSupervisor.layer, CancelledEvents.layer) : Layer.empty
    ).pipe(
      Layer.provideMerge(OrderEntityLayer.layer),
      Layer.provide([Checkout.layer, OrderStore.layer]),
      Layer.provide(payments.layer),
      Layer.provideMerge(cluster),
      Layer.provide([
        Layer.succeed(InventoryClient, inventory.client),
        Layer.succeed(SqlClient.SqlClient, sql),
        // Most of what goes wrong here is meant to.
        Layer.succeed(References.MinimumLogLevel, "Fatal"),
        ConfigProvider.layer(
          ConfigProvider.fromUnknown({
            ONSALE_BOOKING_RESUME_EVERY: "20 millis",
            ONSALE_BOOKING_CANCELLED_EVERY: "20 millis",
            ONSALE_CHECKOUT_STEP_LIMIT: "5 seconds"
          })
        )
      ])
    )
    const context = yield* Layer.buildWithMemoMap(layer, Layer.makeMemoMapUnsafe(), scope)
    return {
      orders: Context.get(context, Orders),
      checkIns: Context.get(context, CheckIns),
      /** How far they are: null before booking has heard of the cancellation. */
      refunds: Effect.map(Context.get(context, Orders).cancellation(inventory.eventId), (progress) => ({
        refunded: progress?.orders.refunded ?? 0,
        pending: (progress?.orders.pending ?? 0) + (progress?.orders.waiting ?? 0),
        unfinished: progress?.orders.unfinished ?? 0,
        startedAt: progress?.startedAt ?? null,
        finishedAt: progress?.finishedAt ?? null,
        amount: progress?.refunded[0]?.amount ?? 0
      })),
      entity: yield* Effect.provide(OrderEntity.client, context),
      kill: Scope.close(scope, Exit.void)
    }
  })

  const request = (holdId: HoldId, method = "tok_ok", key = makeUuidV7(0)): PlaceOrder => ({
    key,
    fingerprint: `${holdId} ${method}`,
    eventId: inventory.eventId,
    order: { holdId, customer: { name: "Ada", email: "ada@example.org" }, payment: { method } }
  })

  return {
    sql,
    inventory,
    payments,
    start,
    request,
    /** Until the fake does what it was told to: never answer. */
    hanging: (step: string) =>
      pollUntil(
        Effect.sync(() => inventory.faults.hanging.has(step) || payments.faults.hanging.has(step)),
        (is) => is
      ),
    /** The only order of the test. */
    theOrder: Effect.gen(function* () {
      const rows = yield* sql<{ readonly id: string }>`SELECT id::text AS id FROM booking.orders`
      if (rows.length !== 1) return yield* Effect.die(new Error(`${rows.length} orders`))
      return OrderId.make(rows[0]!.id)
    }),
    reaches: (orders: Orders["Service"], orderId: OrderId, ...statuses: ReadonlyArray<OrderStatus>) =>
      pollUntil(orders.get(orderId), (order) => order !== null && statuses.includes(order.status)),
    /** The supervisor looks at all orders now, not in a second. */
    hurry: Effect.asVoid(
      sql`UPDATE booking.orders SET next_check_at = now() WHERE next_check_at IS NOT NULL`
    ),
    /** What is still owed to somebody. */
    unfinished: Effect.map(
      sql<{
        readonly n: number
      }>`SELECT count(*)::int AS n FROM booking.orders WHERE next_check_at IS NOT NULL`,
      (rows) => rows[0]!.n
    ),
    lateMoney: (orderId: OrderId) =>
      Effect.map(
        sql<{
          readonly late: string | null
        }>`SELECT late_money AS late FROM booking.orders WHERE id = ${orderId}::uuid`,
        (rows) => rows[0]?.late
      ),
    rows: Effect.map(
      sql<{ readonly n: number }>`SELECT count(*)::int AS n FROM booking.journal`,
      (rows) => rows[0]!.n
    ),
    /** As if the payments had written it. */
    news: Effect.fnUntraced(function* (intentId: string, ...events: ReadonlyArray<PaymentEvent>) {
      const journal = yield* Journal.make({ schema: "payments", event: PaymentEvent })
      const atMs = yield* Clock.currentTimeMillis
      yield* journal.append({ stream: intentId, version: 1, atMs, correlation: null, events })
    }),
    /** As if the catalog had closed the sale, and written so. */
    cancelEvent: Effect.gen(function* () {
      inventory.cancelled = true
      const journal = yield* Journal.make({ schema: "catalog", event: CatalogEvent })
      const { eventId } = inventory
      yield* journal.append({
        stream: eventId,
        version: 1,
        atMs: yield* Clock.currentTimeMillis,
        correlation: null,
        events: [{ _tag: "EventCancelled", eventId, reason: "Rain" }]
      })
    }),
    breaches: Effect.map(BookingAudit.run, (findings) => findings.filter(({ ok }) => !ok))
  }
})

export type Harness = Effect.Success<typeof makeHarness>
