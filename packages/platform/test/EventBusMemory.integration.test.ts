import { EventBus } from "@onsale/platform/EventBus"
import * as EventBusMemory from "@onsale/platform/EventBusMemory"
import { Broker, suite } from "@onsale/testing/EventBusSuite"
import { Context, Effect, Exit, Layer, Scope } from "effect"

const broker = Layer.effect(
  Broker,
  Effect.gen(function* () {
    const one = Context.get(yield* Layer.build(EventBusMemory.layer()), EventBus)
    return Broker.of({
      connect: ({ backlog } = {}) =>
        backlog === undefined
          ? Effect.succeed(one)
          : Effect.map(Layer.build(EventBusMemory.layer({ backlog })), Context.get(EventBus)),
      // There is no process to kill but our own: its fibers are ended in the middle.
      victim: Effect.fnUntraced(function* (topic, group) {
        const scope = yield* Scope.fork(yield* Effect.scope)
        let began = 0
        const handle = () =>
          Effect.suspend(() => {
            began++
            return Effect.never
          })
        yield* Scope.provide(one.consume({ group, topics: [topic], handle }), scope)
        return { began: Effect.sync(() => began), kill: Scope.close(scope, Exit.void) }
      }),
      kill: Effect.void,
      start: Effect.void
    })
  })
)

suite("Event bus in memory", broker, { broker: false, holdsBack: true })
