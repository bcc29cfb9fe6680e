import { shardGroups } from "../../packages/contracts/src/ShardGroups.ts"
import { shardsPerGroup } from "@onsale/platform/Cluster"
import { spawnSync } from "node:child_process"
import { globSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import { parse } from "yaml"
import { exists, read, root } from "./Workspace.ts"

interface Rules {
  readonly groups: ReadonlyArray<{
    readonly rules: ReadonlyArray<{
      readonly alert: string
      readonly expr: string
      readonly labels: { readonly severity: string }
      readonly annotations: { readonly summary: string; readonly runbook: string }
    }>
  }>
}

const rules = parse(read("infra/prometheus/rules.yml")).groups.flatMap(
  ({ rules }: Rules["groups"][number]) => rules
) as Rules["groups"][number]["rules"]

const dashboard: {
  readonly panels: ReadonlyArray<{ readonly targets: ReadonlyArray<{ readonly expr: string }> }>
} = JSON.parse(read("infra/grafana/dashboards/onsale.json"))

const metricsIn = (expression: string) => expression.match(/\b(effect_cluster|onsale)_[a-z_]+/g) ?? []

test("alerts and panels ask for metrics that exist", () => {
  const files = globSync(
    ["apps/*/src/**/*.ts", "packages/*/src/**/*.ts", "node_modules/effect/src/cluster/ClusterMetrics.ts"],
    {
      cwd: root
    }
  )
  const text = files.map(read).join("\n")
  const asked = [
    ...rules.map(({ expr }) => expr),
    ...dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr))
  ].flatMap(metricsIn)
  expect(asked.length).toBeGreaterThan(0)
  expect([...new Set(asked)].filter((name) => !text.includes(`"${name}"`))).toEqual([])
})

/** As GitHub makes them. */
const anchors = (page: string) =>
  [...page.matchAll(/^#+ (.+)$/gm)].map(([, title = ""]) =>
    title
      .toLowerCase()
      .replace(/[^\w\- ]/g, "")
      .replaceAll(" ", "-")
  )

test("every alert says where to read what to do", () => {
  for (const { annotations } of rules) {
    const [page = "", anchor] = annotations.runbook.split("#")
    expect(exists(page), page).toBe(true)
    if (anchor !== undefined) expect(anchors(read(page))).toContain(anchor)
  }
})

test("an alert tells when a shard has no owner", () => {
  const { expr } = rules.find(({ alert }) => alert === "OnsaleShardsUnowned") ?? {}
  expect(expr).toBe(`sum(effect_cluster_shards) < ${shardGroups.length * shardsPerGroup}`)
})

interface RuleTests {
  readonly tests: ReadonlyArray<{
    readonly alert_rule_test: ReadonlyArray<{
      readonly alertname: string
      readonly exp_alerts: Array<unknown>
    }>
  }>
}

test("alerts of evictions, overload, the bus, the notifications and webhooks are tried firing and silent", () => {
  const { tests }: RuleTests = parse(read("infra/prometheus/rules.test.yml"))
  const tried = (fires: boolean) =>
    new Set(
      tests
        .flatMap((one) => one.alert_rule_test)
        .filter(({ exp_alerts }) => exp_alerts.length > 0 === fires)
        .map(({ alertname }) => alertname)
    )
  const alerts = [
    "OnsaleRunnerEvicted",
    "OnsaleEventOverloaded",
    "OnsaleEventBusLag",
    "OnsaleDeadLetters",
    "OnsaleNotificationDeadLetters",
    "OnsaleNotificationsStuck",
    "OnsaleNotificationBreakerOpen",
    "OnsaleWebhooksLate",
    "OnsaleWebhookDeadLetters",
    "OnsaleWebhookDisabled"
  ]
  expect([...tried(true)]).toEqual(alerts)
  expect([...tried(false)]).toEqual(alerts)
})

const promtool = (...args: ReadonlyArray<string>) => spawnSync("promtool", args, { encoding: "utf8" })

test("Prometheus takes the rules, and they fire when they should", ({ skip }) => {
  if (promtool("--version").error !== undefined) skip("promtool is not installed")
  const file = join(root, "infra/prometheus/rules.test.yml")
  const { status, stderr, stdout } = promtool("test", "rules", file)
  expect(status, `${stdout}${stderr}`).toBe(0)
})
