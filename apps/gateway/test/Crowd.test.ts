import { assert, describe, it } from "@effect/vitest"
import * as Crowd from "../src/Crowd.ts"

const everyMs = 200
const many = (Crowd.crowdFrom * everyMs) / 1_000
const few = (Crowd.overFrom * everyMs) / 1_000

/** Looks five times a second, from a start at 0, at how many have lost meanwhile. */
const watch = (lost: ReadonlyArray<number>) => {
  const crowd = Crowd.make(0)
  return lost.map((count, i) => Crowd.turn(crowd, count, (i + 1) * everyMs))
}
const times = (count: number, lost: number): ReadonlyArray<number> =>
  Array.from({ length: count }, () => lost)

describe("winners of a crowd", () => {
  it("stand aside until it is told, and then pay at once", () => {
    assert.deepStrictEqual(watch([many - 1, many, 4 * many, few, few - 1, few]), [
      false,
      true,
      true,
      true,
      false,
      false
    ])
  })

  it("do not stand aside for longer than a crowd may take, however long many lose", () => {
    const aside = watch(times(300, many)).filter(Boolean)
    assert.strictEqual(aside.length, Crowd.asideForMs / everyMs)
  })

  it("do not stand aside again for what comes soon after, but for the next crowd", () => {
    const crowd = times(Crowd.asideForMs / everyMs + 1, many)
    const calm = times(Crowd.calmForMs / everyMs, 0)
    assert.isFalse(watch([...crowd, ...calm.slice(2), many]).at(-1))
    assert.isTrue(watch([...crowd, ...calm, many]).at(-1))
  })

  it("are known by how many lose a second, however seldom it is looked", () => {
    const crowd = Crowd.make(0)
    assert.isFalse(Crowd.turn(crowd, Crowd.crowdFrom, 2_000))
    assert.isTrue(Crowd.turn(crowd, 2 * Crowd.crowdFrom, 4_000))
  })
})
