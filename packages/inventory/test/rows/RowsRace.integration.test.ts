import { assert, layer } from "@effect/vitest"
import { CommandId, type EventId, makeEventId } from "@onsale/contracts/Ids"
import type { InventoryClient } from "@onsale/contracts/inventory/InventoryClient"
import type { InventoryCommand } from "@onsale/contracts/inventory/InventoryCommand"
import type { Cursor } from "@onsale/platform/Journal"
import {
  confirm,
  extend,
  freeze,
  held,
  hold,
  newHoldId,
  newOrderId,
  release,
  seatsOf,
  takeBack,
  unfreeze
} from "@onsale/testing/InventorySale"
import { pollUntil } from "@onsale/testing/Poll"
import { grid } from "@onsale/testing/SaleLayouts"
import { SteeredClock } from "@onsale/testing/SteeredClock"
import { Effect, Fiber, Layer, Random } from "effect"
import { InventoryStore } from "../../src/InventoryStore.ts"
import { expectClean, expectInOrder, ground, process } from "./RowsHarness.ts"

type Client = InventoryClient["Service"]

const seed = 20_261_121
const all = { concurrency: "unbounded" } as const

layer(ground, { excludeTestServices: true, timeout: "60 seconds" })(
  "PostgresRows, several processes",
  (it) => {
    it.effect(
      "64 holds of overlapping seats at once, in any order of their seats: nobody waits in a circle",
      () =>
        Effect.gen(function* () {
          const processes = [yield* process, yield* process, yield* process]
          const eventId = makeEventId(1)
          yield* processes[0]!.open(eventId, grid(4, 10))
          const random = yield* Random.Random
          const wishes = Array.from({ length: 640 }, () => {
            const first = Math.floor(random.nextDoubleUnsafe() * 35)
            const seats = [0, 1, 2, 3, 4, 5].map((i) => first + i)
            return seats.sort(() => random.nextDoubleUnsafe() - 0.5).slice(0, 2 + (first % 5))
          })
          const answers = yield* Effect.forEach(
            wishes,
            (seats, i) => processes[i % 3]!.execute(eventId, hold({ seats })),
            { concurrency: 64 }
          )
          const won = answers.flatMap((answer) => (answer._tag === "Held" ? seatsOf(answer) : []))
          assert.strictEqual(new Set(won).size, won.length)
          const view = yield* processes[1]!.availability(eventId)
          assert.deepStrictEqual(
            [...(view?.held ?? [])],
            won.sort((a, b) => a - b)
          )
          yield* expectClean
        }).pipe(Random.withSeed(seed))
    )

    it.effect(
      `any commands from three processes, seed ${seed}: audits are clean, followers see every version in order`,
      () =>
        Effect.gen(function* () {
          const processes = [yield* process, yield* process, yield* process]
          const { journal } = yield* InventoryStore
          const clock = yield* SteeredClock
          const eventId = makeEventId(2)
          yield* processes[0]!.open(
            eventId,
            grid(6, 10, { areas: [{ name: "Floor", tier: 1, capacity: 20 }] })
          )
          const buyer = (client: Client) => buys(client, eventId)
          // A follower that reads all the time, as projections do.
          const seen: Array<number> = []
          let cursor: Cursor = { txid: "0", position: "0" }
          const read = Effect.map(
            Effect.suspend(() => journal.readAll(cursor, 50)),
            (rows) => {
              for (const row of rows) {
                cursor = row.cursor
                if (row.stream === eventId) seen.push(row.version)
              }
              return rows.length
            }
          )
          const follower = yield* Effect.forkChild(Effect.forever(Effect.andThen(read, Effect.yieldNow)))
          for (let round = 0; round < 6; round++) {
            yield* Effect.forEach(
              Array.from({ length: 48 }, (_, i) => i),
              (i) => buyer(processes[i % 3]!),
              all
            )
            yield* clock.advance(6_000)
          }
          yield* Fiber.interrupt(follower)
          const versions = yield* expectInOrder(eventId)
          yield* pollUntil(read, () => seen.length >= versions)
          assert.deepStrictEqual(
            seen,
            Array.from({ length: versions }, (_, i) => i + 1)
          )
          // A batch is a version: of some 1,000 commands.
          assert.isAbove(versions, 40)
          yield* expectClean
        }).pipe(Random.withSeed(seed))
    )

    it.effect("INV-07: one command sent to three processes at once is carried out once", () =>
      Effect.gen(function* () {
        const processes = [yield* process, yield* process, yield* process]
        const eventId = makeEventId(3)
        yield* processes[0]!.open(eventId, grid(1, 10))
        const command = hold({ seats: [1, 2], areas: [{ area: 0, quantity: 1 }] })
        const send = (command: InventoryCommand) =>
          Effect.forEach(
            Array.from({ length: 24 }, (_, i) => i),
            (i) => processes[i % 3]!.execute(eventId, command),
            all
          )
        const answers = yield* send(command)
        for (const answer of answers) assert.deepStrictEqual(answer, answers[0])
        const { holdId } = held(answers[0]!)
        const sale = yield* send(
          confirm(holdId, newOrderId(), { seats: [1, 2], areas: [{ area: 0, quantity: 1 }] })
        )
        for (const answer of sale) assert.deepStrictEqual(answer, sale[0])
        assert.strictEqual(sale[0]!._tag, "Sold")
        yield* expectClean
      })
    )

    it.effect(
      "best available: 30 buyers of 2 in three processes get 60 different seats, and the next is refused",
      () =>
        Effect.gen(function* () {
          const processes = [yield* process, yield* process, yield* process]
          const eventId = makeEventId(4)
          yield* processes[0]!.open(eventId, grid(6, 10))
          const answers = yield* Effect.forEach(
            Array.from({ length: 30 }, (_, i) => i),
            (i) => processes[i % 3]!.execute(eventId, hold({ best: { quantity: 2 } })),
            all
          )
          assert.strictEqual(new Set(answers.flatMap(seatsOf)).size, 60)
          assert.strictEqual(
            (yield* processes[1]!.execute(eventId, hold({ best: { quantity: 1 } })))._tag,
            "Refused"
          )
          yield* expectClean
        })
    )

    it.effect("INV-03: the places of more expired holds than one sweep lets go of are free at once", () =>
      Effect.gen(function* () {
        const client = yield* process
        const clock = yield* SteeredClock
        const eventId = makeEventId(6)
        const areas = [{ name: "Floor", tier: 1, capacity: 1_200 }]
        yield* client.open(eventId, grid(1, 1, { areas, maxPerOrder: 1_200 }))
        yield* Effect.forEach(
          Array.from({ length: 600 }),
          () => client.execute(eventId, hold({ areas: [{ area: 0, quantity: 2 }] })),
          { concurrency: 16 }
        )
        yield* clock.advance(10_000)
        held(yield* client.execute(eventId, hold({ areas: [{ area: 0, quantity: 1_200 }] })))
        yield* expectClean
      })
    )

    it.effect("INV-03: a process whose clock is behind goes by the time of the event's journal", () =>
      Effect.gen(function* () {
        const clock = yield* SteeredClock
        const behind = yield* process.pipe(Effect.provide(Layer.fresh(SteeredClock.layer)))
        yield* clock.advance(20_000)
        const client = yield* process
        const eventId = makeEventId(7)
        yield* client.open(eventId, grid(1, 10))
        const { expiresAtMs } = held(yield* client.execute(eventId, hold({ seats: [0] })))
        assert.strictEqual(
          held(yield* behind.execute(eventId, hold({ seats: [1] }))).expiresAtMs,
          expiresAtMs
        )
        yield* clock.advance(10_000)
        const { holdId } = held(yield* client.execute(eventId, hold({ seats: [0] })))
        // By its own clock the first hold would have half a minute to go.
        assert.deepStrictEqual((yield* behind.availability(eventId))?.held, [0])
        held(yield* behind.execute(eventId, hold({ seats: [1] })))
        assert.strictEqual((yield* behind.execute(eventId, release(holdId)))._tag, "Released")
        yield* expectInOrder(eventId)
        yield* expectClean
      })
    )

    it.effect("a new layout reaches the other processes with the next command", () =>
      Effect.gen(function* () {
        const [one, other] = [yield* process, yield* process]
        const eventId = makeEventId(5)
        const layout = grid(1, 10)
        yield* one.open(eventId, layout)
        held(yield* other.execute(eventId, hold({ seats: [0] })))
        yield* one.open(eventId, { ...layout, tiers: layout.tiers.map((tier) => ({ ...tier, price: 100 })) })
        assert.strictEqual(held(yield* other.execute(eventId, hold({ seats: [1] }))).amount, 100)
        yield* expectClean
      })
    )
  }
)

