/** The Redis that the gateways share, where the configuration names one. None of them needs it. */
import * as Redis from "@onsale/platform/Redis"
import { Config, Context, Effect, Layer, Option } from "effect"
import { Redis as LibraryRedis } from "effect/persistence"

export class SharedRedis extends Context.Service<
  SharedRedis,
  Option.Option<{
    readonly redis: LibraryRedis.Redis["Service"]
    readonly connection: Redis.RedisConnection["Service"]
  }>
>()("@onsale/gateway/SharedRedis") {
  static readonly layerNone = Layer.succeed(SharedRedis, Option.none())

  static readonly layerRedis = Layer.effect(
    SharedRedis,
    Effect.gen(function* () {
      return Option.some({ redis: yield* LibraryRedis.Redis, connection: yield* Redis.RedisConnection })
    })
  )

  /** The one of `ONSALE_REDIS_URL`. */
  static readonly layer = Layer.unwrap(
    Effect.map(Config.option(Config.Redacted("ONSALE_REDIS_URL")), (url) =>
      Option.isNone(url) ? SharedRedis.layerNone : SharedRedis.layerRedis.pipe(Layer.provide(Redis.layer))
    )
  )
}
