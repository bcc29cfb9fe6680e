/** OpenMetrics says what Prometheus' text says, and which trace a bucket was last counted for. */
import { assert, it } from "@effect/vitest"
import { Context, Effect, Metric } from "effect"
import * as DurationSeries from "../src/DurationSeries.ts"
import * as OpenMetrics from "../src/OpenMetrics.ts"

const fresh = Effect.provideService(Metric.MetricRegistry, new Map())

it.effect("a traced request is the exemplar of its bucket and of no other", () =>
  Effect.gen(function* () {
    const registry = yield* Metric.MetricRegistry
    const context = Context.make(Metric.MetricRegistry, registry)
    const series = DurationSeries.make(context, registry, {
      count: { name: "asked_total", description: "How often" },
      duration: { name: "took_seconds", description: 'How "long"' },
      boundaries: [0.1, 1]
    })
    const took = series.histogram({ route: "/a/{b}" })
    took(0.05, undefined)
    took(0.5, "4bf92f3577b34da6a3ce929d0e0e4736")
    series.counter({ route: "/a/{b}" }).value += 2
    yield* Metric.update(Metric.counter("plain", { incremental: true }), 3)
    const text = yield* OpenMetrics.format
    assert.include(text, 'took_seconds_bucket{route="/a/{b}",le="0.1"} 1\n')
    assert.match(
      text,
      /took_seconds_bucket\{route="\/a\/\{b\}",le="1"\} 2 # \{trace_id="4bf92f3577b34da6a3ce929d0e0e4736"\} 0\.5 \d+\.\d{3}\n/
    )
    assert.include(text, 'took_seconds_bucket{route="/a/{b}",le="+Inf"} 2\n')
    assert.include(text, "# TYPE asked counter\n")
    assert.include(text, 'asked_total{route="/a/{b}"} 2\n')
    // A counter by name only may be no counter here.
    assert.include(text, "# TYPE plain unknown\n")
    assert.include(text, '# HELP took_seconds How \\"long\\"\n')
    assert.isTrue(text.endsWith("# EOF\n"))
  }).pipe(fresh)
)

it("it is given to who asks for it alone", () => {
  assert.isTrue(OpenMetrics.isWanted("application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.3"))
  for (const accept of [undefined, "*/*", "text/plain", "application/openmetrics-text;q=0, text/plain"])
    assert.isFalse(OpenMetrics.isWanted(accept))
})
