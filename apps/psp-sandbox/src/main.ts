/**
 * The sandbox provider as a process. When it is ready it prints one line of JSON, `{"listening": "http://…"}`, to its
 * standard output and nothing else ever; its log goes to standard error. With `PSP_EXIT_WITH_PARENT=true` it ends when
 * its standard input does, so that it does not outlive a parent that was killed.
 */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Config, Effect, Layer, Logger, Stdio, Stream } from "effect"
import { Sandbox } from "./Sandbox.ts"

const main = Effect.gen(function* () {
  const sandbox = yield* Sandbox
  const stdio = yield* Stdio.Stdio
  const exitWithParent = yield* Config.Boolean("PSP_EXIT_WITH_PARENT").pipe(Config.withDefault(false))
  const ready = `${JSON.stringify({ listening: sandbox.url })}\n`
  yield* Stream.run(Stream.make(ready), stdio.stdout({ endOnDone: false }))
  const parentEnded = exitWithParent ? Stream.runDrain(stdio.stdin) : Effect.never
  yield* Effect.raceFirst(sandbox.failed, parentEnded)
})

main.pipe(
  Effect.provide(Sandbox.layerConfig),
  Effect.provide(Layer.mergeAll(NodeServices.layer, Layer.succeed(Logger.LogToStderr)(true))),
  NodeRuntime.runMain
)
