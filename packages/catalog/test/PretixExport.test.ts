import { assert, describe, it } from "@effect/vitest"
import type { SeatMap } from "@onsale/contracts/catalog/SeatMap"
import { Arbitrary, Schema } from "effect"
import { arena } from "../src/demo/ArenaPlan.ts"
import { club, meadow } from "../src/demo/SmallPlans.ts"
import { theatre } from "../src/demo/TheatrePlan.ts"
import { toPretix } from "../src/PretixExport.ts"
import { accepted } from "./Imports.ts"

const text = Schema.String.check(Schema.isMaxLength(12))
const whole = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1000 }))
const coordinate = Schema.Finite.check(Schema.isBetween({ minimum: -1e6, maximum: 1e6 }))
const list = <S extends Schema.Constraint>(item: S) => Schema.Array(item).check(Schema.isMaxLength(4))
const point = Schema.NullOr(Schema.Struct({ x: coordinate, y: coordinate }))

/** What makes a map any map; the test makes its labels and keys unlike each other. */
const Seed = Schema.Struct({
  name: text,
  focalPoint: point,
  categories: list(Schema.Struct({ name: text, color: Schema.NullOr(text), priced: Schema.Boolean })),
  sections: list(
    Schema.Struct({
      name: text,
      zone: Schema.NullOr(text),
      focalPoint: point,
      rows: list(
        Schema.Struct({
          label: text,
          seats: list(
            Schema.Struct({
              label: text,
              x: coordinate,
              y: coordinate,
              category: Schema.NullOr(whole),
              accessible: Schema.Boolean,
              companion: Schema.Boolean,
              restrictedView: Schema.Boolean
            })
          )
        })
      )
    })
  ),
  areas: list(Schema.Struct({ name: text, capacity: whole, category: Schema.NullOr(whole) }))
})

const printable = (value: string) => value.replaceAll(/[\p{Cc}\p{Cs}]/gu, "").trim()
const orNull = (value: string | null) => (value === null || printable(value) === "" ? null : printable(value))
const nonZero = (value: { readonly x: number; readonly y: number } | null) =>
  value === null ? null : { x: value.x + 0, y: value.y + 0 }

const toMap = (seed: typeof Seed.Type): SeatMap => {
  const categories = seed.categories.map(({ color, name, priced }, i) => ({
    name: `${printable(name)} ${i}`.trim(),
    color: orNull(color),
    ...(priced ? { price: `${i}.50` } : {})
  }))
  const categoryOf = (index: number | null) =>
    index === null || categories.length === 0 ? null : categories[index % categories.length]!.name
  return {
    name: printable(seed.name),
    categories,
    focalPoint: nonZero(seed.focalPoint),
    sections: seed.sections.map((section, s) => ({
      name: `${printable(section.name)} ${s}`.trim(),
      zone: orNull(section.zone),
      focalPoint: nonZero(section.focalPoint),
      rows: section.rows.map((row, r) => ({
        label: printable(row.label),
        seats: row.seats.map(({ category, label, x, y, ...flags }, i) => ({
          key: `${s}-${r}-${i}`,
          label: `${printable(label)} ${i}`.trim(),
          x: x + 0,
          y: y + 0,
          category: categoryOf(category),
          ...flags
        }))
      }))
    })),
    // At least one, for a plan without anything to sell is refused.
    areas: [...seed.areas, { name: "", capacity: 1, category: null }].map(
      ({ capacity, category, name }, i) => ({
        key: `area ${i}`,
        name: `${printable(name)} ${i}`.trim(),
        capacity,
        category: categoryOf(category)
      })
    )
  }
}

describe("the export to pretix", () => {
  it.prop(
    "imports to the same map again",
    [Arbitrary.map(Arbitrary.schema(Seed), toMap)],
    ([map]) => {
      assert.deepStrictEqual(accepted("pretix", JSON.stringify(toPretix(map))).map, map)
    },
    { arbitrary: { runs: 200 } }
  )

  it("keeps the plans of the demo season", () => {
    for (const map of [arena, theatre, meadow, club]) {
      const again = accepted("pretix", JSON.stringify(toPretix(map)))
      assert.deepStrictEqual(again.map, map)
      assert.deepStrictEqual(again.report.problems, [])
    }
  })

  it("writes no field of ours for a plain seat", () => {
    const plain: SeatMap = {
      name: "Plain",
      categories: [{ name: "c", color: null }],
      focalPoint: null,
      sections: [
        {
          name: "S",
          zone: null,
          focalPoint: null,
          rows: [
            {
              label: "1",
              seats: [
                {
                  key: "k",
                  label: "1",
                  x: 30.5,
                  y: 40,
                  category: "c",
                  accessible: false,
                  companion: false,
                  restrictedView: false
                }
              ]
            }
          ]
        }
      ],
      areas: []
    }
    assert.deepStrictEqual(JSON.parse(JSON.stringify(toPretix(plain))), {
      name: "Plain",
      size: { width: 51, height: 60 },
      categories: [{ name: "c" }],
      zones: [
        {
          name: "S",
          position: { x: 0, y: 0 },
          rows: [
            {
              row_number: "1",
              position: { x: 0, y: 0 },
              seats: [{ seat_guid: "k", seat_number: "1", position: { x: 30.5, y: 40 }, category: "c" }]
            }
          ],
          areas: []
        }
      ]
    })
  })
})

describe("the demo season's plans", () => {
  const count = (map: SeatMap) => accepted("pretix", toPretix(map)).report

  it("have an arena of 8,897 seats, a theatre of about 1,400 and a field of 20,000", () => {
    assert.deepStrictEqual(count(arena).seats, 8897)
    assert.isAtLeast(count(theatre).seats, 1350)
    assert.isAtMost(count(theatre).seats, 1450)
    assert.deepStrictEqual([count(meadow).seats, count(meadow).areaCapacity], [0, 20_000])
  })

  it("have a companion seat beside each accessible one", () => {
    for (const map of [arena, theatre, club]) {
      const rows = map.sections.flatMap((section) => section.rows)
      const beside = rows.flatMap((row) => row.seats.filter((_, i) => row.seats[i - 1]?.accessible === true))
      const accessible = rows.flatMap((row) => row.seats).filter((seat) => seat.accessible)
      assert.isAbove(accessible.length, 0)
      assert.deepStrictEqual(beside.length, accessible.length)
      assert.isTrue(beside.every((seat) => seat.companion && !seat.accessible))
    }
  })
})
