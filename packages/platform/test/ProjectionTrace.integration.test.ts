/** Rows of many requests are projected at once: in the trace of one, with links to the others. */
import { assert, layer } from "@effect/vitest"
import * as Projection from "@onsale/platform/Projection"
import * as Tracing from "@onsale/platform/Tracing"
import { pollUntil } from "@onsale/testing/Poll"
import { layerEmptyDatabase } from "@onsale/testing/PostgresFixture"
import * as SpanRecorder from "@onsale/testing/SpanRecorder"
import { Effect } from "effect"
import { makeJournal, stream } from "./JournalFixture.ts"

const carried = (n: number) =>
  Tracing.carriedOf({ correlation: `buyer-${n}`, span: SpanRecorder.clientSpan(n) })

layer(layerEmptyDatabase, { excludeTestServices: true })("a batch of a projection", (it) => {
  it.effect(
    "stands in the trace of the first row that is traced, with links to those of the others and of batches",
    () => {
      const recorder = SpanRecorder.make()
      return Effect.gen(function* () {
        const { entry, journal, schema } = yield* makeJournal
        const correlations = [
          null,
          "untraced",
          carried(1),
          "another",
          Tracing.carriedByMany([carried(2), carried(3)]),
          carried(4)
        ]
        yield* Effect.forEach(
          correlations,
          (correlation, i) => journal.append({ ...entry(stream(1), i + 1, i), correlation }),
          { discard: true }
        )
        // Until they can be read: another suite of the same server may be writing.
        yield* pollUntil(
          journal.readAll({ txid: "0", position: "0" }, 10),
          (rows) => rows.length === correlations.length
        )
        yield* Projection.runOnce({
          schema,
          name: "traced",
          journal,
          handle: () => Effect.void.pipe(Effect.withSpan("handled"))
        })
        const [batch, ...more] = recorder.named(`projection ${schema}.traced`)
        assert.lengthOf(more, 0)
        assert.strictEqual(SpanRecorder.parentOf(batch!), SpanRecorder.clientSpan(1).spanId)
        assert.deepStrictEqual(
          SpanRecorder.linkedTo(batch!),
          [2, 3, 4].map((n) => SpanRecorder.traceOf(n))
        )
        assert.strictEqual(batch!.attributes.get("onsale.rows"), correlations.length)
        assert.strictEqual(SpanRecorder.parentOf(recorder.named("handled")[0]!), batch!.spanId)
      }).pipe(recorder.recorded)
    }
  )
})
