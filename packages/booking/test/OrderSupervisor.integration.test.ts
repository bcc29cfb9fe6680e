import { assert, layer } from "@effect/vitest"
import { Effect, Exit, Fiber } from "effect"
import { makeUuidV7, OrderId, TicketId } from "@onsale/contracts/Ids"
import { pollUntil } from "@onsale/testing/Poll"
import { layerDatabase } from "@onsale/testing/PostgresFixture"
import { SqlClient } from "effect/sql"
import * as DueOrders from "../src/DueOrders.ts"
import { makeHarness } from "./BookingHarness.ts"

layer(layerDatabase, { excludeTestServices: true })("OrderSupervisor", (it) => {
  it.effect("news of the payment finishes an order that waits for its buyer to act", () =>
    Effect.gen(function* () {
      const h = yield* makeHarness
      const { orders } = yield* h.start()
      const request = h.request(h.inventory.makeHold([3]), "tok_3ds")
      const { order } = yield* orders.place(request)
      assert.strictEqual(order.status, "payment_pending")
      assert.strictEqual(order.payment.status, "requires_action")
      assert.deepStrictEqual(order.nextAction, { type: "redirect", url: "https://bank.example/3ds" })
      // The first answer stays the answer to its key.
      h.payments.of().status = "authorised"
      yield* h.news(h.payments.of().intentId, { _tag: "Authorised", reference: "r" })
      const confirmed = yield* h.reaches(orders, order.id, "confirmed")
      assert.isNull(confirmed?.nextAction)
      assert.deepStrictEqual(yield* orders.place(request), { order, replayed: true })
      assert.deepStrictEqual(yield* h.breaches, [])
    })
  )

  it.effect("who has not paid when the time is over is cancelled, the payment void and the seats free", () =>
    Effect.gen(function* () {
      const h = yield* makeHarness
      const { orders } = yield* h.start()
      h.inventory.checkoutMaxMs = 300
      const { order } = yield* orders.place(h.request(h.inventory.makeHold([3]), "tok_3ds"))
      assert.strictEqual(order.status, "payment_pending")
      const cancelled = yield* h.reaches(orders, order.id, "cancelled")
      assert.strictEqual(cancelled?.reason, "payment_timeout")
      assert.strictEqual(cancelled?.payment.status, "voided")
      assert.strictEqual(h.payments.of().status, "voided")
      assert.strictEqual(h.inventory.soldSeats.size, 0)
      yield* pollUntil(h.unfinished, (n) => n === 0)
      assert.deepStrictEqual(yield* h.breaches, [])
    })
  )

  it.effect.each(["before", "after"] as const)(
    "an order whose provider does not answer (%s it did anything) keeps its seats to the end of its time; then a last look decides",
    (fault) =>
      Effect.gen(function* () {
        const h = yield* makeHarness
        const { orders } = yield* h.start({ supervised: false })
        h.inventory.checkoutMaxMs = 1_500
        h.payments.faults.plan("Authorise", fault)
        for (let i = 0; i < 500; i++) {
          h.payments.faults.plan("Authorise", "before")
          h.payments.faults.plan("Refresh", "before")
          h.payments.faults.plan("GetPayment", "before")
        }
        const hold = h.inventory.makeHold([3])
        const { order } = yield* orders.place(h.request(hold))
        assert.strictEqual(order.status, "payment_pending")
        assert.strictEqual(h.inventory.holds.get(hold)?.order, order.id, "the seats are frozen for it")
        const other = yield* Effect.result(orders.place(h.request(hold)))
        assert.strictEqual(other._tag, "Failure", "nobody else can check them out")
        const again = yield* h.start()
        const isPaid = fault === "after"
        const ended = yield* h.reaches(again.orders, order.id, isPaid ? "confirmed" : "cancelled")
        assert.strictEqual(ended?.reason, isPaid ? null : "payment_timeout")
        assert.strictEqual(h.inventory.soldSeats.get(3), isPaid ? order.id : undefined)
        for (const payment of h.payments.book.values()) {
          assert.strictEqual(payment.status, isPaid ? "captured" : "voided")
          assert.strictEqual(payment.captures, isPaid ? 1 : 0)
        }
        yield* pollUntil(h.unfinished, (n) => n === 0)
        assert.deepStrictEqual(yield* h.breaches, [])
      })
  )

  it.effect("money that comes when the hold is gone takes the same seats again if they are free", () =>
    Effect.gen(function* () {
      const h = yield* makeHarness
      const { orders } = yield* h.start({ supervised: false })
      const hold = h.inventory.makeHold([3])
      const { order } = yield* orders.place(h.request(hold, "tok_late"))
      h.inventory.expire(hold)
      h.payments.of().status = "authorised"
      const again = yield* h.start()
      yield* h.reaches(again.orders, order.id, "confirmed")
      assert.strictEqual(h.inventory.soldSeats.get(3), order.id)
    })
  )

  it.effect("money that comes when the seats are another's goes back by itself", () =>
    Effect.gen(function* () {
      const h = yield* makeHarness
      const { orders } = yield* h.start({ supervised: false })
      const hold = h.inventory.makeHold([3])
      const { order } = yield* orders.place(h.request(hold, "tok_late"))
      h.inventory.expire(hold)
      const winner = yield* orders.place(h.request(h.inventory.makeHold([3])))
      assert.strictEqual(winner.order.status, "confirmed")
      h.payments.of(order.id).status = "authorised"
      const again = yield* h.start()
      const cancelled = yield* h.reaches(again.orders, order.id, "cancelled")
      assert.strictEqual(cancelled?.reason, "seats_taken")
      assert.strictEqual(h.payments.of(order.id).status, "voided")
      assert.strictEqual(h.inventory.soldSeats.get(3), winner.order.id)
      assert.deepStrictEqual(yield* h.breaches, [])
    })
  )

  it.effect.each([false, true])(
    "money that comes after the order was cancelled for want of it; the seats taken: %s",
    (taken) =>
      Effect.gen(function* () {
        const h = yield* makeHarness
        const { orders } = yield* h.start()
        h.inventory.checkoutMaxMs = 100
        const hold = h.inventory.makeHold([3])
        const { order } = yield* orders.place(h.request(hold, "tok_3ds"))
        yield* h.reaches(orders, order.id, "cancelled")
        yield* pollUntil(h.unfinished, (n) => n === 0)
        h.inventory.expire(hold)
        h.inventory.checkoutMaxMs = 60_000
        if (taken) yield* orders.place(h.request(h.inventory.makeHold([3])))
        const payment = h.payments.of(order.id)
        payment.status = "authorised"
        payment.late = true
        yield* h.news(payment.intentId, { _tag: "Authorised", reference: "r" })
        yield* pollUntil(h.lateMoney(order.id), (late) => late === (taken ? "returned" : "taken"))
        const end = yield* orders.get(order.id)
        assert.strictEqual(end?.status, taken ? "cancelled" : "confirmed")
        assert.strictEqual(end?.tickets.length, taken ? 0 : 1)
        assert.strictEqual(payment.status, taken ? "voided" : "captured")
        assert.strictEqual(h.inventory.soldSeats.get(3) === order.id, !taken)
        yield* pollUntil(h.unfinished, (n) => n === 0)
        assert.deepStrictEqual(yield* h.breaches, [])
      })
  )

  it.effect("money that moves for an order that ended without tickets is given back (INV-05)", () =>
    Effect.gen(function* () {
      const h = yield* makeHarness
      const { orders } = yield* h.start()
      const { order } = yield* orders.place(h.request(h.inventory.makeHold([3]), "tok_declined"))
      assert.strictEqual(order.status, "declined")
      const payment = h.payments.of()
      payment.status = "captured"
      payment.captured = payment.payment.amount
      yield* h.news(
        payment.intentId,
        { _tag: "Authorised", reference: "r" },
        { _tag: "Captured", amount: 2_500 }
      )
      yield* pollUntil(
        Effect.sync(() => h.payments.refunded()),
        (refunded) => refunded === 2_500
      )
      assert.strictEqual((yield* orders.get(order.id))?.status, "declined")
      yield* pollUntil(h.unfinished, (n) => n === 0)
    })
  )

  it.effect("refunds by ticket and of the rest, each once, and not a cent more", () =>
    Effect.gen(function* () {
      const h = yield* makeHarness
      const { orders } = yield* h.start()
      const { order } = yield* orders.place(h.request(h.inventory.makeHold([3, 4], 2)))
      const [first, , third] = order.tickets
      const refund = { key: makeUuidV7(0), fingerprint: "a", tickets: [first!.id, third!.id], reason: "ill" }
      const part = yield* orders.refund(order.id, refund)
      assert.strictEqual(part.status, "partially_refunded")
      assert.strictEqual(part.refunds[0]?.amount.amount, 3_500)
      assert.strictEqual(part.refunds[0]?.status, "succeeded")
      assert.isFalse(h.inventory.soldSeats.has(3))
      assert.strictEqual(h.inventory.places(order.id), 1)
      assert.strictEqual(h.payments.refunded(), 3_500)
      assert.strictEqual((yield* orders.ticket(first!.id))?.ticket.status, "refunded")

      assert.deepStrictEqual(yield* orders.refund(order.id, refund), part)
      assert.strictEqual(h.payments.refunded(), 3_500)
      assert.strictEqual(
        (yield* Effect.flip(orders.refund(order.id, { ...refund, fingerprint: "b" })))._tag,
        "KeyReused"
      )
      const again = yield* Effect.flip(orders.refund(order.id, { ...refund, key: makeUuidV7(0) }))
      assert.strictEqual(again._tag, "NotRefundable")
      const stranger = { ...refund, key: makeUuidV7(0), tickets: [TicketId.make(makeUuidV7(0))] }
      assert.strictEqual((yield* Effect.flip(orders.refund(order.id, stranger)))._tag, "NotRefundable")

      // The seat is sold to another meanwhile.
      assert.strictEqual(
        (yield* orders.place(h.request(h.inventory.makeHold([3])))).order.status,
        "confirmed"
      )

      const rest = yield* orders.refund(order.id, { ...refund, key: makeUuidV7(0), tickets: null })
      assert.strictEqual(rest.status, "refunded")
      assert.strictEqual(rest.payment.status, "refunded")
      assert.strictEqual(h.payments.refunded(order.id), order.total.amount)
      assert.strictEqual(yield* h.unfinished, 0)
      assert.deepStrictEqual(yield* h.breaches, [])
      const none = OrderId.make(makeUuidV7(0))
      assert.strictEqual(
        (yield* Effect.flip(orders.refund(none, { ...refund, key: "k" })))._tag,
        "OrderNotFound"
      )
    })
  )

  it.effect.each([
    ["Refund", "hangBefore"],
    ["Refund", "hangAfter"],
    ["Return", "hangBefore"],
    ["Return", "hangAfter"]
  ] as const)("a refund that dies at %s (%s) is finished by another process", ([step, fault]) =>
    Effect.gen(function* () {
      const h = yield* makeHarness
      const dying = yield* h.start()
      const { order } = yield* dying.orders.place(h.request(h.inventory.makeHold([3, 4], 1)))
      h.inventory.faults.plan(step, fault)
      h.payments.faults.plan(step, fault)
      const refund = { key: makeUuidV7(0), fingerprint: "a", tickets: null, reason: "ill" }
      const asking = yield* Effect.forkChild(Effect.exit(dying.orders.refund(order.id, refund)))
      yield* h.hanging(step)
      assert.strictEqual((yield* Effect.flip(dying.orders.refund(order.id, refund)))._tag, "KeyInUse")
      yield* dying.kill
      yield* Fiber.interrupt(asking)
      const { orders } = yield* h.start()
      yield* h.reaches(orders, order.id, "refunded")
      assert.strictEqual((yield* orders.refund(order.id, refund)).status, "refunded")
      assert.strictEqual(h.payments.refunded(), order.total.amount)
      assert.strictEqual(h.inventory.soldSeats.size, 0)
      assert.strictEqual(h.inventory.places(order.id), 0)
      assert.deepStrictEqual(yield* h.breaches, [])
    })
  )

  it.effect("of two owners of one order the loser takes back what it did", () =>
    Effect.gen(function* () {
      const h = yield* makeHarness
      const frozen = yield* h.start({ supervised: false })
      h.inventory.faults.plan("Confirm", "hangBefore")
      const buyer = yield* Effect.forkChild(frozen.orders.place(h.request(h.inventory.makeHold([3]))))
      yield* h.hanging("Confirm")
      // While the first owner is frozen the payment is voided, and a second one cancels the order.
      h.payments.of().status = "voided"
      const other = yield* h.start()
      const cancelled = yield* h.reaches(other.orders, yield* h.theOrder, "cancelled")
      assert.strictEqual(cancelled?.reason, "payment_voided")
      // The first wakes, and sells the seat to an order that is no more.
      yield* h.inventory.faults.release
      assert.strictEqual((yield* Fiber.join(buyer)).order.status, "cancelled")
      assert.strictEqual(h.inventory.soldSeats.size, 0)
      assert.deepStrictEqual(yield* h.breaches, [])
    })
  )

  it.effect("a slow owner and a second one that finished the order agree", () =>
    Effect.gen(function* () {
      const h = yield* makeHarness
      const frozen = yield* h.start({ supervised: false })
      h.payments.faults.plan("Capture", "hangAfter")
      const buyer = yield* Effect.forkChild(frozen.orders.place(h.request(h.inventory.makeHold([3]))))
      yield* h.hanging("Capture")
      const other = yield* h.start()
      const confirmed = yield* h.reaches(other.orders, yield* h.theOrder, "confirmed")
      yield* h.payments.faults.release
      assert.deepStrictEqual((yield* Fiber.join(buyer)).order, confirmed)
      assert.strictEqual(h.payments.of().captures, 1)
      assert.deepStrictEqual(yield* h.breaches, [])
    })
  )

  it.effect("a broken order keeps no other from its end", () =>
    Effect.gen(function* () {
      const h = yield* makeHarness
      const { entity, kill, orders } = yield* h.start({ supervised: false })
      const broken = yield* orders.place(h.request(h.inventory.makeHold([3]), "tok_3ds"))
      yield* h.sql`UPDATE booking.journal SET events = '[{"_tag":"Nonsense"}]'::json`
      const waiting = yield* orders.place(h.request(h.inventory.makeHold([4]), "tok_3ds"))
      const resumed = yield* Effect.exit(entity(broken.order.id).Resume())
      assert.isTrue(Exit.isFailure(resumed))
      assert.match(JSON.stringify(resumed), /BookingUnavailable/)
      yield* kill
      const again = yield* h.start()
      h.payments.of(waiting.order.id).status = "authorised"
      yield* h.hurry
      yield* h.reaches(again.orders, waiting.order.id, "confirmed")
      // It is still looked at, and the audit tells of it when it has been too long.
      assert.strictEqual(yield* h.unfinished, 1)
    })
  )

  it.effect("a second valid ticket for a seat is refused by the database itself (INV-06)", () =>
    Effect.gen(function* () {
      const h = yield* makeHarness
      const { orders } = yield* h.start()
      yield* orders.place(h.request(h.inventory.makeHold([3])))
      // An inventory that has forgotten everything sells the seat again.
      h.inventory.soldSeats.clear()
      const second = yield* Effect.flip(orders.place(h.request(h.inventory.makeHold([3]))))
      assert.strictEqual(second._tag, "BookingUnavailable")
      assert.strictEqual(yield* h.unfinished, 1)
      assert.deepStrictEqual(yield* h.breaches, [])
    })
  )

  it.effect("a buyer who has time to pay is no trouble; the checks count from the end of that time", () =>
    Effect.gen(function* () {
      const h = yield* makeHarness
      const { orders } = yield* h.start({ supervised: false })
      yield* orders.place(h.request(h.inventory.makeHold([3]), "tok_3ds"))
      const look = Effect.gen(function* () {
        const [claimed] = yield* DueOrders.claim(10)
        return claimed ?? assert.fail("it is not due")
      }).pipe(Effect.provideService(SqlClient.SqlClient, h.sql))
      for (let checks = 1; checks <= 25; checks++) {
        yield* h.sql`UPDATE booking.orders SET next_check_at = created_at`
        const claimed = yield* look
        assert.deepInclude(claimed, { checks, waitsForBuyer: true })
      }
      yield* h.sql`UPDATE booking.orders SET next_check_at = created_at, pay_until = created_at`
      for (let checks = 1; checks <= 3; checks++) {
        assert.deepInclude(yield* look, { checks, waitsForBuyer: false })
        yield* h.sql`UPDATE booking.orders SET next_check_at = created_at + interval '1 millisecond'`
      }
    })
  )

  it.effect("all that is unfinished is made due, in more than one batch, and nothing else", () =>
    Effect.gen(function* () {
      const h = yield* makeHarness
      yield* h.sql`INSERT INTO booking.orders (id, event_id, hold_id, intent_id, status, stage, tickets, total_amount,
          currency, pay_until, version, next_check_at, created_at, updated_at)
        SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'payment_pending', 'pending',
          1, 1, 'EUR', now() + interval '1 hour', 1,
          CASE WHEN n <= 2500 THEN now() + interval '1 hour' END, now(), now()
        FROM generate_series(1, 2600) AS n`
      yield* Effect.provideService(DueOrders.makeAllDue, SqlClient.SqlClient, h.sql)
      assert.strictEqual(
        (yield* h.sql`SELECT 1 FROM booking.orders WHERE next_check_at <= now()`).length,
        2_500
      )
      assert.strictEqual((yield* h.sql`SELECT 1 FROM booking.orders WHERE next_check_at IS NULL`).length, 100)
    })
  )

  it.effect("the audit finds what is wrong", () =>
    Effect.gen(function* () {
      const h = yield* makeHarness
      const { orders } = yield* h.start({ supervised: false })
      yield* orders.place(h.request(h.inventory.makeHold([3, 4])))
      const waiting = yield* orders.place(h.request(h.inventory.makeHold([5]), "tok_3ds"))
      yield* h.sql`DELETE FROM booking.tickets WHERE seat = 4`
      yield* h.sql`UPDATE booking.orders SET pay_until = now() - interval '1 hour', updated_at = now() - interval '1 hour',
        version = 9 WHERE id = ${waiting.order.id}::uuid`
      yield* h.sql`DELETE FROM booking.idempotency`
      const found = yield* h.breaches
      assert.deepStrictEqual(
        found.map(({ invariant }) => invariant),
        ["INV-05", "INV-05", "INV-05", "INV-05", "INV-07"]
      )
      assert.match(found[0]!.detail, /has 1 of 2 tickets/)
    })
  )
})
