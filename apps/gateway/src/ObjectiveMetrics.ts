/**
 * What is asked of the level that this service runs at, as metrics: one file of alerting rules holds for every level.
 * `le` is the bucket of the histogram of requests that ends at the target.
 */
import { asked, levels } from "@onsale/contracts/ServiceLevel"
import { Config, Effect, Layer, Metric, Schema } from "effect"

/** As of one process; a cluster is L3. */
const configured = Config.schema(Schema.Literals(levels), "ONSALE_LEVEL").pipe(
  Config.withDefault("L3" as const)
)

const errors = Metric.gauge("onsale_objective_error_share", {
  description: "The share of requests that may fail"
})
const latency = Metric.gauge("onsale_objective_latency_seconds", {
  description: "What a quantile of requests may take"
})

export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const target = asked[yield* configured]
    yield* Metric.update(errors, target.errors)
    for (const [quantile, ms] of [
      ["0.95", target.p95],
      ["0.99", target.p99]
    ] as const) {
      const seconds = ms / 1_000
      yield* Metric.update(Metric.withAttributes(latency, { quantile, le: String(seconds) }), seconds)
    }
  })
)
