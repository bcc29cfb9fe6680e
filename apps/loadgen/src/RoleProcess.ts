/** Starts one role of a cluster as a process: ready when its operations port says so. */
import { Duration, Effect, Schedule } from "effect"
import { HttpClient } from "effect/http"
import { ChildProcess } from "effect/process"
import { createServer } from "node:net"
import { fileURLToPath } from "node:url"
import { ServiceFailed } from "./ServiceProcess.ts"

const root = fileURLToPath(new URL("../../../", import.meta.url))
const readyLimit = Duration.seconds(60)

/** A port of this machine that nobody listens on; somebody else may take it before it is used. */
export const freePort: Effect.Effect<number> = Effect.callback((resume) => {
  const server = createServer()
  server.listen(0, "127.0.0.1", () => {
    const address = server.address()
    const port = typeof address === "object" && address !== null ? address.port : 0
    server.close(() => resume(Effect.succeed(port)))
  })
})

export interface RoleOptions {
  /** A path from the root of the workspace. */
  readonly script: string
  readonly env: Readonly<Record<string, string>>
  readonly nodeFlags: ReadonlyArray<string>
}

/** Its process, and the port of its `/metrics`. */
export const start = Effect.fn("RoleProcess.start")(function* ({ env, nodeFlags, script }: RoleOptions) {
  const operationsPort = yield* freePort
  const handle = yield* ChildProcess.make(process.execPath, [...nodeFlags, `${root}${script}`], {
    cwd: root,
    extendEnv: true,
    env: { ...env, ONSALE_OPERATIONS_PORT: String(operationsPort) },
    stdout: "ignore",
    stderr: "inherit",
    forceKillAfter: "20 seconds"
  })
  const client = yield* HttpClient.HttpClient
  yield* client.get(`http://127.0.0.1:${operationsPort}/readyz`).pipe(
    Effect.filterOrFail(({ status }) => status === 200),
    Effect.retry(Schedule.spaced("100 millis")),
    Effect.timeoutOrElse({
      duration: readyLimit,
      orElse: () => Effect.fail(new ServiceFailed({ message: `${script} was not ready in time` }))
    })
  )
  return { pid: Number(handle.pid), operationsPort }
})

/** Runs a script to its end. */
export const runOnce = Effect.fn("RoleProcess.runOnce")(function* (
  script: string,
  args: ReadonlyArray<string>,
  env: Readonly<Record<string, string>>
) {
  const handle = yield* ChildProcess.make(process.execPath, [`${root}${script}`, ...args], {
    cwd: root,
    extendEnv: true,
    env,
    stdout: "ignore",
    stderr: "inherit"
  })
  const code = yield* handle.exitCode
  if (code !== 0) return yield* new ServiceFailed({ message: `${script} ended with ${code}` })
}, Effect.scoped)

/** The sum of all series of a metric whose labels include `label`. */
export const metric = Effect.fnUntraced(function* (operationsPort: number, name: string, label = "") {
  const client = yield* HttpClient.HttpClient
  const text = yield* client.get(`http://127.0.0.1:${operationsPort}/metrics`).pipe(
    Effect.flatMap((response) => response.text),
    Effect.orDie
  )
  return text
    .split("\n")
    .filter((line) => (line.startsWith(`${name}{`) || line.startsWith(`${name} `)) && line.includes(label))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0)
})
