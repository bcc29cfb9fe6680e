import { assert, describe, it } from "@effect/vitest"
import { Effect, Result, Schema } from "effect"
import { makeUuidV7, RefundId, TicketId } from "@onsale/contracts/Ids"
import type { OrderEvent } from "@onsale/contracts/booking/Order"
import { decide, firstRun, laterRun, next, Outcome, requestRefund } from "../src/Order.ts"
import { claimCount, claims, evolve, type Order, statusOf, toView } from "../src/OrderState.ts"
import { type Method, OrderWorld, orderId, payUntilMs, placed } from "./OrderWorld.ts"

/** 0 to 9, see `OrderWorld`; the more of them, the longer the trouble lasts. */
const Choices = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 9 }))).check(
  Schema.isMaxLength(24)
)
const Method = Schema.Literals(["ok", "declined", "action", "late", "never"])

const checkEnd = (world: OrderWorld) => {
  const order = world.order()
  const confirmed = world.events.filter(({ _tag }) => _tag === "Confirmed").length
  assert.include(["confirmed", "declined", "cancelled"], order.stage)
  assert.isAtMost(confirmed, 1, "never two Confirmed")
  assert.isAtMost(world.captures, 1)
  if (order.stage === "confirmed") {
    assert.strictEqual(confirmed, 1)
    assert.strictEqual(world.payment, "captured", "no ticket without payment")
    assert.strictEqual(order.tickets.length, claimCount(placed))
    assert.deepStrictEqual(
      order.tickets.map(({ codeVersion: _v, id: _i, status: _s, ...claim }) => claim),
      claims(order)
    )
    const valid = order.tickets.filter(({ status }) => status === "valid")
    assert.strictEqual(
      world.paid,
      valid.reduce((sum, { price }) => sum + price, 0),
      "captured is tickets or refund"
    )
    assert.strictEqual(
      world.sold,
      valid.length,
      "the seats of valid tickets are sold, those of others are not"
    )
  } else {
    assert.strictEqual(order.tickets.length, 0)
    assert.strictEqual(world.paid, 0, "nothing is kept of who gets nothing")
    assert.strictEqual(world.sold, 0, "nothing is sold to who pays nothing")
  }
}

/** An event that is in the journal already fits no more; only news of a payment may be told again. */
const checkRepeats = (world: OrderWorld) => {
  const order = world.order()
  const refusesAll = world.events.every((event) => {
    try {
      evolve(order, event, { orderId, atMs: 0 })
      return false
    } catch {
      return true
    }
  })
  assert.isTrue(refusesAll)
}

const checkout = (method: Method, choices: ReadonlyArray<number>) =>
  Effect.gen(function* () {
    const world = new OrderWorld(method, choices)
    yield* world.toEnd(firstRun)
    return world
  })

