import { globSync } from "node:fs"
import { expect, test } from "vitest"
import { exists, read, root } from "./Workspace.ts"

interface Row {
  readonly what: string
  readonly bound: number
  readonly path: string
  readonly name: string
  readonly metric: string
}

const rows = read("docs/backpressure.md")
  .split("\n")
  .filter((line) => line.startsWith("| ") && /`(?:onsale|effect_cluster)_\w+` \|$/.test(line))
  .map((line): Row => {
    const [, arrow = "", what = "", bound = "", where = "", , seen = ""] = line
      .split(" | ")
      .map((cell) => cell.replace(/^\| | \|$/g, ""))
      .toSpliced(0, 0, "")
    const [path = "", name = ""] = [...where.matchAll(/`([^`]+)`/g)].map(([, text]) => text)
    return {
      what: `${arrow}: ${what}`,
      bound: Number(bound.replaceAll(",", "")),
      path,
      name,
      metric: seen.replaceAll("`", "")
    }
  })

const product = (text: string): number =>
  text.split("*").reduce((so, factor) => so * Number(factor.replaceAll("_", "").trim()), 1)

/** The numbers that a source gives to a name, or to a field of one: `room: 4_096`, `const room = 8 * 1_024`, defaults. */
const valuesOf = (source: string, name: string): ReadonlyArray<number> => {
  const [owner, field] = name.includes(".") ? name.split(".") : [undefined, name]
  const from = owner === undefined ? 0 : source.indexOf(`const ${owner}`)
  const text = owner === undefined ? source : source.slice(from, source.indexOf("\n}", from))
  const value = String.raw`([\d_]+(?: \* [\d_]+)*)`
  const plain = new RegExp(String.raw`\b${field}\b(?:: [\w.<>]+)?(?: =|:) ${value}\b`, "g")
  const fallback = new RegExp(String.raw`\b${field}\b(?: =|:) [^\n]*?(?:withDefault\(|\?\? )${value}\b`, "g")
  return [...text.matchAll(plain), ...text.matchAll(fallback)].map(([, found = ""]) => product(found))
}

test("every arrow of the picture has rows", () => {
  expect(rows.length).toBeGreaterThan(20)
  for (const arrow of [
    "buyers → edge",
    "edge → orders",
    "edge → lane",
    "lane → inventory",
    "order → payment"
  ]) {
    expect(rows.filter(({ what }) => what.startsWith(arrow)).length, arrow).toBeGreaterThan(0)
  }
})

test.each(rows)("$what: the bound is that of the source", ({ bound, name, path }) => {
  expect(exists(path), path).toBe(true)
  expect(valuesOf(read(path), name), `${path} ${name}`).toContain(bound)
})

test("who is kept out from which delay on is that of the source, in its order", () => {
  const told = [...read("docs/backpressure.md").matchAll(/^\| (?:above )?([\d,]+) ms \|/gm)].map(
    ([, ms = ""]) => Number(ms.replaceAll(",", ""))
  )
  const source = read("apps/gateway/src/AdmissionThresholds.ts")
  const thresholds = source.slice(0, source.indexOf("} as const")).matchAll(/^ {2}\w+: ([\d_]+)/gm)
  expect(told).toEqual([...thresholds].map(([, ms = ""]) => product(ms)))
})

test("every bound is seen by a metric that exists", () => {
  const sources = globSync(
    ["apps/*/src/**/*.ts", "packages/*/src/**/*.ts", "node_modules/effect/src/cluster/ClusterMetrics.ts"],
    { cwd: root }
  )
  const text = sources.map(read).join("\n")
  for (const { metric, what } of rows) expect(text.includes(`"${metric}"`), `${what}: ${metric}`).toBe(true)
})
