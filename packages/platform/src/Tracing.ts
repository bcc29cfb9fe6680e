/**
 * One trace through many processes.
 *
 * Spans are off where nobody collects them, and for whatever was not chosen at the edge: there a `withSpan` makes an
 * empty one. Whoever takes something over from another process (a request, a message, a row, a job) turns them on for
 * what follows, where its trace is recorded.
 */
import { Clock, Context, Effect, type Exit, Option, References, Tracer } from "effect"

/** Whoever takes spans, and which of them. */
export interface Collector {
  /** Of the requests that bring no decision of their own, from 0 to 1. */
  readonly ratio: number
  /** A request that took as long, in milliseconds, or broke, is told of although it was not chosen. */
  readonly slowMs: number
}

/** Undefined where nobody collects spans. */
export const CurrentCollector = Context.Reference<Collector | undefined>(
  "@onsale/platform/Tracing/CurrentCollector",
  { defaultValue: () => undefined }
)

/** W3C trace context, version 00; ids of only zeros are invalid. */
const traceParent = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$/

/** The span that a `traceparent` names; undefined where it is none. */
export const parse = (text: string | undefined): Tracer.ExternalSpan | undefined => {
  const match = text === undefined ? null : traceParent.exec(text)
  return match === null
    ? undefined
    : Tracer.externalSpan({
        traceId: match[1]!,
        spanId: match[2]!,
        sampled: (Number.parseInt(match[3]!, 16) & 1) === 1
      })
}

export const format = ({ sampled, spanId, traceId }: Tracer.AnySpan): string =>
  `00-${traceId}-${spanId}-${sampled ? "01" : "00"}`

/** Not one that is empty because spans are off. */
const isRecorded = (span: Tracer.AnySpan): boolean =>
  span.sampled && !Context.get(span.annotations, Tracer.DisablePropagation)

/** The span that is recorded now, if one is. */
export const current: Effect.Effect<Tracer.AnySpan | undefined> = Effect.withFiber((fiber) => {
  const span = Context.getOrUndefined(fiber.context, Tracer.ParentSpan)
  return Effect.succeed(span !== undefined && isRecorded(span) ? span : undefined)
})

/**
 * A correlation id as rows, jobs and messages carry it: with the `traceparent` behind a space where the trace is
 * recorded. No correlation id has a space.
 */
export const carried = (correlation: string): Effect.Effect<string> =>
  Effect.map(current, (span) => (span === undefined ? correlation : `${correlation} ${format(span)}`))

export interface Carried {
  readonly correlation: string | undefined
  /** Of the span that it comes from. */
  readonly parent: Tracer.ExternalSpan | undefined
}

/** What `carried` has made; a text without a `traceparent` at its end is a correlation id as it is. */
export const split = (text: string | null | undefined): Carried => {
  if (text === null || text === undefined || text.startsWith(`${many} `))
    return { correlation: undefined, parent: undefined }
  const at = text.lastIndexOf(" ")
  const parent = at === -1 ? undefined : parse(text.slice(at + 1))
  return parent === undefined ? { correlation: text, parent } : { correlation: text.slice(0, at), parent }
}

/** A span that is recorded, and the correlation id of what it is made for. */
export interface Traced {
  readonly span: Tracer.AnySpan
  readonly correlation: string
}

/** The correlation id that the log of whoever runs bears. */
const correlationOf = (annotations: Readonly<Record<string, unknown>>): string => {
  const { correlationId } = annotations
  return typeof correlationId === "string" ? correlationId : "none"
}

/** As `current`, with the correlation id of the log. */
export const traced: Effect.Effect<Traced | undefined> = Effect.withFiber((fiber) =>
  Effect.map(current, (span) =>
    span === undefined
      ? undefined
      : { span, correlation: correlationOf(fiber.getRef(References.CurrentLogAnnotations)) }
  )
)

/** Begins the text of a row that many have asked for. */
const many = "*"
/** Named in such a row; what is more is not. */
export const maxNamed = 16

export const carriedOf = ({ correlation, span }: Traced): string => `${correlation} ${format(span)}`

/**
 * Of a row that holds what many have asked for: of those who are traced, each as `carried` makes it. The row itself has
 * no correlation id then, and nobody's trace goes on from it alone.
 */
export const carriedByMany = (texts: ReadonlyArray<string>): string =>
  [many, ...texts.slice(0, maxNamed)].join(" ")

