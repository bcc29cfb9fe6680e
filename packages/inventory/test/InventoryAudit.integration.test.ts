/** The audit finds what it is for: each breach is planted in the tables, behind the inventory's back. */
import { assert, layer } from "@effect/vitest"
import { CommandId, type EventId, makeEventId } from "@onsale/contracts/Ids"
import type { InventoryEvent } from "@onsale/contracts/inventory/InventoryEvent"
import {
  confirm,
  held,
  hold,
  newCommandId,
  newHoldId,
  newOrderId,
  refused,
  sold,
  takeBack
} from "@onsale/testing/InventorySale"
import { hall, voucher, withTier } from "@onsale/testing/SaleLayouts"
import { advance, now } from "@onsale/testing/SteeredClock"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import type { Breach } from "../src/InventoryAudit.ts"
import { auditOf, journalOf, layerWorld, type Runner, startRunner } from "./InventoryHarness.ts"

/** Rules that what is prepared keeps, to its last ticket. */
const ruled = (options: Parameters<typeof hall>[0] = {}) =>
  withTier(
    hall({
      quotas: [{ name: "Stalls", capacity: 6, tiers: [0, 1], areas: [] }],
      vouchers: [voucher(1, { maxTickets: 3 })],
      maxPerCustomer: 3,
      ...options
    }),
    "Rear",
    { minPerOrder: 2, maxPerOrder: 3 }
  )
const { id: voucherId } = voucher(1)

/** An event with a live hold of seats 0 and 1 and two places, and a sale of seats 10 and 11 and one place. */
const prepare = Effect.fnUntraced(function* (runner: Runner) {
  const eventId = makeEventId(0)
  yield* runner.inventory.open(eventId, ruled())
  const execute = (command: Parameters<Runner["inventory"]["execute"]>[1]) =>
    runner.inventory.execute(eventId, command)
  const live = held(yield* execute(hold({ seats: [0, 1], areas: [{ area: 0, quantity: 2 }] })))
  const what = { seats: [10, 11], areas: [{ area: 0, quantity: 1 }] }
  const bought = held(yield* execute(hold({ ...what, customer: "ann", voucherKey: "voucher 1" })))
  const order = newOrderId()
  sold(yield* execute(confirm(bought.holdId, order, what)))
  return { eventId, liveHold: live.holdId, order, execute }
})
type Prepared = Effect.Success<ReturnType<typeof prepare>>

/** Appends what never was decided. */
const plant = Effect.fnUntraced(function* (
  runner: Runner,
  eventId: EventId,
  events: ReadonlyArray<InventoryEvent>,
  skipped = 0
) {
  const { rows } = yield* journalOf(runner, eventId)
  yield* runner.store.journal.append({
    stream: eventId,
    version: rows.length + 1 + skipped,
    atMs: yield* now,
    correlation: null,
    events
  })
})

/** A hold that never was decided. */
const heldEvent = (
  nowMs: number,
  what: Partial<Extract<InventoryEvent, { readonly _tag: "Held" }>>
): InventoryEvent => ({
  _tag: "Held",
  ...ids(),
  hold: newHoldId(),
  seats: [],
  areas: [],
  exp: nowMs + 1,
  cap: nowMs + 1,
  ...what
})

const ids = () => ({ cmd: newCommandId(), fp: "" })
const claims = { seats: [], areas: [] }

/** By what they are: what to write, and what must be found, once. */
const events: Readonly<
  Record<
    string,
    readonly [
      (prepared: Prepared, nowMs: number) => ReadonlyArray<InventoryEvent>,
      ReadonlyArray<readonly [Breach["invariant"], RegExp]>
    ]
  >
