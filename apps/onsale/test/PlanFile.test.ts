import { assert, describe, it } from "@effect/vitest"
import { Option } from "effect"
import { guessFormat } from "../src/cli/PlanFile.ts"

const guess = (content: unknown) =>
  Option.getOrNull(guessFormat(typeof content === "string" ? content : JSON.stringify(content)))

describe("the format of a plan is told from its content", () => {
  it("seats.io: sub-charts, or lists in objects", () => {
    assert.strictEqual(guess({ name: "Arena", categories: { list: [] }, subChart: {} }), "seatsio")
    assert.strictEqual(guess({ subChartFloors: [], zones: { list: [] } }), "seatsio")
    assert.strictEqual(guess({ categories: { list: [] } }), "seatsio")
  })
  it("pretix: a bare list of zones", () => {
    assert.strictEqual(guess({ name: "Hall", categories: [], zones: [] }), "pretix")
    assert.strictEqual(guess(`\uFEFF  ${JSON.stringify({ zones: [] })}`), "pretix")
  })
  it("CSV: a header with sections, whatever separates it", () => {
    assert.strictEqual(guess("section,row,seat_from,seat_to,quantity,price\nA,1,1,9,,10"), "csv")
    assert.strictEqual(guess('\uFEFF"Section";"Quantity";"Price"\r\nA;5;1'), "csv")
    assert.strictEqual(guess("quantity\tsection\n"), "csv")
  })
  it("anything else is not guessed at", () => {
    for (const content of ["", "   ", "hello", "{", "[]", "{}", "null", '{"zones":{}}', "a,b,c\n1,2,3"]) {
      assert.isNull(guess(content), content)
    }
  })
})
