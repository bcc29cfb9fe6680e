import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { ExpiryHeap } from "../src/ExpiryHeap.ts"

interface Item {
  expiresAtMs: number
  gone: boolean
}

const Time = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1000 }))

describe("ExpiryHeap", () => {
  it.effect.prop(
    "gives out what has expired and is still there, in the order of time, each once",
    [Schema.Array(Schema.Tuple([Time, Schema.Boolean, Schema.NullOr(Time)])), Time],
    ([items, nowMs]) =>
      Effect.sync(() => {
        const heap = new ExpiryHeap<Item>()
        const all = items.map(([expiresAtMs]) => ({ expiresAtMs, gone: false }))
        for (const item of all) heap.push(item)
        items.forEach(([, gone, later], i) => {
          const item = all[i]!
          if (gone) item.gone = true
          else if (later !== null) {
            item.expiresAtMs = later
            heap.push(item)
          }
        })
        const alive = all.filter(({ gone }) => !gone).map(({ expiresAtMs }) => expiresAtMs)
        assert.strictEqual(heap.nextMs(), Math.min(Number.POSITIVE_INFINITY, ...alive))
        const popped: Array<number> = []
        for (let item = heap.popExpired(nowMs); item !== undefined; item = heap.popExpired(nowMs)) {
          popped.push(item.expiresAtMs)
          item.gone = true
        }
        assert.deepStrictEqual(
          popped,
          alive.filter((time) => time <= nowMs).sort((a, b) => a - b)
        )
      })
  )

  it("does not grow with what was released long before its time", () => {
    const heap = new ExpiryHeap<Item>()
    const kept = Array.from({ length: 50 }, (_, i) => ({ expiresAtMs: 1_000_000 + i, gone: false }))
    for (const item of kept) heap.push(item)
    for (let i = 0; i < 100_000; i++) {
      const item = { expiresAtMs: 2_000_000 + i, gone: false }
      heap.push(item)
      item.gone = true
    }
    assert.isAtMost(heap.size, 2048)
    for (const item of kept) assert.strictEqual(heap.popExpired(1_500_000), item)
  })
})
