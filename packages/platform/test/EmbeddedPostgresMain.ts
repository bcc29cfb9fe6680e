/** A process that holds an embedded Postgres until it is told to end; for tests that kill it. */
import { NodeRuntime } from "@effect/platform-node"
import { EmbeddedPostgres } from "@onsale/platform/EmbeddedPostgres"
import { Config, Console, Effect, Redacted } from "effect"

const program = Effect.gen(function* () {
  const { url } = yield* EmbeddedPostgres
  yield* Console.log(`READY ${Redacted.value(url)}`)
  return yield* Effect.never
})

const main = Effect.flatMap(Config.String("ONSALE_DATA_DIR"), (directory) =>
  Effect.provide(program, EmbeddedPostgres.layer({ directory }))
)

NodeRuntime.runMain(main)
