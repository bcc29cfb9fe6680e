/** Keeps the spans that are made, as an exporter in memory does. */
import * as Tracing from "@onsale/platform/Tracing"
import { Effect, Option, References, Tracer } from "effect"

/** The `traceparent` of a client's own span, in a trace that is told by its number. */
export const traceOf = (n: number): string => n.toString(16).padStart(32, "a")
export const clientSpan = (n: number): Tracer.ExternalSpan =>
  Tracer.externalSpan({ traceId: traceOf(n), spanId: n.toString(16).padStart(16, "b"), sampled: true })

/** The id of a span's parent; undefined where it is a root. */
export const parentOf = (span: Tracer.Span): string | undefined => Option.getOrUndefined(span.parent)?.spanId

/** The traces of the spans that it has links to. */
export const linkedTo = (span: Tracer.Span): ReadonlyArray<string> =>
  span.links.map((link) => link.span.traceId)

/** Of one process with a collector: spans are made only of what was chosen, as everywhere. */
export const make = (collector: Tracing.Collector = { ratio: 0, slowMs: 1_000 }) => {
  const spans: Array<Tracer.Span> = []
  const tracer = Tracer.make({
    span: (options) => {
      const span = new Tracer.NativeSpan(options)
      spans.push(span)
      return span
    }
  })
  return {
    spans: spans as ReadonlyArray<Tracer.Span>,
    named: (name: string): ReadonlyArray<Tracer.Span> => spans.filter((span) => span.name === name),
    /** Runs it, and what it starts, as that process. */
    recorded: <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
      effect.pipe(
        Effect.provideService(Tracer.Tracer, tracer),
        Effect.provideService(Tracing.CurrentCollector, collector),
        Effect.provideService(References.TracerEnabled, false)
      ) as Effect.Effect<A, E, R>
  }
}
