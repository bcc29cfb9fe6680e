/** What an operator opens shows something: it is provisioned, and Prometheus understands every question. */
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, test } from "vitest"
import { parse, stringify } from "yaml"
import * as Dashboards from "./Dashboards.ts"
import { exists, read } from "./Workspace.ts"

const dashboards = Dashboards.all()

test("there is one of the on-sale, an event, payments, the pipeline and the cluster", () => {
  expect(dashboards.map(({ uid }) => uid).sort()).toEqual([
    "onsale-cluster",
    "onsale-event",
    "onsale-overview",
    "onsale-payments",
    "onsale-pipeline"
  ])
})

test("Compose provisions them, and opens one that is there", () => {
  const compose = parse(read("docker-compose.yml"), { merge: true }).services.grafana
  const home: string = compose.environment.GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH
  expect(exists(home.replace("/etc/grafana/dashboards", "infra/grafana/dashboards"))).toBe(true)
  expect(compose.volumes).toContain("./infra/grafana/dashboards:/etc/grafana/dashboards:ro")
})

test("panels have ids of their own and ask a datasource that is there", () => {
  const known = parse(read("infra/grafana/datasources.yml")).datasources.map(
    ({ uid }: { readonly uid: string }) => uid
  )
  for (const { panels, title } of dashboards) {
    expect(new Set(panels.map(({ id }) => id)).size, title).toBe(panels.length)
    for (const { datasource } of panels) expect(known).toContain(datasource.uid)
  }
})

test("Prometheus understands what panels ask", ({ skip }) => {
  if (spawnSync("promtool", ["--version"]).error !== undefined) skip("promtool is not installed")
  const folder = mkdtempSync(join(tmpdir(), "dashboards-"))
  const file = join(folder, "panels.yml")
  const rules = dashboards
    .flatMap(Dashboards.expressions)
    .map((expr, i) => ({ record: `panel:number_${i}`, expr }))
  writeFileSync(file, stringify({ groups: [{ name: "panels", rules }] }))
  const { status, stderr, stdout } = spawnSync("promtool", ["check", "rules", file], { encoding: "utf8" })
  rmSync(folder, { recursive: true })
  expect(status, `${stdout}${stderr}`).toBe(0)
})
