/** Which calls over RPC are traced, and which are told of when they are over. */
import { assert, describe, it } from "@effect/vitest"
import { Internal } from "@onsale/contracts/http/Problems"
import * as Tracing from "@onsale/platform/Tracing"
import * as SpanRecorder from "@onsale/testing/SpanRecorder"
import { Effect, Schema, type Tracer } from "effect"
import { Rpc, RpcGroup, RpcMiddleware, RpcTest } from "effect/rpc"
import { TestClock } from "effect/testing"
import * as RpcTrace from "../src/rpc/RpcTrace.ts"

class Edge extends RpcMiddleware.Service<Edge>()("Edge") {}
class Group extends RpcGroup.make(
  Rpc.make("Take", { payload: { tookMs: Schema.Int } }),
  Rpc.make("Break", { error: Internal })
).middleware(Edge) {}

/** Of a process with that collector; its client makes a span for each call, as the library's do by themselves. */
const world = (ratio: number) => {
  const recorder = SpanRecorder.make({ ratio, slowMs: 1_000 })
  const calls = <A, E>(use: (client: Client) => Effect.Effect<A, E>) =>
    Effect.gen(function* () {
      const client = yield* makeClient
      yield* use(client)
    }).pipe(recorder.recorded, Effect.scoped)
  return { ...recorder, calls }
}

const makeClient = RpcTest.makeClient(Group).pipe(
  Effect.provide(
    Group.toLayer({
      Take: ({ tookMs }) => Effect.withSpan(TestClock.adjust(tookMs), "within"),
      Break: () => Effect.fail(new Internal({}))
    })
  ),
  Effect.provideService(Edge, (call, { headers, rpc }) => RpcTrace.traced(rpc._tag, headers, "id")(call))
)
type Client = Effect.Success<typeof makeClient>

const asking = (sampled: boolean) => ({
  headers: { traceparent: Tracing.format({ ...SpanRecorder.clientSpan(1), sampled }) }
})

describe("RpcTrace", () => {
  it.effect("takes the word of a call's own traceparent", () =>
    Effect.gen(function* () {
      const { calls, named, spans } = world(0)
      yield* calls((client) => client.Take({ tookMs: 0 }, asking(true)))
      const [call] = named("Rpc.Take")
      assert.strictEqual(call?.traceId, SpanRecorder.traceOf(1))
      assert.strictEqual(SpanRecorder.parentOf(named("within")[0]!), call?.spanId)
      const count = spans.length
      yield* calls((client) => client.Take({ tookMs: 0 }, asking(false)))
      assert.lengthOf(spans, count)
    })
  )

  it.effect("does not take a library's span for a wish, and goes on from it where it draws", () =>
    Effect.gen(function* () {
      const caller = SpanRecorder.clientSpan(2)
      /** As the library runs a handler: in an empty span whose parent is what the client has named. */
      const called = (parent: Tracer.ExternalSpan) =>
        RpcTrace.traced("Take", {}, "id")(Effect.void).pipe(Effect.withSpan("Rpc.Take", { parent }))
      const none = world(0)
      yield* none.recorded(called(caller))
      assert.lengthOf(none.spans, 0)
      const all = world(1)
      yield* all.recorded(called(caller))
      yield* all.recorded(called({ ...caller, traceId: "x".repeat(32) }))
      const [named, made] = all.spans
      assert.lengthOf(all.spans, 2)
      assert.strictEqual(named?.traceId, caller.traceId)
      assert.match(made?.traceId ?? "", /^[0-9a-f]{32}$/, "whatever a client writes")
    })
  )

  it.effect("tells of one that broke or took long although it was not chosen, and of no other", () =>
    Effect.gen(function* () {
      const { calls, spans } = world(0)
      yield* calls((client) => client.Take({ tookMs: 999 }))
      assert.lengthOf(spans, 0)
      yield* calls((client) => client.Take({ tookMs: 1_000 }))
      yield* calls((client) => Effect.flip(client.Break()))
      assert.deepStrictEqual(
        spans.map(({ name, status }) => [name, status._tag === "Ended" && status.exit._tag]),
        [
          ["Rpc.Take", "Success"],
          ["Rpc.Break", "Failure"]
        ]
      )
    })
  )
})