/** The spans that a row comes from: of one request, or of those that are traced of many. */
export const parents = (text: string | null | undefined): ReadonlyArray<Tracer.ExternalSpan> => {
  if (text?.startsWith(`${many} `) !== true) {
    const { parent } = split(text)
    return parent === undefined ? [] : [parent]
  }
  return text.split(" ").flatMap((part) => parse(part) ?? [])
}

export type SpanOptions = Pick<Tracer.SpanOptionsNoTrace, "attributes" | "kind" | "links">

/** Of a span; OpenTelemetry keeps no more. */
const maxLinks = 128

/** To the other requests that something is done for. */
export const linksTo = (spans: ReadonlyArray<Tracer.AnySpan>): Array<Tracer.SpanLink> =>
  spans.slice(0, maxLinks).map((span) => ({ span, attributes: {} }))

/** Links the span that is recorded now, if one is, to those that a row, a job or a message comes from. */
export const linkTo = (text: string | null | undefined): Effect.Effect<void> =>
  Effect.map(current, (span) => {
    if (span?._tag === "Span") span.addLinks(linksTo(parents(text)))
  })

/** Runs it in a span of its own where the parent is recorded, and as it is otherwise. */
export const continued =
  (parent: Tracer.AnySpan | undefined, name: string, options: SpanOptions = {}) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    parent?.sampled !== true
      ? effect
      : (Effect.withFiber((fiber) =>
          fiber.getRef(CurrentCollector) === undefined
            ? effect
            : effect.pipe(
                Effect.withSpan(name, { ...options, parent }, { captureStackTrace: false }),
                Effect.provideService(References.TracerEnabled, true)
              )
        ) as Effect.Effect<A, E, R>)

/** As `continued`, but within whatever is recorded already. */
export const unlessRecorded =
  (parent: Tracer.AnySpan | undefined, name: string, options: SpanOptions = {}) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    parent === undefined
      ? effect
      : Effect.flatMap(current, (span) =>
          span === undefined ? continued(parent, name, options)(effect) : effect
        )

/**
 * Turns spans on again where the one that it stands in is recorded. A handler that was built with the context of its
 * layer runs with that one's switch, which is off: such a handler begins with this.
 */
export const resumed = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.flatMap(current, (span) =>
    span === undefined ? effect : Effect.provideService(effect, References.TracerEnabled, true)
  )

/** Begins a trace, of a request that has brought none. */
export const begun =
  (name: string, options: SpanOptions = {}) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    effect.pipe(
      Effect.withSpan(name, { ...options, root: true }, { captureStackTrace: false }),
      Effect.provideService(References.TracerEnabled, true)
    ) as Effect.Effect<A, E, R>

/**
 * Goes on in the trace of the message that an entity is handling. The cluster carries the span of who sent it, and
 * makes an empty one here that has it for its parent.
 */
export const handled =
  (name: string) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.withFiber((fiber) => {
      if (fiber.getRef(CurrentCollector) === undefined) return effect
      const span = Context.getOrUndefined(fiber.context, Tracer.ParentSpan)
      const parent = span?._tag === "Span" ? Option.getOrUndefined(span.parent) : undefined
      return parent?._tag === "ExternalSpan" ? continued(parent, name, { kind: "server" })(effect) : effect
    })

/** Tells of what was not chosen after it has ended, as one span; nothing where nobody collects. */
export const told = (
  name: string,
  options: {
    readonly parent: Tracer.AnySpan | undefined
    readonly startNanos: bigint
    readonly attributes: Readonly<Record<string, unknown>>
    readonly exit: Exit.Exit<unknown, unknown>
  }
): Effect.Effect<void> =>
  Effect.withFiber((fiber) => {
    if (fiber.getRef(CurrentCollector) === undefined) return Effect.void
    const span = fiber.getRef(Tracer.Tracer).span({
      name,
      parent: Option.fromUndefinedOr(options.parent),
      annotations: Context.empty(),
      links: [],
      startTime: options.startNanos,
      kind: "server",
      root: options.parent === undefined,
      sampled: true
    })
    for (const [key, value] of Object.entries(options.attributes)) span.attribute(key, value)
    span.end(fiber.getRef(Clock.Clock).currentTimeNanosUnsafe(), options.exit)
    return Effect.void
  })
