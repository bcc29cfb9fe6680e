/**
 * An embedded Postgres alone, for `npm run bench -- inventory`: it prints its address and serves until it
 * is stopped. Durable as the one of `npm start` is; only the number of connections differs.
 */
import { NodeRuntime } from "@effect/platform-node"
import { EmbeddedPostgres } from "@onsale/platform/EmbeddedPostgres"
import { Config, Console, Effect, Layer, Redacted } from "effect"

// The benchmark's servers have a pool each, and several of them run side by side.
const maxConnections = "300"

const program = Effect.gen(function* () {
  const postgres = yield* EmbeddedPostgres
  yield* Console.log(`Postgres is at ${Redacted.value(postgres.url)}`)
  return yield* postgres.failure
})

const layer = Layer.unwrap(
  Effect.map(Config.NonEmptyString("ONSALE_DATA_DIR"), (dataDir) =>
    EmbeddedPostgres.layer({
      directory: `${dataDir}/postgres`,
      settings: { max_connections: maxConnections }
    })
  )
)

program.pipe(Effect.provide(layer), NodeRuntime.runMain)
