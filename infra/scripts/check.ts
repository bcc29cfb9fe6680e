/** `npm run check`: types, lint, import boundaries, format, unused code. Runs all and reports each. */
import { spawnSync } from "node:child_process"
import { writeFileSync } from "node:fs"
import { join } from "node:path"

const root = join(import.meta.dirname, "..", "..")
const node = process.execPath

const steps: ReadonlyArray<readonly [name: string, command: string, args: ReadonlyArray<string>]> = [
  ["types", "tsc", ["--project", "tsconfig.json", "--noEmit"]],
  ["lint", "oxlint", ["--deny-warnings"]],
  ["boundaries", node, ["infra/scripts/boundaries.ts"]],
  ["format", "biome", ["format", "."]],
  ["unused code", node, ["infra/node_modules/knip/bin/knip.js", "--no-config-hints"]]
]

const env = { ...process.env, PATH: `${join(root, "node_modules", ".bin")}:${process.env["PATH"] ?? ""}` }
const results = steps.map(([name, command, args]) => {
  const run = spawnSync(command, args, { cwd: root, env, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 })
  const passed = run.status === 0
  console.log(`${passed ? "✓" : "✗"} ${name}`)
  if (!passed) console.log(`${run.stdout ?? ""}${run.stderr ?? ""}${run.error?.message ?? ""}`.trimEnd())
  return { name, passed }
})

const jsonFlag = process.argv.indexOf("--json")
const jsonFile = jsonFlag === -1 ? undefined : process.argv[jsonFlag + 1]
if (jsonFile !== undefined) writeFileSync(jsonFile, JSON.stringify(results))

const failed = results.filter((result) => !result.passed).length
console.log(`${results.length - failed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
