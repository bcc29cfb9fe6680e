import { assert, describe, it } from "@effect/vitest"
import { accepted, places, problems, refused, seatsOf } from "./Imports.ts"

const seat = (
  guid: string | null,
  number: unknown,
  x: number,
  y: number,
  category: unknown = "Stalls",
  more: object = {}
) => ({
  seat_guid: guid,
  seat_number: number,
  position: { x, y },
  category,
  ...more
})

const plan = (zones: ReadonlyArray<unknown>, more: object = {}) => ({
  name: "Großer Saal",
  size: { width: 800, height: 600 },
  categories: [{ name: "Stalls", color: "red" }, { name: "Balcony" }],
  zones,
  ...more
})

describe("a pretix plan", () => {
  it("stands each seat at the sum of the positions of zone, row and seat", () => {
    const { map, report } = accepted(
      "pretix",
      plan([
        {
          name: "Main",
          position: { x: 100, y: 50 },
          rows: [
            {
              row_number: "1",
              position: { x: 10, y: 5 },
              seats: [seat("a", "1", 1, 2), seat("b", "2", 26.5, 2.25)]
            },
            { row_number: "2", position: { x: 10, y: 35 }, seats: [seat("c", "1", 1, 2, "Balcony")] }
          ]
        }
      ])
    )
    assert.deepStrictEqual(report.problems, [])
    assert.deepStrictEqual(places(map), ["Main|1|1", "Main|1|2", "Main|2|1"])
    assert.deepStrictEqual(
      seatsOf(map).map(({ category, key, x, y }) => [key, x, y, category]),
      [
        ["a", 111, 57, "Stalls"],
        ["b", 136.5, 57.25, "Stalls"],
        ["c", 111, 87, "Balcony"]
      ]
    )
    assert.deepStrictEqual(map.categories, [
      { name: "Stalls", color: "red" },
      { name: "Balcony", color: null }
    ])
    assert.deepStrictEqual(report.sections, [{ name: "Main", rows: 2, seats: 3 }])
  })

  it("reads plans from the wild: more fields, fractions, numbers for texts, nulls", () => {
    const { map, report } = accepted(
      "pretix",
      plan(
        [
          {
            name: null,
            zone_id: "z",
            uuid: "u",
            position: { x: "10.5", y: 0 },
            rows: [
              {
                row_number: 3,
                row_label: null,
                row_number_position: "both",
                position: null,
                rotation: 12,
                seats: [
                  seat(null, 7, 0.25, 1, "Stalls", { uuid: "from-uuid", radius: 10, start_direction: null }),
                  null,
                  { seat_guid: 12, seat_number: "8", position: { x: 30, y: 1 }, category: null }
                ]
              }
            ],
            areas: [{ shape: "circle", circle: { radius: 3 }, position: { x: 1, y: 1 }, color: null }]
          },
          {
            name: "Bar",
            position: { x: 0, y: 0 },
            rows: [],
            areas: [{ shape: "text", text: { text: "Bar" } }]
          }
        ],
        { size: null, background: { url: "x" } }
      )
    )
    assert.deepStrictEqual(places(map), ["|3|7", "|3|8"])
    assert.deepInclude(seatsOf(map)[0]!, { key: "from-uuid", x: 10.75, y: 1 })
    assert.deepInclude(seatsOf(map)[1]!, { key: "12", category: null })
    assert.deepStrictEqual(problems(report), [
      "warning empty_entry /zones/0/rows/0/seats/1",
      "warning no_category /zones/0/rows/0/seats/2"
    ])
  })

  it("looks at the drawn stage", () => {
    const stage = {
      shape: "rectangle",
      position: { x: 100, y: 20 },
      rectangle: { width: 200, height: 50 },
      text: { text: "Bühne", position: { x: 100, y: 25 } }
    }
    const rows = [{ row_number: "1", seats: [seat("a", "1", 0, 200)] }]
    const { map } = accepted("pretix", plan([{ name: "M", position: { x: 10, y: 0 }, rows, areas: [stage] }]))
    assert.deepStrictEqual(map.focalPoint, { x: 210, y: 45 })
  })

  it("tells duplicates, unknown categories and overlaps with their places", () => {
    const rows = [
      { row_number: "1", seats: [seat("a", "1", 0, 0), seat("b", "2", 25, 0), seat("a", "3", 50, 0)] },
      {
        row_number: "2",
        seats: [seat("d", "1", 0, 30, "Nowhere"), seat("e", "1", 25, 30), seat("f", "3", 25, 31)]
      }
    ]
    const report = refused("pretix", plan([{ name: "M", position: { x: 0, y: 0 }, rows }]))
    assert.deepStrictEqual(problems(report), [
      "error duplicate_seat /zones/0/rows/0/seats/2",
      "error duplicate_label /zones/0/rows/1/seats/1",
      "warning unknown_category /zones/0/rows/1/seats/0",
      "warning overlap /zones/0/rows/1/seats/2"
    ])
    assert.deepStrictEqual(report.problemCount, 4)
  })

  it("is not confused by names that objects have by themselves", () => {
    const hostile = JSON.parse(
      `{"name":"x","categories":[{"name":"__proto__"},{"name":"constructor"}],"__proto__":{"zones":[]},
        "zones":[{"name":"__proto__","position":{"x":0,"y":0},"rows":[{"row_number":"toString","seats":[
        {"seat_guid":"__proto__","seat_number":"hasOwnProperty","position":{"x":0,"y":0},"category":"__proto__"},
        {"seat_guid":"valueOf","seat_number":"2","position":{"x":9,"y":0},"category":"toString"}]}]}]}`
    )
    const { map, report } = accepted("pretix", hostile)
    assert.deepStrictEqual(places(map), ["__proto__|toString|hasOwnProperty", "__proto__|toString|2"])
    assert.deepStrictEqual(
      seatsOf(map).map(({ category }) => category),
      ["__proto__", null]
    )
    assert.deepStrictEqual(problems(report), ["warning unknown_category /zones/0/rows/0/seats/1"])
    assert.isUndefined(Object.getOwnPropertyDescriptor(Object.prototype, "zones"))
  })

  it("does not take inherited fields for the file's own", () => {
    const zones = [{ rows: [{ row_number: "1", seats: [seat("a", "1", 0, 0)] }] }]
    const report = refused("pretix", Object.create(plan(zones)))
    assert.deepStrictEqual(problems(report), ["error unreadable /zones"])
  })
})
