/**
 * One life of our process: seats, orders and payments as they run for real, with their supervisors, over a
 * database behind a cable of its own. It is killed as `kill -9` does it: from one moment on it reaches neither
 * Postgres nor a provider, whatever its code still tries while it is taken apart.
 */
import { Checkout } from "@onsale/booking/Checkout"
import * as OrderEntity from "@onsale/booking/OrderEntity"
import { Orders } from "@onsale/booking/Orders"
import { OrderStore } from "@onsale/booking/OrderStore"
import * as OrderSupervisor from "@onsale/booking/OrderSupervisor"
import { InventoryClient } from "@onsale/contracts/inventory/InventoryClient"
import { bookingShardGroup } from "@onsale/contracts/inventory/InventoryEntity"
import { paymentShardGroup } from "@onsale/contracts/payments/PaymentEntity"
import * as InventoryClientLayer from "@onsale/inventory/InventoryClient"
import * as InventoryEntity from "@onsale/inventory/InventoryEntity"
import { InventoryStore } from "@onsale/inventory/InventoryStore"
import * as NotificationRunner from "@onsale/notifications/NotificationRunner"
import {
  make,
  type PaymentProvider,
  PaymentProviders,
  ProviderFailure
} from "@onsale/payments/PaymentProvider"
import { Payments } from "@onsale/payments/Payments"
import * as ProviderHealth from "@onsale/payments/ProviderHealth"
import { Webhooks } from "@onsale/payments/Webhooks"
import * as Cluster from "@onsale/platform/Cluster"
import * as Sql from "@onsale/platform/Sql"
import { Context, Deferred, Effect, Exit, Layer, Redacted, References, Schema, Scope } from "effect"
import * as Digest from "effect/crypto/Digest"
import * as Cable from "../Cable.ts"
import { guard, type MoneyCall, type Strike } from "./MoneyCall.ts"

/** The process died before it answered. */
export class RunnerDied extends Schema.TaggedError<RunnerDied>()("RunnerDied", {}) {}

export interface MoneyRunner {
  readonly orders: Orders["Service"]
  readonly inventory: InventoryClient["Service"]
  readonly webhooks: Webhooks["Service"]
  /** Fails when it is killed. */
  readonly died: Effect.Effect<never, RunnerDied>
  readonly kill: Effect.Effect<void>
}

export interface MoneyRunnerOptions {
  readonly database: Redacted.Redacted<string>
  /** The first is the preferred one. */
  readonly providers: readonly [PaymentProvider, ...ReadonlyArray<PaymentProvider>]
  /** Payments whose buyer named none go to either by chance, and away from one that is unwell; else to the first. */
  readonly isRouted: boolean
  readonly strike: (call: MoneyCall) => Strike | null
  readonly maxConnections: number
}

/** What was killed is taken apart in the background, and then left. */
const burialLimit = "60 seconds"

const inventory = InventoryClientLayer.layerEntity.pipe(
  Layer.provide(InventoryEntity.layer),
  Layer.provide(InventoryStore.layer)
)

const booking = Layer.mergeAll(Orders.layer, OrderSupervisor.layer).pipe(
  Layer.provideMerge(OrderEntity.layer),
  Layer.provide(Checkout.layer.pipe(Layer.provideMerge(OrderStore.layer)))
)

/** As in `apps/onsale`, without the mails themselves: drawing them would take longer than all else. */
const contexts = Layer.mergeAll(booking, NotificationRunner.followers).pipe(
  Layer.provideMerge(Layer.mergeAll(inventory, Payments.layerNoProviders())),
  Layer.provideMerge(Cluster.layerSingle({ shardGroups: ["default", bookingShardGroup, paymentShardGroup] })),
  Layer.provideMerge(Digest.layerWebCrypto)
)

const through = (database: Redacted.Redacted<string>, port: number) => {
  const url = new URL(Redacted.value(database))
  url.hostname = "127.0.0.1"
  url.port = String(port)
  return Redacted.make(url.href)
}

const connected = Effect.fnUntraced(function* (
  providers: MoneyRunnerOptions["providers"],
  isRouted: boolean
) {
  const [first, ...others] = providers
  if (!isRouted) return PaymentProviders.of(make(first, others))
  const health = yield* ProviderHealth.make
  const routes = providers.map(({ name }) => ({ provider: name, weight: 1 }))
  return PaymentProviders.of({
    ...make(health.guard(first), others.map(health.guard), routes),
    isHealthy: health.isHealthy
  })
})

/** Starts one on what the lives before it have left. It ends with the scope, if it was not killed before. */
export const start = Effect.fnUntraced(function* (options: MoneyRunnerOptions) {
  const world = yield* Effect.scope
  const scope = yield* Scope.make()
  const { hostname, port } = new URL(Redacted.value(options.database))
  const cable = yield* Cable.lay({ host: hostname, port: Number(port === "" ? "5432" : port) }).pipe(
    Scope.provide(scope)
  )
  const dead = yield* Deferred.make<never, ProviderFailure>()
  const [first, ...others] = options.providers
  const guarded = (provider: PaymentProvider) => guard(provider, options.strike, Deferred.await(dead))
  const layer = contexts.pipe(
    Layer.provide([
      PaymentProviders.layerEffect(connected([guarded(first), ...others.map(guarded)], options.isRouted)),
      Sql.layerUrl(through(options.database, cable.port), {
        maxConnections: options.maxConnections,
        applicationName: "money"
      }),
      // Most of what goes wrong here is meant to.
      Layer.succeed(References.MinimumLogLevel, "None")
    ])
  )
  const context = yield* Layer.buildWithMemoMap(layer, Layer.makeMemoMapUnsafe(), scope)
  const bury = Effect.suspend(() => {
    cable.cut()
    return Effect.andThen(
      Deferred.fail(
        dead,
        new ProviderFailure({ kind: "unknown", code: "process_died", message: "nobody is there to hear it" })
      ),
      Scope.close(scope, Exit.void)
    )
  }).pipe(Effect.timeoutOption(burialLimit), Effect.asVoid)
  yield* Effect.addFinalizer(() => bury)
  const runner: MoneyRunner = {
    orders: Context.get(context, Orders),
    inventory: Context.get(context, InventoryClient),
    webhooks: Context.get(context, Webhooks),
    died: Effect.catch(Deferred.await(dead), () => Effect.fail(new RunnerDied())),
    kill: Effect.asVoid(Effect.forkIn(bury, world, { startImmediately: true }))
  }
  return runner
})
