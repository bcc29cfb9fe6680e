/** Sends spans to a collector, by OTLP over HTTP (JSON). Loaded only where there is one: see `Telemetry.ts`. */
import * as OtelTracer from "@effect/opentelemetry/OtelTracer"
import * as Resource from "@effect/opentelemetry/Resource"
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http"
import { AlwaysOnSampler, BasicTracerProvider, BatchSpanProcessor } from "@opentelemetry/sdk-trace-base"
import { Effect, Layer, Tracer } from "effect"

/** Spans that wait to be sent at the most; what is more is dropped, and nobody waits for it. */
const maxWaiting = 4_096
const maxBatch = 512
const sendEveryMs = 2_000
const sendLimitMs = 5_000

export interface Process {
  readonly serviceName: string
  readonly serviceVersion: string
  readonly attributes: Readonly<Record<string, string>>
}

const provider = Layer.effect(
  OtelTracer.OtelTracerProvider,
  Effect.gen(function* () {
    const resource = yield* Resource.Resource
    return yield* Effect.acquireRelease(
      Effect.sync(
        () =>
          new BasicTracerProvider({
            resource,
            // Which are made at all is decided at the edge.
            sampler: new AlwaysOnSampler(),
            spanProcessors: [
              // Where and with which headers, it takes from OTEL_EXPORTER_OTLP_* itself.
              new BatchSpanProcessor(new OTLPTraceExporter({ timeoutMillis: sendLimitMs }), {
                maxQueueSize: maxWaiting,
                maxExportBatchSize: maxBatch,
                scheduledDelayMillis: sendEveryMs,
                exportTimeoutMillis: sendLimitMs
              })
            ]
          })
      ),
      (provider) =>
        Effect.tryPromise(() => provider.shutdown()).pipe(
          Effect.timeout(sendLimitMs),
          Effect.catch((error) => Effect.logWarning("the last spans could not be sent", error))
        )
    )
  })
)

/** The tracer, without what tells OpenTelemetry's own instrumentation of each step of a fiber: there is none here. */
const tracer = Layer.effect(
  Tracer.Tracer,
  Effect.map(OtelTracer.make, (made) => Tracer.make({ span: (options) => made.span(options) }))
)

export const layer = (process: Process): Layer.Layer<never> =>
  tracer.pipe(
    Layer.provide(OtelTracer.layerTracer),
    Layer.provide(provider),
    Layer.provide(Resource.layer(process))
  )
