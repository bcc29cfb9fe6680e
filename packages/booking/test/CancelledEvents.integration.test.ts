import { assert, layer } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { makeUuidV7, OrderId } from "@onsale/contracts/Ids"
import { pollUntil } from "@onsale/testing/Poll"
import { layerDatabase } from "@onsale/testing/PostgresFixture"
import type { Orders } from "../src/Orders.ts"
import { type Harness, makeHarness } from "./BookingHarness.ts"

const seatPrice = 2_500

/** Buys as many orders of one seat each, from a seat on. */
const buy = (
  { inventory, request }: Harness,
  orders: Orders["Service"],
  count: number,
  firstSeat = 0,
  method = "tok_ok"
) =>
  Effect.forEach(
    Array.from({ length: count }, (_, i) => firstSeat + i),
    (seat) => Effect.map(orders.place(request(inventory.makeHold([seat]), method)), ({ order }) => order.id),
    { concurrency: 16 }
  )

const finished = (h: Harness) =>
  pollUntil(
    Effect.map(
      h.sql<{
        readonly n: number
      }>`SELECT count(*)::int AS n FROM booking.cancelled_events WHERE finished_at IS NOT NULL`,
      ([row]) => row?.n
    ),
    (n) => n === 1,
    { deadline: "40 seconds" }
  )

