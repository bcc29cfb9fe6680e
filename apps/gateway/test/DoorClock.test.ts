import { assert, describe, it } from "@effect/vitest"
import { correctionOf, timeOf } from "../src/DoorClock.ts"

const nowMs = 1_700_000_000_000

describe("DoorClock", () => {
  it.each([
    [0, 0],
    [2_000, 0],
    [-2_000, 0],
    [2_001, -2_001],
    [-2_001, 2_001],
    [600_000, -600_000],
    [-600_000, 600_000],
    [600_001, null],
    [-600_001, null]
  ])("a clock that is %i ms ahead is put right by %s", (ahead, correctionMs) => {
    assert.strictEqual(correctionOf(nowMs + ahead, nowMs), correctionMs)
  })

  it("a scan is never later than its arrival, and at its arrival by a clock that is not believed", () => {
    assert.strictEqual(timeOf(nowMs - 5_000, 0, nowMs), nowMs - 5_000)
    assert.strictEqual(timeOf(nowMs - 5_000, 3_000, nowMs), nowMs - 2_000)
    assert.strictEqual(timeOf(nowMs - 1_000, 3_000, nowMs), nowMs)
    assert.strictEqual(timeOf(0, null, nowMs), nowMs)
    assert.strictEqual(timeOf(100, -3_000, nowMs), 0)
  })
})
