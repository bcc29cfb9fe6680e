import { assert, layer } from "@effect/vitest"
import { InventoryUnavailable } from "@onsale/contracts/inventory/InventoryClient"
import { Clock, Effect, Fiber } from "effect"
import { BookingUnavailable } from "@onsale/contracts/booking/OrderEntity"
import { makeUuidV7, OrderId } from "@onsale/contracts/Ids"
import { layerDatabase } from "@onsale/testing/PostgresFixture"
import { pollUntil } from "@onsale/testing/Poll"
import type { Fault } from "./Faults.ts"
import { makeHarness } from "./BookingHarness.ts"

layer(layerDatabase, { excludeTestServices: true })("Checkout", (it) => {
  it.effect(
    "buys what is held: two rows of the journal, a ticket a seat, and the same answer to the same key",
    () =>
      Effect.gen(function* () {
        const h = yield* makeHarness
        const { orders } = yield* h.start()
        const request = h.request(h.inventory.makeHold([3, 4], 2))
        const { order, replayed } = yield* orders.place(request)
        assert.isFalse(replayed)
        assert.strictEqual(order.status, "confirmed")
        assert.strictEqual(order.tickets.length, 4)
        assert.strictEqual(order.total.amount, 7_000)
        assert.strictEqual(order.payment.status, "captured")
        assert.strictEqual(yield* h.rows, 2)
        assert.deepStrictEqual(yield* orders.get(order.id), order)
        assert.strictEqual(h.inventory.soldSeats.get(3), order.id)
        assert.strictEqual(h.inventory.places(order.id), 2)

        assert.deepStrictEqual(yield* orders.place(request), { order, replayed: true })
        const other = yield* Effect.flip(orders.place({ ...request, fingerprint: "another body" }))
        assert.strictEqual(other._tag, "KeyReused")
        const elsewhere = yield* Effect.flip(
          orders.place(h.request(h.inventory.makeHold([9]), "tok_ok", request.key))
        )
        assert.strictEqual(elsewhere._tag, "KeyReused")

        const [ticket] = order.tickets
        assert.deepStrictEqual(yield* orders.ticket(ticket!.id), {
          ticket,
          orderId: order.id,
          eventId: order.eventId
        })
        const [sales] = yield* orders.sales(order.eventId)
        assert.deepInclude(sales, {
          orders: 1,
          tickets: 4,
          amount: 7_000,
          refunded: 0,
          kept: 0,
          currency: "EUR"
        })
        assert.strictEqual(h.payments.of().captures, 1)
        assert.strictEqual(yield* h.unfinished, 0)
        assert.deepStrictEqual(yield* h.breaches, [])
      })
  )

  const steps: ReadonlyArray<readonly [step: string, fault: Fault]> = [
    ["Freeze", "hangAfter"],
    ["Authorise", "hangBefore"],
    ["Authorise", "hangAfter"],
    ["Confirm", "hangBefore"],
    ["Confirm", "hangAfter"],
    ["Capture", "hangBefore"],
    ["Capture", "hangAfter"]
  ]
  it.effect.each(steps)(
    "a process that dies at %s (%s) leaves an order that another one finishes",
    ([step, fault]) =>
      Effect.gen(function* () {
        const h = yield* makeHarness
        const request = h.request(h.inventory.makeHold([3, 4], 1))
        h.inventory.faults.plan(step, fault)
        h.payments.faults.plan(step, fault)
        const dying = yield* h.start()
        const buyer = yield* Effect.forkChild(Effect.exit(dying.orders.place(request)))
        yield* h.hanging(step)
        yield* dying.kill
        yield* Fiber.interrupt(buyer)
        const { orders } = yield* h.start()
        if (step === "Freeze") {
          // There is no order yet; the buyer's browser asks again.
          assert.strictEqual((yield* orders.place(request)).order.status, "confirmed")
        } else {
          yield* h.reaches(orders, yield* h.theOrder, "confirmed")
          const again = yield* orders.place(request)
          assert.isTrue(again.replayed)
          assert.strictEqual(again.order.status, "confirmed")
          assert.deepStrictEqual(yield* orders.place(request), again)
        }
        assert.strictEqual(h.payments.of().captures, 1)
        assert.strictEqual(h.inventory.soldSeats.size, 2)
        assert.deepStrictEqual(yield* h.breaches, [])
      })
  )

  const unknowns: ReadonlyArray<readonly [step: string, fault: Fault]> = [
    "Authorise",
    "Confirm",
    "Capture"
  ].flatMap((step) =>
    (["before", "after", "dieBefore", "dieAfter"] as const).map((fault) => [step, fault] as const)
  )
  it.effect.each(unknowns)(
    "when the outcome of %s is not known (%s) the order waits, and is finished soon",
    ([step, fault]) =>
      Effect.gen(function* () {
        const h = yield* makeHarness
        h.inventory.faults.plan(step, fault)
        h.payments.faults.plan(step, fault)
        const { orders } = yield* h.start()
        const { order } = yield* orders.place(h.request(h.inventory.makeHold([3])))
        assert.strictEqual(order.status, "payment_pending")
        yield* h.hurry
        const done = yield* h.reaches(orders, order.id, "confirmed")
        assert.strictEqual(done?.tickets.length, 1)
        assert.strictEqual(h.payments.of().captures, 1)
        assert.deepStrictEqual(yield* h.breaches, [])
      })
  )

  it.effect(
    "an inventory that is away before anything was placed is told, and the same key may be sent again",
    () =>
      Effect.gen(function* () {
        const h = yield* makeHarness
        const { orders } = yield* h.start()
        const request = h.request(h.inventory.makeHold([3]))
        h.inventory.faults.plan("Freeze", "before", "after")
        // The hold's clock may stand still for it, so it is not said that nothing was done.
        for (let attempt = 0; attempt < 2; attempt++)
          assert.deepStrictEqual(
            yield* Effect.flip(orders.place(request)),
            new BookingUnavailable({ retryAfterMs: 1_000 })
          )
        assert.strictEqual((yield* orders.place(request)).order.status, "confirmed")
      })
  )

  it.effect(
    "while the first request with a key runs, the second is refused, and another body too (INV-07)",
    () =>
      Effect.gen(function* () {
        const h = yield* makeHarness
        const { kill, orders } = yield* h.start()
        const request = h.request(h.inventory.makeHold([3]))
        h.payments.faults.plan("Authorise", "hangBefore")
        const first = yield* Effect.forkChild(Effect.exit(orders.place(request)))
        yield* h.hanging("Authorise")
        assert.strictEqual((yield* Effect.flip(orders.place(request)))._tag, "KeyInUse")
        const other = yield* Effect.flip(orders.place({ ...request, fingerprint: "another body" }))
        assert.strictEqual(other._tag, "KeyReused")
        yield* kill
        yield* Fiber.interrupt(first)
      })
  )

  it.effect("an order that nobody waits for is not placed, and its hold is let go", () =>
    Effect.gen(function* () {
      const h = yield* makeHarness
      const request = { ...h.request(h.inventory.makeHold([3])), waitMs: 1_500 }
      h.inventory.faults.plan("Freeze", "hangAfter")
      const { orders } = yield* h.start()
      const buyer = yield* Effect.forkChild(Effect.flip(orders.place(request)))
      yield* h.hanging("Freeze")
      const hungMs = yield* Clock.currentTimeMillis
      yield* pollUntil(Clock.currentTimeMillis, (nowMs) => nowMs > hungMs + 1_500)
      yield* h.inventory.faults.release
      assert.deepStrictEqual(
        yield* Fiber.join(buyer),
        new BookingUnavailable({ retryAfterMs: 1_000, reason: "not_begun" })
      )
      assert.strictEqual(yield* h.rows, 0)
      assert.isNull(h.inventory.holds.get(request.order.holdId)!.order)
      // Nothing has happened: the same key buys it, for who waits.
      assert.strictEqual((yield* orders.place({ ...request, waitMs: 30_000 })).order.status, "confirmed")
      assert.deepStrictEqual(yield* h.breaches, [])
    })
  )

  it.effect(
    "an order with less than a second left does not stop the clock of its hold, which stops once",
    () =>
      Effect.gen(function* () {
        const h = yield* makeHarness
        const request = h.request(h.inventory.makeHold([3]))
        h.inventory.faults.plan("Freeze", "hangBefore")
        const { orders } = yield* h.start()
        for (const waitMs of [0, 999]) {
          const told = yield* Effect.raceFirst(
            Effect.flip(orders.place({ ...request, waitMs })),
            Effect.as(h.hanging("Freeze"), "frozen")
          )
          assert.deepStrictEqual(
            told,
            new BookingUnavailable({ retryAfterMs: 1_000, reason: "not_begun" }),
            `${waitMs} ms left`
          )
        }
        assert.strictEqual(yield* h.rows, 0)
        yield* h.inventory.faults.release
        assert.strictEqual((yield* orders.place({ ...request, waitMs: 30_000 })).order.status, "confirmed")
      })
  )

  it.effect(
    "a checkout that the inventory does not begin is told so, one that it may have begun is not",
    () =>
      Effect.gen(function* () {
        const h = yield* makeHarness
        const request = h.request(h.inventory.makeHold([3]))
        const { orders } = yield* h.start()
        for (const [reason, told] of [
          ["overloaded", { reason: "overloaded" }],
          ["not_begun", { reason: "not_begun" }],
          ["deadline", {}]
        ] as const) {
          h.inventory.refuses = new InventoryUnavailable({ reason, retryAfterMs: 1_000 })
          assert.deepStrictEqual(
            yield* Effect.flip(orders.place(request)),
            new BookingUnavailable({ retryAfterMs: 1_000, ...told })
          )
        }
        assert.strictEqual(yield* h.rows, 0)
        h.inventory.refuses = undefined
        assert.strictEqual((yield* orders.place(request)).order.status, "confirmed")
      })
  )

  it.effect("an order that is placed goes to its end, whoever waits", () =>
    Effect.gen(function* () {
      const h = yield* makeHarness
      const request = { ...h.request(h.inventory.makeHold([3])), waitMs: 2_000 }
      h.payments.faults.plan("Authorise", "hangAfter")
      const { orders } = yield* h.start({ supervised: false })
      const buyer = yield* Effect.forkChild(orders.place(request))
      yield* h.hanging("Authorise")
      const hungMs = yield* Clock.currentTimeMillis
      yield* pollUntil(Clock.currentTimeMillis, (nowMs) => nowMs > hungMs + 2_000)
      assert.strictEqual((yield* orders.placed(request.key))?.order.status, "payment_pending")
      yield* h.payments.faults.release
      assert.strictEqual((yield* Fiber.join(buyer)).order.status, "confirmed")
      assert.deepStrictEqual(yield* h.breaches, [])
    })
  )

  it.effect("many requests with one key make one order", () =>
    Effect.gen(function* () {
      const h = yield* makeHarness
      const { orders } = yield* h.start()
      const request = h.request(h.inventory.makeHold([3]))
      const answers = yield* Effect.forEach(
        Array.from({ length: 20 }),
        () => Effect.result(orders.place(request)),
        {
          concurrency: "unbounded"
        }
      )
      const ids = new Set(
        answers.flatMap((answer) => (answer._tag === "Success" ? [answer.success.order.id] : []))
      )
      assert.strictEqual(ids.size, 1)
      assert.isTrue(
        answers.every((answer) => answer._tag === "Success" || answer.failure._tag === "KeyInUse")
      )
      assert.strictEqual(h.payments.of().captures, 1)
    })
  )

  it.effect("of many orders on one hold one is confirmed", () =>
    Effect.gen(function* () {
      const h = yield* makeHarness
      const { orders } = yield* h.start()
      const hold = h.inventory.makeHold([3, 4])
      const answers = yield* Effect.forEach(
        Array.from({ length: 8 }),
        () => Effect.result(orders.place(h.request(hold))),
        { concurrency: "unbounded" }
      )
      const won = answers.filter((answer) => answer._tag === "Success")
      assert.strictEqual(won.length, 1)
      for (const answer of answers) {
        if (answer._tag === "Failure") assert.strictEqual(answer.failure._tag, "HoldNotBuyable")
      }
      assert.strictEqual(h.payments.of().captures, 1)
      assert.deepStrictEqual(yield* h.breaches, [])
    })
  )

  it.effect("after a decline the hold lives on, and a new order buys it", () =>
    Effect.gen(function* () {
      const h = yield* makeHarness
      const { orders } = yield* h.start()
      const hold = h.inventory.makeHold([3])
      const request = h.request(hold, "tok_declined")
      const declined = yield* orders.place(request)
      assert.strictEqual(declined.order.status, "declined")
      assert.strictEqual(declined.order.payment.failureCode, "card_declined")
      assert.isNull(h.inventory.holds.get(hold)?.order)
      const { order } = yield* orders.place(h.request(hold))
      assert.strictEqual(order.status, "confirmed")
      assert.deepStrictEqual(yield* orders.place(request), { ...declined, replayed: true })
      assert.deepStrictEqual(yield* h.breaches, [])
    })
  )

  it.effect("a decline that is cut off before the hold is let go is finished later", () =>
    Effect.gen(function* () {
      const h = yield* makeHarness
      h.inventory.faults.plan("Unfreeze", "hangAfter")
      const dying = yield* h.start()
      const hold = h.inventory.makeHold([3])
      const buyer = yield* Effect.forkChild(Effect.exit(dying.orders.place(h.request(hold, "tok_declined"))))
      yield* h.hanging("Unfreeze")
      yield* dying.kill
      yield* Fiber.interrupt(buyer)
      const { orders } = yield* h.start()
      yield* h.reaches(orders, yield* h.theOrder, "declined")
      assert.strictEqual((yield* orders.place(h.request(hold))).order.status, "confirmed")
    })
  )

  it.effect("a capture that fails for good gives the seats back and cancels", () =>
    Effect.gen(function* () {
      const h = yield* makeHarness
      const { orders } = yield* h.start()
      const { order } = yield* orders.place(h.request(h.inventory.makeHold([3], 1), "tok_nocapture"))
      assert.strictEqual(order.status, "cancelled")
      assert.strictEqual(order.reason, "capture_failed")
      assert.strictEqual(h.inventory.soldSeats.size, 0)
      assert.strictEqual(h.inventory.places(order.id), 0)
      assert.deepStrictEqual(yield* h.breaches, [])
    })
  )

  it.effect("who was charged for part of the order gets it back, and no tickets (INV-05)", () =>
    Effect.gen(function* () {
      const h = yield* makeHarness
      const { orders } = yield* h.start()
      const { order } = yield* orders.place(h.request(h.inventory.makeHold([3], 1), "tok_part"))
      assert.strictEqual(order.status, "cancelled")
      assert.strictEqual(order.reason, "captured_in_part")
      assert.deepStrictEqual(order.tickets, [])
      assert.strictEqual(h.payments.refunded(), h.payments.of().captured)
      assert.strictEqual(h.inventory.soldSeats.size, 0)
      assert.deepStrictEqual(yield* h.breaches, [])
    })
  )

  it.effect("a repeat after a checkout that was given up freezes the hold anew, and lets it go again", () =>
    Effect.gen(function* () {
      const h = yield* makeHarness
      const { orders } = yield* h.start({ supervised: false })
      const hold = h.inventory.makeHold([3])
      // Another order that is not done with the hold yet, though it has unfrozen it.
      const rival = yield* orders.place(h.request(hold, "tok_3ds"))
      const state = h.inventory.holds.get(hold)!
      state.order = null
      const request = h.request(hold)
      for (const attempt of [1, 2]) {
        const refused = yield* Effect.flip(orders.place(request))
        assert.strictEqual(refused._tag, "HoldNotBuyable")
        assert.isNull(state.order, `attempt ${attempt} lets go of the hold`)
      }
      yield* h.sql`UPDATE booking.orders SET status = 'declined', stage = 'declined', next_check_at = NULL
        WHERE id = ${rival.order.id}::uuid`
      h.payments.faults.plan("Authorise", "hangBefore")
      const buyer = yield* Effect.forkChild(orders.place(request))
      yield* h.hanging("Authorise")
      assert.isNotNull(state.order, "the hold's clock stands still while its buyer pays")
      yield* h.payments.faults.release
      const bought = yield* Fiber.join(buyer)
      assert.strictEqual(bought.order.status, "confirmed")
      assert.strictEqual(h.inventory.soldSeats.get(3), bought.order.id)
    })
  )

  it.effect.each(["Void", "Return", "Unfreeze"])(
    "undoing that is cut off at %s goes on, and forgets no reason",
    (step) =>
      Effect.gen(function* () {
        const h = yield* makeHarness
        h.inventory.faults.plan(step, "hangBefore")
        h.payments.faults.plan(step, "hangBefore")
        if (step === "Unfreeze") h.inventory.soldSeats.set(3, OrderId.make(makeUuidV7(0)))
        const dying = yield* h.start()
        const method = step === "Unfreeze" ? "tok_ok" : "tok_nocapture"
        const buyer = yield* Effect.forkChild(
          Effect.exit(dying.orders.place(h.request(h.inventory.makeHold([3]), method)))
        )
        yield* h.hanging(step)
        yield* dying.kill
        yield* Fiber.interrupt(buyer)
        const { orders } = yield* h.start()
        const order = yield* h.reaches(orders, yield* h.theOrder, "cancelled")
        assert.strictEqual(order?.reason, step === "Unfreeze" ? "seats_taken" : "capture_failed")
        assert.strictEqual(h.payments.of().captured, 0)
        yield* pollUntil(h.unfinished, (n) => n === 0)
        assert.deepStrictEqual(yield* h.breaches, [])
      })
  )
})
