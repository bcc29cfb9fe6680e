import { describe, expect, it } from "vitest"
import { soldTwice, type Told } from "../src/open/SeatLedger.ts"

const told = (
  holdId: string,
  askedMs: number,
  answeredMs: number,
  untilMs: number,
  seats = ["e/1"]
): Told => ({
  holdId,
  seats,
  askedMs,
  answeredMs,
  untilMs
})

describe("what buyers were told (INV-01)", () => {
  it("finds a seat that was given to a second buyer while the first had it", () => {
    expect(soldTwice([told("a", 0, 10, 1_000), told("b", 20, 30, 1_030)])).toEqual(["e/1"])
  })
  it("finds a seat that was bought twice, whenever", () => {
    expect(soldTwice([told("a", 0, 10, Infinity), told("b", 5_000, 5_010, Infinity)])).toEqual(["e/1"])
    expect(soldTwice([told("b", 0, 100, Infinity), told("a", 0, 10, Infinity)])).toEqual(["e/1"])
  })
  it("finds it behind a short hold between the two", () => {
    expect(soldTwice([told("a", 0, 10, 50), told("b", 60, 70, Infinity), told("c", 80, 90, 95)])).toEqual([
      "e/1"
    ])
  })
  it("lets a seat come back: after its expiry, and after it was given back", () => {
    expect(soldTwice([told("a", 0, 10, 1_000), told("b", 990, 1_001, 2_000)])).toEqual([])
    expect(soldTwice([told("a", 0, 10, 20), told("b", 15, 30, Infinity)])).toEqual([])
  })
  it("does not accuse where the order of two decisions is not known", () => {
    // Asked for before the other was answered: the other may have been decided, and lost, afterwards.
    expect(soldTwice([told("a", 0, 100, 200), told("b", 50, 150, 250)])).toEqual([])
  })
  it("tells seats and repeats of one hold apart", () => {
    expect(soldTwice([told("a", 0, 10, Infinity), told("b", 20, 30, Infinity, ["e/2"])])).toEqual([])
    expect(soldTwice([told("a", 0, 10, Infinity), told("a", 20, 30, Infinity)])).toEqual([])
  })
})
