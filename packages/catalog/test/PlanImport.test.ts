import { assert, describe, it } from "@effect/vitest"
import { maxFileBytes } from "../src/PlanImport.ts"
import { accepted, problems, refused } from "./Imports.ts"

const plan = (seats: ReadonlyArray<object>) => ({
  name: "p",
  categories: [{ name: "c" }],
  zones: [{ name: "z", position: { x: 0, y: 0 }, rows: [{ row_number: "1", seats }] }]
})

const seats = (count: number, more: (i: number) => object) =>
  Array.from({ length: count }, (_, i) => ({
    seat_guid: `s${i}`,
    seat_number: `${i}`,
    position: { x: i * 10, y: 0 },
    category: "c",
    ...more(i)
  }))

describe("the bounds of an import", () => {
  it("refuses files that are too large", () => {
    assert.deepStrictEqual(problems(refused("pretix", " ".repeat(maxFileBytes + 1))), ["error too_large "])
    // As many characters as are allowed, but more bytes.
    assert.deepStrictEqual(problems(refused("csv", "ü".repeat(maxFileBytes / 2 + 1))), [
      "error too_large line 1"
    ])
  })

  it("refuses what is nested too deep, without going down", () => {
    const depth = 200_000
    const text = `{"subChart":${"[".repeat(depth)}${"]".repeat(depth)}}`
    assert.deepStrictEqual(problems(refused("seatsio", text)), ["error too_deep "])
  })

  it("refuses what is no JSON, and JSON that is no plan", () => {
    assert.deepStrictEqual(problems(refused("pretix", "{")), ["error unreadable "])
    for (const content of ["[]", "null", "3", '"x"', null, undefined, 3, true, []]) {
      assert.deepStrictEqual(problems(refused("seatsio", content)), ["error unreadable "])
    }
    assert.deepStrictEqual(problems(refused("csv", {})), ["error unreadable line 1"])
  })

  it("lists the first thousand problems, errors before warnings, and counts all", () => {
    const { report } = accepted("pretix", plan(seats(1500, () => ({ category: "x" }))))
    assert.deepStrictEqual([report.problems.length, report.problemCount], [1000, 1500])
    const bad = refused(
      "pretix",
      plan(seats(1500, (i) => ({ category: "x", ...(i === 1499 ? { seat_guid: "s0" } : {}) })))
    )
    assert.deepStrictEqual([bad.problems.length, bad.problemCount], [1000, 1501])
    assert.deepStrictEqual(problems(bad)[0], "error duplicate_seat /zones/0/rows/0/seats/1499")
  })

  it("looks at thousands of seats on one spot in no time", () => {
    const { report } = accepted("pretix", plan(seats(5000, () => ({ position: { x: 1, y: 1 } }))))
    assert.deepStrictEqual(report.problemCount, 4999)
  })

  it("refuses names of sections, zones and areas with an end of a line in them", () => {
    for (const end of ["\r\n", "\u0085", "\u2028"]) {
      const zone = {
        name: `z${end}x`,
        position: { x: 0, y: 0 },
        rows: [{ row_number: "1", seats: seats(1, () => ({})) }]
      }
      const report = refused("pretix", { ...plan([]), zones: [zone] })
      assert.deepStrictEqual(problems(report), ["error label_unprintable /zones/0"], JSON.stringify(end))
    }
  })

  it("refuses labels that cannot be stored or printed", () => {
    const report = refused(
      "pretix",
      plan(seats(3, (i) => ({ seat_number: ["a\u0000b", "\uD800", "x".repeat(201)][i] })))
    )
    assert.deepStrictEqual(problems(report), [
      "error label_unprintable /zones/0/rows/0/seats/0",
      "error label_unprintable /zones/0/rows/0/seats/1",
      "error label_too_long /zones/0/rows/0/seats/2"
    ])
  })
})
