import { describe } from "@effect/vitest"
import * as Redis from "@onsale/platform/Redis"
import { layerDatabase } from "@onsale/testing/PostgresFixture"
import { suite } from "@onsale/testing/InventorySuite"
import { hasRedis, suiteName, TestRedis } from "@onsale/testing/RedisFixture"
import { Effect, Layer } from "effect"
import { InventoryStore } from "../../src/InventoryStore.ts"
import * as RedisGuard from "../../src/rows/RedisGuard.ts"

const onTestRedis = Layer.unwrap(Effect.map(TestRedis, ({ url }) => Redis.layerUrl({ url }))).pipe(
  Layer.provideMerge(TestRedis.layer)
)

describe.runIf(hasRedis)(suiteName("InventoryClient over Redis and rows (L1)"), () => {
  suite(
    "with Redis",
    RedisGuard.layer.pipe(
      Layer.provide(InventoryStore.layer),
      Layer.provide(layerDatabase),
      Layer.provide(onTestRedis)
    )
  )
})
