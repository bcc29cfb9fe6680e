/** The log of a process: a JSON object a line for machines, the library's own form for people. */
import { Config, Context, Effect, Formatter, Layer, Logger, Tracer } from "effect"

export type Form = "json" | "pretty"

const chosen = Config.Literals(["json", "pretty"], "ONSALE_LOG")

/** `ONSALE_LOG`; JSON where nobody sits before it. */
export const form: Config.Config<Form> = Config.withDefault(chosen, process.stdout.isTTY ? "pretty" : "json")

/** `ONSALE_LOG`; for people when left out. */
export const formForPeople: Config.Config<Form> = Config.withDefault(chosen, "pretty")

/** Of the span that is recorded, if one is; an empty one has no ids. */
const idsOf = (span: Tracer.AnySpan | undefined) =>
  span === undefined || Context.get(span.annotations, Tracer.DisablePropagation)
    ? {}
    : { trace_id: span.traceId, span_id: span.spanId }

/**
 * Of a process of a role, which not every fiber that logs has among its annotations.
 *
 * A line: `timestamp`, `level`, `message`, `role`, and where there are any `correlationId`, `trace_id`, `span_id`, `cause`, `annotations`, `spans`. */
export const json = (role: string) =>
  Logger.make((options: Logger.Options<unknown>): string => {
    const { annotations, cause, fiberId, level, message, spans, timestamp } =
      Logger.formatStructured.log(options)
    const { correlationId, role: _, ...others } = annotations
    return Formatter.formatJson({
      timestamp,
      level,
      message,
      role,
      ...(correlationId === undefined ? {} : { correlationId }),
      ...idsOf(Context.getOrUndefined(options.fiber.context, Tracer.ParentSpan)),
      ...(cause === undefined ? {} : { cause }),
      ...(Object.keys(others).length === 0 ? {} : { annotations: others }),
      ...(Object.keys(spans).length === 0 ? {} : { spans }),
      fiberId
    })
  })

export const layer = (role: string, config: Config.Config<Form>) =>
  Layer.unwrap(
    Effect.map(config, (form) =>
      form === "json" ? Logger.layer([Logger.withConsoleLog(json(role))]) : Layer.empty
    )
  )
