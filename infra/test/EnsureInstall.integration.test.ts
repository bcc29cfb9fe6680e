import { spawn, type ChildProcess } from "node:child_process"
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, expect, test } from "vitest"

/** An npm that notes each `ci`, takes a moment, and fails when told to. */
const fakeNpm = `
  const { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } = require("node:fs")
  const scenario = existsSync("scenario.json") ? JSON.parse(readFileSync("scenario.json", "utf8")) : {}
  if (process.argv[2] === "--version") {
    console.log(scenario.version ?? "11.0.0")
  } else {
    appendFileSync("calls.log", process.argv.slice(2).join(" ") + "\\n")
    setTimeout(() => {
      if (scenario.error) {
        console.error(scenario.error)
        process.exit(1)
      }
      mkdirSync("node_modules/.bin", { recursive: true })
      writeFileSync("node_modules/.bin/node", "")
    }, 300)
  }
`

let root = ""
const children: Array<ChildProcess> = []

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "onsale-install-"))
  mkdirSync(join(root, "infra", "scripts"), { recursive: true })
  copyFileSync(
    join(import.meta.dirname, "..", "scripts", "ensure-install.mjs"),
    join(root, "infra", "scripts", "ensure-install.mjs")
  )
  writeFileSync(join(root, "npm.js"), fakeNpm)
  writeFileSync(
    join(root, "package-lock.json"),
    JSON.stringify({ packages: { "node_modules/a": { version: "1.0.0" } } })
  )
})

afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL")
  rmSync(root, { recursive: true })
})

const start = () => {
  const child = spawn(process.execPath, ["infra/scripts/ensure-install.mjs"], {
    cwd: root,
    env: { PATH: "/usr/local/bin:/usr/bin:/bin", npm_execpath: join(root, "npm.js") }
  })
  children.push(child)
  let output = ""
  child.stderr.on("data", (chunk) => (output += chunk))
  return new Promise<{ readonly code: number | null; readonly output: string }>((resolve) =>
    child.on("close", (code) => resolve({ code, output }))
  )
}

const calls = () =>
  existsSync(join(root, "calls.log"))
    ? readFileSync(join(root, "calls.log"), "utf8").split("\n").length - 1
    : 0
const scenario = (value: object) => writeFileSync(join(root, "scenario.json"), JSON.stringify(value))

test("installs what is missing, once, and says so; again when the lock file changes", async () => {
  const first = await start()
  expect(first).toMatchObject({ code: 0 })
  expect(first.output).toContain("installing dependencies")
  expect(readFileSync(join(root, "calls.log"), "utf8")).toContain("ci --include=dev --include=optional")
  expect(await start()).toEqual({ code: 0, output: "" })
  expect(calls()).toBe(1)
  writeFileSync(
    join(root, "package-lock.json"),
    JSON.stringify({ packages: { "node_modules/a": { version: "2.0.0" } } })
  )
  expect((await start()).output).toContain("package-lock.json has changed")
  expect(calls()).toBe(2)
})

test("what `npm install` put there by hand counts, when it is what the lock file says", async () => {
  mkdirSync(join(root, "node_modules", ".bin"), { recursive: true })
  writeFileSync(join(root, "node_modules", ".bin", "node"), "")
  copyFileSync(join(root, "package-lock.json"), join(root, "node_modules", ".package-lock.json"))
  expect(await start()).toEqual({ code: 0, output: "" })
  expect(calls()).toBe(0)
})

test("of two that run together one installs, and both end well", async () => {
  const both = await Promise.all([start(), start()])
  expect(both.map(({ code }) => code)).toEqual([0, 0])
  expect(calls()).toBe(1)
  expect(existsSync(join(root, ".onsale", "install.lock"))).toBe(false)
})

test("a lock whose holder died does not block", async () => {
  const mutex = join(root, ".onsale", "install.lock")
  mkdirSync(mutex, { recursive: true })
  // Beyond the largest pid that Linux gives out.
  writeFileSync(join(mutex, "pid"), "99999999")
  expect((await start()).code).toBe(0)
  expect(calls()).toBe(1)
})

test.each([
  [
    "npm error request to https://registry.npmjs.org failed, reason: getaddrinfo EAI_AGAIN",
    "cannot be reached"
  ],
  ["npm error code EUSAGE\nnpm error `npm ci` can only install packages when", "do not agree"],
  ["npm error something else", "see npm's output"]
])("a failed install shows npm's output and what to do: %s", async (error, advice) => {
  scenario({ error })
  const result = await start()
  expect(result.code).toBe(1)
  expect(result.output).toContain(error)
  expect(result.output).toContain(advice)
  // Nothing is remembered: the next run tries again.
  scenario({})
  expect((await start()).code).toBe(0)
})

test("an npm that is too old is told before anything is tried", async () => {
  scenario({ version: "8.19.4" })
  const result = await start()
  expect(result.code).toBe(1)
  expect(result.output).toContain("npm 8.19.4 is too old")
  expect(calls()).toBe(0)
})
