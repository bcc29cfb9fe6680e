/**
 * A consumer of the configured event bus whose handler never ends, to be killed in the middle of it:
 * `node EventBusConsumerMain.ts TOPIC GROUP`. Prints a line for every event it begins.
 */
import * as ConfiguredEventBus from "@onsale/platform/ConfiguredEventBus"
import { EventBus } from "@onsale/platform/EventBus"
import { Effect } from "effect"

const [topic = "", group = ""] = process.argv.slice(2)

const main = Effect.gen(function* () {
  const bus = yield* EventBus
  const handle = () =>
    Effect.andThen(
      Effect.sync(() => process.stdout.write("began\n")),
      Effect.never
    )
  yield* bus.consume({ group, topics: [topic], handle })
  return yield* Effect.never
})

Effect.runFork(main.pipe(Effect.scoped, Effect.provide(ConfiguredEventBus.layer)))
