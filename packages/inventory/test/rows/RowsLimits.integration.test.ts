import { assert, layer } from "@effect/vitest"
import { makeEventId } from "@onsale/contracts/Ids"
import type { InventoryCommand, RefusalCode } from "@onsale/contracts/inventory/InventoryCommand"
import type { SaleLayout } from "@onsale/contracts/inventory/SaleLayout"
import {
  confirm,
  freeze,
  held,
  hold,
  newHoldId,
  newOrderId,
  release,
  sold,
  takeBack
} from "@onsale/testing/InventorySale"
import { grid, voucher } from "@onsale/testing/SaleLayouts"
import { SteeredClock } from "@onsale/testing/SteeredClock"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { expectClean, expectInOrder, expectRowsClean, ground, process } from "./RowsHarness.ts"

const all = { concurrency: "unbounded" } as const

/** 30 commands at once from three processes, ten at each, for what there are 7 of. */
const race = Effect.fnUntraced(function* (
  event: number,
  layout: Partial<SaleLayout>,
  ask: (i: number) => InventoryCommand,
  lost: RefusalCode
) {
  const processes = [yield* process, yield* process, yield* process]
  const eventId = makeEventId(event)
  yield* processes[0]!.open(eventId, grid(4, 10, layout))
  const answers = yield* Effect.forEach(
    Array.from({ length: 30 }, (_, i) => i),
    (i) => processes[i % 3]!.execute(eventId, ask(i)),
    all
  )
  assert.lengthOf(
    answers.filter(({ _tag }) => _tag === "Held"),
    7
  )
  for (const answer of answers) if (answer._tag === "Refused") assert.strictEqual(answer.code, lost)
  yield* expectInOrder(eventId)
  yield* expectClean
  return {
    processes,
    eventId,
    won: answers.flatMap((answer) => (answer._tag === "Held" ? [answer.hold] : []))
  }
})

