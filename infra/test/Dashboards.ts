/** The dashboards of Grafana, and what they ask Prometheus for. */
import { globSync } from "node:fs"
import { read, root } from "./Workspace.ts"

export interface Dashboard {
  readonly uid: string
  readonly title: string
  readonly panels: ReadonlyArray<{
    readonly id: number
    readonly datasource: { readonly uid: string }
    readonly targets: ReadonlyArray<{ readonly expr: string }>
  }>
  readonly templating?: { readonly list: ReadonlyArray<{ readonly name: string; readonly query: string }> }
}

export const all = (): ReadonlyArray<Dashboard> =>
  globSync("infra/grafana/dashboards/*.json", { cwd: root }).map((file) => JSON.parse(read(file)))

/** With variables as Grafana would fill them in. */
export const expressions = ({ panels }: Dashboard): ReadonlyArray<string> =>
  panels.flatMap(({ targets }) => targets.map(({ expr }) => expr.replaceAll("$event", "other")))

/** Without what a histogram adds to its name. */
export const metricsIn = (expression: string): ReadonlyArray<string> =>
  (expression.match(/\b(effect_cluster|onsale|process|nodejs)_[a-z_]+/g) ?? []).map((name) =>
    name.replace(/_(bucket|count|sum)$/, "")
  )
