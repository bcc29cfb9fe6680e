/** Starts the sandbox payment provider beside us, as the process of its own that a provider is. */
import { Clock, Duration, Effect, type Redacted, Schema, type Scope, Stream } from "effect"
import { ChildProcess, type ChildProcessSpawner } from "effect/process"
import { fileURLToPath } from "node:url"

export class SandboxProcessError extends Schema.TaggedError<SandboxProcessError>()("SandboxProcessError", {
  message: Schema.String
}) {}

export interface SandboxProcessOptions {
  /** Where it keeps its ledger. */
  readonly ledger: string
  readonly secret: Redacted.Redacted
  readonly webhookUrl: string
  readonly webhookSecret: Redacted.Redacted
}

const main = fileURLToPath(new URL("../../psp-sandbox/src/main.ts", import.meta.url))
const Ready = Schema.fromJsonString(Schema.Struct({ listening: Schema.String }))

/** Long for a ledger of a hundred thousand payments on a busy laptop. */
const readyLimit = Duration.seconds(30)
/** In a row; a run of `stableMs` begins the count anew. */
const restarts = 10
const stableMs = 60_000
const firstPauseMs = 200
const longestPauseMs = 30_000

const spawn = Effect.fnUntraced(function* (options: SandboxProcessOptions, port: number) {
  const handle = yield* ChildProcess.make(process.execPath, [main], {
    extendEnv: true,
    env: {
      PSP_PORT: String(port),
      PSP_LEDGER: options.ledger,
      PSP_SECRET: options.secret,
      PSP_WEBHOOK_URL: options.webhookUrl,
      PSP_WEBHOOK_SECRET: options.webhookSecret,
      // Our own calls are answered; only what happens later has to be told.
      PSP_WEBHOOK_CHANGES: "asynchronous",
      PSP_EXIT_WITH_PARENT: "true"
    },
    // Open for as long as we live: the sandbox ends with us, however we end.
    stdin: { stream: Stream.never },
    stderr: "inherit",
    forceKillAfter: "5 seconds"
  })
  const url = yield* handle.stdout.pipe(
    Stream.decodeText(),
    Stream.splitLines,
    Stream.take(1),
    Stream.runCollect,
    Effect.flatMap(([line]) => Schema.decodeUnknownEffect(Ready)(line)),
    Effect.map(({ listening }) => listening),
    Effect.timeout(readyLimit),
    Effect.mapError(
      (error) =>
        new SandboxProcessError({ message: `the sandbox payment provider did not start: ${error.message}` })
    )
  )
  return { url, handle }
})

/** Repeats what is not meant to end, after pauses that double; fails with the last error when too many in a row were short. */
export const keepRunning = <E, R>(
  run: Effect.Effect<never, E, R>,
  shortRuns = 0
): Effect.Effect<never, E, R> =>
  Effect.flatMap(Clock.monotonicTimeNanos, (startedAt) =>
    Effect.catch(run, (error) =>
      Effect.flatMap(Clock.monotonicTimeNanos, (endedAt) => {
        const inRow = Number(endedAt - startedAt) / 1e6 >= stableMs ? 1 : shortRuns + 1
        return inRow > restarts
          ? Effect.fail(error)
          : Effect.andThen(
              Effect.sleep(Duration.millis(Math.min(firstPauseMs * 2 ** (inRow - 1), longestPauseMs))),
              keepRunning(run, inRow)
            )
      })
    )
  )

/** Fails when the process ends, however it does: of one that a signal ended there is no exit code. */
const ended = (handle: ChildProcessSpawner.ChildProcessHandle): Effect.Effect<never, SandboxProcessError> =>
  handle.exitCode.pipe(
    Effect.matchEffect({
      onFailure: (error) =>
        new SandboxProcessError({ message: `the sandbox payment provider ended: ${error.message}` }),
      onSuccess: (code) =>
        new SandboxProcessError({ message: `the sandbox payment provider ended with code ${code}` })
    })
  )

/**
 * Starts it and answers with its address. When it ends before us it is started again at the same
 * address, a bounded number of times in a row.
 */
export const start = Effect.fn("SandboxProcess.start")(function* (
  options: SandboxProcessOptions
): Effect.fn.Return<string, SandboxProcessError, ChildProcessSpawner.ChildProcessSpawner | Scope.Scope> {
  const first = yield* Effect.mapError(
    spawn(options, 0),
    (error) => new SandboxProcessError({ message: error.message })
  )
  const port = Number(new URL(first.url).port)
  const again = Effect.scoped(Effect.flatMap(spawn(options, port), ({ handle }) => ended(handle))).pipe(
    Effect.tapError((error) => Effect.logWarning(error.message)),
    (run) => keepRunning(run)
  )
  yield* ended(first.handle).pipe(
    Effect.flip,
    Effect.flatMap((error) => Effect.logWarning(error.message)),
    Effect.andThen(again),
    Effect.catchCause((cause) =>
      Effect.logError("the sandbox payment provider is gone; payments wait for it", cause)
    ),
    Effect.forkScoped
  )
  return first.url
})
