/** Spans cost nothing where nobody collects them, and go on where their trace is recorded. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Logger, References, Tracer } from "effect"
import { json } from "@onsale/platform/Log"
import * as Tracing from "@onsale/platform/Tracing"

const parent = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01"

/** Runs it as a process that has a collector does, and answers the spans that were made. */
const spansOf = <A, E>(effect: Effect.Effect<A, E>, collector: Tracing.Collector | undefined) => {
  const made: Array<Tracer.Span> = []
  const tracer = Tracer.make({
    span: (options) => {
      const span = new Tracer.NativeSpan(options)
      made.push(span)
      return span
    }
  })
  return effect.pipe(
    Effect.provideService(Tracer.Tracer, tracer),
    Effect.provideService(Tracing.CurrentCollector, collector),
    Effect.provideService(References.TracerEnabled, false),
    Effect.as(made)
  )
}

const collector = { ratio: 0, slowMs: 1_000 }
const work = Effect.void.pipe(Effect.withSpan("within"))

describe("Tracing", () => {
  it("takes a traceparent of version 00 only, and none of zeros", () => {
    assert.deepEqual(Tracing.format(Tracing.parse(parent)!), parent)
    for (const text of [
      "",
      parent.replace("00-", "ff-"),
      parent.toUpperCase(),
      `00-${"0".repeat(32)}-0123456789abcdef-01`,
      `00-0123456789abcdef0123456789abcdef-${"0".repeat(16)}-01`,
      `${parent}-more`
    ])
      assert.isUndefined(Tracing.parse(text), text)
  })

  it.effect("goes on in a trace that is recorded, with the spans within", () =>
    Effect.gen(function* () {
      const spans = yield* spansOf(Tracing.continued(Tracing.parse(parent), "here")(work), collector)
      assert.deepEqual(
        spans.map(({ name, traceId }) => [name, traceId]),
        [
          ["here", "0123456789abcdef0123456789abcdef"],
          ["within", "0123456789abcdef0123456789abcdef"]
        ]
      )
    })
  )

  it.effect("makes no span of a trace that is not recorded, and none where nobody collects", () =>
    Effect.gen(function* () {
      const unsampled = Tracing.parse(parent.replace(/01$/, "00"))
      assert.deepEqual(yield* spansOf(Tracing.continued(unsampled, "here")(work), collector), [])
      assert.deepEqual(yield* spansOf(Tracing.continued(undefined, "here")(work), collector), [])
      assert.deepEqual(yield* spansOf(Tracing.continued(Tracing.parse(parent), "here")(work), undefined), [])
      assert.deepEqual(yield* spansOf(work, collector), [])
    })
  )

  it.effect("carries the span beside the correlation id, and gives both back", () =>
    Effect.gen(function* () {
      let carried = ""
      const [span] = yield* spansOf(
        Tracing.continued(
          Tracing.parse(parent),
          "here"
        )(
          Effect.map(Tracing.carried("id"), (text) => {
            carried = text
          })
        ),
        collector
      )
      assert.strictEqual(yield* Tracing.carried("id"), "id")
      assert.deepEqual(Tracing.split("id"), { correlation: "id", parent: undefined })
      assert.deepEqual(Tracing.split("two words"), { correlation: "two words", parent: undefined })
      assert.deepEqual(Tracing.split(null), { correlation: undefined, parent: undefined })
      const { parent: back } = Tracing.split(carried)
      assert.strictEqual(back?.spanId, span?.spanId)
      assert.isTrue(back?.sampled)
    })
  )

  it("a row of many names those who are traced, and is nobody's own", () => {
    const texts = Array.from({ length: Tracing.maxNamed + 1 }, (_, i) => `buyer-${i} ${parent}`)
    const row = Tracing.carriedByMany(texts)
    assert.deepEqual(Tracing.split(row), { correlation: undefined, parent: undefined })
    assert.lengthOf(Tracing.parents(row), Tracing.maxNamed)
    assert.deepEqual(Tracing.parents(`buyer ${parent}`), [Tracing.parse(parent)!])
    assert.deepEqual(Tracing.parents("buyer"), [])
    assert.deepEqual(Tracing.parents(null), [])
  })

  it.effect("an entity goes on from the message, of which the cluster makes an empty span here", () =>
    Effect.gen(function* () {
      const message = (text: string) =>
        Tracing.handled("handles")(work).pipe(
          Effect.withSpan("the cluster's", { parent: Tracing.parse(text)! })
        )
      assert.deepEqual(
        (yield* spansOf(message(parent), collector)).map(({ name }) => name),
        ["handles", "within"]
      )
      assert.deepEqual(yield* spansOf(message(parent.replace(/01$/, "00")), collector), [])
      assert.deepEqual(yield* spansOf(message(parent), undefined), [])
    })
  )

  it.effect("a line of the log names the trace, the span and the correlation id", () =>
    Effect.gen(function* () {
      const lines: Array<Record<string, unknown>> = []
      const keep = Logger.map(
        json("gateway"),
        (line) => void lines.push(JSON.parse(line) as Record<string, unknown>)
      )
      const say = Effect.logInfo("said").pipe(Effect.annotateLogs({ correlationId: "id", order: "o" }))
      const [span] = yield* spansOf(
        Effect.andThen(
          Tracing.continued(Tracing.parse(parent), "here")(say),
          Effect.withSpan(say, "off")
        ).pipe(Effect.provide(Logger.layer([keep]))),
        collector
      )
      const [within, without] = lines
      assert.strictEqual(within?.["trace_id"], span?.traceId)
      assert.strictEqual(within?.["span_id"], span?.spanId)
      assert.strictEqual(within?.["correlationId"], "id")
      assert.strictEqual(within?.["role"], "gateway")
      assert.deepEqual(within?.["annotations"], { order: "o" })
      assert.notProperty(without, "trace_id")
    })
  )
})
