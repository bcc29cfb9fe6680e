/** Node processes of our own beside the benchmark, asked over their channel: one message, one answer. */
import { Effect, Schema } from "effect"
import { type ChildProcess, fork } from "node:child_process"
import { fileURLToPath } from "node:url"

export class ForkFailed extends Schema.TaggedError<ForkFailed>()("ForkFailed", { message: Schema.String }) {}

export interface Forked {
  readonly pid: number
  /** Its answer to a message; one at a time. Fails where it ends before it has answered. */
  readonly ask: <A, I>(message: unknown, answer: Schema.Codec<A, I>) => Effect.Effect<A, ForkFailed>
}

/** As `npm start` has them; the peers get the same. */
const nodeFlags = ["--max-semi-space-size=64"]

const answerOf = (child: ChildProcess, script: string, send: () => void) =>
  Effect.callback<unknown, ForkFailed>((resume) => {
    const ended = (code: number | null) => {
      child.off("message", answered)
      resume(Effect.fail(new ForkFailed({ message: `${script} ended with ${code} before it answered` })))
    }
    const answered = (message: unknown) => {
      child.off("exit", ended)
      resume(Effect.succeed(message))
    }
    child.once("message", answered)
    child.once("exit", ended)
    send()
    return Effect.sync(() => {
      child.off("message", answered)
      child.off("exit", ended)
    })
  })

const stop = (child: ChildProcess) =>
  Effect.callback<void>((resume) => {
    if (child.exitCode !== null || child.signalCode !== null) return resume(Effect.void)
    child.once("exit", () => resume(Effect.void))
    child.kill("SIGKILL")
  })

/** Starts a script (a URL relative to the caller's); `first` decodes the message it sends when it is ready. */
export const start = Effect.fn("Forked.start")(function* <A, I>(
  script: URL,
  args: ReadonlyArray<string>,
  first: Schema.Codec<A, I>
) {
  const path = fileURLToPath(script)
  const child = yield* Effect.acquireRelease(
    Effect.sync(() =>
      fork(path, [...args], {
        execArgv: nodeFlags,
        serialization: "advanced",
        stdio: ["ignore", "inherit", "inherit", "ipc"]
      })
    ),
    stop
  )
  const ready = yield* answerOf(child, path, () => {}).pipe(
    Effect.flatMap(Schema.decodeUnknownEffect(first)),
    Effect.catchTag("SchemaError", Effect.die)
  )
  const forked: Forked = {
    pid: child.pid ?? 0,
    ask: (message, answer) =>
      answerOf(child, path, () => child.send(Object(message))).pipe(
        Effect.flatMap(Schema.decodeUnknownEffect(answer)),
        Effect.catchTag("SchemaError", Effect.die)
      )
  }
  return { forked, ready }
})
