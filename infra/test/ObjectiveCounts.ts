import type { Counts } from "./Counts.ts"

const requests = (labels: string) => `onsale_http_requests_total{${labels}}`
const durations = (labels: string) => `onsale_http_request_duration_seconds_count{${labels}}`
const buckets = (labels: string) => `onsale_http_request_duration_seconds_bucket{${labels}}`
const provider = (labels: string) => `onsale_payment_provider_calls{${labels}}`
const copies = (labels: string) => `onsale_copies_reads_total{${labels}}`
const cache = (labels: string) => `onsale_cache_requests_total{${labels}}`
const redis = (labels: string) => `onsale_redis_commands_total{${labels}}`
const taken = (labels: string) => `onsale_redis_command_duration_seconds_${labels}`
const jobs = (labels: string) => `onsale_jobs_total{${labels}}`
const commands = (labels: string) => `onsale_inventory_commands_total{${labels}}`

const orders = 'route="/api/v1/orders"'
const organisers = 'route="/api/v1/organiser/events"'
const stream = 'route="/api/v1/events/{eventId}/availability/stream"'
const other = 'route="other"'
const search = 'route="/api/v1/search/events"'

const levels = {
  'onsale_objective_latency_seconds{quantile="0.95",le="0.35",instance="a"}': 0.35,
  'onsale_objective_latency_seconds{quantile="0.95",le="0.35",instance="b"}': 0.35,
  'onsale_objective_latency_seconds{quantile="0.99",le="0.7",instance="a"}': 0.7,
  'onsale_objective_latency_seconds{quantile="0.99",le="0.7",instance="b"}': 0.7
}

const latencies = {
  [durations(`${orders},instance="a"`)]: 40,
  [buckets(`${orders},le="0.35",instance="a"`)]: 36,
  [buckets(`${orders},le="0.7",instance="a"`)]: 40,
  [buckets(`${orders},le="+Inf",instance="a"`)]: 40,
  [durations(`${orders},instance="b"`)]: 40,
  [buckets(`${orders},le="0.35",instance="b"`)]: 32,
  [buckets(`${orders},le="0.7",instance="b"`)]: 36,
  [buckets(`${orders},le="+Inf",instance="b"`)]: 40,
  ...Object.fromEntries(
    [organisers, stream, other].flatMap((route) => [
      [durations(route), 400],
      [buckets(`${route},le="0.35"`), 80],
      [buckets(`${route},le="0.7"`), 120]
    ])
  )
}

const calls = {
  [provider('call="Authorise",outcome="ok",instance="a"')]: 40,
  [provider('call="Authorise",outcome="ok",instance="b"')]: 40,
  [provider('call="Capture",outcome="ok",instance="a"')]: 36,
  [provider('call="Capture",outcome="ok",instance="b"')]: 24
}

const reads = Object.fromEntries(
  ["boards", "details", "lists", "seat_maps"].map((one) => [copies(`copies="${one}"`), 40])
)

/** A gauge that two processes tell, of which the worst counts. */
const worst = (metric: string, bad: number, otherwise: number) => ({
  [`${metric}{instance="a"}`]: bad,
  [`${metric}{instance="b"}`]: otherwise
})

/** A lag that is bad above `limit`. */
const lag = (slo: string, metric: string, limit: number): ReadonlyArray<Counts> => [
  { slo, cause: "behind", gauges: worst(metric, limit + 1, 100), bad: 300, all: 300 },
  { slo, cause: "at its limit", gauges: worst(metric, limit, limit), bad: 0, all: 300 }
]

/** Two runners; the commands of the busier are counted in two series. */
const shared = (busier: number, other: number) => ({
  [commands('instance="a",command="hold"')]: busier / 2,
  [commands('instance="a",command="sell"')]: busier / 2,
  [commands('instance="b",command="hold"')]: other
})

