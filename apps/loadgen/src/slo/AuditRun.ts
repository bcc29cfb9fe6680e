/** `onsale audit` on the level's database and its provider's ledger. */
import { Effect, Schema, Stream } from "effect"
import { ChildProcess } from "effect/process"
import { fileURLToPath } from "node:url"
import { ServiceFailed } from "../ServiceProcess.ts"
import type { RunningLevel } from "./LevelProcesses.ts"

const main = fileURLToPath(new URL("../../../onsale/src/main.ts", import.meta.url))

const Findings = Schema.fromJsonString(
  Schema.Array(
    Schema.Struct({
      invariant: Schema.String,
      ok: Schema.Boolean,
      statement: Schema.String,
      checked: Schema.String,
      breaches: Schema.Array(Schema.String)
    })
  )
)
export type Finding = (typeof Findings.Type)[number]

export const run = Effect.fn("AuditRun.run")(function* ({ databaseUrl, ledger }: RunningLevel) {
  const handle = yield* ChildProcess.make(process.execPath, [main, "audit", "--json", "--ledger", ledger], {
    extendEnv: true,
    env: { ONSALE_DATABASE_URL: databaseUrl },
    stderr: "inherit"
  })
  const text = yield* handle.stdout.pipe(Stream.decodeText(), Stream.mkString)
  return yield* Schema.decodeUnknownEffect(Findings)(text).pipe(
    Effect.mapError(
      () => new ServiceFailed({ message: `the audit said nothing that can be read: ${text.slice(0, 500)}` })
    )
  )
}, Effect.scoped)
