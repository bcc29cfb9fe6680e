import { assert, describe, it } from "@effect/vitest"
import { chart, row, seat, section, subChart } from "./Charts.ts"
import { accepted, places, problems, refused, seatsOf } from "./Imports.ts"

const line = (count: number, y: number, more: object = {}) =>
  Array.from({ length: count }, (_, i) => seat(String(i + 1), 20 + i * 20, y, more))

describe("a chart of rows without sections", () => {
  const json = chart(
    subChart({
      focalPoint: { x: 225, y: 33.23 },
      rows: [
        row("A", line(3, 99.56, { categoryKey: 1 })),
        row("B", [
          seat("1", 20, 123.56, { categoryKey: 1, accessible: true }),
          seat("2", 40, 123.56, { categoryKey: 1, companionSeat: true }),
          seat("3", 60, 123.56, { categoryKey: "string11", restrictedView: true })
        ])
      ],
      generalAdmissionAreas: [
        {
          label: "GA1",
          capacity: 100,
          categoryKey: "string11",
          uuid: "uuid-ga1",
          type: "circle",
          bookAsAWhole: false
        }
      ]
    })
  )

  it("has every seat with its label, category, flags and position", () => {
    const { map, report } = accepted("seatsio", json)
    assert.deepStrictEqual(report.problems, [])
    assert.deepStrictEqual(places(map), ["|A|1", "|A|2", "|A|3", "|B|1", "|B|2", "|B|3"])
    assert.deepStrictEqual(
      seatsOf(map).map(({ accessible, category, companion, restrictedView, x, y }) => [
        x,
        y,
        category,
        accessible,
        companion,
        restrictedView
      ]),
      [
        [20, 99.56, "Stand", false, false, false],
        [40, 99.56, "Stand", false, false, false],
        [60, 99.56, "Stand", false, false, false],
        [20, 123.56, "Stand", true, false, false],
        [40, 123.56, "Stand", false, true, false],
        [60, 123.56, "Lawn", false, false, true]
      ]
    )
    assert.deepStrictEqual(map.focalPoint, { x: 225, y: 33.23 })
    assert.deepStrictEqual(map.areas, [{ key: "uuid-ga1", name: "GA1", capacity: 100, category: "Lawn" }])
    assert.deepStrictEqual(map.categories, [
      { name: "Stand", color: "#4176A5" },
      { name: "Lawn", color: "#FCA700" }
    ])
  })

  it("is counted by section and category", () => {
    const { report } = accepted("seatsio", json)
    assert.deepStrictEqual(
      { ...report, problems: [] },
      {
        format: "seatsio",
        seats: 6,
        rows: 2,
        areas: 1,
        areaCapacity: 100,
        sections: [{ name: "", rows: 2, seats: 6 }],
        categories: [
          { name: "Stand", seats: 5, places: 0 },
          { name: "Lawn", seats: 1, places: 100 }
        ],
        problems: [],
        problemCount: 0
      }
    )
  })

  it("is read alike as text and as what the text parses to", () => {
    assert.deepStrictEqual(accepted("seatsio", `\uFEFF${JSON.stringify(json)}`), accepted("seatsio", json))
  })
})

