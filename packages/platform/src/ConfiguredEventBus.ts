import { Config, Effect, Layer } from "effect"
import * as EventBusMemory from "./EventBusMemory.ts"
import * as EventBusRedis from "./EventBusRedis.ts"
import * as Redis from "./Redis.ts"

/**
 * The event bus that `ONSALE_EVENT_BUS` names: `memory` (when left out) within this process, `redis` at
 * `ONSALE_REDIS_URL`.
 */
export const layer = Layer.unwrap(
  Effect.gen(function* () {
    const kind = yield* Config.Literals(["memory", "redis"], "ONSALE_EVENT_BUS").pipe(
      Config.withDefault("memory" as const)
    )
    return kind === "memory" ? EventBusMemory.layer() : EventBusRedis.layer().pipe(Layer.provide(Redis.layer))
  })
)
