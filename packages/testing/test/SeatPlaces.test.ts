import { assert, describe, it } from "@effect/vitest"
import { arena } from "@onsale/catalog/demo/ArenaPlan"
import { theatre } from "@onsale/catalog/demo/TheatrePlan"
import * as PlanOutline from "@onsale/catalog/PlanOutline"
import { planSide } from "@onsale/contracts/catalog/EventPlan"
import type { SeatMap } from "@onsale/contracts/catalog/SeatMap"
import * as SeatPlaces from "@onsale/notifications/SeatPlaces"

const seatsOf = (map: SeatMap) =>
  map.sections.flatMap(({ rows }, section) =>
    rows.flatMap(({ seats }) => seats.map(({ x, y }) => ({ x, y, section })))
  )

/** Rows of a stadium that curve round its field, and no two seats of which are at equal distances. */
const stadium = (sections: number, rows: number, seats: number): SeatMap => ({
  name: "Stadium",
  categories: [],
  focalPoint: { x: 0, y: 0 },
  areas: [],
  sections: Array.from({ length: sections }, (_, s) => ({
    name: `S${s}`,
    zone: null,
    focalPoint: null,
    rows: Array.from({ length: rows }, (_, r) => ({
      label: `${r}`,
      seats: Array.from({ length: seats }, (_, i) => {
        const angle = ((s + (i + 1) / (seats + 2)) / sections) * 2 * Math.PI
        const radius = 6_000 + r * 90
        return {
          key: `${s}-${r}-${i}`,
          label: `${i}`,
          x: Math.cos(angle) * radius * 1.4,
          y: Math.sin(angle) * radius,
          category: null,
          accessible: false,
          companion: false,
          restrictedView: false
        }
      })
    }))
  }))
})

describe("SeatPlaces", () => {
  it.each([
    ["arena", arena],
    ["theatre", theatre],
    ["stadium", stadium(40, 20, 30)]
  ] as const)("the place on a ticket is where the seat map of the venue has the seat: %s", (_, map) => {
    const plan = PlanOutline.of(map) ?? assert.fail("no plan")
    const places = SeatPlaces.make(plan)
    const seats = seatsOf(map)
    const [xs, ys] = [seats.map(({ x }) => x), seats.map(({ y }) => y)]
    const focus = map.focalPoint
    const left = Math.min(...xs, focus?.x ?? Infinity)
    const top = Math.min(...ys, focus?.y ?? Infinity)
    const side = Math.max(
      Math.max(...xs, focus?.x ?? -Infinity) - left,
      Math.max(...ys, focus?.y ?? -Infinity) - top
    )
    for (let seat = 0; seat < seats.length; seat += 7) {
      const place = places.of(seat) ?? assert.fail(`seat ${seat} has no place`)
      const { section, x, y } = seats[seat]!
      const off = Math.hypot(
        place.x - ((x - left) / side) * planSide,
        place.y - ((y - top) / side) * planSide
      )
      assert.strictEqual(place.section, section)
      assert.isAtMost(off, Math.max(2.5, place.pitch / 3), `seat ${seat}`)
      assert.isAtMost(place.near.length, 480)
    }
    assert.isUndefined(places.of(seats.length))
    assert.isUndefined(places.of(-1))
  })

  it.each([
    ["theatre", theatre],
    ["seats that stand alone in their rows", stadium(3, 40, 1)],
    ["stadium", stadium(4, 20, 30)]
  ] as const)("beside it are the seats within reach, the nearest first: %s", (_, map) => {
    const places = SeatPlaces.make(PlanOutline.of(map) ?? assert.fail("no plan"))
    const seats = seatsOf(map).map(({ section }, seat) => ({ section, ...places.of(seat) }))
    for (const [seat, { near = [], pitch = 0, section, x = 0, y = 0 }] of seats.entries()) {
      if (seat % 5 !== 0) continue
      const expected = seats
        .flatMap((other) => {
          const [dx, dy] = [(other.x ?? 0) - x, (other.y ?? 0) - y]
          const isNear = Math.abs(dx) <= 11.5 * pitch && Math.abs(dy) <= 5.5 * pitch
          return other.section === section && isNear && (dx !== 0 || dy !== 0) ? [Math.hypot(dx, dy)] : []
        })
        .toSorted((a, b) => a - b)
        .slice(0, 240)
      const found = Array.from({ length: near.length / 2 }, (_, i) =>
        Math.hypot(near[2 * i]! - x, near[2 * i + 1]! - y)
      )
      assert.deepStrictEqual(found, expected, `seat ${seat}`)
    }
  })

  it("a hall of 100,000 seats is told of in some hundred kilobytes", () => {
    const plan = PlanOutline.of(stadium(100, 25, 40))
    assert.isBelow(JSON.stringify(plan).length, 200_000)
    assert.isBelow(JSON.stringify(SeatPlaces.make(plan ?? assert.fail("no plan")).plan).length, 30_000)
  })

  it("a map without seats has no plan, and one seat alone has a place", () => {
    assert.isUndefined(PlanOutline.of({ ...theatre, sections: [] }))
    const plan = PlanOutline.of(stadium(1, 1, 1)) ?? assert.fail("no plan")
    assert.deepInclude(SeatPlaces.make(plan).of(0), { section: 0, near: [] })
  })
})
