/** What becomes of an inventory when its runner stops, is doubled, or loses its database. */
import { assert, layer } from "@effect/vitest"
import { makeEventId } from "@onsale/contracts/Ids"
import type { InventoryAnswer, InventoryCommand } from "@onsale/contracts/inventory/InventoryCommand"
import {
  confirm,
  extend,
  freeze,
  held,
  hold,
  newHoldId,
  newOrderId,
  refused,
  release,
  seatsOf,
  sold,
  takeBack,
  unfreeze
} from "@onsale/testing/InventorySale"
import { pollUntil } from "@onsale/testing/Poll"
import { grid, hall, voucher } from "@onsale/testing/SaleLayouts"
import { advance } from "@onsale/testing/SteeredClock"
import { Deferred, Effect, Fiber, Schedule } from "effect"
import { SqlClient } from "effect/sql"
import {
  auditOf,
  comparable,
  expectSound,
  forgetSnapshots,
  insist,
  journalOf,
  layerWorld,
  type Runner,
  startRunner
} from "./InventoryHarness.ts"

/** With everything that is counted beside seats and places, and room enough. */
const counted = hall({
  quotas: [{ name: "All", capacity: 50, tiers: [0, 1, 2], areas: [0] }],
  vouchers: [voucher(1)],
  maxPerCustomer: 20
})

const open = Effect.fnUntraced(function* (runner: Runner, layout = counted) {
  const eventId = makeEventId(0)
  yield* runner.inventory.open(eventId, layout)
  return eventId
})

/** Commands of every kind, with all their ends, in an order that makes sense. */
const business = (): ReadonlyArray<InventoryCommand> => {
  const [kept, sale, frozen, unfrozen, back] = Array.from({ length: 5 }, newHoldId)
  const [order, checkout, declined] = Array.from({ length: 3 }, newOrderId)
  const what = { seats: [10, 11], areas: [{ area: 0, quantity: 2 }] }
  return [
    hold({ holdId: kept!, seats: [0, 1], areas: [{ area: 0, quantity: 1 }], customer: "ann" }),
    hold({ seats: [1, 2] }),
    hold({ holdId: sale!, ...what, voucherKey: "voucher 1" }),
    freeze(sale!, order!, undefined, "ann"),
    confirm(sale!, order!, { ...what, customer: "ann", voucher: voucher(1).id }),
    hold({ holdId: frozen!, seats: [20] }),
    freeze(frozen!, checkout!),
    hold({ holdId: unfrozen!, best: { quantity: 2 } }),
    freeze(unfrozen!, declined!),
    unfreeze(unfrozen!, declined!),
    hold({ holdId: back!, seats: [30], accessible: true }),
    release(back!),
    takeBack(order!, { seats: [11], areas: [{ area: 0, quantity: 1 }] }),
    extend(kept!),
    extend(newHoldId()),
    hold({ seats: [2], replaces: unfrozen!, customer: "bob" })
  ]
}

