/**
 * Requests of the older contracts that come again, after the inventory has forgotten what it answered: it remembers an
 * answer for 15 minutes. At the level that keeps them in a table, so that they can be taken out of it.
 */
import { assert, layer } from "@effect/vitest"
import { Booking } from "@onsale/contracts/http/CompatApi"
import { pollUntil } from "@onsale/testing/Poll"
import { layerDatabase, TestDatabase } from "@onsale/testing/PostgresFixture"
import { Effect, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { randomUUID } from "node:crypto"
import * as CompatWorld from "./CompatWorld.ts"
import { declinedMethod, isDone, isError, newUser } from "./CompatWorld.ts"
import type { Reply } from "./HttpCall.ts"
import * as Service from "./Service.ts"

const worldOn = Effect.fnUntraced(function* (onAccount: string) {
  const { url } = yield* TestDatabase
  return yield* CompatWorld.makeWith(onAccount, {
    env: { ONSALE_DATABASE_URL: url, ONSALE_LEVEL: "L0", ONSALE_CDC: "off" }
  })
})

/** As if 15 minutes had gone by, or 131,072 commands. */
const forget = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const gone = yield* sql`DELETE FROM inventory.row_answer WHERE NOT returned RETURNING 1 AS gone`
  assert.isNotEmpty(gone, "there was something to forget")
})

const booked = (reply: Reply) => {
  assert.strictEqual(reply.status, 201, reply.text)
  return Schema.decodeUnknownSync(Booking)(reply.json)
}

layer(layerDatabase, { timeout: "180 seconds", excludeTestServices: true })("Late repeats", (it) => {
  it.effect("buy nothing once more (INV-04, INV-07)", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { book, confirm, lock, open, reserve, service, shop, token } = yield* worldOn("tok_ok")
        const { event, seats } = yield* open()
        const ada = yield* token(randomUUID())
        const ask = { event_id: event.id, quantity: 1 }
        const first = booked(yield* book(ada, ask, { "idempotency-key": "one" }))
        const user = newUser()
        assert.strictEqual((yield* lock(seats[0], user)).status, 200)
        isDone(yield* reserve(seats[1], user))
        const card = randomUUID()
        isDone(yield* confirm(seats[1], user, card))
        yield* forget

        // C: the same booking again, of four at once as well; the key says nothing of other customers.
        assert.deepStrictEqual(booked(yield* book(ada, ask, { "idempotency-key": "one" })), first)
        const again = yield* Effect.all(
          Array.from({ length: 4 }, () => book(ada, ask, { "idempotency-key": "one" })),
          { concurrency: "unbounded" }
        )
        for (const reply of again) assert.deepStrictEqual(booked(reply), first)
        isError(
          yield* book(ada, { ...ask, quantity: 2 }, { "idempotency-key": "one" }),
          422,
          /Idempotency-Key/
        )
        const bob = booked(yield* book(yield* token(randomUUID()), ask, { "idempotency-key": "one" }))
        assert.notStrictEqual(bob.id, first.id)
        // A key without anything in it is none.
        const eve = yield* token(randomUUID())
        const [one, other] = [
          booked(yield* book(eve, ask, { "idempotency-key": "" })),
          booked(yield* book(eve, ask, { "idempotency-key": "  " }))
        ]
        assert.notStrictEqual(one.id, other.id)

        // A and B.
        assert.strictEqual((yield* lock(seats[0], user)).status, 200)
        isDone(yield* confirm(seats[1], user, card))
        isDone(yield* confirm(seats[1], user))
        isError(yield* lock(seats[0], newUser()), 422, "The seat is not available")

        // What was sold is shown a little later.
        const sold = Effect.map(
          shop.organise(event.id, "/sales"),
          ({ json }) => (json as { sales: ReadonlyArray<{ orders: number; tickets: number }> }).sales[0]
        )
        const sales = yield* pollUntil(sold, (each) => (each?.orders ?? 0) >= 6)
        assert.deepInclude(sales, { orders: 6, tickets: 6 })
        yield* Service.assertAudited(service, { ONSALE_DATABASE_URL: (yield* TestDatabase).url })
      })
    )
  )

  it.effect("of what was declined are told so again, and keep no seat", () =>
    Effect.gen(function* () {
      const ada = randomUUID()
      const key = { "idempotency-key": "declined" }
      const { event } = yield* Effect.scoped(
        Effect.gen(function* () {
          const { book, confirm, lock, open, reserve, shop, token } = yield* worldOn("tok_declined")
          const { event, seats } = yield* open()
          const declined = () =>
            Effect.flatMap(token(ada), (token) => book(token, { event_id: event.id, quantity: 2 }, key))
          isError(yield* declined(), 402, "The payment was declined")
          isError(yield* declined(), 402, "The payment was declined")
          const user = newUser()
          for (let time = 0; time < 2; time++)
            isError(yield* lock(seats[0], user), 422, "The seat is not available")
          isDone(yield* reserve(seats[1], user))
          for (let time = 0; time < 2; time++)
            isError(yield* confirm(seats[1], user, declinedMethod), 400, "Invalid request payload")
          yield* forget
          isError(yield* declined(), 402, "The payment was declined")
          isError(yield* confirm(seats[1], user, declinedMethod), 400, "Invalid request payload")
          const { areas, unavailable } = yield* shop.availability(event.id)
          assert.deepStrictEqual(unavailable, { [seats[1]!]: "held" })
          for (const { available, capacity } of Object.values(areas)) assert.strictEqual(available, capacity)
          return { event }
        })
      )
      // Also where it could be paid by now: who wants it then asks anew.
      const { book, token } = yield* worldOn("tok_ok")
      const ask = { event_id: event.id, quantity: 2 }
      isError(yield* book(yield* token(ada), ask, key), 402, "The payment was declined")
      booked(yield* book(yield* token(ada), ask, { "idempotency-key": "another" }))
    }).pipe(Effect.scoped)
  )
})
