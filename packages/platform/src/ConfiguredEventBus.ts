import { Config, Effect, Layer } from "effect"
import * as EventBusMemory from "./EventBusMemory.ts"
import * as EventBusRedis from "./EventBusRedis.ts"
import * as Redis from "./Redis.ts"

/**
 * The event bus that `ONSALE_EVENT_BUS` names: `memory` (when left out) within this process, `redis` at
 * `ONSALE_REDIS_URL`, `kafka` at `ONSALE_KAFKA_BROKERS` (`host:port,host:port`).
 */
export const layer = Layer.unwrap(
  Effect.gen(function* () {
    const kind = yield* Config.Literals(["memory", "redis", "kafka"], "ONSALE_EVENT_BUS").pipe(
      Config.withDefault("memory" as const)
    )
    if (kind === "memory") return EventBusMemory.layer()
    if (kind === "redis") return EventBusRedis.layer().pipe(Layer.provide(Redis.layer))
    const brokers = yield* Config.NonEmptyString("ONSALE_KAFKA_BROKERS")
    // Its client costs a start without it 10 MB.
    const EventBusKafka = yield* Effect.promise(() => import("./EventBusKafka.ts"))
    return EventBusKafka.layer({ brokers: brokers.split(",").map((broker) => broker.trim()) })
  })
)
