/** Who is traced from the start, and who is told of when it is over. */
import { assert, describe, it } from "@effect/vitest"
import * as Tracing from "@onsale/platform/Tracing"
import { Effect, References, Tracer } from "effect"
import { HttpServerResponse } from "effect/http"
import { TestClock } from "effect/testing"
import * as RequestTrace from "../src/RequestTrace.ts"

const collector = { ratio: 0.01, slowMs: 1_000 }
const trace = "0123456789abcdef0123456789abcdef"
const traceparent = (flags: string) => `00-${trace}-0123456789abcdef-${flags}`

const request = (headers: Record<string, string>) => ({
  method: "POST",
  url: "/api/v1/events/01a21d0a-f95e-7ae1-9d5e-a852903636a1/holds?x=1",
  headers
})

/** The spans of a request that takes as long, as `name status kind`. */
const spansOf = Effect.fnUntraced(function* (
  headers: Record<string, string>,
  tookMs: number,
  status: number,
  more: { readonly source?: object; readonly url?: string; readonly collector?: Tracing.Collector } = {}
) {
  const made: Array<Tracer.Span> = []
  const tracer = Tracer.make({
    span: (options) => {
      const span = new Tracer.NativeSpan(options)
      made.push(span)
      return span
    }
  })
  const response = yield* Effect.as(
    Effect.suspend(() => TestClock.adjust(tookMs)),
    HttpServerResponse.empty({ status })
  ).pipe(
    RequestTrace.traced({ ...request(headers), ...more }, "id"),
    Effect.provideService(Tracer.Tracer, tracer),
    Effect.provideService(Tracing.CurrentCollector, more.collector ?? collector),
    Effect.provideService(References.TracerEnabled, false)
  )
  return { made, response }
})

describe("RequestTrace", () => {
  it("takes the client's word, and draws where there is none", () => {
    const chosen = (headers: Record<string, string>, drawn: number) =>
      RequestTrace.isChosen(collector, headers, () => drawn)
    assert.isTrue(chosen({ traceparent: traceparent("01") }, 1))
    assert.isFalse(chosen({ traceparent: traceparent("00") }, 0))
    assert.isFalse(chosen({ traceparent: "nonsense" }, 0))
    assert.isTrue(chosen({}, 0.009))
    assert.isFalse(chosen({}, 0.01))
    assert.isFalse(RequestTrace.isChosen(undefined, { traceparent: traceparent("01") }, () => 0))
  })

  it.effect("tells of one that broke or took long although it was not chosen, and of no other", () =>
    Effect.gen(function* () {
      const off = { traceparent: traceparent("00") }
      assert.lengthOf((yield* spansOf(off, 999, 201)).made, 0)
      for (const [tookMs, status] of [
        [1_000, 201],
        [5, 500]
      ] as const) {
        const [span, ...more] = (yield* spansOf(off, tookMs, status)).made
        assert.lengthOf(more, 0)
        assert.strictEqual(span!.name, "POST /api/v1/events/{id}/holds")
        assert.strictEqual(span!.traceId, trace)
        const ended = span!.status
        assert.strictEqual(ended._tag, "Ended")
        if (ended._tag !== "Ended") return
        assert.strictEqual(Number(ended.endTime - ended.startTime) / 1e6, tookMs)
        assert.strictEqual(ended.exit._tag, status === 500 ? "Failure" : "Success")
      }
    })
  )

  it.effect("does not draw again for a hold that the lean path has left to it", () =>
    Effect.gen(function* () {
      const source = { headers: {} }
      const traced = (source: object) =>
        spansOf({}, 5, 201, { source, collector: { ratio: 0, slowMs: 1_000 } })
      assert.isTrue(RequestTrace.isLeft({ ratio: 1, slowMs: 1_000 }, source, () => 0.5))
      assert.lengthOf((yield* traced(source)).made, 1)
      assert.lengthOf((yield* traced({ headers: {} })).made, 0)
    })
  )

  it.effect("tells of nothing that is open for long by its nature", () =>
    Effect.gen(function* () {
      assert.lengthOf((yield* spansOf({}, 60_000, 101, { url: "/rpc/" })).made, 0)
      assert.lengthOf((yield* spansOf({}, 5, 503, { url: "/rpc" })).made, 1)
    })
  )

  it.effect("answers who is traced with the span that answered", () =>
    Effect.gen(function* () {
      const { made, response } = yield* spansOf({ traceparent: traceparent("01") }, 5, 201)
      assert.lengthOf(made, 1)
      assert.strictEqual(response.headers["traceparent"], Tracing.format(made[0]!))
      assert.strictEqual(made[0]?.attributes.get("http.response.status_code"), 201)
    })
  )
})
