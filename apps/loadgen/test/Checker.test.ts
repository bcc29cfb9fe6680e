import { assert, describe, it } from "@effect/vitest"
import * as Checker from "../src/Checker.ts"

const told = (...seats: ReadonlyArray<number>) => Int32Array.from(seats)

describe("Checker", () => {
  it("finds nothing where what was told is what is kept", () => {
    const findings = Checker.seats(["a", "b"], told(0, 1, 2, 3), [
      { hold: "a", seat: 0 },
      { hold: "a", seat: 1 },
      { hold: "b", seat: 2 },
      { hold: "b", seat: 3 }
    ])
    assert.deepStrictEqual(findings, { answered: 2, stored: 2, soldTwice: 0, lost: 0 })
    assert.isTrue(Checker.sound(findings))
  })

  it("finds a seat that two rows claim", () => {
    const stored = [
      { hold: "a", seat: 0 },
      { hold: "b", seat: 0 }
    ]
    assert.strictEqual(Checker.seats(["a", "b"], told(0, 0), stored).soldTwice, 1)
  })

  it("finds a seat whose first winner was overwritten, by what the buyers were told", () => {
    const findings = Checker.seats(["a", "b"], told(0, 0), [{ hold: "b", seat: 0 }])
    assert.strictEqual(findings.soldTwice, 1)
    assert.strictEqual(findings.lost, 1)
  })

  it("finds a hold that was answered and is kept in part", () => {
    assert.strictEqual(Checker.seats(["a"], told(0, 1), [{ hold: "a", seat: 0 }]).lost, 1)
  })

  it("finds a seat that was promised twice where the database cannot be read", () => {
    assert.strictEqual(Checker.answersOnly(["a", "b"], told(0, 1, 1, 2)).soldTwice, 1)
    assert.isTrue(Checker.sound(Checker.answersOnly(["a", "b"], told(0, 1, 2, 3))))
    assert.isTrue(Checker.sound(Checker.answersOnly([], told())))
  })

  it("finds places beyond the capacity, and promised ones that are not kept", () => {
    const kept = ["a", "b", "c"].map((hold) => ({ hold, quantity: 2 }))
    assert.isTrue(Checker.sound(Checker.places(["a", "b", "c"], 2, 6, kept)))
    assert.strictEqual(Checker.places(["a", "b", "c"], 2, 5, kept).soldTwice, 1)
    const findings = Checker.places(["a", "b", "c", "d"], 2, 6, kept)
    assert.strictEqual(findings.lost, 1)
    assert.strictEqual(findings.soldTwice, 2)
  })
})
