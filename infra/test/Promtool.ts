import { spawn } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

interface Ended {
  /** Nothing where promtool is not installed. */
  readonly status: number | null
  readonly said: string
}

export const promtool = (...args: ReadonlyArray<string>) =>
  new Promise<Ended>((done) => {
    const child = spawn("promtool", args)
    const said: Array<string> = []
    child.stdout.on("data", (text) => said.push(String(text)))
    child.stderr.on("data", (text) => said.push(String(text)))
    child.on("error", ({ message }) => done({ status: null, said: message }))
    child.on("close", (status) => done({ status, said: said.join("") }))
  })

/** Tests of promtool's, and the rules that they are of. */
export interface Suite {
  readonly groups: ReadonlyArray<{ readonly name: string; readonly rules: ReadonlyArray<unknown> }>
  /** Seconds from one evaluation of the rules to the next. */
  readonly look: number
  readonly tests: ReadonlyArray<{ readonly name: string }>
}

/** A file for each, as promtool names the file of what fails, and not the test. */
export const run = async (suites: ReadonlyArray<Suite>): Promise<Ended> => {
  const folder = mkdtempSync(join(tmpdir(), "promtool-"))
  try {
    const files = suites.flatMap(({ groups, look, tests }) =>
      tests.map((one) => {
        const name = one.name.replace(/[^\w.]+/g, "-")
        writeFileSync(join(folder, `${name}.yml`), JSON.stringify({ groups }))
        const file = join(folder, `${name}.test.yml`)
        const test = {
          rule_files: [`${name}.yml`],
          evaluation_interval: `${look}s`,
          // Left to itself it takes any order, and an alert sees what is recorded a look later or not.
          group_eval_order: groups.map((group) => group.name),
          tests: [one]
        }
        writeFileSync(file, JSON.stringify(test))
        return file
      })
    )
    return await promtool("test", "rules", ...files)
  } finally {
    rmSync(folder, { recursive: true })
  }
}
