/** A batch joins the commands of many: it stands in the trace of one, and names the others. */
import { assert, layer } from "@effect/vitest"
import { makeEventId } from "@onsale/contracts/Ids"
import * as Tracing from "@onsale/platform/Tracing"
import { hold } from "@onsale/testing/InventorySale"
import { layerDatabase, TestDatabase } from "@onsale/testing/PostgresFixture"
import { grid } from "@onsale/testing/SaleLayouts"
import * as SpanRecorder from "@onsale/testing/SpanRecorder"
import { Deferred, Effect, Fiber, Layer } from "effect"
import { journalOf, startRunner } from "./InventoryHarness.ts"
import { InventoryStore } from "../src/InventoryStore.ts"
import * as InventoryWriter from "../src/InventoryWriter.ts"

const traced = (n: number) => SpanRecorder.clientSpan(n)
const carried = (n: number) => Tracing.carriedOf({ correlation: `buyer-${n}`, span: traced(n) })

layer(Layer.provideMerge(layerDatabase, TestDatabase.layer("migrated")), { excludeTestServices: true })(
  "a batch of the inventory",
  (it) => {
    it.effect("is one message in the trace of the first that is traced, with links to the others", () => {
      const recorder = SpanRecorder.make()
      return Effect.gen(function* () {
        const runner = yield* startRunner()
        const eventId = makeEventId(1)
        yield* runner.inventory.open(eventId, grid(10, 10))
        const buy = (n: number, seat: number) =>
          runner.inventory
            .execute(eventId, hold({ seats: [seat] }))
            .pipe(Tracing.continued(traced(n), "buyer"), Effect.annotateLogs("correlationId", `buyer-${n}`))
        yield* Effect.all(
          [
            runner.inventory.execute(eventId, hold({ seats: [0] })),
            buy(1, 1),
            runner.inventory.execute(eventId, hold({ seats: [2] })),
            buy(2, 3),
            buy(3, 4)
          ],
          { concurrency: "unbounded" }
        )
        const buyers = recorder.named("buyer")
        const [batch, ...more] = recorder.named("Inventory.batch")
        assert.lengthOf(more, 0)
        assert.strictEqual(SpanRecorder.parentOf(batch!), buyers[0]!.spanId)
        assert.deepStrictEqual(SpanRecorder.linkedTo(batch!), [traced(2).traceId, traced(3).traceId])
        assert.strictEqual(batch!.attributes.get("onsale.commands"), 5)
        // The cluster makes spans of its own where the message does not leave the process.
        const executed = recorder
          .named("Inventory.Execute")
          .filter((span) => SpanRecorder.parentOf(span) === batch!.spanId)
        const [commit] = recorder.named("Inventory.commit")
        assert.deepStrictEqual(
          executed.map(({ spanId }) => spanId),
          [SpanRecorder.parentOf(commit!)]
        )

        const { rows } = yield* journalOf(runner, eventId)
        const correlation = rows.at(-1)?.correlation
        assert.deepStrictEqual(
          Tracing.parents(correlation).map(({ spanId }) => spanId),
          buyers.map(({ spanId }) => spanId),
          "a follower of the journal finds all that are traced"
        )
        assert.match(correlation ?? "", /^\* buyer-1 \S+ buyer-2 \S+ buyer-3 \S+$/)
        assert.isUndefined(Tracing.split(correlation).correlation, "and takes the row for nobody's own")
        assert.isNull(rows[0]?.correlation, "who is not traced leaves nothing")
      }).pipe(recorder.recorded, Effect.scoped)
    })

    it.effect("is one row in the trace of the first message, with links to the other messages", () => {
      const recorder = SpanRecorder.make()
      return Effect.gen(function* () {
        const runner = yield* startRunner()
        const eventId = makeEventId(2)
        const gate = yield* Deferred.make<void>()
        const store = InventoryStore.of({
          ...runner.store,
          append: (row) => Effect.andThen(Deferred.await(gate), runner.store.append(row))
        })
        const writer = yield* Effect.provideService(InventoryWriter.make(eventId), InventoryStore, store)
        yield* writer.open(grid(10, 10))
        const message = (seat: number, ...buyers: ReadonlyArray<number>) =>
          Effect.forkChild(
            writer.execute(
              [hold({ seats: [seat] })],
              undefined,
              buyers.length === 0 ? undefined : { span: traced(buyers[0]!), carried: buyers.map(carried) }
            ),
            { startImmediately: true }
          )
        // The first is written alone; those that come meanwhile are the batch.
        const first = yield* message(0)
        yield* Effect.yieldNow
        const others = [yield* message(1), yield* message(2, 1, 2), yield* message(3, 3)]
        yield* Deferred.succeed(gate, undefined)
        yield* Effect.forEach([first, ...others], Fiber.join)

        const [commit, ...more] = recorder.named("Inventory.commit")
        assert.lengthOf(more, 0, "a batch of which nobody is traced has none")
        assert.strictEqual(SpanRecorder.parentOf(commit!), traced(1).spanId)
        assert.deepStrictEqual(SpanRecorder.linkedTo(commit!), [traced(3).traceId])
        assert.strictEqual(commit!.attributes.get("onsale.messages"), 3)
        const { rows } = yield* journalOf(runner, eventId)
        assert.deepStrictEqual(
          rows.map(({ correlation }) => correlation),
          [null, null, Tracing.carriedByMany([1, 2, 3].map(carried))]
        )
      }).pipe(recorder.recorded, Effect.scoped)
    })
  }
)
