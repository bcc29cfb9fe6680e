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
  sold,
  takeBack
} from "@onsale/testing/InventorySale"
import { hall } from "@onsale/testing/SaleLayouts"
import { advance, now } from "@onsale/testing/SteeredClock"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import type { Breach } from "../src/InventoryAudit.ts"
import { auditOf, journalOf, layerWorld, type Runner, startRunner } from "./InventoryHarness.ts"

/** An event with a live hold of seats 0 and 1 and two places, and a sale of seats 10 and 11 and one place. */
const prepare = Effect.fnUntraced(function* (runner: Runner) {
  const eventId = makeEventId(0)
  yield* runner.inventory.open(eventId, hall())
  const execute = (command: Parameters<Runner["inventory"]["execute"]>[1]) =>
    runner.inventory.execute(eventId, command)
  const live = held(yield* execute(hold({ seats: [0, 1], areas: [{ area: 0, quantity: 2 }] })))
  const what = { seats: [10, 11], areas: [{ area: 0, quantity: 1 }] }
  const bought = held(yield* execute(hold(what)))
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
        seats: [20, 21, 22, 23, 24, 25, 26],
        areas: [],
        exp: nowMs + 1,
        cap: nowMs + 1
      }
    ],
    [["INV-08", /has 7 tickets of at most 6/]]
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