describe("a chart of sections", () => {
  it("adds the section's place to its seats, whatever the angle of its label", () => {
    const { map } = accepted(
      "seatsio",
      chart(
        subChart({
          sections: [
            section("Left", { x: 0, y: 0 }, subChart({ rows: [row("A", [seat("1", 18.25, 41.25)])] })),
            section("Right", { x: 189.94, y: 7 }, subChart({ rows: [row("A", [seat("1", 16.25, 45.25)])] }))
          ]
        })
      )
    )
    assert.deepStrictEqual(places(map), ["Left|A|1", "Right|A|1"])
    assert.deepStrictEqual(
      seatsOf(map).map(({ x, y }) => ({ x, y })),
      [
        { x: 18.25, y: 41.25 },
        { x: 189.94 + 16.25, y: 52.25 }
      ]
    )
  })

  it("lets seats inherit the category of their row, else of their section", () => {
    const { map } = accepted(
      "seatsio",
      chart(
        subChart({
          sections: [
            section(
              "S",
              { x: 0, y: 0 },
              subChart({
                rows: [
                  row("A", [seat("1", 0, 0), seat("2", 20, 0, { categoryKey: "string11" })]),
                  row("B", [seat("1", 0, 30)], { categoryKey: "string11" })
                ]
              })
            )
          ]
        })
      )
    )
    assert.deepStrictEqual(
      seatsOf(map).map(({ category }) => category),
      ["Stand", "Lawn", "Lawn"]
    )
  })

  it("adds up the places of nested sections, and passes zones with their focal points on", () => {
    const inner = section("Inner", { x: 5, y: 7 }, subChart({ rows: [row("A", [seat("1", 1, 2)])] }), {
      categoryKey: null
    })
    const { map } = accepted(
      "seatsio",
      chart(
        subChart({
          sections: [section("Outer", { x: 100, y: 200 }, subChart({ sections: [inner] }), { zone: "f" })]
        }),
        { zones: { list: [{ key: "f", label: "Finish", focalPoint: { x: 9, y: 8 } }] } }
      )
    )
    assert.deepStrictEqual(map.sections.length, 1)
    const { focalPoint, name, rows, zone } = map.sections[0]!
    assert.deepStrictEqual([name, zone, focalPoint], ["Inner", "Finish", { x: 9, y: 8 }])
    assert.deepInclude(rows[0]!.seats[0]!, { x: 106, y: 209, category: "Stand" })
  })

  it("finds the scale that makes a section as large as its outline", () => {
    const outline = [
      { x: 100, y: 100 },
      { x: 300, y: 100 },
      { x: 300, y: 200 },
      { x: 100, y: 200 }
    ]
    const inner = subChart({ width: 100, height: 50, rows: [row("A", [seat("1", 10, 20)])] })
    for (const sectionScaleFactor of [200, 50]) {
      const { map } = accepted(
        "seatsio",
        chart(subChart({ sections: [section("S", { x: 100, y: 100 }, inner, { points: outline })] }), {
          sectionScaleFactor
        })
      )
      assert.deepInclude(seatsOf(map)[0]!, { x: 120, y: 140 })
    }
  })

  it("reads the floors of a building, where seats may stand above one another", () => {
    const floor = (name: string) => ({
      ...subChart({ sections: [section(name, { x: 0, y: 0 }, subChart({ rows: [row("A", line(2, 10))] }))] }),
      floorName: name,
      floorDisplayName: `Floor ${name}`
    })
    const { map, report } = accepted("seatsio", chart(null, { subChartFloors: [floor("1"), floor("2")] }))
    assert.deepStrictEqual(report.problems, [])
    assert.deepStrictEqual(
      map.sections.map(({ zone }) => zone),
      ["Floor 1", "Floor 2"]
    )
    assert.deepStrictEqual(report.seats, 4)
  })
})

describe("what else a chart can have", () => {
  it("makes a row of a table's chairs, and a seat of a booth", () => {
    const { map, report } = accepted(
      "seatsio",
      chart(
        subChart({
          tables: [
            {
              label: "T1",
              type: "round",
              center: { x: 35, y: 39 },
              radius: 23,
              rotationAngle: 90,
              bookAsAWhole: true,
              seats: [seat("1", 35, 70, { categoryKey: 1 }), seat("2", 9, 55, { categoryKey: 1 })],
              uuid: "t1"
            }
          ],
          booths: [
            { label: "B7", center: { x: 300, y: 40 }, categoryKey: 1, uuid: "b7", width: 20, height: 20 }
          ]
        })
      )
    )
    assert.deepStrictEqual(places(map), ["|T1|1", "|T1|2", "||B7"])
    assert.deepInclude(seatsOf(map)[2]!, { key: "b7", x: 300, y: 40, category: "Stand" })
    assert.deepStrictEqual(problems(report), ["warning sold_by_seat /subChart/tables/0"])
  })

  it("shows displayed labels, and puts rows into the section that they name", () => {
    const { map } = accepted(
      "seatsio",
      chart(
        subChart({
          rows: [
            row("x", [seat("7", 0, 0, { displayLabel: "Seven", categoryKey: 1 })], {
              displayLabel: "AA",
              sectionLabel: "s",
              sectionDisplayedLabel: "Side"
            })
          ]
        })
      )
    )
    assert.deepStrictEqual(places(map), ["Side|AA|Seven"])
  })

  it("names an area after its section too", () => {
    const area = { label: "Pit", capacity: 10, categoryKey: null, uuid: "a" }
    const { map } = accepted(
      "seatsio",
      chart(
        subChart({
          sections: [section("North", { x: 0, y: 0 }, subChart({ generalAdmissionAreas: [area] }))]
        })
      )
    )
    assert.deepStrictEqual(map.areas, [{ key: "a", name: "North Pit", capacity: 10, category: "Stand" }])
    assert.deepStrictEqual(map.sections, [])
  })
})

