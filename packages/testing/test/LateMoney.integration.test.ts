/**
 * Money that comes after its order has ended, over the whole way: the request for it is lost, the order waits and is
 * cancelled when its time is over, and then the request arrives at the provider after all.
 */
import { it } from "@effect/vitest"
import { Clock, Effect } from "effect"
import { assert, describe } from "vitest"
import * as FastClock from "../src/FastClock.ts"
import * as MoneyAgreement from "../src/money/MoneyAgreement.ts"
import * as MoneyAudit from "../src/money/MoneyAudit.ts"
import * as MoneyBuyer from "../src/money/MoneyBuyer.ts"
import * as MoneyWorld from "../src/money/MoneyWorld.ts"
import { pollUntil } from "../src/Poll.ts"
import { TestDatabase } from "../src/PostgresFixture.ts"
import { grid } from "../src/SaleLayouts.ts"

const speed = 20
const timeToPayMs = 20_000
/** Of the world's time; it only ends a test that has failed. */
const patience = { deadline: "10 minutes" } as const

const worldTime = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.flatMap(FastClock.make(speed), (clock) => Effect.provideService(effect, Clock.Clock, clock))

describe("late money", () => {
  it.live.each([false, true])(
    "INV-04, INV-05: buys the same seats or goes back; the seats taken by another: %s",
    (taken) =>
      Effect.gen(function* () {
        const { url } = yield* TestDatabase
        let isLost = true
        const world = yield* MoneyWorld.make({
          database: url,
          providers: ["sandbox"],
          proxied: true,
          strike: ({ step }) => (isLost && step === "authorise" ? { fault: "reset_before" } : null)
        })
        const buyer = MoneyBuyer.make(world)
        const layout = { ...grid(1, 4), holdTtlMs: timeToPayMs, checkoutMaxMs: timeToPayMs }
        const eventId = yield* world.open(layout)
        const hold = yield* buyer.hold(eventId, { seats: [0, 1], areas: [] })
        if (typeof hold === "string") return assert.fail(hold)
        const placed = yield* buyer.place(eventId, hold.holdId, { method: "tok_ok" }, yield* buyer.newKey)
        if (placed._tag !== "Order") return assert.fail(placed.code)
        const { id, payment, total } = placed.order
        assert.strictEqual(placed.order.status, "payment_pending")
        const ended = yield* pollUntil(buyer.look(id), ({ status }) => status === "cancelled", patience)
        assert.strictEqual(ended.reason, "payment_timeout")

        isLost = false
        if (taken) {
          const other = yield* buyer.hold(eventId, { seats: [1], areas: [] })
          if (typeof other === "string") return assert.fail(other)
          const bought = yield* buyer.place(eventId, other.holdId, { method: "tok_ok" }, yield* buyer.newKey)
          assert.deepInclude(bought, { _tag: "Order" })
        }
        const [desk] = world.desks
        assert.isDefined(desk)
        yield* desk.call(
          "POST",
          "/v1/payments",
          {
            ...total,
            method: "tok_ok",
            reference: payment.intentId,
            capture: "manual"
          },
          `${payment.intentId}:authorise`
        )

        const paymentsOf = MoneyAgreement.asked(world)
        const status = taken ? "voided" : "captured"
        yield* pollUntil(paymentsOf(payment.intentId), ([found]) => found?.status === status, patience)
        yield* pollUntil(
          MoneyAgreement.isAtRest(world, eventId, paymentsOf),
          (isAtRest) => isAtRest,
          patience
        )
        const end = yield* buyer.look(id)
        assert.strictEqual(end.status, taken ? "cancelled" : "confirmed")
        const { found } = yield* MoneyAgreement.disagreements(world, buyer, eventId, paymentsOf)
        assert.deepStrictEqual([...found, ...(yield* MoneyAudit.breaches(world))], [])
      }).pipe(Effect.scoped, Effect.provide(TestDatabase.layer("migrated")), worldTime),
    60_000
  )
})
