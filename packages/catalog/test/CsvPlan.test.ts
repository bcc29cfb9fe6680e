import { assert, describe, it } from "@effect/vitest"
import { accepted, places, problems, refused, seatsOf } from "./Imports.ts"

const header = "section,row,seat_from,seat_to,quantity,price"
const csv = (...lines: ReadonlyArray<string>) => [header, ...lines, ""].join("\n")

describe("a CSV plan", () => {
  it("has seats from and to, areas by quantity, and a category for each price", () => {
    const { map, report } = accepted(
      "csv",
      csv(
        "Stalls,A,1,3,,45",
        "Stalls,A,4,5,2,45.00",
        "Stalls,B,1,2,,30.5",
        "Balcony,AA,C,E,,30.50",
        "Standing,,,,200,19.00"
      )
    )
    assert.deepStrictEqual(report.problems, [])
    assert.deepStrictEqual(places(map), [
      "Stalls|A|1",
      "Stalls|A|2",
      "Stalls|A|3",
      "Stalls|A|4",
      "Stalls|A|5",
      "Stalls|B|1",
      "Stalls|B|2",
      "Balcony|AA|C",
      "Balcony|AA|D",
      "Balcony|AA|E"
    ])
    assert.deepStrictEqual(map.categories, [
      { name: "45.00", color: null, price: "45.00" },
      { name: "30.50", color: null, price: "30.50" },
      { name: "19.00", color: null, price: "19.00" }
    ])
    assert.deepStrictEqual(map.areas, [{ key: "area-1", name: "Standing", capacity: 200, category: "19.00" }])
    assert.deepStrictEqual(new Set(seatsOf(map).map(({ key }) => key)).size, 10)
  })

  it("lays sections out on a grid without overlaps, rows centred", () => {
    const { map } = accepted("csv", csv("S,A,1,3,,1", "S,B,1,1,,1", "T,A,1,3,,1"))
    const at = seatsOf(map).map(({ x, y }) => `${x},${y}`)
    assert.deepStrictEqual(at, ["0,0", "50,0", "100,0", "50,90", "0,380", "50,380", "100,380"])
  })

  it("takes the columns in any order and case, quotes, semicolons, a byte order mark, zeros, empty lines", () => {
    const { map, report } = accepted(
      "csv",
      '\uFEFFPrice;SEAT_TO;Seat_From;"Row";Section;quantity\r\n\r\n"45,00";10;09;1;"Rang; links";\r\n;;;;;\r\n'
    )
    assert.deepStrictEqual(report.problems, [])
    assert.deepStrictEqual(places(map), ["Rang; links|1|09", "Rang; links|1|10"])
    assert.deepStrictEqual(seatsOf(map)[0]!.category, "45.00")
  })

  it("refuses seats that two lines have, with the line", () => {
    const report = refused("csv", csv("S,A,1,3,,1", "", "S,A,3,4,,1"))
    assert.deepStrictEqual(problems(report), ["error duplicate_seat line 4"])
  })

  it("tells what is wrong with a line", () => {
    const report = refused(
      "csv",
      csv(
        "S,A,3,1,,1",
        "S,B,1,x,,1",
        "S,C,A,c,,1",
        "S,D,1,,,1",
        "S,E,1,4,5,1",
        "S,F,,,,1",
        ",G,1,2,,1",
        "Field,,,,-3,1",
        "Field,,,,1.5,1",
        "S,H,1,2,,free",
        "S,I,1,2",
        "S,J,1,2,,"
      )
    )
    assert.deepStrictEqual(problems(report), [
      "error seats line 2",
      "error seats line 3",
      "error seats line 4",
      "error seats line 5",
      "error capacity line 6",
      "error seats line 7",
      "error empty_label line 8",
      "error capacity line 9",
      "error capacity line 10",
      "error price line 11",
      "error fields line 12",
      "warning no_category line 13"
    ])
  })

  it("refuses areas of one name", () => {
    assert.deepStrictEqual(problems(refused("csv", csv("Field,,,,10,1", "Field,,,,20,1"))), [
      "error duplicate_area line 3"
    ])
  })

  it("needs its header", () => {
    assert.deepStrictEqual(problems(refused("csv", "section,row,seat_from,seat_to,price\nS,A,1,2,9")), [
      "error header line 1"
    ])
    assert.deepStrictEqual(problems(refused("csv", `${header},price\n`)), ["error header line 1"])
    assert.deepStrictEqual(problems(refused("csv", "")), ["error unreadable line 1"])
    assert.deepStrictEqual(problems(refused("csv", header)), ["error empty_plan "])
  })

  it("tells the line of a quote that is never closed", () => {
    assert.deepStrictEqual(problems(refused("csv", csv("S,A,1,2,,1", '"S,B,1,2,,1'))), [
      "error unreadable line 3"
    ])
  })

  it("is bounded before it is unfolded", () => {
    assert.deepStrictEqual(problems(refused("csv", csv("S,A,1,999999999,,1"))), ["error row_too_long line 2"])
    const rows = Array.from({ length: 51 }, (_, i) => `S,R${i},1,5000,,1`)
    const report = refused("csv", csv(...rows))
    assert.deepStrictEqual(problems(report), ["error too_many_seats line 52"])
  })
})
