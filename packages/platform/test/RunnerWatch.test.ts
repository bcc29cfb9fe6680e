import { describe, expect, it } from "vitest"
import { Evictions, sessionName, successors } from "../src/RunnerWatch.ts"

describe("who watches whom", () => {
  const all = ["c", "a", "d", "b"]

  it("is the two that follow, from the last to the first", () => {
    expect(successors("a", all, 2)).toEqual(["b", "c"])
    expect(successors("c", all, 2)).toEqual(["d", "a"])
    expect(successors("d", all, 2)).toEqual(["a", "b"])
  })

  it("is every other one where there are few, and oneself never", () => {
    expect(successors("a", ["a", "b"], 2)).toEqual(["b"])
    expect(successors("a", ["a"], 2)).toEqual([])
  })

  it("is such that everybody is watched by two", () => {
    const times = new Map<string, number>()
    for (const one of all)
      for (const other of successors(one, all, 2)) times.set(other, (times.get(other) ?? 0) + 1)
    expect([...times.values()]).toEqual([2, 2, 2, 2])
  })
})

describe("the name of a runner's sessions", () => {
  it("fits into what the database keeps, and is no other runner's", () => {
    const host = `${"a".repeat(60)}.runners.example.org`
    const names = [34_431, 34_432].map((port) => sessionName({ host, port }))
    expect(new Set(names).size).toBe(2)
    for (const name of names) expect(Buffer.byteLength(name)).toBeLessThanOrEqual(63)
    expect(sessionName({ host: "booking-1", port: 34_431 })).toBe("runner booking-1:34431")
  })
})

describe("a runner that was evicted", () => {
  it("is left alone for a while, the longer the oftener", () => {
    const evictions = new Evictions()
    const taken: Array<number> = []
    for (let second = 0; second < 240; second++) if (evictions.take("a", second * 1_000)) taken.push(second)
    expect(taken).toEqual([0, 5, 15, 35, 75, 155, 235])
  })

  it("begins anew when it was well for five minutes, and others are not concerned", () => {
    const evictions = new Evictions()
    expect([0, 5, 6].map((second) => evictions.take("a", second * 1_000))).toEqual([true, true, false])
    expect(evictions.take("b", 6_000)).toBe(true)
    expect(evictions.take("a", 306_000)).toBe(true)
    expect(evictions.take("a", 311_000)).toBe(true)
  })
})
