/**
 * What a process tells of itself: its log, and its spans where `OTEL_EXPORTER_OTLP_ENDPOINT` names a collector.
 *
 * `OTEL_TRACES_SAMPLER_ARG` is the part of the requests whose spans are sent (0.01), `ONSALE_TRACE_SLOW` how long one
 * takes that is told of in any case (1 second).
 */
import { Config, Duration, Effect, Layer, Option, References, Schema } from "effect"
import { randomUUID } from "node:crypto"
import { hostname } from "node:os"
import * as Log from "./Log.ts"
import * as ProcessMetrics from "./ProcessMetrics.ts"
import * as Tracing from "./Tracing.ts"

const Ratio = Schema.FiniteFromString.check(Schema.isBetween({ minimum: 0, maximum: 1 }))

const settings = Config.all({
  endpoint: Config.option(
    Config.NonEmptyString("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT").pipe(
      Config.orElse(() => Config.NonEmptyString("OTEL_EXPORTER_OTLP_ENDPOINT"))
    )
  ),
  ratio: Config.schema(Ratio, "OTEL_TRACES_SAMPLER_ARG").pipe(Config.withDefault(0.01)),
  slow: Config.Duration("ONSALE_TRACE_SLOW").pipe(Config.withDefault(Duration.seconds(1))),
  version: Config.NonEmptyString("ONSALE_VERSION").pipe(Config.withDefault("0.1.0"))
})

/** Of a role, such as `gateway`: the service is `onsale-gateway` to who collects. */
const spans = (role: string) =>
  Layer.unwrap(
    Effect.gen(function* () {
      const { endpoint, ratio, slow, version } = yield* settings
      if (Option.isNone(endpoint)) return Layer.empty
      const { layer } = yield* Effect.promise(() => import("./SpanExport.ts"))
      return Layer.merge(
        layer({
          serviceName: `onsale-${role}`,
          serviceVersion: version,
          attributes: { "service.instance.id": randomUUID(), "host.name": hostname() }
        }),
        Layer.succeed(Tracing.CurrentCollector, { ratio, slowMs: Duration.toMillis(slow) })
      )
    })
  )

/** Under all that the process does: what it is not provided to has no spans. Fails for settings that make no sense. */
export const layer = (role: string, log: Config.Config<Log.Form> = Log.form) =>
  Layer.mergeAll(
    spans(role),
    Log.layer(role, log),
    ProcessMetrics.layer,
    // On only within what was chosen: making spans costs a tenth of a checkout.
    Layer.succeed(References.TracerEnabled, false)
  )
