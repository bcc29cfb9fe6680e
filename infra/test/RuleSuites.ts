import * as AlertEdges from "./AlertEdges.ts"
import * as Budgets from "./Budgets.ts"
import * as Counts from "./Counts.ts"
import * as Edge from "./Edge.ts"
import * as ObjectiveCounts from "./ObjectiveCounts.ts"
import * as ObjectiveEdges from "./ObjectiveEdges.ts"
import type { Suite } from "./Promtool.ts"

/** What these tests read of a rule of Prometheus. */
export interface Rule {
  readonly alert?: string
  readonly record?: string
  readonly expr: string
  readonly labels?: { readonly severity?: string; readonly slo?: string }
  readonly annotations?: { readonly summary: string; readonly runbook: string; readonly dashboard: string }
}

/** One of Prometheus' groups of rules. */
export interface Group {
  readonly name: string
  readonly interval?: string
  readonly rules: ReadonlyArray<Rule>
}

/** The groups with those rules alone, and evaluated as often as its tests ask for: rules that say nothing take time too. */
const only = (groups: ReadonlyArray<Group>, wanted: (rule: Rule) => boolean) =>
  groups
    .map(({ name, rules }) => ({ name, rules: rules.filter(wanted) }))
    .filter(({ rules }) => rules.length > 0)

/** Each alert of `rules.yml` at its edges. */
export const ofRules = (groups: ReadonlyArray<Group>): ReadonlyArray<Suite> =>
  AlertEdges.edges.map((edge) => ({
    groups: only(groups, ({ alert }) => alert === edge.alert),
    look: edge.look ?? Edge.look,
    tests: [Edge.testOf(edge)]
  }))

/** What `objectives.yml` counts for each objective, the windows of that, and its alerts at their edges. */
export const ofObjectives = (groups: ReadonlyArray<Group>): ReadonlyArray<Suite> => {
  const windows = only(groups, ({ labels }) => labels?.slo === undefined)
  return [
    ...ObjectiveCounts.counts.map((one) => ({
      groups: only(groups, ({ labels }) => labels?.slo === one.slo),
      look: 30,
      tests: [Counts.testOf(one)]
    })),
    {
      groups: only(groups, ({ record }) => record === "slo:budget"),
      look: 30,
      tests: [Budgets.test]
    },
    ...ObjectiveEdges.edges.map((edge) => ({
      groups: windows,
      look: edge.look ?? Edge.look,
      tests: [Edge.testOf(edge)]
    })),
    ...ObjectiveEdges.tens.map(({ look, test }) => ({ groups: windows, look, tests: [test] }))
  ]
}