describe("problems of a chart", () => {
  const inRow = (seats: ReadonlyArray<object>, more: object = {}) =>
    chart(subChart({ rows: [row("A", seats, { categoryKey: 1 })] }), more)

  it("refuses seats of one id, and names both places", () => {
    const report = refused(
      "seatsio",
      inRow([seat("1", 0, 0, { uuid: "x" }), seat("2", 20, 0, { uuid: "x" })])
    )
    assert.deepStrictEqual(problems(report), ["error duplicate_seat /subChart/rows/0/seats/1"])
    assert.include(report.problems[0]!.message, "/subChart/rows/0/seats/0")
    assert.deepStrictEqual(report.seats, 2)
  })

  it("refuses a label that a row has twice, and an empty one", () => {
    const report = refused(
      "seatsio",
      inRow([seat("1", 0, 0), seat("1", 20, 0), seat("", 40, 0), seat(" ", 60, 0)])
    )
    assert.deepStrictEqual(problems(report), [
      "error duplicate_label /subChart/rows/0/seats/1",
      "error empty_label /subChart/rows/0/seats/2",
      "error empty_label /subChart/rows/0/seats/3"
    ])
  })

  it("warns of two rows of a section that show the same places, and keeps both", () => {
    const rows = [
      row("A", [seat("1", 0, 0, { categoryKey: 1 })]),
      row("A", [seat("1", 99, 0, { categoryKey: 1 })])
    ]
    const { map, report } = accepted("seatsio", chart(subChart({ rows })))
    assert.deepStrictEqual(problems(report), ["warning duplicate_place /subChart/rows/1/seats/0"])
    assert.deepStrictEqual(seatsOf(map).length, 2)
  })

  it("imports seats without a category that the chart knows, with a warning and without one", () => {
    const { map, report } = accepted(
      "seatsio",
      chart(subChart({ rows: [row("A", [seat("1", 0, 0), seat("2", 20, 0, { categoryKey: 9 })])] }))
    )
    assert.deepStrictEqual(problems(report), [
      "warning no_category /subChart/rows/0/seats/0",
      "warning unknown_category /subChart/rows/0/seats/1"
    ])
    assert.deepStrictEqual(
      seatsOf(map).map(({ category }) => category),
      [null, null]
    )
    assert.deepInclude(report.categories, { name: null, seats: 2, places: 0 })
  })

  it("warns of seats that stand on one another", () => {
    const { report } = accepted(
      "seatsio",
      inRow([seat("1", 0, 0), seat("2", 20, 0), seat("3", 40, 0), seat("4", 41, 0.5), seat("5", 60, 0)])
    )
    assert.deepStrictEqual(problems(report), ["warning overlap /subChart/rows/0/seats/3"])
  })

  it("refuses capacities that are none, seats without a position, and what has the wrong shape", () => {
    const areas = [-1, 1.5, null, "many"].map((capacity, i) => ({
      label: `G${i}`,
      capacity,
      categoryKey: 1,
      uuid: `g${i}`
    }))
    const report = refused(
      "seatsio",
      chart(
        subChart({
          generalAdmissionAreas: areas,
          rows: [
            row("A", [seat("1", 0, 0, { x: null, categoryKey: 1 })]),
            "row",
            { label: "B", seats: {} },
            null
          ],
          tables: 7
        })
      )
    )
    assert.includeMembers(
      [...problems(report)],
      [
        "error capacity /subChart/generalAdmissionAreas/0",
        "error capacity /subChart/generalAdmissionAreas/1",
        "error capacity /subChart/generalAdmissionAreas/2",
        "error capacity /subChart/generalAdmissionAreas/3",
        "error position /subChart/rows/0/seats/0",
        "error unreadable /subChart/rows/1",
        "error unreadable /subChart/rows/2/seats",
        "warning empty_entry /subChart/rows/3",
        "error unreadable /subChart/tables"
      ]
    )
  })

  it("refuses what is no chart, and an empty one", () => {
    assert.deepStrictEqual(problems(refused("seatsio", {})), ["error unreadable "])
    assert.deepStrictEqual(problems(refused("seatsio", chart(subChart()))), ["error empty_plan "])
  })
})
