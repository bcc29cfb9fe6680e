/** `onsale start` as a process of its own, for tests that talk to it as its users do, kill it and start it again. */
import { NodeServices } from "@effect/platform-node"
import { Deferred, Effect, FileSystem, Redacted, Schema, type Scope, Stream } from "effect"
import { ChildProcess, type ChildProcessSpawner } from "effect/process"
import { pollUntil } from "./Poll.ts"

const main = new URL("../../../apps/onsale/src/main.ts", import.meta.url).pathname

/** Making a new database takes a second, recovering one after a kill -9 some more; it only ends a test that failed. */
const readyLimit = "90 seconds"
/** Longer than the 20 seconds that a shutdown gives to accepted requests. */
const stopLimit = "30 seconds"
/** Of its output, for the message of a failure. */
const keptLines = 40
/** Of what it says is broken: more than a few say no more. */
const keptErrors = 100

export class OnsaleProcessError extends Schema.TaggedError<OnsaleProcessError>()("OnsaleProcessError", {
  message: Schema.String
}) {}

export interface OnsaleProcessOptions {
  /** To start on what an earlier process has left; a new one, removed with the scope, when left out. */
  readonly dataDir?: string | undefined
  /** Loads the demo season; false when left out. */
  readonly demo?: boolean | undefined
  /** A free one when left out. A killed process' clients find its successor where they found it. */
  readonly port?: number | undefined
  /** Over the settings that this module makes. */
  readonly env?: Readonly<Record<string, string | Redacted.Redacted<string>>> | undefined
}

export interface OnsaleProcess {
  /** Such as `http://localhost:43210`. */
  readonly url: string
  readonly organiserKey: Redacted.Redacted
  readonly dataDir: string
  readonly pid: number
  /** The last lines that it printed. */
  readonly output: Effect.Effect<string>
  /** The lines that told of something broken: a service that is only used, however wrongly, has none. */
  readonly errors: Effect.Effect<ReadonlyArray<string>>
  /** Ends it without a warning, and waits until it and its Postgres are gone. */
  readonly kill9: Effect.Effect<void, OnsaleProcessError>
  /** Asks it to stop (SIGTERM), and answers its exit code. */
  readonly stop: Effect.Effect<number, OnsaleProcessError>
}

const failure = (what: string) => (cause: { readonly message: string }) =>
  new OnsaleProcessError({ message: `${what}: ${cause.message}` })

/** A directory that the account of an embedded Postgres gets through to, when we are root. */
const makeDataDir = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const directory = yield* fs.makeTempDirectoryScoped({ prefix: "onsale-process-" })
  yield* fs.chmod(directory, 0o711)
  return `${directory}/data`
})

/** Its guard stops the Postgres of a killed process within moments; the directory cannot go before. */
const postgresGone = Effect.fnUntraced(function* (dataDir: string) {
  const fs = yield* FileSystem.FileSystem
  const serving = fs.readFileString(`${dataDir}/postgres/data/postmaster.pid`).pipe(
    Effect.flatMap((text) => fs.exists(`/proc/${Number.parseInt(text, 10)}`)),
    Effect.orElseSucceed(() => false)
  )
  yield* pollUntil(serving, (is) => !is, { deadline: stopLimit })
})

const launch = Effect.fn("OnsaleProcess.start")(function* (
  options: OnsaleProcessOptions
): Effect.fn.Return<
  OnsaleProcess,
  OnsaleProcessError,
  ChildProcessSpawner.ChildProcessSpawner | FileSystem.FileSystem | Scope.Scope
> {
  const fs = yield* FileSystem.FileSystem
  const dataDir =
    options.dataDir ??
    (yield* Effect.mapError(makeDataDir, failure("no directory for the data could be made")))
  // Added before the process, so that it runs when the process has ended, and before its directory goes.
  yield* Effect.addFinalizer(() =>
    Effect.ignore(postgresGone(dataDir)).pipe(Effect.provideService(FileSystem.FileSystem, fs))
  )

  const handle = yield* ChildProcess.make(process.execPath, [main, "start"], {
    extendEnv: true,
    env: {
      PORT: String(options.port ?? 0),
      ONSALE_DATA_DIR: dataDir,
      ONSALE_DEMO: String(options.demo ?? false),
      ...options.env
    },
    stdin: "ignore",
    // In the group of the tests: who breaks them off on a terminal ends it, too.
    detached: false,
    forceKillAfter: stopLimit
  }).pipe(Effect.mapError(failure("onsale could not be started")))

  const lines: Array<string> = []
  const errors: Array<string> = []
  const ready = yield* Deferred.make<string, OnsaleProcessError>()
  const output = Effect.sync(() => lines.join("\n"))
  const ended = Effect.flatMap(output, (text) =>
    Deferred.fail(ready, new OnsaleProcessError({ message: `onsale ended before it was ready:\n${text}` }))
  )
  yield* handle.all.pipe(
    Stream.decodeText(),
    Stream.splitLines,
    Stream.runForEach((line) => {
      lines.push(line)
      if (lines.length > keptLines) lines.shift()
      if (errors.length < keptErrors && /^\[[\d:.]+\] (ERROR|FATAL)\b/.test(line)) errors.push(line)
      const url = /^Onsale is at\s+(\S+)/.exec(line)?.[1]
      return url === undefined ? Effect.void : Deferred.succeed(ready, url)
    }),
    Effect.ignore,
    Effect.andThen(ended),
    Effect.forkScoped
  )
  const url = yield* Deferred.await(ready).pipe(
    Effect.timeoutOrElse({
      duration: readyLimit,
      orElse: () =>
        Effect.flatMap(
          output,
          (text) => new OnsaleProcessError({ message: `onsale was not ready in ${readyLimit}:\n${text}` })
        )
    })
  )

  const configuredKey = options.env?.["ONSALE_ORGANISER_KEY"]
  const organiserKey =
    configuredKey === undefined
      ? yield* fs.readFileString(`${dataDir}/keys/organiser`).pipe(
          Effect.map((text) => Redacted.make(text.trim())),
          Effect.mapError(failure("the organiser's key could not be read"))
        )
      : Redacted.isRedacted(configuredKey)
        ? configuredKey
        : Redacted.make(configuredKey)

  // Of the process alone: what becomes of its children is part of what is tested.
  const signal = (name: "SIGKILL" | "SIGTERM") =>
    Effect.ignore(Effect.try(() => process.kill(handle.pid, name)))
  const gone = pollUntil(
    Effect.orElseSucceed(handle.isRunning, () => false),
    (is) => !is,
    { deadline: stopLimit }
  )
  return {
    url,
    organiserKey,
    dataDir,
    pid: handle.pid,
    output,
    errors: Effect.sync(() => [...errors]),
    kill9: signal("SIGKILL").pipe(
      Effect.andThen(gone),
      Effect.andThen(postgresGone(dataDir)),
      Effect.provideService(FileSystem.FileSystem, fs),
      Effect.mapError(failure("the killed process did not end"))
    ),
    stop: signal("SIGTERM").pipe(
      Effect.andThen(handle.exitCode),
      Effect.timeout(stopLimit),
      Effect.map(Number),
      Effect.mapError(failure("onsale did not stop"))
    )
  }
})

/**
 * Starts a service on a free port, without a demo season, with its data in a directory of its own, and
 * waits until it serves. It is stopped with the scope, however it was left.
 */
export const start = (
  options: OnsaleProcessOptions = {}
): Effect.Effect<OnsaleProcess, OnsaleProcessError, Scope.Scope> =>
  Effect.provide(launch(options), NodeServices.layer)