/** Each objective of `infra/prometheus/objectives.yml`: all that counts for it, and what does where there is little. */
export const counts: ReadonlyArray<Counts> = [
  {
    slo: "availability",
    gain: {
      [requests(`${orders},status_class="2xx",instance="a"`)]: 40,
      [requests(`${orders},status_class="2xx",instance="b"`)]: 40,
      [requests(`${orders},status_class="5xx",instance="a"`)]: 4,
      [requests(`${orders},status_class="5xx",instance="b"`)]: 8,
      [requests(`${orders},status_class="aborted"`)]: 400,
      ...Object.fromEntries(
        [organisers, stream, other].map((route) => [requests(`${route},status_class="5xx"`), 400])
      )
    },
    bad: 30,
    all: 230
  },
  {
    slo: "availability",
    cause: "nothing fails",
    gain: { [requests(`${orders},status_class="2xx"`)]: 40 },
    bad: 0,
    all: 100
  },
  { slo: "latency-p95", gain: latencies, gauges: levels, bad: 30, all: 200 },
  { slo: "latency-p99", gain: latencies, gauges: levels, bad: 10, all: 200 },
  {
    slo: "search",
    gain: {
      [durations(`${search},instance="a"`)]: 40,
      [buckets(`${search},le="0.15",instance="a"`)]: 36,
      [buckets(`${search},le="0.35",instance="a"`)]: 40,
      [durations(`${search},instance="b"`)]: 40,
      [buckets(`${search},le="0.15",instance="b"`)]: 40,
      [buckets(`${search},le="0.35",instance="b"`)]: 40,
      [durations(orders)]: 400,
      [buckets(`${orders},le="0.15"`)]: 80
    },
    bad: 10,
    all: 200
  },
  {
    slo: "authorised",
    gain: {
      ...calls,
      [provider('call="Authorise",outcome="declined"')]: 4,
      [provider('call="Authorise",outcome="unknown"')]: 8,
      [provider('call="Capture",outcome="declined"')]: 40
    },
    bad: 30,
    all: 230
  },
  { slo: "authorised", cause: "every one", gain: calls, bad: 0, all: 200 },
  {
    slo: "captured",
    gain: {
      ...calls,
      [provider('call="Authorise",outcome="declined"')]: 40,
      [provider('call="Capture",outcome="declined"')]: 12
    },
    bad: 50,
    all: 200
  },
  {
    slo: "captured",
    cause: "none",
    gain: { [provider('call="Authorise",outcome="ok"')]: 40 },
    bad: 100,
    all: 100
  },
  {
    slo: "captured",
    cause: "some of earlier",
    gain: { [provider('call="Authorise",outcome="ok"')]: 40, [provider('call="Capture",outcome="ok"')]: 80 },
    bad: 0,
    all: 100
  },
  {
    slo: "provider-timeouts",
    gain: {
      ...calls,
      [provider('call="Authorise",outcome="unknown"')]: 4,
      [provider('call="Capture",outcome="unknown"')]: 8,
      [provider('call="Capture",outcome="declined"')]: 4
    },
    bad: 30,
    all: 390
  },
  { slo: "provider-timeouts", cause: "none", gain: calls, bad: 0, all: 350 },
  { slo: "breaker", cause: "open", gauges: worst("onsale_payment_breaker_open", 1, 0), bad: 300, all: 300 },
  { slo: "breaker", cause: "closed", gauges: worst("onsale_payment_breaker_open", 0, 0), bad: 0, all: 300 },
  {
    slo: "cache-hits",
    gain: {
      ...reads,
      [copies('copies="others"')]: 400,
      [cache('outcome="hit"')]: 40,
      [cache('outcome="joined"')]: 40,
      [cache('outcome="miss",instance="a"')]: 4,
      [cache('outcome="miss",instance="b"')]: 4
    },
    bad: 20,
    all: 400
  },
  {
    slo: "cache-hits",
    cause: "all are found",
    gain: { ...reads, [cache('outcome="hit"')]: 40 },
    bad: 0,
    all: 400
  },
  {
    slo: "cache-hits",
    cause: "Redis was there",
    gain: reads,
    gone: { [cache('outcome="hit"')]: 3 },
    bad: 0,
    all: 400
  },
  { slo: "cache-hits", cause: "no Redis", gain: reads, gone: { [cache('outcome="hit"')]: 6 }, bad: 0 },
  {
    slo: "redis-latency",
    gain: {
      [taken('count{instance="a"}')]: 40,
      [taken('bucket{instance="a",le="0.005"}')]: 36,
      [taken('bucket{instance="a",le="0.01"}')]: 40,
      [taken('count{instance="b"}')]: 40,
      [taken('bucket{instance="b",le="0.005"}')]: 36,
      [taken('bucket{instance="b",le="0.01"}')]: 40,
      [redis('outcome="ok",instance="a"')]: 40,
      [redis('outcome="ok",instance="b"')]: 40,
      [redis('outcome="failed",instance="a"')]: 4,
      [redis('outcome="failed",instance="b"')]: 4
    },
    bad: 40,
    all: 220
  },
  {
    slo: "redis-latency",
    cause: "none fails",
    gain: {
      [taken("count")]: 40,
      [taken('bucket{le="0.005"}')]: 36,
      [redis('outcome="ok"')]: 40
    },
    bad: 10,
    all: 100
  },
  ...lag("projection-lag", "onsale_projection_lag_ms", 5000),
  ...lag("freshness", "onsale_projection_lag_ms", 2000),
  ...lag("relay-lag", "onsale_relay_lag_ms", 5000),
  ...lag("consumer-lag", "onsale_bus_lag_ms", 5000),
  // 12,000 a minute for half of the window are a hundred a second.
  { slo: "shard-balance", cause: "1.32 of the average", gain: shared(8184, 4216), bad: 300, all: 300 },
  { slo: "shard-balance", cause: "1.28 of the average", gain: shared(7936, 4464), bad: 0, all: 300 },
  { slo: "shard-balance", cause: "not busy", gain: shared(8184, 3416) },
  {
    slo: "delivered",
    gain: {
      [jobs('outcome="done",instance="a"')]: 40,
      [jobs('outcome="done",instance="b"')]: 40,
      [jobs('outcome="dead",instance="a"')]: 4,
      [jobs('outcome="dead",instance="b"')]: 8,
      [jobs('outcome="retried"')]: 40
    },
    bad: 30,
    all: 230
  },
  { slo: "delivered", cause: "every one", gain: { [jobs('outcome="done"')]: 40 }, bad: 0, all: 100 }
]