layer(ground, { excludeTestServices: true, timeout: "60 seconds" })("Limits over several processes", (it) => {
  it.effect("INV-01: the last ticket of a quota goes to one of three processes", () =>
    race(
      1,
      { quotas: [{ name: "All", capacity: 7, tiers: [0], areas: [] }] },
      (i) => hold({ seats: [i] }),
      "quota_full"
    )
  )

  it.effect("INV-08: the last ticket that a customer may have goes to one of three processes", () =>
    Effect.gen(function* () {
      const customer = "somebody"
      const { eventId, processes, won } = yield* race(
        2,
        { maxPerCustomer: 7 },
        (i) => hold({ seats: [i], customer }),
        "limit_passed"
      )
      // What is sold counts on, what is given back does not, whoever does it.
      const order = newOrderId()
      const [one, other] = [won[0]!, won[1]!]
      const claims = { seats: one.seats.map(({ seat }) => seat) }
      sold(yield* processes[1]!.execute(eventId, confirm(one.holdId, order, { ...claims, customer })))
      const next = () => hold({ seats: [35], customer })
      assert.strictEqual((yield* processes[2]!.execute(eventId, next()))._tag, "Refused")
      yield* processes[0]!.execute(eventId, release(other.holdId))
      held(yield* processes[2]!.execute(eventId, next()))
      assert.strictEqual((yield* processes[0]!.execute(eventId, next()))._tag, "Refused")
      yield* processes[2]!.execute(eventId, takeBack(order, claims))
      held(yield* processes[0]!.execute(eventId, hold({ seats: [36], customer })))
      yield* expectClean
    })
  )

  it.effect("INV-08: holds that become one customer's at checkout, at three processes at once", () =>
    Effect.gen(function* () {
      const processes = [yield* process, yield* process, yield* process]
      const eventId = makeEventId(3)
      yield* processes[0]!.open(eventId, grid(4, 10, { maxPerCustomer: 7 }))
      const holds = yield* Effect.forEach(
        Array.from({ length: 12 }, (_, i) => i),
        (i) => Effect.map(processes[i % 3]!.execute(eventId, hold({ seats: [i] })), held),
        all
      )
      const frozen = yield* Effect.forEach(
        holds,
        ({ holdId }, i) =>
          processes[i % 3]!.execute(eventId, freeze(holdId, newOrderId(), undefined, "somebody")),
        all
      )
      assert.lengthOf(
        frozen.filter(({ _tag }) => _tag === "Held"),
        7
      )
      yield* expectClean
    })
  )

  it.effect("INV-08: the last ticket of a voucher goes to one of three processes", () =>
    race(
      4,
      { vouchers: [voucher(1, { maxTickets: 7 })] },
      (i) => hold({ seats: [i], voucherKey: "voucher 1" }),
      "voucher_used"
    )
  )

  it.effect("a new layout counts what is claimed against its own quotas, and expired holds no more", () =>
    Effect.gen(function* () {
      const [one, other] = [yield* process, yield* process]
      const clock = yield* SteeredClock
      const eventId = makeEventId(6)
      const layout = grid(4, 10, { revision: 3 })
      yield* one.open(eventId, layout)
      held(yield* one.execute(eventId, hold({ seats: [0, 1], areas: [{ area: 0, quantity: 2 }] })))
      const order = newOrderId()
      const bought = held(yield* one.execute(eventId, hold({ seats: [2] })))
      sold(yield* one.execute(eventId, confirm(bought.holdId, order, { seats: [2] })))
      const quotas = [{ name: "All", capacity: 6, tiers: [0, 1], areas: [] }]
      yield* other.open(eventId, { ...layout, quotas, revision: 4 })
      const left = Effect.map(one.availability(eventId), (view) =>
        view?.tiers.map(({ available }) => available)
      )
      assert.deepStrictEqual(yield* left, [1, 1])
      // One that comes late changes nothing.
      yield* one.open(eventId, layout)
      assert.deepStrictEqual(yield* left, [1, 1])
      assert.strictEqual((yield* one.execute(eventId, hold({ seats: [5, 6] })))._tag, "Refused")
      yield* clock.advance(10_000)
      assert.deepStrictEqual(yield* left, [5, 5])
      held(yield* one.execute(eventId, hold({ seats: [3, 4, 5, 6, 7] })))
      assert.deepStrictEqual(yield* left, [0, 0])
      yield* expectClean
    })
  )

  it.effect("rows that were emptied are made again from the journal, with all that is counted", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const layout = grid(4, 10, {
        maxPerCustomer: 4,
        quotas: [{ name: "All", capacity: 6, tiers: [0, 1], areas: [] }],
        vouchers: [voucher(1, { maxTickets: 3 })]
      })
      const eventId = makeEventId(7)
      const before = yield* Effect.scoped(
        Effect.gen(function* () {
          const client = yield* process
          yield* client.open(eventId, layout)
          const first = held(
            yield* client.execute(eventId, hold({ seats: [0, 1], customer: "a", voucherKey: "voucher 1" }))
          )
          held(yield* client.execute(eventId, hold({ areas: [{ area: 0, quantity: 2 }], customer: "a" })))
          const claims = { seats: [0, 1], customer: "a", voucher: first.voucher! }
          sold(yield* client.execute(eventId, confirm(first.holdId, newOrderId(), claims)))
          return yield* client.availability(eventId)
        })
      )
      // As migration 0007 leaves them.
      yield* sql`TRUNCATE inventory.row_head, inventory.row_hold, inventory.row_seat, inventory.row_area,
        inventory.row_area_sale, inventory.row_answer, inventory.row_quota, inventory.row_customer,
        inventory.row_voucher, inventory.row_buyer`
      const client = yield* process
      assert.deepStrictEqual(yield* client.availability(eventId), before)
      yield* expectClean
      const refusedFor = Effect.fnUntraced(function* (command: InventoryCommand) {
        const answer = yield* client.execute(eventId, command)
        return answer._tag === "Refused" ? answer.code : answer._tag
      })
      assert.strictEqual(yield* refusedFor(hold({ seats: [5], customer: "a" })), "limit_passed")
      assert.strictEqual(yield* refusedFor(hold({ seats: [5, 6], voucherKey: "voucher 1" })), "voucher_used")
      assert.strictEqual(yield* refusedFor(hold({ seats: [5, 6, 7] })), "quota_full")
      held(yield* client.execute(eventId, hold({ seats: [5, 6] })))
      yield* expectClean
    })
  )
})

layer(ground, { excludeTestServices: true, timeout: "60 seconds" })(
  "Changes over several processes",
  (it) => {
    it.effect("a hold that is replaced at two processes at once is replaced once", () =>
      Effect.gen(function* () {
        const processes = [yield* process, yield* process]
        const eventId = makeEventId(5)
        yield* processes[0]!.open(eventId, grid(4, 10))
        const { holdId } = held(yield* processes[0]!.execute(eventId, hold({ seats: [0, 1] })))
        const answers = yield* Effect.forEach(
          Array.from({ length: 8 }, (_, i) => i),
          (i) =>
            processes[i % 2]!.execute(
              eventId,
              hold({ seats: [1, 2 + i], replaces: holdId, holdId: newHoldId() })
            ),
          all
        )
        assert.lengthOf(
          answers.filter(({ _tag }) => _tag === "Held"),
          1
        )
        yield* expectRowsClean
      })
    )
  }
)
