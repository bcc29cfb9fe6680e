/** Starts a server of ours as a process, the way a user does, and measures what it costs. */
import { Deferred, Duration, Effect, FileSystem, Schema, Stream } from "effect"
import { ChildProcess } from "effect/process"
import { fileURLToPath } from "node:url"

export class ServiceFailed extends Schema.TaggedError<ServiceFailed>()("ServiceFailed", {
  message: Schema.String
}) {}

export interface Service {
  readonly host: string
  readonly port: number
  readonly pid: number
}

const root = fileURLToPath(new URL("../../../", import.meta.url))
/** As `npm start` has them. */
const nodeFlags = ["--max-semi-space-size=64"]
const readyLimit = Duration.seconds(60)

/** `script` is a path from the root of the workspace; it prints `Onsale is at http://host:port` when ready. */
export const start = Effect.fn("ServiceProcess.start")(function* (
  script: string,
  args: ReadonlyArray<string>,
  env: Readonly<Record<string, string>>,
  moreFlags: ReadonlyArray<string> = []
) {
  const handle = yield* ChildProcess.make(
    process.execPath,
    [...nodeFlags, ...moreFlags, `${root}${script}`, ...args],
    {
      cwd: root,
      extendEnv: true,
      env,
      stderr: "inherit",
      forceKillAfter: "20 seconds"
    }
  )
  const ready = yield* Deferred.make<{ readonly host: string; readonly port: number }, ServiceFailed>()
  // To its end: a process whose output nobody takes stands still when the pipe is full.
  yield* handle.stdout.pipe(
    Stream.decodeText(),
    Stream.splitLines,
    Stream.runForEach((line) => {
      const port = /^Onsale is at\s+http:\/\/[^:]+:(\d+)/.exec(line)?.[1]
      return port === undefined
        ? Effect.void
        : Deferred.succeed(ready, { host: "127.0.0.1", port: Number(port) })
    }),
    Effect.ignore,
    Effect.andThen(
      Deferred.fail(ready, new ServiceFailed({ message: `${script} ended before it was ready` }))
    ),
    Effect.forkScoped
  )
  const address = yield* Deferred.await(ready).pipe(
    Effect.timeout(readyLimit),
    Effect.catchTag("TimeoutError", () =>
      Effect.fail(new ServiceFailed({ message: `${script} was not ready in time` }))
    )
  )
  const service: Service = { ...address, pid: handle.pid }
  return service
})

/** Seconds of CPU that a process has used; undefined where the system has no /proc. */
export const cpuSeconds = Effect.fnUntraced(function* (pid: number) {
  const fs = yield* FileSystem.FileSystem
  return yield* fs.readFileString(`/proc/${pid}/stat`).pipe(
    Effect.map((text) => {
      const fields = text.slice(text.lastIndexOf(")") + 2).split(" ")
      // utime and stime, in ticks of a hundredth of a second on every Linux we know.
      return (Number(fields[11]) + Number(fields[12])) / 100
    }),
    Effect.orElseSucceed(() => undefined)
  )
})
