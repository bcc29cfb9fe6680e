/** Runs the command line as its users do: as a process. */
import type { TestDatabase } from "@onsale/testing/PostgresFixture"
import { Effect, type Redacted, Stream } from "effect"
import { ChildProcess } from "effect/process"

const main = new URL("../src/main.ts", import.meta.url).pathname

export interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export const run = Effect.fnUntraced(function* (
  args: ReadonlyArray<string>,
  env: Readonly<Record<string, string | Redacted.Redacted<string>>> = {}
) {
  const handle = yield* ChildProcess.make(process.execPath, [main, ...args], {
    env,
    extendEnv: true,
    stdin: "ignore"
  })
  const text = (stream: typeof handle.stdout) => Stream.mkString(Stream.decodeText(stream))
  const [stdout, stderr, code] = yield* Effect.all(
    [text(handle.stdout), text(handle.stderr), handle.exitCode],
    {
      concurrency: "unbounded"
    }
  )
  const outcome: Outcome = { code, stdout, stderr }
  return outcome
}, Effect.scoped)

/** `onsale audit` of a database, without a ledger. */
export const auditOf = ({ url }: TestDatabase["Service"], ...flags: ReadonlyArray<string>) =>
  run(["audit", "--skip-ledger", ...flags], { ONSALE_DATABASE_URL: url })
