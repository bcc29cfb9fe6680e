/** What share of each may be bad, where two processes tell of their level and the laxer counts. */
const budgets = {
  availability: 0.007,
  "latency-p95": 0.05,
  "latency-p99": 0.01,
  search: 0.05,
  authorised: 0.05,
  captured: 0.02,
  "provider-timeouts": 0.01,
  breaker: 0.05,
  "cache-hits": 0.1,
  "redis-latency": 0.05,
  "projection-lag": 0.05,
  freshness: 0.05,
  "relay-lag": 0.05,
  "consumer-lag": 0.05,
  "shard-balance": 0.05,
  delivered: 0.01
}

/** A test of promtool's that reads all of them. */
export const test = {
  name: "budgets",
  interval: "1m",
  input_series: [
    { series: 'onsale_objective_error_share{instance="a"}', values: "0.007x2" },
    { series: 'onsale_objective_error_share{instance="b"}', values: "0.005x2" }
  ],
  promql_expr_test: [
    {
      expr: "slo:budget",
      eval_time: "1m",
      exp_samples: Object.entries(budgets).map(([slo, value]) => ({
        labels: `slo:budget{slo="${slo}"}`,
        value
      }))
    }
  ]
}