> = {
  "a held seat is held again": [
    (_, nowMs) => [
      { _tag: "Held", ...ids(), hold: newHoldId(), seats: [1], areas: [], exp: nowMs + 1, cap: nowMs + 1 }
    ],
    [["INV-01", /seat 1 went to hold .* while hold .* had it/]]
  ],
  "a sold seat is held": [
    (_, nowMs) => [
      { _tag: "Held", ...ids(), hold: newHoldId(), seats: [10], areas: [], exp: nowMs + 1, cap: nowMs + 1 }
    ],
    [["INV-01", /seat 10 went to hold .* was sold/]]
  ],
  "a hold names a seat twice": [
    (_, nowMs) => [
      { _tag: "Held", ...ids(), hold: newHoldId(), seats: [5, 5], areas: [], exp: nowMs + 1, cap: nowMs + 1 }
    ],
    [["INV-01", /names a seat twice/]]
  ],
  "a live hold is made again": [
    ({ liveHold }, nowMs) => [
      { _tag: "Held", ...ids(), hold: liveHold, seats: [5], areas: [], exp: nowMs + 1, cap: nowMs + 1 }
    ],
    [["INV-01", /was made twice/]]
  ],
  "an area has more than its places": [
    (_, nowMs) => [
      {
        _tag: "Held",
        ...ids(),
        hold: newHoldId(),
        seats: [],
        areas: [{ area: 0, quantity: 3 }],
        exp: nowMs + 1,
        cap: nowMs + 1
      }
    ],
    [["INV-01", /area 0 has 6 live holds and sales for 5 places/]]
  ],
  "a hold is sold in part": [
    ({ liveHold, order }) => [
      { _tag: "Sold", ...ids(), hold: liveHold, order, seats: [0], areas: [], reclaimed: false }
    ],
    [
      ["INV-02", /was sold something else \(seat 0\)/],
      ["INV-01", /seat 0 .* not in the table of sales/]
    ]
  ],
  "a hold that is not there is sold": [
    ({ order }) => [
      { _tag: "Sold", ...ids(), hold: newHoldId(), order, seats: [7], areas: [], reclaimed: false }
    ],
    [
      ["INV-03", /was sold and is not there/],
      ["INV-01", /seat 7 .* not in the table of sales/]
    ]
  ],
  "a live hold is swept": [
    ({ liveHold }) => [{ _tag: "Expired", holds: [liveHold] }],
    [["INV-03", /was swept before its time/]]
  ],
  "seats are returned by who has them not": [
    () => [{ _tag: "Returned", ...ids(), order: newOrderId(), seats: [], areas: [{ area: 0, quantity: 1 }] }],
    [["INV-01", /returned more of area 0 than it had/]]
  ],
  "an order has more than it may": [
    (_, nowMs) => [
      {
        _tag: "Held",
        ...ids(),
        hold: newHoldId(),
        seats: [40, 41, 42, 43, 44, 45, 46],
        areas: [],
        exp: nowMs + 1,
        cap: nowMs + 1
      }
    ],
    [["INV-08", /has 7 tickets of at most 6/]]
  ],
  "a quota is passed by a hold": [
    (_, nowMs) => [heldEvent(nowMs, { seats: [2, 20, 21] })],
    [["INV-01", /with hold .* quota Stalls has 7 live holds and sales for 6 tickets/]]
  ],
  "a quota is passed by money that comes late": [
    ({ order }) => [
      { _tag: "Sold", ...ids(), hold: newHoldId(), order, seats: [2, 20, 21], areas: [], reclaimed: true }
    ],
    [
      ["INV-01", /with order .* quota Stalls has 7/],
      ["INV-01", /seat 2 .* not in the table of sales/],
      ["INV-01", /seat 20 .* not in the table of sales/],
      ["INV-01", /seat 21 .* not in the table of sales/]
    ]
  ],
  "a customer has more than the limit by a hold": [
    (_, nowMs) => [heldEvent(nowMs, { seats: [40], customer: "ann" })],
    [["INV-08", /with hold .* customer ann has 4 tickets of at most 3/]]
  ],
  "a customer has more than the limit by a checkout": [
    ({ liveHold, order }, nowMs) => [
      { _tag: "Frozen", ...ids(), hold: liveHold, order, ...claims, until: nowMs + 1, customer: "ann" }
    ],
    [["INV-08", /with checkout of hold .* customer ann has 7 tickets/]]
  ],
  "a customer has more than the limit by a sale": [
    (_, nowMs) => {
      const hold = newHoldId()
      const order = newOrderId()
      const area = [{ area: 0, quantity: 1 }]
      return [
        heldEvent(nowMs, { hold, areas: area }),
        { _tag: "Sold", ...ids(), hold, order, seats: [], areas: area, reclaimed: false, customer: "ann" }
      ]
    },
    [["INV-08", /with order .* customer ann has 4 tickets/]]
  ],
  "a voucher is used for more than its tickets": [
    (_, nowMs) => [heldEvent(nowMs, { seats: [40], voucher: voucherId })],
    [["INV-08", /voucher .* has 4 tickets of at most 3/]]
  ],
  "a hold is made with a voucher that there is not": [
    (_, nowMs) => [heldEvent(nowMs, { seats: [40], voucher: voucher(9).id })],
    [["INV-08", /was made with voucher .* which there is not/]]
  ],
  "a hold has more of a tier than it may, and another one less": [
    (_, nowMs) => [heldEvent(nowMs, { seats: [20, 21, 22, 23] }), heldEvent(nowMs, { seats: [24] })],
    [
      ["INV-01", /quota Stalls has 8/],
      ["INV-01", /quota Stalls has 9/],
      ["INV-08", /has 4 tickets of tier Rear, of at most 3/],
      ["INV-08", /has 1 tickets of tier Rear, of at least 2/]
    ]
  ],
  "a change gains time": [
    ({ liveHold }, nowMs) => [heldEvent(nowMs, { seats: [0, 1], replaces: liveHold, exp: nowMs + 60_000 })],
    [["INV-03", /gained time by being changed/]]
  ],
  "a hold that is gone is changed": [
    (_, nowMs) => [heldEvent(nowMs, { seats: [40], replaces: newHoldId() })],
    [["INV-03", /was changed and is not there/]]
  ],
  "a command is carried out twice": [
    ({ order }) => {
      const twice = { cmd: CommandId.make("twice"), fp: "" }
      return [
        { _tag: "SoldBefore", ...twice, order },
        { _tag: "SoldBefore", ...twice, order }
      ]
    },
    [["INV-07", /command twice was carried out twice/]]
  ]
}

