/** As it may be, and as it may not. */
type Values<A> = readonly [quiet: A, bad: A]

/** Where an alert begins and ends to fire. Times are seconds since what it watches went bad. */
export interface Edge {
  readonly alert: string
  /** Which of its causes, where it has several. */
  readonly cause?: string
  /** Bad by as little as there is, so that a threshold a little higher or lower is seen. */
  readonly gauges?: Readonly<Record<string, Values<number | null>>>
  /** What they gain at each look. */
  readonly counters?: Readonly<Record<string, Values<number>>>
  /** As promtool writes them, from the beginning on. */
  readonly others?: Readonly<Record<string, string>>
  readonly from: number
  /** When it is good again; by itself a minute after the alert. */
  readonly good?: number
  /** By itself when it is good again. A window looks back for longer. */
  readonly until?: number
  /** How much earlier both may be: a look, or two where there is a window, whose first moment Prometheus 3 leaves out. */
  readonly early?: number
  /** How long it was good before; by itself longer than the alert waits and most rates look back. */
  readonly quiet?: number
  /** Prometheus takes samples and looks at the rules this often. */
  readonly look?: number
}

export const minutes = 60

/** Seconds, where an edge says nothing else. */
export const look = 15

/** One of these series for each of two processes that tell of the same. */
export const onlyA = (metric: string, labels: string, [quiet, bad]: Values<number>) => ({
  [`${metric}{${labels}instance="a"}`]: [quiet, bad] as const,
  [`${metric}{${labels}instance="b"}`]: [quiet, quiet] as const
})

/** As promtool writes a value for so many looks. What is null is not there. */
const gauge = (value: number | null, looks: number) =>
  value === null ? `stale _x${looks - 1}` : `${value}x${looks - 1}`

/** A test of promtool's that looks just before and just after the alert begins, and ends, to fire. */
export const testOf = (edge: Edge) => {
  const {
    look: step = look,
    early = step,
    from,
    good = from + 60,
    until = good,
    quiet = from + 4 * minutes
  } = edge
  const end = Math.max(good, until) + 4 * step
  const levels = Object.entries(edge.gauges ?? {}).map(([series, [usual, bad]]) => ({
    series,
    values: [gauge(usual, quiet / step), gauge(bad, good / step), gauge(usual, (end - good) / step)].join(" ")
  }))
  const counts = Object.entries(edge.counters ?? {}).map(([series, [usual, bad]]) => {
    let sum = 0
    const values = Array.from({ length: (quiet + end) / step }, (_, index) => {
      const second = index * step - quiet
      return (sum += second >= 0 && second < good ? bad : usual)
    })
    return { series, values: values.join(" ") }
  })
  const others = Object.entries(edge.others ?? {}).map(([series, values]) => ({ series, values }))
  const seen = (second: number, firing: number) => ({
    expr: `count(ALERTS{alertname="${edge.alert}",alertstate="firing"}) or vector(0)`,
    eval_time: `${quiet + second}s`,
    exp_samples: [{ labels: "{}", value: firing }]
  })
  return {
    name: edge.cause === undefined ? edge.alert : `${edge.alert}: ${edge.cause}`,
    interval: `${step}s`,
    input_series: [...levels, ...counts, ...others],
    promql_expr_test: [seen(from - early, 0), seen(from, 1), seen(until - early, 1), seen(until, 0)]
  }
}
