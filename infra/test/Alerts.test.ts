import { shardGroups } from "../../packages/contracts/src/ShardGroups.ts"
import { shardsPerGroup } from "@onsale/platform/Cluster"
import * as ServiceLevel from "../../packages/contracts/src/ServiceLevel.ts"
import { globSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import { parse } from "yaml"
import * as AlertEdges from "./AlertEdges.ts"
import * as Dashboards from "./Dashboards.ts"
import * as ObjectiveCounts from "./ObjectiveCounts.ts"
import * as ObjectiveEdges from "./ObjectiveEdges.ts"
import { promtool, run } from "./Promtool.ts"
import * as RuleSuites from "./RuleSuites.ts"
import type { Group } from "./RuleSuites.ts"
import { exists, read, root } from "./Workspace.ts"

const files = ["rules", "objectives"]
const groupsOf = (name: string): ReadonlyArray<Group> => parse(read(`infra/prometheus/${name}.yml`)).groups
const rulesOf = (name: string) => groupsOf(name).flatMap(({ rules }) => rules)
const all = files.flatMap(rulesOf)
const alerts = all.filter(({ alert }) => alert !== undefined)
const objectives = all.flatMap(({ labels, record }) =>
  record === "slo:budget" && labels?.slo !== undefined ? [labels.slo] : []
)

const dashboards = Dashboards.all()

test("alerts and panels ask for metrics that exist", () => {
  const sources = globSync(
    ["apps/*/src/**/*.ts", "packages/*/src/**/*.ts", "node_modules/effect/src/cluster/ClusterMetrics.ts"],
    { cwd: root }
  )
  const text = sources.map(read).join("\n")
  const asked = [...all.map(({ expr }) => expr), ...dashboards.flatMap(Dashboards.expressions)].flatMap(
    Dashboards.metricsIn
  )
  expect(asked.length).toBeGreaterThan(0)
  const missing = new Set(asked.filter((name) => !text.includes(`"${name}"`)))
  expect([...missing]).toEqual([])
})

/** As GitHub makes them. */
const anchors = (page: string) =>
  [...page.matchAll(/^#+ (.+)$/gm)].map(([, title = ""]) =>
    title
      .toLowerCase()
      .replace(/[^\w\- ]/g, "")
      .replaceAll(" ", "-")
  )

/** What is annotated for all objectives, for each of them. */
const runbooks = alerts.flatMap(({ annotations }) => {
  const { runbook = "" } = annotations ?? {}
  return runbook.includes("$labels.slo")
    ? objectives.map((slo) => runbook.replace("{{ $labels.slo }}", slo))
    : [runbook]
})

test.each([...new Set(runbooks)])("%s says what to do", (runbook) => {
  const [page = "", anchor] = runbook.split("#")
  expect(exists(page), page).toBe(true)
  if (anchor !== undefined) expect(anchors(read(page))).toContain(anchor)
})

test("the docs name no alert that is not there", () => {
  const names = alerts.map(({ alert }) => alert)
  const named = globSync("docs/**/*.md", { cwd: root }).flatMap((page) =>
    [...read(page).matchAll(/\bOnsale[A-Z]\w*/g)].map(([name]) => `${page}: ${name}`)
  )
  expect(named.length).toBeGreaterThan(0)
  expect(named.filter((one) => !names.includes(one.split(": ")[1]))).toEqual([])
})

test.each(alerts)("$alert is named on the page that it leads to", ({ alert = "", annotations }) => {
  const [page = ""] = (annotations?.runbook ?? "").split("#")
  expect(read(page)).toContain(alert)
})

test("the page of objectives has a symptom, a query and an action for each", () => {
  const sections = read("docs/runbooks/objectives.md").split("\n## ").slice(1)
  expect(sections.length).toBeGreaterThan(objectives.length)
  for (const section of sections)
    for (const part of ["**Symptom.**", "**Query.**", "**Action.**"]) expect(section).toContain(part)
})

test("every alert leads to a dashboard that is there", () => {
  const places = dashboards.map(({ uid }) => `/d/${uid}`)
  for (const { annotations } of alerts) expect(places).toContain(annotations?.dashboard)
})

test("an alert tells when a shard has no owner", () => {
  const { expr } = alerts.find(({ alert }) => alert === "OnsaleShardsUnowned") ?? {}
  expect(expr).toBe(`sum(effect_cluster_shards) < ${shardGroups.length * shardsPerGroup}`)
})

interface RuleTests {
  readonly tests: ReadonlyArray<{
    readonly alert_rule_test: ReadonlyArray<{
      readonly alertname: string
      readonly exp_alerts: ReadonlyArray<{ readonly exp_labels: { readonly slo?: string } }>
    }>
  }>
}

const tried = files.flatMap((name) =>
  (parse(read(`infra/prometheus/${name}.test.yml`)) as RuleTests).tests.flatMap((one) => one.alert_rule_test)
)

test.each(alerts.map(({ alert }) => alert))("%s is tried firing and silent", (alert) => {
  const ofIt = tried.filter(({ alertname }) => alertname === alert)
  expect(ofIt.some(({ exp_alerts }) => exp_alerts.length > 0)).toBe(true)
  expect(ofIt.some(({ exp_alerts }) => exp_alerts.length === 0)).toBe(true)
})

test.each(objectives)("the alerts of %s are tried firing and silent", (slo) => {
  for (const alert of ["OnsaleBudgetBurnsFast", "OnsaleBudgetBurnsSlowly"]) {
    const ofIt = tried.filter(({ alertname }) => alertname === alert)
    const names = (one: (typeof ofIt)[number]) => one.exp_alerts.map(({ exp_labels }) => exp_labels.slo)
    expect(ofIt.some((one) => names(one).includes(slo))).toBe(true)
  }
  // Its own series, and it is not among those that fire.
  const { tests } = parse(read("infra/prometheus/objectives.test.yml")) as {
    readonly tests: ReadonlyArray<{ readonly name: string } & RuleTests["tests"][number]>
  }
  const quiet = tests.find(({ name }) => name === `${slo} is as it may be`)
  expect(new Set(quiet?.alert_rule_test.map(({ alertname }) => alertname)).size).toBe(2)
  for (const { exp_alerts } of quiet?.alert_rule_test ?? [])
    expect(exp_alerts.map(({ exp_labels }) => exp_labels.slo)).not.toContain(slo)
})

test("the rules' targets are those of the design", () => {
  const of = (record: string, slo: string) =>
    all.find((rule) => rule.record === record && rule.labels?.slo === slo)?.expr
  const { askedOfParts: parts } = ServiceLevel
  const share = (good: number) => `vector(${Number((1 - good).toFixed(4))})`
  expect(of("slo:budget", "authorised")).toBe(share(parts.authorisedShare))
  expect(of("slo:budget", "captured")).toBe(share(parts.capturedShare))
  expect(of("slo:budget", "cache-hits")).toBe(share(parts.cacheHitShare))
  expect(of("slo:budget", "delivered")).toBe(share(parts.deliveredShare))
  expect(of("slo:budget", "provider-timeouts")).toBe(`vector(${parts.providerTimeoutShare})`)
  expect(of("slo:budget", "breaker")).toBe(`vector(${parts.breakerOpenShare})`)
  expect(of("slo:bad:rate5m", "projection-lag")).toContain(`bool ${parts.projectionLagMs}`)
  expect(of("slo:bad:rate5m", "freshness")).toContain(`bool ${parts.readModelLagMs}`)
  expect(of("slo:bad:rate5m", "relay-lag")).toContain(`bool ${parts.relayLagMs}`)
  expect(of("slo:bad:rate5m", "consumer-lag")).toContain(`bool ${parts.consumerLagMs}`)
  expect(of("slo:bad:rate5m", "shard-balance")).toContain(`bool ${parts.shardBalance}`)
  expect(alerts.find(({ alert }) => alert === "OnsaleDeadLettersOld")?.expr).toContain(
    `> ${parts.deadLetterSeconds * 1_000}`
  )
  expect(of("slo:bad:rate5m", "search")).toContain(`le="${parts.searchP95Ms / 1_000}"`)
})

test("every alert has an edge, and every objective is counted", () => {
  const edges = [...AlertEdges.edges, ...ObjectiveEdges.edges].map(({ alert }) => alert)
  expect([...new Set(edges)].sort()).toEqual(alerts.map(({ alert }) => alert).sort())
  expect([...new Set(ObjectiveCounts.counts.map(({ slo }) => slo))].sort()).toEqual([...objectives].sort())
})

const { status: installed } = await promtool("--version")
// Next to each other, so that they run at once: each waits for a process of its own.
const asked = { concurrent: true, skip: installed === null, timeout: 180_000 }

test("Prometheus takes the rules, and they fire when they should", asked, async () => {
  const runs = files.map((name) => promtool("test", "rules", join(root, `infra/prometheus/${name}.test.yml`)))
  for (const { said, status } of await Promise.all(runs)) expect(status, said).toBe(0)
})

test("alerts are silent just before their edge and fire just after it", asked, async () => {
  const { said, status } = await run(RuleSuites.ofRules(groupsOf("rules")))
  expect(status, said).toBe(0)
})

test("objectives count what they should, and each window burns a budget", asked, async () => {
  const { said, status } = await run(RuleSuites.ofObjectives(groupsOf("objectives")))
  expect(status, said).toBe(0)
})