describe("Order", () => {
  it.effect.prop(
    "whatever fails, crashes or is repeated: money, seats and tickets agree in the end (INV-04, INV-05, INV-06)",
    { choices: Choices, method: Method },
    ({ choices, method }) =>
      Effect.gen(function* () {
        const world = yield* checkout(method, choices)
        checkEnd(world)
        checkRepeats(world)
        // A second look at a finished order changes nothing.
        const rows = world.journal.length
        yield* world.run(laterRun)
        assert.strictEqual(world.journal.length, rows)
        checkEnd(world)
      }),
    { arbitrary: { runs: 600 } }
  )

  it.effect.prop(
    "refunds pay back the price of each ticket once, through any failure (INV-05)",
    {
      choices: Choices,
      parts: Schema.Array(Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 3 }))))
    },
    ({ choices, parts }) =>
      Effect.gen(function* () {
        const world = yield* checkout("ok", [])
        world.choices.push(...choices)
        for (const part of [...parts, null]) {
          const order = world.order()
          const tickets = part === null ? null : part.map((i) => order.tickets[i]!.id)
          const refund = requestRefund(
            order,
            {
              refundId: RefundId.make(makeUuidV7(0)),
              tickets,
              reason: "ill",
              cause: "customer"
            },
            0
          )
          if (Result.isFailure(refund)) continue
          world.journal.push({ atMs: 0, events: [refund.success] })
          // The next may be asked for before this one is through.
          yield* world.run(laterRun)
        }
        world.choices.length = 0
        yield* world.toEnd(laterRun)
        checkEnd(world)
        checkRepeats(world)
        assert.strictEqual(statusOf(world.order()), "refunded")
        assert.strictEqual(world.paid, 0)
      }),
    { arbitrary: { runs: 300 } }
  )

  it.effect("a checkout in which nothing happens writes one row after Placed", () =>
    Effect.gen(function* () {
      const world = yield* checkout("ok", [])
      assert.deepStrictEqual(
        world.journal.map(({ events }) => events.map(({ _tag }) => _tag)),
        [["Placed"], ["PaymentAuthorised", "SeatsSold", "Confirmed"]]
      )
      const view = toView(world.order())
      assert.strictEqual(view.status, "confirmed")
      assert.strictEqual(view.payment.status, "captured")
      assert.strictEqual(view.tickets.length, 4)
    })
  )

  it.effect("a declined payment gives the hold back to its own clock, and sells nothing", () =>
    Effect.gen(function* () {
      const world = yield* checkout("declined", [])
      assert.strictEqual(world.unfrozen, 1)
      assert.deepStrictEqual(
        world.events.map(({ _tag }) => _tag),
        ["Placed", "PaymentDeclined"]
      )
      assert.strictEqual(toView(world.order()).payment.failureCode, "card_declined")
    })
  )

  it.effect(
    "who has to act waits, with the seats frozen, and is cancelled when the time to pay is over",
    () =>
      Effect.gen(function* () {
        const world = new OrderWorld("never", [])
        assert.strictEqual(yield* world.run(firstRun), "Wait")
        assert.strictEqual(next(world.order(), laterRun, payUntilMs - 1)._tag, "AskPayment")
        assert.strictEqual(next(world.order(), laterRun, payUntilMs)._tag, "LapsePayment")
        yield* world.toEnd(laterRun)
        assert.strictEqual(world.order().reason, "payment_timeout")
        assert.strictEqual(world.payment, "voided")
        checkEnd(world)
      })
  )

  it.effect("money that comes late for seats that are gone goes back by itself", () =>
    Effect.gen(function* () {
      const world = new OrderWorld("late", [])
      yield* world.run(firstRun)
      world.taken = true
      yield* world.toEnd(laterRun)
      assert.strictEqual(world.order().stage, "cancelled")
      assert.strictEqual(world.order().reason, "seats_taken")
      checkEnd(world)
    })
  )

  it.effect.prop(
    "money that comes after the end buys the same seats or goes back, whatever fails (INV-04, INV-05)",
    { choices: Choices, later: Choices, method: Method, taken: Schema.Boolean },
    ({ choices, later, method, taken }) =>
      Effect.gen(function* () {
        const world = yield* checkout(method, choices)
        if (taken && world.sold === 0) world.taken = true
        world.choices.push(...later)
        world.arrive()
        yield* world.toEnd(laterRun)
        world.choices.length = 0
        yield* world.toEnd(laterRun)
        checkEnd(world)
        checkRepeats(world)
      }),
    { arbitrary: { runs: 600 } }
  )

  it.effect.each([false, true])("of an order that was not paid in time, the seats taken: %s", (taken) =>
    Effect.gen(function* () {
      const world = new OrderWorld("never", [])
      yield* world.toEnd(firstRun)
      assert.strictEqual(world.order().reason, "payment_timeout")
      world.taken = taken
      world.arrive()
      yield* world.toEnd(laterRun)
      const order = world.order()
      assert.strictEqual(order.stage, taken ? "cancelled" : "confirmed")
      assert.strictEqual(order.lateMoney, taken ? "returned" : "taken")
      assert.include(
        world.events.map(({ _tag }) => _tag),
        "LateMoneyCame"
      )
      checkEnd(world)
    })
  )

  it.effect("of a declined order goes back: its buyer was told so, and may have bought again", () =>
    Effect.gen(function* () {
      const world = yield* checkout("declined", [])
      world.arrive()
      yield* world.toEnd(laterRun)
      assert.deepStrictEqual(
        world.events.map(({ _tag }) => _tag),
        ["Placed", "PaymentDeclined", "LateMoneyReturned"]
      )
      checkEnd(world)
    })
  )

  it.effect("while it is not known whether the money was captured the seats stay sold", () =>
    Effect.gen(function* () {
      const world = yield* checkout("ok", [])
      const order = world.events
        .filter(({ _tag }) => _tag !== "Confirmed")
        .reduce((before: Order | undefined, event) => evolve(before, event, { orderId, atMs: 0 }), undefined)
      assert.isDefined(order)
      if (order === undefined) return
      const capture = next(order, laterRun, payUntilMs * 2)
      assert.strictEqual(capture._tag, "Capture")
      for (const outcome of [
        Outcome.Unavailable(),
        Outcome.PaymentSeen({ payment: world.view("authorised") })
      ]) {
        const { events, run } = decide(order, laterRun, capture, outcome)
        assert.deepStrictEqual(events, [])
        assert.strictEqual(next(order, run, payUntilMs * 2)._tag, "Wait")
      }
    })
  )

  it.effect("a capture of part of the money issues no tickets: the order is undone (INV-05)", () =>
    Effect.gen(function* () {
      const world = yield* checkout("ok", [])
      const order = world.events
        .filter(({ _tag }) => _tag !== "Confirmed")
        .reduce((before: Order | undefined, event) => evolve(before, event, { orderId, atMs: 0 }), undefined)
      assert.isDefined(order)
      if (order === undefined) return
      const capture = next(order, firstRun, 0)
      const payment = { ...world.view("captured"), captured: placed.total.amount - 1 }
      const { events, run } = decide(order, firstRun, capture, Outcome.PaymentSeen({ payment }))
      assert.deepStrictEqual(events, [{ _tag: "Abandoned", reason: "captured_in_part" }])
      assert.strictEqual(next(evolve(order, events[0]!, { orderId, atMs: 0 }), run, 0)._tag, "GiveMoneyBack")
    })
  )

  it.effect("a payment that is disputed already was captured all the same: the tickets are issued", () =>
    Effect.gen(function* () {
      const world = yield* checkout("ok", [])
      const order = world.events
        .filter(({ _tag }) => _tag !== "Confirmed")
        .reduce((before: Order | undefined, event) => evolve(before, event, { orderId, atMs: 0 }), undefined)
      assert.isDefined(order)
      if (order === undefined) return
      const capture = next(order, firstRun, 0)
      const payment = { ...world.view("captured"), status: "disputed" as const }
      const { run } = decide(order, firstRun, capture, Outcome.PaymentSeen({ payment }))
      assert.strictEqual(next(order, run, 0)._tag, "IssueTickets")
    })
  )

  it("an event that does not fit is refused", () => {
    const at = { orderId, atMs: 0 }
    const order = evolve(undefined, placed, at)
    const misfits: ReadonlyArray<OrderEvent> = [
      placed,
      { _tag: "SeatsSold", reclaimed: false },
      { _tag: "Confirmed", tickets: [] },
      { _tag: "Cancelled", reason: "", payment: null },
      { _tag: "Refunded", refundId: RefundId.make(makeUuidV7(0)) }
    ]
    for (const event of misfits) assert.throws(() => evolve(order, event, at), /does not fit/)
    assert.throws(() => evolve(undefined, { _tag: "PaymentAuthorised", provider: "x" }, at), /does not fit/)
    const sold = evolve(
      evolve(order, { _tag: "PaymentAuthorised", provider: "x" }, at),
      { _tag: "SeatsSold", reclaimed: false },
      at
    )
    const one = claims(sold).map((claim) => ({
      ...claim,
      id: TicketId.make(makeUuidV7(0)),
      status: "valid" as const,
      codeVersion: 1
    }))
    assert.throws(() => evolve(sold, { _tag: "Confirmed", tickets: one.slice(1) }, at), /not its claims/)
  })

  it.effect("a refund names tickets of the order that are still valid", () =>
    Effect.gen(function* () {
      const order = (yield* checkout("ok", [])).order()
      const ask = (tickets: ReadonlyArray<TicketId> | null) =>
        requestRefund(
          order,
          { refundId: RefundId.make(makeUuidV7(0)), tickets, reason: "", cause: "customer" },
          0
        )
      const stranger = TicketId.make(makeUuidV7(0))
      const foreign = ask([stranger])
      assert.isTrue(Result.isFailure(foreign) && foreign.failure.tickets[0] === stranger)
      const twice = ask([order.tickets[0]!.id, order.tickets[0]!.id])
      assert.isTrue(Result.isSuccess(twice) && twice.success.amount === 2_500)
      const all = ask(null)
      assert.isTrue(Result.isSuccess(all) && all.success.amount === 9_000)
      assert.isTrue(Result.isFailure(ask([])))
    })
  )
})
