/**
 * Who may import whom (docs/ARCHITECTURE.md): checked here, because the linter's own import rules can
 * neither see a relative path that leaves its package nor follow a pure file through its neighbours.
 *
 * Prints a line for each breach and exits 1. Also checks what only matters here: a clock read by `new Date()`.
 */
import { existsSync, globSync, readFileSync } from "node:fs"
import { dirname, join, relative, sep } from "node:path"

interface Import {
  readonly specifier: string
  /** Names in the braces, aliases dropped; empty for a namespace, default or dynamic import. */
  readonly names: ReadonlyArray<string>
  readonly typeOnly: boolean
  readonly line: number
}

interface Unit {
  /** `packages/inventory`, `apps/gateway`, `migrations`, `infra` or "" for the root. */
  readonly folder: string
  readonly isTest: boolean
}

const contexts = ["catalog", "inventory", "booking", "payments", "notifications", "identity", "waiting-room"]
const run = ["contracts", "platform", ...contexts]

/** Packages of the workspace that each folder may import; tests may import `testing` besides. */
const allowed: Readonly<Record<string, ReadonlyArray<string>>> = {
  "packages/contracts": [],
  "packages/platform": [],
  ...Object.fromEntries(contexts.map((context) => [`packages/${context}`, ["contracts", "platform"]])),
  // For a browser that has no network: nothing of ours but itself.
  "packages/door": [],
  "packages/testing": [...run, "door", "gateway", "runner", "app", "psp-sandbox", "web", "loadgen"],
  "apps/gateway": run,
  "apps/runner": run,
  "apps/onsale": [...run, "gateway", "runner", "door"],
  "apps/web": ["contracts", "door"],
  "apps/loadgen": ["contracts"],
  "apps/psp-sandbox": ["contracts"],
  // A migration is kept for ever: it may lean on nothing that a context can change under it.
  migrations: ["platform"],
  infra: []
}

/** The decisions of the hot path and of the state machines: no I/O, no clock, no service. */
const pureFiles = new Set(["Inventory.ts", "Order.ts", "Payment.ts"])
const pureFolders = new Set(["packages/inventory", "packages/booking", "packages/payments"])

/** Modules of `effect` that hold and transform data. */
const dataModules = new Set(
  (
    "Array BigDecimal BigInt Boolean Brand Bytes Chunk Combiner Data DateTime Duration Equal Equivalence Function Hash " +
    "HashMap HashRing HashSet Iterable Match MutableHashMap MutableHashSet MutableList MutableRef NonEmptyIterable " +
    "Number Optic Option Order Ordering Predicate Record Redacted Reducer Result Schema String Struct Tuple Types " +
    "UndefinedOr absurd cast flow hole identity pipe"
  ).split(" ")
)

