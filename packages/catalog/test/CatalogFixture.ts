/** The catalog over a database of its own, with an inventory that only remembers what was opened. */
import { InventoryClient, InventoryUnavailable } from "@onsale/contracts/inventory/InventoryClient"
import type { EventId } from "@onsale/contracts/Ids"
import type { SaleLayout } from "@onsale/contracts/inventory/SaleLayout"
import { layerDatabase } from "@onsale/testing/PostgresFixture"
import { Clock, Context, Effect, Layer } from "effect"
import { Catalog } from "../src/Catalog.ts"

export class OpenedSales extends Context.Service<
  OpenedSales,
  {
    readonly layouts: Map<EventId, SaleLayout>
    /** Fail as many times. */
    failures: number
    /** What else happens while a sale is opened, once. */
    meanwhile: Effect.Effect<unknown>
  }
>()("@onsale/catalog/test/OpenedSales") {
  static readonly layer = Layer.sync(OpenedSales, () => ({
    layouts: new Map(),
    failures: 0,
    meanwhile: Effect.void
  }))
}

const layerInventory = Layer.effect(
  InventoryClient,
  Effect.gen(function* () {
    const sales = yield* OpenedSales
    return InventoryClient.of({
      open: Effect.fnUntraced(function* (eventId, layout) {
        if (sales.failures > 0) {
          sales.failures--
          return yield* new InventoryUnavailable({ reason: "overloaded", retryAfterMs: 10 })
        }
        // As the contract has it: of two layouts the newer one wins.
        const before = sales.layouts.get(eventId)?.revision ?? 0
        if ((layout.revision ?? 0) >= before) sales.layouts.set(eventId, layout)
        const { meanwhile } = sales
        sales.meanwhile = Effect.void
        yield* meanwhile
      }),
      execute: () => Effect.die("not of this test"),
      holdOf: () => Effect.succeed(null),
      hold: () => Effect.die("not of this test"),
      availability: () => Effect.die("not of this test")
    })
  })
)

/** Over a database that is given. */
export const layerCatalogAlone = Catalog.layer.pipe(
  Layer.provideMerge(layerInventory),
  Layer.provideMerge(OpenedSales.layer)
)

export const layerCatalog = layerCatalogAlone.pipe(Layer.provideMerge(layerDatabase))

/**
 * What happens at a moment (milliseconds since 1970). Setting the test's clock to the year 2030 would
 * carry out every keep-alive of the connections on the way there.
 */
export const at =
  (ms: number) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.clockWith((clock) =>
      Effect.provideService(effect, Clock.Clock, {
        currentTimeMillisUnsafe: () => ms,
        currentTimeMillis: Effect.succeed(ms),
        currentTimeNanosUnsafe: () => BigInt(ms) * 1_000_000n,
        currentTimeNanos: Effect.succeed(BigInt(ms) * 1_000_000n),
        monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe(),
        monotonicTimeNanos: clock.monotonicTimeNanos,
        sleep: (duration) => clock.sleep(duration)
      })
    )
