import { type Edge, minutes } from "./Edge.ts"

const hours = 60 * minutes

/** A service where everything is bad at once: the share of a long window grows evenly, and a short one's falls so. */
const outage = (budget: number) => ({
  'slo:bad:rate5m{slo="any"}': [0, 100] as const,
  'slo:all:rate5m{slo="any"}': [100, 100] as const,
  'slo:budget{slo="any"}': [budget, budget] as const
})

/**
 * Each pair of windows by itself. The alert begins where 48% of the long window are bad, and ends where less of the short
 * one are: the budget is 48% by the pair's factor.
 */
export const edges: ReadonlyArray<Edge> = [
  {
    alert: "OnsaleBudgetBurnsFast",
    cause: "of an hour, and not of six",
    gauges: outage(0.48 / 14.4),
    quiet: 6 * hours,
    from: 31 * minutes,
    good: 50 * minutes,
    until: 52.5 * minutes,
    early: 1 * minutes,
    look: 30
  },
  {
    alert: "OnsaleBudgetBurnsFast",
    cause: "of six hours, as an hour's cannot be burnt so fast",
    gauges: outage(0.48 / 6),
    quiet: 6 * hours,
    from: 175 * minutes,
    good: 4 * hours,
    until: 255 * minutes,
    look: 150
  },
  {
    alert: "OnsaleBudgetBurnsSlowly",
    cause: "of a day after two that were busier",
    gauges: {
      'slo:bad:rate5m{slo="any"}': [0, 100],
      // Two thirds of a sample are as many for Prometheus 2 and 3.
      'slo:budget{slo="any"}': [0.489 / 3, 0.489 / 3]
    },
    others: { 'slo:all:rate5m{slo="any"}': "1000x143 100x200" },
    quiet: 72 * hours,
    from: 12 * hours,
    good: 15 * hours,
    until: 16 * hours,
    look: 20 * minutes
  },
  {
    alert: "OnsaleBudgetBurnsSlowly",
    cause: "of three days, as a day's cannot be burnt so fast",
    gauges: outage(0.48),
    quiet: 72 * hours,
    from: 35 * hours,
    good: 40 * hours,
    until: 43 * hours,
    look: 30 * minutes
  },
  {
    alert: "OnsaleObjectivesAbsent",
    cause: "no process tells its budget",
    gauges: {
      'slo:all:rate5m{slo="availability"}': [100, 100],
      'slo:budget{slo="availability"}': [0.007, null],
      'slo:budget{slo="any"}': [0.05, 0.05]
    },
    from: 15 * minutes
  },
  {
    alert: "OnsaleObjectivesAbsent",
    cause: "no request is counted",
    gauges: {
      'slo:all:rate5m{slo="availability"}': [100, null],
      'slo:budget{slo="availability"}': [0.007, 0.007]
    },
    from: 15 * minutes
  }
]

/** A long window counts once it holds ten; a sample is one of every 30 s. */
export const tens = [1, 6, 24, 72].map((window) => {
  const look = (window * hours) / 12
  const name = `slo:bad:ratio${window < 24 ? `${window}h` : `${window / 24}d`}`
  // Prometheus 2 sees thirteen samples in it, and 3 twelve.
  const series = (slo: string, held: number) => [
    { series: `slo:bad:rate5m{slo="${slo}"}`, values: `${held / 13 / 30 / 2}x30` },
    { series: `slo:all:rate5m{slo="${slo}"}`, values: `${held / 13 / 30}x30` }
  ]
  const test = {
    name: `${name} is of ten at least`,
    interval: `${look}s`,
    input_series: [...series("nine", 9), ...series("eleven", 11.5)],
    promql_expr_test: [
      {
        expr: name,
        eval_time: `${24 * look}s`,
        exp_samples: [{ labels: `${name}{slo="eleven"}`, value: 0.5 }]
      }
    ]
  }
  return { look, test }
})
