/** The level that the inventory runs at: a choice of layers, nothing else. */
import type { InventoryClient as InventoryClientService } from "@onsale/contracts/inventory/InventoryClient"
import { EventAvailability } from "@onsale/inventory/EventAvailability"
import * as InventoryClient from "@onsale/inventory/InventoryClient"
import { InventoryStore } from "@onsale/inventory/InventoryStore"
import * as CachedAvailability from "@onsale/inventory/rows/CachedAvailability"
import * as StandbyAvailability from "@onsale/inventory/StandbyAvailability"
import * as PostgresRows from "@onsale/inventory/rows/PostgresRows"
import * as RedisGuard from "@onsale/inventory/rows/RedisGuard"
import * as Redis from "@onsale/platform/Redis"
import * as SharedCache from "@onsale/platform/SharedCache"
import * as BookingRole from "@onsale/runner/BookingRole"
import { Config, Effect, Layer, Metric, Schema } from "effect"
import type { Sharding } from "effect/cluster"
import type { SqlClient } from "effect/sql"

const Level = Schema.Literals(["L0", "L1", "L3"])
type Level = typeof Level.Type

/** `ONSALE_LEVEL`: L0, L1 (with `ONSALE_REDIS_URL`) or L3; L3 when left out, the best design is also the default. */
const configured = Config.schema(Level, "ONSALE_LEVEL").pipe(Config.withDefault("L3" as const))

const running = Metric.gauge("onsale_level", { description: "1 for the level that this process runs at" })

type Inventory = Layer.Layer<
  InventoryClientService,
  Redis.RedisUrlInvalid | Config.ConfigError,
  SqlClient.SqlClient | Sharding.Sharding
>

const levels: {
  readonly [L in Level]: { readonly about: string; readonly inventory: Inventory }
} = {
  L0: { about: "rows in Postgres", inventory: PostgresRows.layer.pipe(Layer.provide(InventoryStore.layer)) },
  L1: {
    about: "rows in Postgres behind Redis",
    inventory: CachedAvailability.layer.pipe(
      Layer.provide(RedisGuard.layer),
      Layer.provide([InventoryStore.layer, Redis.layer])
    )
  },
  L3: {
    about: "an entity an event",
    inventory: StandbyAvailability.layer.pipe(
      Layer.provide([
        InventoryClient.layerEntity.pipe(Layer.provide(BookingRole.inventories)),
        EventAvailability.layer
      ])
    )
  }
}

/** Seats and who has them, at the level of the configuration. */
export const inventory: Inventory = Layer.unwrap(
  Effect.gen(function* () {
    const level = yield* configured
    const { about, inventory } = levels[level]
    yield* Effect.logInfo(`the inventory runs at level ${level}: ${about}`)
    yield* Metric.update(Metric.withAttributes(running, { level }), 1)
    return inventory
  })
)

/** Where the public's reads have copies: in Redis at L1, nowhere at the others, which read from memory. */
export const cache = Layer.unwrap(
  Effect.map(configured, (level) => (level === "L1" ? SharedCache.layer : Layer.empty))
)
