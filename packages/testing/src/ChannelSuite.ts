/**
 * What every provider of a channel must do, against a real server of its protocol: what counts is what arrived there,
 * whatever the provider says.
 */
import { assert, layer as testLayer } from "@effect/vitest"
import type { ChannelMessage, ChannelProvider } from "@onsale/notifications/Channel"
import { Context, Effect, type Layer, Logger } from "effect"
import { pollUntil } from "./Poll.ts"

/** What the server does with the next message. */
export type Command =
  | "defer"
  | "refuse"
  /** Says nothing, and does not have the message. */
  | "hang"
  /** Takes the message, and never says so. */
  | "silence"
  /** Takes the message, and breaks off before it says so. */
  | "vanish"

export class ChannelServer extends Context.Service<
  ChannelServer,
  {
    readonly provider: ChannelProvider
    /** A message to somebody who is new at each call. */
    readonly message: (id: string) => ChannelMessage
    readonly next: (command: Command) => Effect.Effect<void>
    /** By what the recipient could tell a repetition, oldest first. */
    readonly received: Effect.Effect<ReadonlyArray<string>>
    /** Nobody answers at its address until it is up again. */
    readonly down: Effect.Effect<void>
    readonly up: Effect.Effect<void>
    /** What may stand in no error and in no log. */
    readonly secrets: ReadonlyArray<string>
  }
>()("@onsale/testing/ChannelServer") {}

/** Longer than any provider may take. */
const deadline = { deadline: "60 seconds" } as const

/** Declares the whole suite. */
export const suite = <E>(name: string, server: Layer.Layer<ChannelServer, E>): void =>
  testLayer(server, { excludeTestServices: true, timeout: "60 seconds" })(name, (it) => {
    const arrived = Effect.fnUntraced(function* (since: number) {
      return (yield* (yield* ChannelServer).received).slice(since)
    })
    const count = Effect.flatMap(ChannelServer, ({ received }) =>
      Effect.map(received, ({ length }) => length)
    )

    it.effect("a message is delivered once", () =>
      Effect.gen(function* () {
        const { message, provider } = yield* ChannelServer
        const before = yield* count
        const { reference } = yield* provider.send(message("once"))
        assert.isAbove(reference.length, 0)
        assert.strictEqual((yield* arrived(before)).length, 1)
      })
    )

    it.effect("many at a time are each delivered once", () =>
      Effect.gen(function* () {
        const { message, provider } = yield* ChannelServer
        const before = yield* count
        yield* Effect.forEach(
          Array.from({ length: 30 }, (_, i) => message(`many-${i}`)),
          provider.send,
          { concurrency: "unbounded" }
        )
        const all = yield* arrived(before)
        assert.strictEqual(all.length, 30)
        assert.strictEqual(new Set(all).size, 30)
      })
    )

    it.effect("what the server puts off is not delivered, and may be tried again", () =>
      Effect.gen(function* () {
        const { message, next, provider } = yield* ChannelServer
        const before = yield* count
        yield* next("defer")
        const error = yield* Effect.flip(provider.send(message("later")))
        assert.strictEqual(error.kind, "deferred")
        assert.isTrue(error.retryable)
        yield* provider.send(message("later"))
        assert.strictEqual((yield* arrived(before)).length, 1)
      })
    )

    it.effect("what the server refuses is refused for good, in its words, and the next is taken", () =>
      Effect.gen(function* () {
        const { message, next, provider } = yield* ChannelServer
        const before = yield* count
        yield* next("refuse")
        const error = yield* Effect.flip(provider.send(message("never")))
        assert.strictEqual(error.kind, "refused")
        assert.isFalse(error.retryable)
        assert.isAbove(error.reason.length, 0)
        yield* provider.send(message("another"))
        assert.strictEqual((yield* arrived(before)).length, 1)
      })
    )

    it.effect("a server that hangs ends in an error by itself", () =>
      Effect.gen(function* () {
        const { message, next, provider } = yield* ChannelServer
        const before = yield* count
        yield* next("hang")
        const error = yield* Effect.flip(provider.send(message("hung")))
        assert.include(["unreachable", "unknown"], error.kind)
        yield* provider.send(message("hung"))
        assert.strictEqual((yield* arrived(before)).length, 1)
      })
    )

    for (const command of ["silence", "vanish"] as const) {
      it.effect(
        `a server that has the message and says nothing (${command}): unknown, and the repeat is recognisable`,
        () =>
          Effect.gen(function* () {
            const { message, next, provider } = yield* ChannelServer
            const before = yield* count
            yield* next(command)
            const error = yield* Effect.flip(provider.send(message(`maybe-${command}`)))
            assert.strictEqual(error.kind, "unknown")
            assert.isTrue(error.retryable)
            yield* provider.send(message(`maybe-${command}`))
            const [first, second, ...more] = yield* arrived(before)
            assert.deepStrictEqual(more, [])
            // A provider that knows idempotency keys has taken it once.
            if (second !== undefined) assert.strictEqual(second, first)
          })
      )
    }

    it.effect("a server that is away got nothing, and gets it when it is back", () =>
      Effect.gen(function* () {
        const { down, message, provider, up } = yield* ChannelServer
        const before = yield* count
        yield* down
        const error = yield* Effect.flip(provider.send(message("away"))).pipe(Effect.ensuring(up))
        assert.strictEqual(error.kind, "unreachable")
        yield* pollUntil(
          Effect.exit(provider.send(message("away"))),
          ({ _tag }) => _tag === "Success",
          deadline
        )
        assert.strictEqual((yield* arrived(before)).length, 1)
      })
    )

    it.effect("no secret stands in an error or in the log", () =>
      Effect.gen(function* () {
        const { message, next, provider, secrets } = yield* ChannelServer
        const said: Array<string> = []
        const listen = Logger.layer([
          Logger.make((entry) => void said.push(JSON.stringify([entry.message, String(entry.cause)])))
        ])
        yield* Effect.forEach(["defer", "refuse", "vanish"] as const, (command) =>
          Effect.gen(function* () {
            yield* next(command)
            const error = yield* Effect.flip(provider.send(message(`secret-${command}`)))
            yield* Effect.logError("it failed", error)
            said.push(error.message, JSON.stringify(error), String(error), error.stack ?? "")
          })
        ).pipe(Effect.provide(listen))
        for (const secret of secrets) assert.notInclude(said.join("\n"), secret)
      })
    )
  })