layer(layerDatabase, { excludeTestServices: true, timeout: "60 seconds" })(
  "the orders of a cancelled event",
  (it) => {
    it.effect(
      "are refunded once each, none is forgotten, and a runner that dies half way changes nothing",
      () =>
        Effect.gen(function* () {
          const h = yield* makeHarness
          const dying = yield* h.start()
          const bought = yield* buy(h, dying.orders, 300)
          // One has given back a ticket of two, one is at the bank's page, one was sold and not captured yet.
          const { order: part } = yield* dying.orders.place(h.request(h.inventory.makeHold([400, 401])))
          const tickets = [part.tickets[0]!.id]
          yield* dying.orders.refund(part.id, {
            key: makeUuidV7(0),
            fingerprint: "a",
            tickets,
            reason: "ill"
          })
          const [waiting] = yield* buy(h, dying.orders, 1, 402, "tok_3ds")
          h.payments.faults.plan("Capture", "hangBefore")
          const buyer = yield* Effect.forkChild(dying.orders.place(h.request(h.inventory.makeHold([403]))))
          yield* h.hanging("Capture")

          yield* h.cancelEvent
          yield* pollUntil(
            Effect.sync(() => [...h.payments.book.values()].filter(({ refunds }) => refunds.size > 0).length),
            (refunded) => refunded > 100
          )
          yield* dying.kill
          yield* Fiber.interrupt(buyer)
          const done = [...h.payments.book.values()].filter(({ refunds }) => refunds.size > 0).length
          assert.isBelow(done, 301, "it was killed too late to show anything")

          const again = yield* h.start()
          yield* pollUntil(again.refunds, ({ refunded }) => refunded === 302, { deadline: "40 seconds" })
          // Whom the bank makes wait keeps the event open, and gets no ticket any more.
          assert.deepInclude(yield* again.refunds, { pending: 0, unfinished: 1, finishedAt: null })
          h.payments.of(waiting).status = "authorised"
          yield* h.hurry
          yield* finished(h)

          const progress = yield* again.refunds
          assert.deepInclude(progress, { refunded: 302, pending: 0, unfinished: 0, amount: 303 * seatPrice })
          assert.isNotNull(progress.startedAt)
          for (const id of bought) {
            const { captured, refunds } = h.payments.of(id)
            assert.deepStrictEqual([...refunds.values()], [captured])
          }
          assert.deepStrictEqual([...h.payments.of(part.id).refunds.values()], [seatPrice, seatPrice])
          assert.strictEqual(h.payments.of(waiting).status, "voided")
          assert.strictEqual(h.inventory.soldSeats.size, 0)
          const requests =
            yield* h.sql`SELECT stream FROM booking.journal, json_array_elements(events) AS event
        WHERE event ->> '_tag' = 'RefundRequested' AND event ->> 'cause' = 'event_cancelled'`
          assert.strictEqual(requests.length, 302)
          assert.strictEqual(new Set(requests.map(({ stream }) => stream)).size, 302)
          assert.deepStrictEqual(yield* h.breaches, [])
        })
    )

    it.effect("wait for one that cannot be refunded, which stops none of the others", () =>
      Effect.gen(function* () {
        const h = yield* makeHarness
        const first = yield* h.start({ supervised: false })
        const ids = yield* buy(h, first.orders, 5)
        yield* first.kill
        const broken = ids[2]!
        const before = yield* h.sql<{ readonly events: unknown }>`SELECT events FROM booking.journal
        WHERE stream = ${broken}::uuid AND version = 1`
        yield* h.sql`UPDATE booking.journal SET events = '[{"_tag":"Nonsense"}]'::json
        WHERE stream = ${broken}::uuid AND version = 1`
        yield* h.cancelEvent
        const { refunds } = yield* h.start()
        yield* pollUntil(refunds, ({ refunded }) => refunded === 4)
        // It has come round, and by again.
        yield* pollUntil(
          h.sql<{ readonly rounds: number }>`SELECT rounds FROM booking.cancelled_events`,
          ([row]) => (row?.rounds ?? 0) >= 2
        )
        assert.deepInclude(yield* refunds, { refunded: 4, pending: 1, finishedAt: null })
        yield* h.sql`UPDATE booking.journal SET events = ${JSON.stringify(before[0]!.events)}::json
        WHERE stream = ${broken}::uuid AND version = 1`
        yield* finished(h)
        assert.deepInclude(yield* refunds, { refunded: 5, pending: 0, unfinished: 0 })
      })
    )

    it.effect("are refunded by two runners at once as by one, and of other events none is", () =>
      Effect.gen(function* () {
        const h = yield* makeHarness
        const first = yield* h.start()
        yield* buy(h, first.orders, 40)
        const other = OrderId.make((yield* buy(h, first.orders, 1, 50))[0]!)
        const elsewhere = makeUuidV7(0)
        yield* h.sql`UPDATE booking.orders SET event_id = ${elsewhere}::uuid WHERE id = ${other}::uuid`
        yield* h.sql`UPDATE booking.tickets SET event_id = ${elsewhere}::uuid WHERE order_id = ${other}::uuid`
        yield* h.start()
        yield* h.cancelEvent
        yield* finished(h)
        assert.strictEqual((yield* first.refunds).refunded, 40)
        assert.strictEqual((yield* first.orders.get(other))?.status, "confirmed")
        for (const { payment, refunds } of h.payments.book.values())
          assert.strictEqual(refunds.size, payment.orderId === other ? 0 : 1)
      })
    )

    it.effect("are missed by the audit where a ticket of them is valid in the end", () =>
      Effect.gen(function* () {
        const h = yield* makeHarness
        const { orders } = yield* h.start()
        const [id] = yield* buy(h, orders, 1)
        yield* h.cancelEvent
        yield* finished(h)
        assert.deepStrictEqual(yield* h.breaches, [])
        yield* h.sql`UPDATE booking.tickets SET status = 'valid' WHERE order_id = ${id!}::uuid`
        const found = (yield* h.breaches).map(({ detail }) => detail)
        assert.match(found.join("\n"), /a cancelled event has no valid tickets .*, but ticket .* for event/)
        // While it is at work there may be some, for an hour.
        yield* h.sql`UPDATE booking.cancelled_events SET finished_at = NULL, next_check_at = now() + interval '1 hour'`
        const findings = (yield* h.breaches).map(({ detail }) => detail).join("\n")
        assert.notMatch(findings, /a cancelled event has no valid tickets/)
        yield* h.sql`UPDATE booking.cancelled_events SET cancelled_at = now() - interval '61 minutes'`
        assert.match(
          (yield* h.breaches).map(({ detail }) => detail).join("\n"),
          /a cancelled event has no valid/
        )
      })
    )
  }
)
