/** Customers by their tokens on the API: who counts for whose limit (INV-08), and what a token that does not hold gets. */
import { assert, layer } from "@effect/vitest"
import { Order } from "@onsale/contracts/http/OrdersApi"
import type { SeatId } from "@onsale/contracts/Ids"
import { Context, Effect, Layer } from "effect"
import { randomUUID } from "node:crypto"
import * as CompatWorld from "./CompatWorld.ts"
import * as RpcClients from "./RpcClients.ts"
import * as Service from "./Service.ts"
import * as Shop from "./Shop.ts"

class World extends Context.Service<World, CompatWorld.World>()("World") {
  static readonly layer = Layer.effect(World, CompatWorld.make)
}

/** Whom a request is by, and whom its body names. */
interface By {
  readonly token?: string
  readonly email?: string
}

const make = Effect.gen(function* () {
  const { open, shop } = yield* World
  const { event, seats } = yield* open({ maxPerCustomer: 2 })
  const headers = ({ token }: By) => ({
    "idempotency-key": Shop.newKey(),
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` })
  })
  const hold = (wanted: ReadonlyArray<SeatId | undefined>, by: By = {}) =>
    shop.send({
      path: `/api/v1/events/${event.id}/holds`,
      headers: headers(by),
      body: { seats: wanted, ...(by.email === undefined ? {} : { customer: { email: by.email } }) }
    })
  const order = (holdId: unknown, by: By = {}) =>
    shop.send({
      path: "/api/v1/orders",
      headers: headers(by),
      body: {
        holdId,
        customer: { name: "Ada", email: by.email ?? "ada@example.org" },
        payment: { method: "tok_ok" }
      }
    })
  return { event, seats, hold, order }
})

const idOf = ({ json }: { readonly json: unknown }) => (json as { readonly id: string }).id

layer(World.layer, { timeout: "120 seconds", excludeTestServices: true })("A customer's token", (it) => {
  it.effect("is made by the command line, for as long as it is told", () =>
    Effect.gen(function* () {
      const { tokenByCommand } = yield* World
      const { hold, seats } = yield* make
      const made = yield* tokenByCommand("customer-7", "--expires", "30m", "--json")
      const { customer, token } = JSON.parse(made.stdout) as {
        readonly customer: string
        readonly token: string
      }
      assert.strictEqual(customer, "customer-7")
      assert.strictEqual((yield* hold([seats[0], seats[1]], { token })).status, 201)
      assert.strictEqual((yield* hold([seats[2]], { token })).status, 422)
      for (const wrong of ["0s", "400d", "soon"]) {
        assert.strictEqual((yield* tokenByCommand("customer-7", "--expires", wrong)).code, 2, wrong)
      }
    })
  )

  it.effect("401: one that does not hold, for holds and orders; without one all is as it was", () =>
    Effect.gen(function* () {
      const { hold, order, seats } = yield* make
      // The first request of an event goes the typed way, later ones the lean one.
      for (let attempt = 0; attempt < 3; attempt++) {
        for (const reply of [
          yield* hold([seats[0]], { token: "a.b.c" }),
          yield* order(randomUUID(), { token: "x" })
        ]) {
          assert.strictEqual(reply.status, 401, reply.text)
          assert.match(String(reply.headers["content-type"]), /^application\/problem\+json/)
          assert.strictEqual(reply.headers["www-authenticate"], "Bearer")
          assert.strictEqual((yield* Shop.problemOf(reply)).type, "urn:onsale:problem:token-rejected")
        }
        assert.strictEqual((yield* hold([seats[attempt]])).status, 201)
      }
      assert.strictEqual((yield* hold([seats[5]], { token: Service.organiserKey })).status, 201)
    })
  )

  it.effect(
    "INV-08: counts for its own limit, whatever e-mail addresses are named, at hold and at order",
    () =>
      Effect.gen(function* () {
        const { token } = yield* World
        const { hold, order, seats } = yield* make
        const ada = { token: yield* token(randomUUID()) }
        const first = yield* hold([seats[0], seats[1]], { ...ada, email: "one@example.org" })
        assert.strictEqual(first.status, 201, first.text)
        const refused = yield* hold([seats[2]], { ...ada, email: "two@example.org" })
        assert.strictEqual(refused.status, 422)
        assert.deepInclude(yield* Shop.problemOf(refused), { limit: 2, scope: "customer" })
        const bought = yield* Effect.flatMap(
          order(idOf(first), { ...ada, email: "three@example.org" }),
          Shop.expect(201, Order)
        )
        assert.strictEqual(bought.tickets.length, 2)
        // Nobody is known when it is held: the limit is asked at the order.
        const anonymous = yield* hold([seats[3]])
        const late = yield* order(idOf(anonymous), ada)
        assert.strictEqual(late.status, 422, late.text)
        assert.deepInclude(yield* Shop.problemOf(late), { limit: 2, scope: "customer" })
      })
  )

  it.effect("INV-08: is not used up by who names the customer's e-mail address", () =>
    Effect.gen(function* () {
      const { token } = yield* World
      const { hold, seats } = yield* make
      const email = `${randomUUID()}@example.org`
      assert.strictEqual((yield* hold([seats[0], seats[1]], { email })).status, 201)
      assert.strictEqual((yield* hold([seats[2]], { email })).status, 422)
      const ada = { token: yield* token(randomUUID(), email) }
      assert.strictEqual((yield* hold([seats[2], seats[3]], { ...ada, email })).status, 201)
    })
  )

  it.effect("INV-08: counts over RPC as well", () =>
    Effect.gen(function* () {
      const { service, token } = yield* World
      const { event, seats } = yield* make
      const ada = { headers: { authorization: `Bearer ${yield* token(randomUUID())}` } }
      for (const [index, transport] of (["HTTP", "WebSocket"] as const).entries()) {
        const client = yield* RpcClients.make(transport, service.url)
        const hold = (seat: SeatId, options = ada) =>
          client.CreateHold(
            { eventId: event.id, idempotencyKey: Shop.newKey(), hold: { seats: [seat] } },
            options
          )
        yield* hold(seats[index]!)
        const wrong = { headers: { authorization: "Bearer a.b.c" } }
        assert.strictEqual((yield* Effect.flip(hold(seats[5]!, wrong)))._tag, "TokenRejected")
        if (index === 1) assert.strictEqual((yield* Effect.flip(hold(seats[6]!)))._tag, "LimitPassed")
      }
      yield* Service.assertAudited(service)
    }).pipe(Effect.scoped)
  )
})
