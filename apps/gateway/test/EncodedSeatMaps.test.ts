import { assert, describe, it } from "@effect/vitest"
import { type EventId, makeEventId } from "@onsale/contracts/Ids"
import { Effect } from "effect"
import * as EncodedSeatMaps from "../src/EncodedSeatMaps.ts"

const [a, b, c] = [1, 2, 3].map((n) => makeEventId(1_700_000_000_000 + n)) as [EventId, EventId, EventId]

const make = (bytes: number) => {
  const encoded: Array<EventId> = []
  return Effect.map(
    EncodedSeatMaps.make({
      maxBytes: 100,
      encode: (eventId) =>
        Effect.sync(() => {
          encoded.push(eventId)
          return { json: new Uint8Array(bytes), etag: "e" }
        })
    }),
    (get) => ({ get, encoded })
  )
}

describe("EncodedSeatMaps", () => {
  it.effect("keeps what fits, and lets go of what was read longest ago", () =>
    Effect.gen(function* () {
      const { encoded, get } = yield* make(50)
      for (const id of [a, b, a, b]) yield* get(id)
      assert.deepStrictEqual(encoded, [a, b])
      for (const id of [a, c, a, c]) yield* get(id)
      assert.deepStrictEqual(encoded, [a, b, c])
      yield* get(b)
      assert.deepStrictEqual(encoded, [a, b, c, b])
    })
  )

  it.effect("keeps one that is larger than the bound, alone", () =>
    Effect.gen(function* () {
      const { encoded, get } = yield* make(500)
      for (const id of [a, a, b, b, a]) yield* get(id)
      assert.deepStrictEqual(encoded, [a, b, a])
    })
  )
})
