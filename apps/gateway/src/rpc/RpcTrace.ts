/**
 * Which calls are traced: those that say so in a `traceparent` header of their own, and a part of the others.
 *
 * The library's clients name a span with every call, and in the header of the request that carries it, and say of each
 * that it is recorded, whether anybody collects it or not. So that is nobody's decision: it is where a call goes on from
 * that was chosen here.
 */
import * as Tracing from "@onsale/platform/Tracing"
import { Clock, Context, Effect, Exit, Option, Predicate, Random, Tracer } from "effect"
import { HttpServerRequest } from "effect/http"
import type { RequestHeaders } from "../Correlation.ts"
import * as RequestTrace from "../RequestTrace.ts"

/** What its client has named with it: the library has made an empty span of ours that has it for its parent. */
const callerOf = (span: Tracer.AnySpan | undefined): Tracer.ExternalSpan | undefined => {
  const parent = span?._tag === "Span" ? Option.getOrUndefined(span.parent) : undefined
  // The client may have written anything.
  return parent?._tag === "ExternalSpan"
    ? Tracing.parse(Tracing.format({ ...parent, sampled: true }))
    : undefined
}

/** Its own: over HTTP a call has the headers of its request too. */
const ownOf = (headers: RequestHeaders, request: HttpServerRequest.HttpServerRequest | undefined) => {
  const { traceparent, ...others } = headers
  return traceparent === request?.headers["traceparent"] ? others : headers
}

/** As an answer of 500 or more is over HTTP. */
const isBroken = (exit: Exit.Exit<unknown, unknown>): boolean => {
  const error = Option.getOrUndefined(Exit.findErrorOption(exit))
  return (
    Predicate.isTagged(error, "Internal") || Predicate.isTagged(error, "Overloaded") || Exit.hasDies(exit)
  )
}

/** A call that has one answer; what it is asked for by name. */
export const traced =
  (tag: string, headers: RequestHeaders, correlation: string) =>
  <A, E, R>(call: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.gen(function* () {
      const collector = yield* Tracing.CurrentCollector
      if (collector === undefined) return yield* call
      const [request, span] = yield* Effect.withFiber(({ context }) =>
        Effect.succeed([
          Context.getOrUndefined(context, HttpServerRequest.HttpServerRequest),
          Context.getOrUndefined(context, Tracer.ParentSpan)
        ] as const)
      )
      const own = ownOf(headers, request)
      const name = `Rpc.${tag}`
      const asked = RequestTrace.parentOf(own)
      const attributes = {
        "rpc.system.name": "effect_rpc",
        "rpc.method": tag,
        "onsale.correlation_id": correlation
      }
      const drawn = yield* Random.next
      if (RequestTrace.isChosen(collector, own, () => drawn)) {
        const parent = asked ?? callerOf(span)
        const options = { kind: "server", attributes } as const
        return yield* parent === undefined
          ? Tracing.begun(name, options)(call)
          : Tracing.continued(parent, name, options)(call)
      }
      const startNanos = yield* Clock.currentTimeNanos
      return yield* Effect.onExit(call, (exit) =>
        Effect.flatMap(Clock.currentTimeNanos, (nowNanos) =>
          isBroken(exit) || Number(nowNanos - startNanos) / 1e6 >= collector.slowMs
            ? Tracing.told(name, {
                parent: asked,
                startNanos,
                attributes: { ...attributes, "onsale.told": "late" },
                exit
              })
            : Effect.void
        )
      )
    })