/** Text without comments, of the same length and lines, so that positions stay right. */
const withoutComments = (text: string) =>
  text.replace(
    /("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`)|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g,
    (all, literal: string | undefined) => (literal === undefined ? all.replace(/[^\n]/g, " ") : all)
  )

const statement =
  /^[ \t]*(?:import|export)\s+(type\s+)?([^"'`;]*?)\bfrom\s*["']([^"']+)["']|^[ \t]*import\s*["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']\s*\)/gm

const importsOf = (text: string): ReadonlyArray<Import> =>
  [...text.matchAll(statement)].map((match) => {
    const [, type, clause = "", from, bare, dynamic] = match
    const names = (/\{([^}]*)\}/.exec(clause)?.[1] ?? "")
      .split(",")
      .map((name) => name.trim())
      .filter((name) => name !== "")
    return {
      specifier: from ?? bare ?? dynamic ?? "",
      names: names.filter((name) => !name.startsWith("type ")).map((name) => name.split(/\s/)[0] ?? ""),
      typeOnly: type !== undefined || (names.length > 0 && names.every((name) => name.startsWith("type "))),
      line: text.slice(0, match.index).split("\n").length + (match[0].startsWith("\n") ? 1 : 0)
    }
  })

const unitOf = (file: string): Unit => {
  const parts = file.split(sep)
  const folder =
    parts[0] === "packages" || parts[0] === "apps"
      ? parts.slice(0, 2).join("/")
      : parts.length > 1
        ? (parts[0] ?? "")
        : ""
  return { folder, isTest: parts.includes("test") }
}

/** What is wrong with the imports and clock reads of the workspace under `root`, a line each. */
export const check = (root: string): ReadonlyArray<string> => {
  const breaches: Array<string> = []
  const read = (file: string) => withoutComments(readFileSync(join(root, file), "utf8"))

  const checkPackage = (unit: Unit, found: Import, say: (why: string) => void) => {
    const target = /^@onsale\/([^/]+)/.exec(found.specifier)?.[1]
    if (target !== undefined) {
      if (target === unit.folder.split("/")[1]) {
        if (!unit.isTest) say("imports its own package by name: use a relative path")
        return
      }
      if (target === "testing") {
        if (!unit.isTest) say("imports @onsale/testing, which only tests may")
        return
      }
      if (!(allowed[unit.folder] ?? []).includes(target)) say(`may not import @onsale/${target}`)
      return
    }
    if (unit.folder === "packages/contracts" && !unit.isTest && !/^effect(\/|$)/.test(found.specifier)) {
      say("contracts import `effect` only, so that they run in a browser")
    }
    if (
      unit.folder === "packages/door" &&
      !unit.isTest &&
      !found.specifier.startsWith(".") &&
      found.specifier !== "@noble/ed25519"
    ) {
      say(
        "the door's library imports nothing but its fallback for signatures, so that it is small in a browser"
      )
    }
  }

  const checkRelative = (file: string, unit: Unit, found: Import, say: (why: string) => void) => {
    const target = relative(root, join(root, dirname(file), found.specifier))
    if (unitOf(target).folder !== unit.folder) say("leaves its package by a relative path")
    else if (!unit.isTest && unit.folder !== "infra" && unitOf(target).isTest) say("imports a test")
    else if (!/\.(ts|json)$/.test(found.specifier)) say("a relative import names the file with its ending")
  }

  /** Follows a pure file through its neighbours: what it runs must be as pure as itself. */
  const checkPure = (file: string, origin: string, seen: Set<string>) => {
    if (seen.has(file)) return
    seen.add(file)
    const text = read(file)
    const say = (line: number, why: string) =>
      breaches.push(
        `${file}:${line} ${file === origin ? "is pure" : `is used by the pure ${origin}`}: ${why}`
      )
    for (const found of importsOf(text)) {
      if (found.typeOnly) continue
      if (found.specifier.startsWith(".")) {
        const target = relative(root, join(root, dirname(file), found.specifier))
        if (existsSync(join(root, target))) checkPure(target, origin, seen)
      } else if (found.specifier === "effect") {
        const impure = found.names.filter((name) => !dataModules.has(name))
        if (impure.length > 0 || found.names.length === 0) {
          say(found.line, `may not import ${impure.join(", ") || "all"} of effect`)
        }
      } else if (!found.specifier.startsWith("@onsale/contracts/")) {
        say(found.line, `may not import ${found.specifier}`)
      }
    }
    const clock = /\bDateTime\.now|\bDate\.now\b|\bnew Date\(\s*\)|\bperformance\.|\bMath\.random\b/.exec(
      text
    )
    if (clock !== null) say(text.slice(0, clock.index).split("\n").length, `may not read ${clock[0]}`)
  }

  const files = globSync("{packages,apps,migrations,infra}/**/*.{ts,tsx,mjs}", {
    cwd: root,
    exclude: (name) => name === "node_modules"
  }).filter((file) => !file.includes(`node_modules${sep}`) && !file.startsWith(join("infra", "test")))

  for (const file of files.toSorted()) {
    const unit = unitOf(file)
    const text = read(file)
    const isSource = !unit.isTest && unit.folder !== "infra"
    if (unit.folder !== "" && allowed[unit.folder] === undefined) {
      breaches.push(`${file}:1 is in ${unit.folder}, which the table of imports does not know`)
    }
    for (const found of importsOf(text)) {
      const say = (why: string) => breaches.push(`${file}:${found.line} ${found.specifier}: ${why}`)
      if (found.specifier.startsWith(".")) checkRelative(file, unit, found, say)
      else checkPackage(unit, found, say)
    }
    const clock = isSource ? /\bnew Date\(\s*\)/.exec(text) : null
    if (clock !== null)
      breaches.push(
        `${file}:${text.slice(0, clock.index).split("\n").length} new Date() reads the clock: use DateTime`
      )
    if (isSource && pureFolders.has(unit.folder) && pureFiles.has(file.split(sep).at(-1) ?? "")) {
      checkPure(file, file, new Set())
    }
  }
  return breaches
}

if (import.meta.main) {
  const breaches = check(process.argv[2] ?? join(import.meta.dirname, "..", ".."))
  for (const breach of breaches) console.log(breach)
  process.exitCode = breaches.length === 0 ? 0 : 1
}