/** A buyer who does this and that with a hold, at random. */
const buys = Effect.fnUntraced(function* (client: Client, eventId: EventId) {
  const random = yield* Random.Random
  const chance = () => random.nextDoubleUnsafe()
  const execute = (command: InventoryCommand) => client.execute(eventId, command)
  const first = Math.floor(chance() * 58)
  const holdId = newHoldId()
  const what = {
    seats: chance() < 0.8 ? [first + 1, first] : [],
    areas: chance() < 0.5 ? [{ area: 0, quantity: 1 }] : []
  }
  const answer = yield* execute(
    chance() < 0.2 ? hold({ holdId, best: { quantity: 2 } }) : hold({ holdId, ...what })
  )
  if (answer._tag !== "Held") return
  const claims = {
    seats: seatsOf(answer),
    areas: answer.hold.areas.map(({ area, quantity }) => ({ area, quantity }))
  }
  const order = newOrderId()
  if (chance() < 0.3) yield* Effect.all([execute(extend(holdId)), execute(freeze(holdId, order))], all)
  if (chance() < 0.2) yield* execute(unfreeze(holdId, order))
  if (chance() < 0.3) return yield* execute(release(holdId))
  if (chance() < 0.5) return
  const sale = confirm(holdId, order, claims, CommandId.make(`${order}:confirm`))
  const [sold] = yield* Effect.all([execute(sale), execute(release(holdId)), execute(sale)], all)
  if (sold._tag === "Sold" && chance() < 0.5) yield* execute(takeBack(order, claims))
})
