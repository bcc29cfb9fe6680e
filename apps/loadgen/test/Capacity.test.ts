import { Effect } from "effect"
import { describe, expect, it } from "vitest"
import * as Capacity from "../src/slo/Capacity.ts"

/** Carries `rate` a second once it has answered `cold` requests in all, and a tenth of it before; answers twice what it carries. */
const machine = (rate: number, cold = 0) => {
  const tries: Array<Capacity.Try> = []
  let answered = 0
  const attempt = (what: Capacity.Try) =>
    Effect.sync(() => {
      tries.push(what)
      answered += what.requestsPerSecond * what.warmUpSeconds
      const now = answered < cold ? rate / 10 : rate
      answered += what.requestsPerSecond * what.seconds
      return {
        carried: what.requestsPerSecond <= now,
        answeredPerSecond: Math.min(what.requestsPerSecond, 2 * now)
      }
    })
  return { attempt, tries }
}
const search = (most: number, { attempt }: ReturnType<typeof machine>) =>
  Effect.runSync(Capacity.search(most, attempt))

describe("the search for the rate that is carried", () => {
  it.each([120, 375, 1_150, 3_000])("comes near %i, from below", (rate) => {
    const found = search(100_000, machine(rate))
    expect(found.requestsPerSecond).toBeLessThanOrEqual(rate)
    expect(found.requestsPerSecond).toBeGreaterThan(0.9 * rate)
    expect(found.rose).toBe(true)
    expect(Capacity.doubt(found)).toBeUndefined()
  })
  it("asks for no more than the level is asked for", () => {
    const small = machine(1_000)
    expect(search(100, small)).toEqual({ requestsPerSecond: 100, shown: 100, rose: true })
    expect(Math.max(...small.tries.map(({ requestsPerSecond }) => requestsPerSecond))).toBe(100)
    const large = machine(5_000)
    expect(search(1_000, large).requestsPerSecond).toBe(1_000)
    expect(Math.max(...large.tries.map(({ requestsPerSecond }) => requestsPerSecond))).toBe(1_000)
  })
  // It had found 88 a second, for a machine that carries over a thousand.
  it("begins again with more warm-up where the machine is cold, before it looks below", () => {
    // Warmed up by neither the warm-up nor the first two tries.
    const found = search(100_000, machine(990, 12_000))
    expect(found.requestsPerSecond).toBeGreaterThan(0.9 * 990)
    expect(Capacity.doubt(found)).toBeUndefined()
  })
  it("is not ended by one bad second", () => {
    const { attempt, tries } = machine(1_000)
    let bad = true
    const found = search(100_000, {
      tries,
      attempt: (what) => {
        if (what.requestsPerSecond !== 200 || !bad) return attempt(what)
        bad = false
        return Effect.succeed({ carried: false, answeredPerSecond: 200 })
      }
    })
    expect(found.requestsPerSecond).toBeGreaterThan(900)
  })
  it("ends, whatever the machine does", () => {
    const none = machine(0)
    const found = search(100_000, none)
    expect(found.requestsPerSecond).toBe(0)
    expect(none.tries.length).toBeLessThan(10)
    const all = machine(Infinity)
    expect(search(100_000, all).requestsPerSecond).toBeGreaterThanOrEqual(100_000 / 2)
    expect(all.tries.length).toBeLessThan(30)
  })
  it("says so where it never rose, and where that is no capacity", () => {
    const weak = search(100_000, machine(88))
    expect(weak.rose).toBe(false)
    // What a machine really carries is a figure, if a low one.
    expect(Capacity.isCredible(weak)).toBe(true)
    expect(Capacity.doubt(weak)).toContain("never rose above the 100 a second")
    const wrong = { requestsPerSecond: 88, shown: 940, rose: false }
    expect(Capacity.isCredible(wrong)).toBe(false)
    expect(Capacity.doubt(wrong)).toContain("no capacity")
  })
})
