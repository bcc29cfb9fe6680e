import { assert, describe, it } from "@effect/vitest"
import { EventSearches } from "@onsale/catalog/search/EventSearches"
import { pollUntil } from "@onsale/testing/Poll"
import { Deferred, Effect, Layer } from "effect"
import * as IdleGateway from "./IdleGateway.ts"
import * as RawClient from "./RawClient.ts"

const search = "/api/v1/search/events?q=bench"

const ask = ({ send }: RawClient.RawClient, path: string) =>
  send(`GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`)

/** The whole edge over a search that answers `quick` times, and then when it is told to. */
const serve = Effect.fnUntraced(function* (quick: number) {
  const go = yield* Deferred.make<void>()
  const searches = { asked: 0 }
  const port = yield* IdleGateway.serve(
    Layer.mock(EventSearches, {
      search: ({ page = 1, size = 10 }) =>
        Effect.suspend(() => (searches.asked++ < quick ? Effect.void : Deferred.await(go))).pipe(
          Effect.as({ events: [], total: 0, totalIsExact: true, page, size })
        )
    })
  )
  const connect = RawClient.make(port)
  const watcher = yield* connect
  const seen = (series: RegExp) =>
    Effect.suspend(() => {
      ask(watcher, "/metrics")
      return Effect.map(watcher.answer, ({ body }) => Number(series.exec(body)?.[1] ?? 0))
    })
  const atWork = seen(/^onsale_admission_in_flight\{class="cold"\} (\d+)/m)
  const aborted = seen(/^onsale_http_requests_total\{[^}]*status_class="aborted"[^}]*\} (\d+)/m)
  /** Until the server has seen it. */
  const leave = Effect.fnUntraced(function* ({ socket }: RawClient.RawClient) {
    const before = yield* aborted
    socket.destroy()
    yield* pollUntil(aborted, (count) => count > before)
  })
  return { atWork, connect, go, leave, searches }
})

describe("a search that has to be asked for", () => {
  it.live("is a cold read to its end, though its first reader has left", () =>
    Effect.gen(function* () {
      const { atWork, connect, go, leave } = yield* serve(0)
      const reader = yield* connect
      ask(reader, search)
      yield* pollUntil(atWork, (count) => count === 1)
      yield* leave(reader)
      assert.strictEqual(yield* atWork, 1)
      yield* Deferred.succeed(go, undefined)
      yield* pollUntil(atWork, (count) => count === 0)
    })
  )

  it.live("is one on the lean path too, once for all who wait; one that is in memory is not", () =>
    Effect.gen(function* () {
      const { atWork, connect, go, leave, searches } = yield* serve(1)
      const first = yield* connect
      ask(first, search)
      // Its address is learnt.
      assert.strictEqual((yield* first.answer).status, 200)
      yield* pollUntil(atWork, (count) => count === 0)
      // It is in memory for a second; then it is asked for.
      const { reader: asking } = yield* pollUntil(
        Effect.gen(function* () {
          const reader = yield* connect
          ask(reader, search)
          const asks = yield* Effect.raceFirst(
            Effect.as(reader.answer, false),
            Effect.as(
              pollUntil(atWork, (count) => count > 0),
              true
            )
          )
          return { asks, reader }
        }),
        ({ asks }) => asks
      )
      const others = yield* Effect.replicateEffect(connect, 3)
      for (const other of others) ask(other, search)
      yield* leave(asking)
      assert.deepStrictEqual([yield* atWork, searches.asked], [1, 2])
      yield* Deferred.succeed(go, undefined)
      for (const { answer } of others) assert.strictEqual((yield* answer).status, 200)
      yield* pollUntil(atWork, (count) => count === 0)
    })
  )
})
