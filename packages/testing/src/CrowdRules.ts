/** What holds when commands are repeated or come all at once, and what is told: part of `InventorySuite`. */
import { Effect } from "effect"
import { assert } from "vitest"
import {
  confirm,
  held,
  hold,
  newHoldId,
  newOrderId,
  openSale,
  refused,
  seatsOf,
  sold
} from "./InventorySale.ts"
import { grid, hall, hallSeats, widerHall } from "./SaleLayouts.ts"
import { advance } from "./SteeredClock.ts"
import type { Rules } from "./InventorySuite.ts"

export const crowdRules: Rules = (it) => {
  // --- repeats

  it.effect(
    "INV-07: the same command is answered alike, whatever happened since; another one under its id is refused",
    () =>
      Effect.gen(function* () {
        const sale = yield* openSale(hall())
        const command = hold({ seats: [0], fingerprint: "a" })
        const loser = hold({ seats: [0, 1], fingerprint: "b" })
        const first = yield* sale.execute(command)
        const lost = yield* sale.execute(loser)
        refused(lost, "seats_taken", { seats: [0] })
        yield* advance(60_000)
        held(yield* sale.hold({ seats: [0] }))
        assert.deepStrictEqual(yield* sale.execute(command), first)
        assert.deepStrictEqual(yield* sale.execute(loser), lost)
        refused(yield* sale.execute({ ...command, fingerprint: "c" }), "key_reused")
        yield* sale.expectTaken({ held: [0] })
      })
  )

  it.effect("INV-01: a hold's id is used once", () =>
    Effect.gen(function* () {
      const sale = yield* openSale(hall())
      const holdId = newHoldId()
      held(yield* sale.hold({ seats: [0], holdId }))
      yield* advance(5_000)
      refused(yield* sale.hold({ seats: [1], holdId }), "key_reused")
      yield* sale.expectTaken({ held: [0] })
    })
  )

  it.effect("INV-07: the same command sent many times at once is carried out once", () =>
    Effect.gen(function* () {
      const sale = yield* openSale(hall())
      const commands = Array.from({ length: 8 }, (_, i) => hold({ seats: [i], areas: [] }))
      const answers = yield* Effect.forEach(
        Array.from({ length: 64 }, (_, i) => commands[i % 8]!),
        sale.execute,
        { concurrency: "unbounded" }
      )
      answers.forEach((answer, i) => assert.deepStrictEqual(answer, answers[i % 8]))
      yield* sale.expectTaken({ held: [0, 1, 2, 3, 4, 5, 6, 7] })
    })
  )

  // --- many at once

  it.effect(
    "INV-01: 200 buyers race for 50 seats, ten times: 50 win, no seat twice, every loser is told",
    () =>
      Effect.forEach(
        Array.from({ length: 10 }, (_, round) => round),
        Effect.fnUntraced(function* (round) {
          const sale = yield* openSale(grid(5, 10))
          const answers = yield* Effect.forEach(
            Array.from({ length: 200 }, (_, buyer) => (buyer * 7 + round) % 50),
            (seat) => Effect.map(sale.hold({ seats: [seat] }), (answer) => ({ seat, answer })),
            { concurrency: "unbounded" }
          )
          const winners = answers.flatMap(({ answer }) => (answer._tag === "Held" ? seatsOf(answer) : []))
          assert.lengthOf(winners, 50)
          assert.lengthOf(new Set(winners), 50)
          for (const { answer, seat } of answers) {
            if (answer._tag !== "Held") refused(answer, "seats_taken", { seats: [seat] })
          }
          yield* sale.expectTaken({ held: winners })
        }),
        { discard: true }
      )
  )

  it.effect("INV-02: buyers of overlapping threes race: nobody has a part of what they wanted", () =>
    Effect.gen(function* () {
      const sale = yield* openSale(grid(5, 10))
      const answers = yield* Effect.forEach(
        Array.from({ length: 144 }, (_, i) => i % 48),
        (seat) =>
          Effect.map(sale.hold({ seats: [seat + 2, seat, seat + 1] }), (answer) => ({ seat, answer })),
        { concurrency: "unbounded" }
      )
      const taken = new Set<number>()
      for (const { answer } of answers) {
        if (answer._tag !== "Held") continue
        assert.lengthOf(seatsOf(answer), 3)
        for (const seat of seatsOf(answer)) {
          assert.isFalse(taken.has(seat), `seat ${seat} twice`)
          taken.add(seat)
        }
      }
      for (const { answer, seat } of answers) {
        if (answer._tag === "Held") continue
        const { seats } = refused(answer, "seats_taken")
        assert.isNotEmpty(seats)
        for (const one of seats) assert.isTrue(taken.has(one) && one >= seat && one <= seat + 2)
      }
      yield* sale.expectTaken({ held: [...taken] })
    })
  )

  it.effect("INV-01: many buyers of one area have together exactly its places", () =>
    Effect.gen(function* () {
      const sale = yield* openSale(grid(1, 1, { areas: [{ name: "Floor", tier: 1, capacity: 100 }] }))
      const answers = yield* Effect.forEach(
        Array.from({ length: 150 }, (_, i) => 1 + (i % 3)),
        (quantity) => Effect.map(sale.hold({ areas: [{ area: 0, quantity }] }), (a) => ({ quantity, a })),
        { concurrency: "unbounded" }
      )
      const places = answers.reduce((sum, { a, quantity }) => sum + (a._tag === "Held" ? quantity : 0), 0)
      assert.isAtMost(places, 100)
      const view = yield* sale.availability
      assert.strictEqual(view.areas[0]!.available, 100 - places)
      const smallestLoser = Math.min(
        ...answers.flatMap(({ a, quantity }) => (a._tag === "Held" ? [] : [quantity]))
      )
      assert.isBelow(view.areas[0]!.available, smallestLoser)
    })
  )

  // --- what is said

  it.effect("availability tells what is not free, and a version that moves with every change", () =>
    Effect.gen(function* () {
      const sale = yield* openSale(hall())
      const before = yield* sale.availability
      assert.strictEqual(before.total, hallSeats.forSale)
      assert.deepStrictEqual(
        before.areas.map(({ capacity }) => capacity),
        [5, 10]
      )
      const { holdId } = held(yield* sale.hold({ seats: [0, 1] }))
      const during = yield* sale.availability
      assert.isAbove(during.version, before.version)
      sold(yield* sale.execute(confirm(holdId, newOrderId(), { seats: [0, 1] })))
      assert.isAbove((yield* sale.availability).version, during.version)
      yield* sale.expectTaken({ sold: [0, 1] })
    })
  )

  it.effect("a new layout adds seats and places; the same again changes nothing", () =>
    Effect.gen(function* () {
      const sale = yield* openSale(hall())
      const { holdId } = held(yield* sale.hold({ seats: [55], areas: [{ area: 0, quantity: 1 }] }))
      refused(yield* sale.hold({ seats: [56] }), "seats_unknown", { seats: [56] })
      const { version } = yield* sale.availability
      yield* sale.open(widerHall())
      const wider = yield* sale.availability
      assert.strictEqual(wider.total, hallSeats.forSale + 8)
      assert.isAbove(wider.version, version)
      yield* sale.expectTaken({ held: [55], free: [4, 10, 3] })
      held(yield* sale.hold({ seats: [56, 63], areas: [{ area: 2, quantity: 3 }] }))
      assert.notProperty(yield* sale.look(holdId), "_tag")
      const same = widerHall()
      yield* sale.open(same)
      const opened = (yield* sale.availability).version
      yield* sale.open(same)
      assert.strictEqual((yield* sale.availability).version, opened)
      yield* sale.expectTaken({ held: [55, 56, 63], free: [4, 10, 0] })
    })
  )

  it.effect("a layout of an older revision changes nothing, and one of a newer or the same one does", () =>
    Effect.gen(function* () {
      const sale = yield* openSale(hall({ revision: 2, maxPerOrder: 2 }))
      const { version } = yield* sale.availability
      yield* sale.open(hall({ revision: 1, maxPerOrder: 5 }))
      yield* sale.open(hall({ maxPerOrder: 5 }))
      // Not even one that would be refused.
      held(yield* sale.hold({ seats: [55] }))
      yield* sale.open(grid(1, 1))
      refused(yield* sale.hold({ seats: [0, 1, 2] }), "limit_passed")
      yield* sale.open(hall({ revision: 2, maxPerOrder: 3 }))
      held(yield* sale.hold({ seats: [0, 1, 2] }))
      yield* sale.open(hall({ revision: 3, maxPerOrder: 4 }))
      held(yield* sale.hold({ seats: [3, 4, 5, 6] }))
      assert.isAbove((yield* sale.availability).version, version)
    })
  )

  it.effect("a layout that would take away what is claimed is refused, and the sale goes on", () =>
    Effect.gen(function* () {
      const sale = yield* openSale(widerHall())
      // Nobody has claimed anything yet.
      yield* sale.open(hall())
      refused(yield* sale.hold({ seats: [56] }), "seats_unknown")
      held(yield* sale.hold({ seats: [20], areas: [{ area: 0, quantity: 4 }] }))
      for (const layout of [
        grid(1, 10),
        hall({ areas: [] }),
        hall({
          areas: [
            { name: "Floor", tier: 3, capacity: 3 },
            { name: "Terrace", tier: -1, capacity: 10 }
          ]
        })
      ]) {
        const exit = yield* Effect.exit(sale.open(layout))
        assert.strictEqual(exit._tag, "Failure")
      }
      yield* sale.expectTaken({ held: [20], free: [1, 10] })
      held(yield* sale.hold({ seats: [21] }))
    })
  )
}
