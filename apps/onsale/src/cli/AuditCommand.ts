/** `onsale audit`: a line an invariant, and exit code 1 on a breach. */
import { Config, Effect, FileSystem, Option, Path } from "effect"
import { Command, Flag } from "effect/cli"
import type { Finding } from "../audit/Found.ts"
import * as DataDir from "../DataDir.ts"
import { exitCodes, Failed, usage } from "./Failure.ts"
import { count } from "../Wording.ts"
import { print } from "./Output.ts"

const indent = "        "

const section = (title: string, total: number, shown: ReadonlyArray<string>): ReadonlyArray<string> => [
  ...shown.map((what) => `${indent}${title}${what}`),
  ...(total > shown.length ? [`${indent}and ${count(total - shown.length)} more`] : [])
]

const lines = (finding: Finding): ReadonlyArray<string> => [
  `${finding.invariant}  ${finding.ok ? "ok    " : "BREACH"}  ${finding.statement}  (${finding.checked})`,
  ...section("- ", finding.breachCount, finding.breaches),
  ...section("in progress: ", finding.inProgressCount, finding.inProgress),
  ...section("note: ", finding.notes.length, finding.notes)
]

const summary = (findings: ReadonlyArray<Finding>): string => {
  const broken = findings.filter(({ ok }) => !ok)
  return broken.length === 0
    ? "All invariants hold."
    : `${broken.map(({ invariant }) => invariant).join(", ")} broken. What to do is in docs/invariants.md.`
}

/** The ledger that was named, or the one of the sandbox in the data directory. */
const ledgerFile = Effect.fnUntraced(function* (given: Option.Option<string>) {
  const fs = yield* FileSystem.FileSystem
  if (Option.isSome(given)) {
    return (yield* fs.exists(given.value)) ? given : yield* usage(`There is no file ${given.value}`)
  }
  const path = yield* Path.Path
  const file = path.join(yield* DataDir.dataDir, "sandbox-ledger.jsonl")
  return (yield* fs.exists(file)) ? Option.some(file) : Option.none<string>()
})

/** An audit reads: it does not make a database where there is none. */
const refuseNothing = Effect.gen(function* () {
  if (Option.isSome(yield* Config.option(Config.Redacted("ONSALE_DATABASE_URL")))) return
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const dataDir = yield* DataDir.dataDir
  if (!(yield* fs.exists(path.join(dataDir, "postgres")))) {
    return yield* usage(
      `There is no database in ${dataDir}`,
      "ONSALE_DATA_DIR names another directory, ONSALE_DATABASE_URL a server"
    )
  }
})

export const audit = Command.make(
  "audit",
  {
    ledger: Flag.String("ledger").pipe(
      Flag.withDescription(
        "The ledger file of the sandbox payment provider, to compare with [default: the one in the data directory, if there is one]"
      ),
      Flag.withMetavar("FILE"),
      Flag.optional
    ),
    skipLedger: Flag.Boolean("skip-ledger").pipe(
      Flag.withDescription("Compare with no ledger"),
      Flag.withDefault(false),
      Flag.withoutNegation
    )
  },
  Effect.fnUntraced(function* ({ ledger, skipLedger }) {
    yield* refuseNothing
    const file = skipLedger ? Option.none<string>() : yield* ledgerFile(ledger)
    const [Audit, { Database }] = yield* Effect.promise(() =>
      Promise.all([import("../Audit.ts"), import("@onsale/platform/Database")])
    )
    const findings = yield* Effect.provide(Audit.run({ ledger: file }), Database.layerShared)
    yield* print(findings, [...findings.flatMap(lines), "", summary(findings)])
    if (findings.some(({ ok }) => !ok)) return yield* new Failed({ code: exitCodes.refused })
  })
).pipe(
  Command.withDescription(
    "Check every invariant from the tables: read-only, beside a running service or without one. Prints a line an invariant with what was looked at, and exits with 1 on a breach, with the first 20 of each. What is unfinished and younger than a minute, or being driven, is in progress and no breach."
  ),
  Command.withShortDescription("Check that all promises were kept"),
  Command.withExamples([
    {
      command: "onsale audit",
      description: "The database of the data directory, and the sandbox's ledger beside it"
    },
    {
      command: "ONSALE_DATABASE_URL=postgres://db/onsale onsale audit --json",
      description: "A server, for a program"
    }
  ])
)
