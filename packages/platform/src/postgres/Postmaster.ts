/** One run of the server's main process: spawned, known as ready, stopped. */
import { Deferred, Effect, FileSystem, Option, Path, Schedule } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import { spawn } from "node:child_process"
import { closeSync, openSync } from "node:fs"
import { Socket } from "node:net"

/** What `postmaster.pid` says: the pid on line 1, the port on line 4, the status on line 8. */
export interface PostmasterFile {
  readonly pid: number
  readonly port: number
  readonly ready: boolean
}

/** How the process ended. */
export interface PostmasterExit {
  readonly description: string
}

export interface Postmaster {
  readonly pid: number
  /** Completes when the process has ended, never fails. */
  readonly exit: Deferred.Deferred<PostmasterExit>
  /** The watcher that stops the server should this process die first. */
  readonly releaseGuard: Effect.Effect<void>
}

const pollEvery = Schedule.spaced("20 millis")

/** A fast shutdown rolls open transactions back and writes a checkpoint, which 256 MB of buffers bound. */
const fastShutdownLimit = "30 seconds"
/** An immediate one only kills; the next start recovers from the write-ahead log. */
const immediateShutdownLimit = "5 seconds"

/** Reads `postmaster.pid` of a data directory; `None` when there is none or it is half written. */
export const readFile = Effect.fnUntraced(function* (data: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const text = yield* fs
    .readFileString(path.join(data, "postmaster.pid"))
    .pipe(Effect.orElseSucceed(() => ""))
  const lines = text.split("\n")
  const pid = Number.parseInt(lines[0] ?? "", 10)
  return Number.isInteger(pid) && pid > 0
    ? Option.some<PostmasterFile>({
        pid,
        port: Number.parseInt(lines[3] ?? "", 10),
        ready: (lines[7] ?? "").trim() === "ready"
      })
    : Option.none<PostmasterFile>()
})

const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM"
  }
}

const signal = (pid: number, name: NodeJS.Signals) =>
  Effect.sync(() => {
    try {
      process.kill(pid, name)
    } catch {
      // It has ended by itself, which is what was wanted.
    }
  })

/**
 * Whether the pid is a server on this data directory: neither an unrelated process that got its number,
 * nor a zombie that nobody has reaped (process 1 of a container often does not).
 */
export const isServing = Effect.fnUntraced(function* (pid: number, data: string) {
  if (!isAlive(pid)) return false
  const fs = yield* FileSystem.FileSystem
  const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
  const command = yield* fs.readFileString(`/proc/${pid}/cmdline`).pipe(
    // Systems without /proc (macOS) have `ps`, which small Linux images lack.
    Effect.catch(() => spawner.string(ChildProcess.make("ps", ["-o", "args=", "-p", String(pid)]))),
    Effect.orElseSucceed(() => "")
  )
  return command.includes(data)
})

const awaitGone = (pid: number, data: string) =>
  isServing(pid, data).pipe(
    Effect.repeat({ schedule: pollEvery, while: (serving) => serving }),
    Effect.asVoid
  )

/**
 * Postgres takes a `postmaster.pid` that names any live process of its account for a running server, which
 * after the restart of a container it rarely is. Its own parent's pid it knows to be none; the rest of the
 * file must stay, it tells the next server whether old children still use the shared memory.
 */
export const disown = Effect.fnUntraced(function* (data: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const file = path.join(data, "postmaster.pid")
  const text = yield* fs.readFileString(file)
  yield* fs.writeFileString(file, text.replace(/^\d+/, String(process.pid)))
})

const stopWith = <R>(pid: number, gone: Effect.Effect<unknown, never, R>) =>
  signal(pid, "SIGINT").pipe(
    Effect.andThen(gone),
    Effect.timeout(fastShutdownLimit),
    Effect.catchTag("TimeoutError", () =>
      Effect.logWarning("Postgres did not shut down in time; stopping it at once").pipe(
        Effect.andThen(signal(pid, "SIGQUIT")),
        Effect.andThen(gone),
        Effect.timeout(immediateShutdownLimit)
      )
    ),
    Effect.catchTag("TimeoutError", () => signal(pid, "SIGKILL").pipe(Effect.andThen(gone))),
    Effect.asVoid
  )

/** Fast shutdown; harder when that takes too long. Returns when the process has ended. */
export const stop = (postmaster: Postmaster): Effect.Effect<void> =>
  stopWith(postmaster.pid, Deferred.await(postmaster.exit)).pipe(Effect.andThen(postmaster.releaseGuard))

/** The same for a server that an earlier, killed process left behind. */
export const stopOrphan = (pid: number, data: string) => stopWith(pid, awaitGone(pid, data))

/**
 * Starts the process and the guard beside it.
 *
 * The server gets a session of its own, so that a Ctrl-C meant for us does not reach it while we still
 * finish what we accepted. The guard is a shell that reads from a pipe of ours: when we end in whatever
 * way, kill -9 included, the pipe closes and the guard shuts the server down.
 */
export const start = (options: {
  readonly program: string
  readonly args: ReadonlyArray<string>
  /** Shown on the command line of the guard too, to tell whose it is. */
  readonly data: string
  readonly logFile: string
}): Effect.Effect<Postmaster> =>
  Effect.sync(() => {
    const exit = Deferred.makeUnsafe<PostmasterExit>()
    const done = (description: string) => Deferred.doneUnsafe(exit, Effect.succeed({ description }))
    const log = openSync(options.logFile, "a", 0o600)
    const child = spawn(options.program, options.args, {
      cwd: "/",
      detached: true,
      stdio: ["ignore", log, log],
      // Messages in English and times in UTC whoever starts it, and none of our secrets.
      env: { LC_ALL: "C", TZ: "UTC", PATH: "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin" }
    })
    closeSync(log)
    child.on("error", (error) => done(`could not be run: ${error.message}`))
    child.on("exit", (code, name) =>
      done(code === null ? `was ended by ${name}` : `exited with code ${code}`)
    )
    const pid = child.pid
    if (pid === undefined) return { pid: -1, exit, releaseGuard: Effect.void }

    const guard = spawn(
      "/bin/sh",
      ["-c", 'read -r _; kill -INT "$1"', "postgres-guard", String(pid), options.data],
      {
        detached: true,
        stdio: ["pipe", "ignore", "ignore"],
        env: {}
      }
    )
    // Without it a kill -9 of us leaves an orphan, which the next start stops.
    guard.on("error", () => undefined)
    guard.unref()
    if (guard.stdin instanceof Socket) guard.stdin.unref()
    return { pid, exit, releaseGuard: Effect.sync(() => void guard.kill("SIGKILL")) }
  })

/** Completes when the server takes connections, with `None`, or has ended before it did, with how. */
export const awaitReady = Effect.fnUntraced(function* (postmaster: Postmaster, data: string) {
  return yield* Effect.gen(function* () {
    if (Deferred.isDoneUnsafe(postmaster.exit)) return Option.some(yield* Deferred.await(postmaster.exit))
    const file = yield* readFile(data)
    return Option.exists(file, ({ pid, ready }) => pid === postmaster.pid && ready)
      ? Option.none<PostmasterExit>()
      : undefined
  }).pipe(
    Effect.repeat({ schedule: pollEvery, while: (result) => result === undefined }),
    Effect.map((result) => result ?? Option.none<PostmasterExit>())
  )
})
