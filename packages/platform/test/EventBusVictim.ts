/** `EventBusConsumerMain.ts` in a process of its own. */
import { NodeServices } from "@effect/platform-node"
import { Effect, Exit, Scope, Stream } from "effect"
import { ChildProcess } from "effect/process"
import { join } from "node:path"

const main = join(import.meta.dirname, "EventBusConsumerMain.ts")

export const startVictim = Effect.fnUntraced(function* (
  topic: string,
  group: string,
  env: Record<string, string>
) {
  const scope = yield* Scope.fork(yield* Effect.scope)
  let began = 0
  const handle = yield* ChildProcess.make(process.execPath, [main, topic, group], {
    env,
    extendEnv: true,
    stdin: "ignore",
    stderr: "inherit",
    detached: false,
    killSignal: "SIGKILL"
  }).pipe(Scope.provide(scope))
  yield* handle.stdout.pipe(
    Stream.decodeText,
    Stream.splitLines,
    Stream.runForEach(() => Effect.sync(() => began++)),
    Effect.ignore,
    Effect.forkIn(scope)
  )
  return { began: Effect.sync(() => began), kill: Scope.close(scope, Exit.void) }
}, Effect.provide(NodeServices.layer))
