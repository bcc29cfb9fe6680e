/** What an objective counts in five minutes, with series beside it that it must not count. */
export interface Counts {
  readonly slo: string
  readonly cause?: string
  /** What they gain a minute, since two and a half minutes: half of a window of five. */
  readonly gain?: Readonly<Record<string, number>>
  readonly gauges?: Readonly<Record<string, number>>
  /** Gone altogether since as many minutes. */
  readonly gone?: Readonly<Record<string, number>>
  /** Seconds, where an objective is of time. Nothing where it is not measured. */
  readonly bad?: number
  readonly all?: number
}

/** Minutes after the start. */
const now = 12.5

const seriesOf = ({ gain = {}, gauges = {}, gone = {} }: Counts) => {
  const each = (of: Readonly<Record<string, number>>, values: (number: number) => string) =>
    Object.entries(of).map(([series, number]) => ({ series, values: values(number) }))
  return [
    // Two of the window's four steps, for five minutes: 2.5 times as many.
    ...each(gain, (many) => `1000x10 ${1000 + many}+${many}x3`),
    ...each(gauges, (value) => `${value}x14`),
    ...each(gone, (ago) => `1000x${Math.floor(now - ago)} stale`)
  ]
}

/** A test of promtool's that reads what is recorded. */
export const testOf = (counted: Counts) => {
  const seen = (record: string, value: number | undefined) => ({
    expr: `round(slo:${record}:rate5m{slo="${counted.slo}"} * 300)`,
    eval_time: `${now * 60}s`,
    exp_samples: value === undefined ? [] : [{ labels: `{slo="${counted.slo}"}`, value }]
  })
  return {
    name: counted.cause === undefined ? counted.slo : `${counted.slo}: ${counted.cause}`,
    interval: "1m",
    input_series: seriesOf(counted),
    promql_expr_test: [seen("bad", counted.bad), seen("all", counted.all)]
  }
}