layer(layerWorld, { excludeTestServices: true, timeout: "60 seconds" })("InventoryAudit", (it) => {
  it.effect("has nothing to say of a day like any other", () =>
    Effect.gen(function* () {
      const runner = yield* startRunner()
      const { eventId, execute, order } = yield* prepare(runner)
      yield* execute(takeBack(order, { seats: [10], areas: [{ area: 0, quantity: 1 }] }))
      yield* advance(20_000)
      const { holdId } = held(yield* execute(hold({ seats: [0, 10], areas: [{ area: 0, quantity: 4 }] })))
      yield* advance(20_000)
      // Late, and still free.
      const again = confirm(holdId, newOrderId(), { seats: [0, 10], areas: [{ area: 0, quantity: 4 }] })
      sold(yield* execute(again))
      yield* advance(20 * 60_000)
      yield* execute(hold({ seats: [40] }))
      sold(yield* execute(again))
      assert.deepStrictEqual(yield* auditOf(runner, eventId), [])
    })
  )

  it.effect("has nothing to say of quotas, limits and vouchers that are kept, lowered and given back", () =>
    Effect.gen(function* () {
      const runner = yield* startRunner()
      const { eventId, execute, liveHold, order } = yield* prepare(runner)
      const lowered = ruled({
        quotas: [{ name: "Stalls", capacity: 3, tiers: [0, 1], areas: [] }],
        vouchers: [voucher(1, { maxTickets: 1 })],
        maxPerCustomer: 2,
        revision: 1
      })
      const change = held(yield* execute(hold({ seats: [1, 20, 21], replaces: liveHold }))).holdId
      yield* runner.inventory.open(eventId, lowered)
      refused(yield* execute(hold({ seats: [2] })), "quota_full")
      sold(yield* execute(confirm(change, newOrderId(), { seats: [1, 20, 21] })))
      yield* execute(takeBack(order, { seats: [10, 11], areas: [{ area: 0, quantity: 1 }] }))
      yield* runner.inventory.open(eventId, ruled({ revision: 2 }))
      // The last of each: of the quota, of the customer's and of the voucher's tickets.
      const three = held(yield* execute(hold({ seats: [2, 3, 4], customer: "ann", voucherKey: "voucher 1" })))
      yield* advance(10_000)
      // Nobody has swept when these are held.
      held(yield* execute(hold({ seats: [4, 5, 6], customer: "ann", voucherKey: "voucher 1" })))
      const late = { seats: [2, 3], customer: "ann", voucher: voucherId }
      refused(yield* execute(confirm(three.holdId, newOrderId(), late)), "quota_full")
      assert.deepStrictEqual(yield* auditOf(runner, eventId), [])
    })
  )

  for (const [name, [planted, found]] of Object.entries(events)) {
    it.effect(`finds it: ${name}`, () =>
      Effect.gen(function* () {
        const runner = yield* startRunner()
        const prepared = yield* prepare(runner)
        yield* plant(runner, prepared.eventId, planted(prepared, yield* now))
        const breaches = yield* auditOf(runner, prepared.eventId)
        assert.lengthOf(breaches, found.length, JSON.stringify(breaches))
        for (const [invariant, text] of found) {
          assert.isTrue(
            breaches.some((breach) => breach.invariant === invariant && text.test(breach.detail)),
            JSON.stringify(breaches)
          )
        }
      })
    )
  }

  it.effect("finds it: a hold is honoured after its time", () =>
    Effect.gen(function* () {
      const runner = yield* startRunner()
      const { eventId, liveHold, order } = yield* prepare(runner)
      yield* runner.stop
      yield* advance(10_000)
      // Nobody asks it for the event, so nobody sweeps.
      const next = yield* startRunner()
      yield* plant(next, eventId, [
        { _tag: "Frozen", ...ids(), hold: liveHold, order, ...claims, until: (yield* now) + 1 },
        { _tag: "Released", ...ids(), hold: newHoldId() }
      ])
      assert.deepStrictEqual(
        (yield* auditOf(next, eventId)).map(({ invariant }) => invariant),
        ["INV-03", "INV-03"]
      )
    })
  )

  it.effect("finds it: a row is missing, a sale is missing, a sale is nobody's", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const runner = yield* startRunner()
      const missing = yield* prepare(runner)
      yield* plant(runner, missing.eventId, [{ _tag: "Expired", holds: [] }], 1)
      assert.deepStrictEqual(
        (yield* auditOf(runner, missing.eventId)).map(({ invariant }) => invariant),
        ["INV-09"]
      )

      const sale = yield* prepare(runner)
      yield* sql`DELETE FROM inventory.sale WHERE event_id = ${sale.eventId}::uuid AND seat = 10`
      yield* sql`INSERT INTO inventory.sale (event_id, seat, order_id) VALUES (${sale.eventId}::uuid, 33, ${sale.order}::uuid)`
      const breaches = yield* auditOf(runner, sale.eventId)
      assert.deepStrictEqual(
        breaches.map(({ invariant }) => invariant),
        ["INV-01", "INV-01"]
      )
      assert.match(breaches[0]!.detail, /seat 10 .* not in the table of sales/)
      assert.match(breaches[1]!.detail, /seat 33 .* not in the journal/)
    })
  )
})
