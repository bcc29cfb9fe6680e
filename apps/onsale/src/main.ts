import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Cause, Effect, Exit, Runtime, Stdio } from "effect"
import * as Cli from "./cli/Cli.ts"

Stdio.Stdio.use(({ args }) => Effect.flatMap(args, Cli.run)).pipe(
  Effect.provide(NodeServices.layer),
  NodeRuntime.runMain({
    // A server that was told to stop and has finished what it accepted did nothing wrong.
    teardown: (exit, onExit) =>
      process.argv[2] === "start" && Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause)
        ? onExit(0)
        : Runtime.defaultTeardown(exit, onExit)
  })
)