layer(layerWorld, { excludeTestServices: true, timeout: "60 seconds" })("the inventory's runners", (it) => {
  it.effect(
    "a new runner knows every hold, sale and answer of the one before, with and without its snapshot",
    () =>
      Effect.gen(function* () {
        for (const crash of [false, true]) {
          const first = yield* startRunner()
          const eventId = yield* open(first)
          const commands = business()
          const answers: Array<InventoryAnswer> = []
          for (const command of commands) {
            answers.push(yield* first.inventory.execute(eventId, command))
            yield* advance(100)
          }
          const before = yield* first.inventory.availability(eventId)
          yield* first.stop
          if (crash) yield* forgetSnapshots

          const second = yield* startRunner()
          assert.deepStrictEqual(yield* second.inventory.availability(eventId), before)
          for (const [i, command] of commands.entries()) {
            assert.deepStrictEqual(yield* second.inventory.execute(eventId, command), answers[i])
          }
          const kept = held(answers[0]!)
          assert.deepInclude(yield* second.inventory.hold(eventId, kept.holdId), {
            seats: kept.seats,
            areas: kept.areas,
            expiresAtMs: held(answers[13]!).expiresAtMs
          })
          refused(yield* second.inventory.execute(eventId, hold({ seats: [0] })), "seats_taken", {
            seats: [0]
          })
          yield* advance(10_000)
          // What was held without a checkout is free by now; the frozen one is not.
          assert.deepStrictEqual(
            seatsOf(yield* second.inventory.execute(eventId, hold({ seats: [0, 30], accessible: true }))),
            [0, 30]
          )
          refused(yield* second.inventory.execute(eventId, hold({ seats: [20] })), "seats_taken")
          yield* expectSound(second, eventId)
          yield* second.stop
        }
      })
  )

  it.effect("a snapshot and the rows behind it say the same as the whole journal", () =>
    Effect.gen(function* () {
      const first = yield* startRunner()
      const eventId = yield* open(first)
      for (const command of business()) yield* first.inventory.execute(eventId, command)
      yield* first.stop
      const second = yield* startRunner()
      yield* advance(4_000)
      for (const wish of [[40, 41], [42], [43]]) {
        held(yield* second.inventory.execute(eventId, hold({ seats: wish })))
        yield* advance(3_000)
      }
      const fromSnapshot = comparable(yield* second.store.load(eventId))
      yield* forgetSnapshots
      assert.deepStrictEqual(comparable(yield* second.store.load(eventId)), fromSnapshot)
      assert.isNotEmpty(fromSnapshot?.answers)
    })
  )

  it.effect("an event that nobody asks about goes to sleep with a snapshot, and wakes up as it was", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const runner = yield* startRunner()
      const eventId = yield* open(runner)
      const { holdId } = held(yield* runner.inventory.execute(eventId, hold({ seats: [5] })))
      sold(yield* runner.inventory.execute(eventId, confirm(holdId, newOrderId(), { seats: [5] })))
      // Each time anew: the last request may still be on its way out.
      yield* advance(11 * 60_000).pipe(
        Effect.andThen(runner.sharding.activeEntityCount),
        Effect.repeat({ until: (count) => count === 0, schedule: Schedule.spaced("50 millis") })
      )
      // It is counted out before it has closed its scope.
      yield* sql`SELECT version FROM inventory.snapshot WHERE stream = ${eventId}::uuid`.pipe(
        Effect.repeat({
          until: (snapshots) => snapshots.length === 1,
          schedule: Schedule.spaced("20 millis")
        })
      )
      refused(yield* runner.inventory.execute(eventId, hold({ seats: [5] })), "seats_taken", { seats: [5] })
      held(yield* runner.inventory.execute(eventId, hold({ seats: [6] })))
      yield* expectSound(runner, eventId)
    })
  )

  it.effect(
    "INV-01: of two owners of one event the stale one gets nothing in, reads again and answers rightly",
    () =>
      Effect.gen(function* () {
        const stale = yield* startRunner()
        const eventId = yield* open(stale)
        held(yield* stale.inventory.execute(eventId, hold({ seats: [0] })))
        const next = yield* startRunner()
        held(yield* next.inventory.execute(eventId, hold({ seats: [1] })))
        // In the memory of the stale one seat 1 is free.
        refused(yield* stale.inventory.execute(eventId, hold({ seats: [1] })), "seats_taken", { seats: [1] })
        held(yield* stale.inventory.execute(eventId, hold({ seats: [2] })))
        refused(yield* next.inventory.execute(eventId, hold({ seats: [2] })), "seats_taken", { seats: [2] })
        // A command that both are asked for, one after the other.
        const command = hold({ seats: [3] })
        const answer = yield* next.inventory.execute(eventId, command)
        held(yield* stale.inventory.execute(eventId, hold({ seats: [4] })))
        assert.deepStrictEqual(yield* stale.inventory.execute(eventId, command), answer)
        assert.deepStrictEqual(yield* next.inventory.execute(eventId, command), answer)
        yield* expectSound(stale, eventId)
      })
  )

  it.effect("INV-01: two owners race for every seat: each is sold once, and every answer is true", () =>
    Effect.gen(function* () {
      const owners = [yield* startRunner(), yield* startRunner()]
      const eventId = yield* open(owners[0]!, grid(2, 10))
      const answers = yield* Effect.forEach(
        Array.from({ length: 60 }, (_, i) => i),
        (i) =>
          Effect.map(insist(owners[i % 2]!, eventId, hold({ seats: [i % 20] })), (answer) => ({
            seat: i % 20,
            answer
          })),
        { concurrency: 12 }
      )
      const winners = answers.filter(({ answer }) => answer._tag === "Held")
      assert.lengthOf(new Set(winners.map(({ seat }) => seat)), 20)
      assert.lengthOf(winners, 20)
      for (const { answer, seat } of answers) {
        if (answer._tag !== "Held") refused(answer, "seats_taken", { seats: [seat] })
      }
      yield* expectSound(owners[0]!, eventId)
    })
  )

  it.effect("a commit whose outcome is not known: the command is asked again and gets the true answer", () =>
    Effect.gen(function* () {
      let fault: "none" | "before" | "after" = "none"
      const runner = yield* startRunner({
        append: (append) => (batch) => {
          const now = fault
          fault = "none"
          const lost = Effect.die(new Error("the connection is lost"))
          return now === "none"
            ? append(batch)
            : now === "before"
              ? lost
              : Effect.andThen(append(batch), lost)
        }
      })
      const eventId = yield* open(runner)
      for (const [i, when] of (["before", "after"] as const).entries()) {
        fault = when
        const command = hold({ seats: [i] })
        const answer = yield* runner.inventory.execute(eventId, command)
        assert.deepStrictEqual(seatsOf(answer), [i])
        assert.deepStrictEqual(yield* runner.inventory.execute(eventId, command), answer)
      }
      const { commands } = yield* journalOf(runner, eventId)
      assert.lengthOf(commands, 2)
      yield* expectSound(runner, eventId)
    })
  )

  it.effect("connections that are cut during 1,000 holds lose nothing that was answered", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const runner = yield* startRunner()
      const eventId = yield* open(runner, grid(50, 40))
      let answered = 0
      const cut = Effect.gen(function* () {
        for (const after of [100, 400, 700]) {
          yield* pollUntil(
            Effect.sync(() => answered),
            (count) => count >= after,
            { every: "1 millis" }
          )
          yield* sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'runner'`
        }
      })
      const buyers = Effect.forEach(
        Array.from({ length: 1_000 }, (_, i) => i),
        (i) =>
          Effect.tap(insist(runner, eventId, hold({ seats: [2 * i, 2 * i + 1] })), () =>
            Effect.sync(() => answered++)
          ),
        { concurrency: 32 }
      )
      const [answers] = yield* Effect.all([buyers, cut], { concurrency: 2 })
      assert.strictEqual(answers.filter((answer) => answer._tag === "Held").length, 1_000)
      yield* runner.stop
      yield* forgetSnapshots
      const next = yield* startRunner()
      const view = yield* next.inventory.availability(eventId)
      assert.lengthOf(view?.held ?? [], 2_000)
      for (const answer of answers.slice(0, 50)) {
        assert.notProperty(yield* next.inventory.hold(eventId, held(answer).holdId), "_tag")
      }
      yield* expectSound(next, eventId)
    })
  )

  it.effect(
    "INV-01: a seat that is sold behind the inventory's back is not sold again; the others are, and the audit tells",
    () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const runner = yield* startRunner()
        const eventId = yield* open(runner)
        const { holdId } = held(yield* runner.inventory.execute(eventId, hold({ seats: [7] })))
        yield* sql`INSERT INTO inventory.sale (event_id, seat, order_id) VALUES (${eventId}::uuid, 7, ${newOrderId()}::uuid)`
        const sale = confirm(holdId, newOrderId(), { seats: [7] })
        for (let i = 0; i < 2; i++) {
          const error = yield* Effect.flip(runner.inventory.execute(eventId, sale))
          assert.strictEqual(error.reason, "deadline")
          held(yield* runner.inventory.execute(eventId, hold({ seats: [10 + i] })))
        }
        const breaches = yield* auditOf(runner, eventId)
        assert.lengthOf(breaches, 1)
        assert.strictEqual(breaches[0]!.invariant, "INV-01")
        assert.include(breaches[0]!.detail, "seat 7")
      })
  )

  it.effect("an owner that another has taken over from finds out before it reads out what it remembers", () =>
    Effect.gen(function* () {
      const [stale, owner] = [yield* startRunner(), yield* startRunner()]
      const eventId = yield* open(stale)
      const kept = held(yield* stale.inventory.execute(eventId, hold({ seats: [0] })))
      yield* owner.inventory.execute(eventId, release(kept.holdId))
      // Within the second for which it may believe itself it may still show the hold; nobody sends it a command.
      const shown = yield* pollUntil(
        stale.inventory.hold(eventId, kept.holdId),
        (answer) => "_tag" in answer && answer._tag === "Refused",
        { deadline: "20 seconds", every: "100 millis" }
      )
      assert.deepInclude(shown, { code: "hold_not_found" })
      assert.deepStrictEqual((yield* stale.inventory.availability(eventId))?.held, [])
    })
  )

  it.effect("one that was asked about an event before its sale was opened elsewhere does not deny it", () =>
    Effect.gen(function* () {
      const [early, owner] = [yield* startRunner(), yield* startRunner()]
      const eventId = makeEventId(0)
      assert.isNull(yield* early.inventory.availability(eventId))
      yield* owner.inventory.open(eventId, counted)
      held(yield* insist(early, eventId, hold({ seats: [0] })))
    })
  )

  it.effect("INV-10: nobody is told what is not committed", () =>
    Effect.gen(function* () {
      const [asked, go] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      let blocked = false
      const runner = yield* startRunner({
        append: (append) => (batch) => {
          if (!blocked) return append(batch)
          blocked = false
          return Deferred.succeed(asked, undefined).pipe(
            Effect.andThen(Deferred.await(go)),
            Effect.andThen(Effect.die(new Error("the connection is lost")))
          )
        }
      })
      const eventId = yield* open(runner)
      blocked = true
      const holdId = newHoldId()
      const buyer = yield* Effect.forkChild(runner.inventory.execute(eventId, hold({ holdId, seats: [0] })))
      yield* Deferred.await(asked)
      const looks = yield* Effect.forkChild(
        Effect.all([runner.inventory.availability(eventId), runner.inventory.hold(eventId, holdId)], {
          concurrency: 2
        })
      )
      yield* Effect.yieldNow
      yield* Deferred.succeed(go, undefined)
      // The looks and the command are asked again of the next writer, in whatever order.
      const [view, look] = yield* Fiber.join(looks)
      const answer = held(yield* Fiber.join(buyer))
      const { commands } = yield* journalOf(runner, eventId)
      assert.lengthOf(commands, 1)
      if ("_tag" in look) assert.isEmpty(view?.held)
      else assert.strictEqual(look.expiresAtMs, answer.expiresAtMs)
    })
  )

  it.effect("a full queue is told at once", () =>
    Effect.gen(function* () {
      const go = yield* Deferred.make<void>()
      let blocked = false
      const runner = yield* startRunner({
        append: (append) => (batch) =>
          blocked ? Effect.andThen(Deferred.await(go), append(batch)) : append(batch)
      })
      const eventId = yield* open(runner, grid(1, 10))
      blocked = true
      const commands = Array.from({ length: 12_000 }, (_, i) => hold({ seats: [i % 10] }))
      let overloaded = 0
      const answers = yield* Effect.forEach(
        commands,
        (command) =>
          runner.inventory.execute(eventId, command).pipe(
            Effect.catchTag("InventoryUnavailable", (error) => {
              assert.strictEqual(error.reason, "overloaded")
              assert.isAbove(error.retryAfterMs, 0)
              // Somebody was turned away while nothing could be committed yet: only then it goes on.
              overloaded++
              return Effect.andThen(Deferred.succeed(go, undefined), Effect.succeed(null))
            })
          ),
        { concurrency: "unbounded" }
      )
      assert.isAbove(overloaded, 0)
      assert.lengthOf(
        answers.filter((answer) => answer?._tag === "Held"),
        10
      )
      yield* expectSound(runner, eventId)
    })
  )
})
