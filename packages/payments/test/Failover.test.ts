import { assert, it } from "@effect/vitest"
import { PaymentIntentId } from "@onsale/contracts/Ids"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { giveBackStray } from "../src/StrayPayment.ts"
import { makeFake, makeWorld, onFastClock, seeded } from "./RoutesWorld.ts"

/** As long as an order tries to authorise and capture: its checkout and what resumes it. */
const maxTries = 12

it.effect(
  "with one of two providers failing half of its calls, 98 of 100 payments are captured, each at one",
  () =>
    Effect.gen(function* () {
      const draw = seeded(20_261_126)
      const bad = makeFake({ name: "bad", rate: 0.5, slowestMs: 400, draw })
      const good = makeFake({ name: "good", rate: 0, slowestMs: 400, draw })
      const world = yield* makeWorld([bad, good])
      const wanted = 1_000

      const pay = Effect.gen(function* () {
        const { intentId, payment } = yield* world.newPayment
        const take = world.owner(intentId, payment)
        for (const tag of ["Authorise", "Capture"] as const) {
          for (let tries = 0; (yield* take(tag)) === null; tries++) {
            if (tries === maxTries) return { intentId, isCaptured: false }
            yield* Effect.sleep("1 second")
          }
        }
        return { intentId, isCaptured: true }
      })
      const ended = yield* onFastClock(
        Effect.forEach(Array.from({ length: wanted }), () => pay, { concurrency: 50 })
      )

      const captured = ended.filter(({ isCaptured }) => isCaptured)
      assert.isAtLeast(captured.length, 0.98 * wanted)
      for (const { intentId } of ended)
        assert.isFalse(bad.ledger.has(intentId) && good.ledger.has(intentId), intentId)
      for (const { intentId } of captured) {
        const taken = bad.ledger.get(intentId) ?? good.ledger.get(intentId)
        assert.deepInclude(taken, { status: "captured", captured: 4_200 })
      }
      const rerouted = ended.filter(({ intentId }) =>
        world.eventsOf(intentId).some(({ _tag }) => _tag === "Rerouted")
      )
      assert.isAbove(rerouted.length, 0)
      assert.isBelow(bad.ledger.size, 0.35 * wanted, "the breaker keeps payments away")
      assert.isAbove(bad.ledger.size, 0, "and yet it is tried")
    })
)

it.effect("whoever crashes, and however many act for a payment at once, no two providers ever hold it", () =>
  Effect.gen(function* () {
    let rerouted = 0
    let fenced = 0
    for (let seed = 1; seed <= 150; seed++) {
      const draw = seeded(seed)
      const fakes = ["a", "b", "c"].map((name) =>
        makeFake({ name, rate: 0.75, retryable: 0.7, slowestMs: 1_500, draw })
      )
      const [a, b, c] = fakes
      if (a === undefined || b === undefined || c === undefined) return
      const world = yield* makeWorld([a, b, c])
      const { payment } = yield* world.newPayment
      // Of the seed too: it decides which provider is the first.
      const intentId = PaymentIntentId.make(`019a0000-0000-7000-8000-${String(seed).padStart(12, "0")}`)
      const owner = Effect.gen(function* () {
        yield* Effect.sleep(Math.floor(draw() * 2_000))
        const take = world.owner(intentId, payment)
        for (let i = 0; i < 3; i++)
          if ((yield* Effect.orElseSucceed(take("Authorise"), () => null)) !== null) break
        yield* Effect.ignore(take(draw() < 0.8 ? "Capture" : "Void"))
      })
      const owners = yield* Effect.forEach([1, 2, 3], () => Effect.forkChild(owner))
      for (let ms = 0; ms < 60_000; ms += 250) {
        yield* TestClock.adjust("250 millis")
        const crashed = owners[Math.floor(draw() * 60)]
        if (crashed !== undefined) yield* Fiber.interrupt(crashed)
      }
      const holders = fakes.filter(({ ledger }) => ledger.has(intentId)).map(({ name }) => name)
      assert.isAtMost(
        holders.length,
        1,
        `seed ${seed}: ${holders} after ${JSON.stringify(world.eventsOf(intentId))}`
      )
      for (const event of world.eventsOf(intentId)) {
        if (event._tag === "Rerouted") rerouted++
        if (event._tag === "Processing" && event.reason === "sent_again") fenced++
      }
      for (const one of owners) yield* Fiber.interrupt(one)
    }
    assert.isAbove(rerouted, 10, "the run is of use")
    assert.isAbove(fenced, 10, "the run is of use")
  })
)

it.effect("what a provider has after all that was left is given back once, and nothing else is", () =>
  Effect.gen(function* () {
    const fake = makeFake({ name: "left", rate: 0, slowestMs: 1, draw: seeded(1) })
    const world = yield* makeWorld([fake])
    const give = (intentId: Parameters<typeof giveBackStray>[1]) =>
      onFastClock(giveBackStray(fake.provider, intentId))
    const { intentId, payment } = yield* world.newPayment
    assert.strictEqual(yield* give(intentId), "absent")
    const take = world.owner(intentId, payment)
    yield* onFastClock(take("Authorise"))
    assert.strictEqual(yield* give(intentId), "voided")
    assert.strictEqual(yield* give(intentId), "absent")

    const second = yield* world.newPayment
    const takeSecond = world.owner(second.intentId, second.payment)
    yield* onFastClock(Effect.andThen(takeSecond("Authorise"), takeSecond("Capture")))
    assert.strictEqual(yield* give(second.intentId), "refunded")
    assert.strictEqual(yield* give(second.intentId), "absent")
    assert.strictEqual(fake.ledger.get(second.intentId)?.refunded, 4_200)
  })
)
