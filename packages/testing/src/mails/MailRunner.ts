/** A notification runner as a process of its own, that is killed. */
import { Duration, Effect, Redacted, Schedule, Schema } from "effect"
import { HttpClient } from "effect/http"
import { ChildProcess } from "effect/process"
import { createServer } from "node:net"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../../../../", import.meta.url))
const script = `${root}apps/runner/src/notification.ts`
const readyLimit = Duration.seconds(90)

export class MailRunnerFailed extends Schema.TaggedError<MailRunnerFailed>()("MailRunnerFailed", {
  message: Schema.String
}) {}

export interface MailRunner {
  readonly pid: number
  readonly operationsPort: number
  /** Ends it without a warning. */
  readonly kill9: Effect.Effect<void>
}

/** A port of this machine that nobody listens on; somebody else may take it before it is used. */
const freePort: Effect.Effect<number> = Effect.callback((resume) => {
  const server = createServer()
  server.listen(0, "127.0.0.1", () => {
    const address = server.address()
    const port = typeof address === "object" && address !== null ? address.port : 0
    server.close(() => resume(Effect.succeed(port)))
  })
})

/** Ready when it answers; it is ended with the scope. */
export const start = Effect.fn("MailRunner.start")(function* (options: {
  readonly database: Redacted.Redacted<string>
  readonly smtpUrls: ReadonlyArray<string>
  readonly env?: Readonly<Record<string, string>>
}) {
  const operationsPort = yield* freePort
  const handle = yield* ChildProcess.make(process.execPath, [script], {
    cwd: root,
    extendEnv: true,
    env: {
      ONSALE_DATABASE_URL: Redacted.value(options.database),
      ONSALE_DATABASE_POOL: "6",
      ONSALE_SMTP_URL: options.smtpUrls.join(","),
      ONSALE_OPERATIONS_PORT: String(operationsPort),
      ...options.env
    },
    stdin: "ignore",
    // What it warns of is what we do to it.
    stdout: "ignore",
    stderr: "inherit",
    forceKillAfter: "20 seconds"
  })
  const pid = Number(handle.pid)
  const client = yield* HttpClient.HttpClient
  yield* client.get(`http://127.0.0.1:${operationsPort}/readyz`).pipe(
    Effect.filterOrFail(({ status }) => status === 200),
    Effect.retry(Schedule.spaced("50 millis")),
    Effect.timeoutOrElse({
      duration: readyLimit,
      orElse: () =>
        Effect.fail(new MailRunnerFailed({ message: "a notification runner was not ready in time" }))
    })
  )
  const runner: MailRunner = {
    pid,
    operationsPort,
    kill9: Effect.ignore(Effect.try(() => process.kill(pid, "SIGKILL"))).pipe(
      Effect.andThen(Effect.exit(handle.exitCode)),
      Effect.asVoid
    )
  }
  return runner
})
