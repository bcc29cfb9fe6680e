import { assert, describe, it } from "@effect/vitest"
import { RpcEdge } from "@onsale/contracts/rpc/OnsaleRpc"
import { OrganiserOnly } from "@onsale/contracts/rpc/OrganiserRpc"
import { CustomerId } from "@onsale/contracts/Ids"
import {
  Clock,
  ConfigProvider,
  Deferred,
  Effect,
  Fiber,
  Layer,
  Option,
  Redacted,
  Schema,
  Stream
} from "effect"
import { Rpc, RpcGroup, RpcTest } from "effect/rpc"
import { TestClock } from "effect/testing"
import { AdmissionControl } from "../src/AdmissionControl.ts"
import { CurrentCustomer } from "../src/CurrentCustomer.ts"
import { CustomerToken } from "../src/CustomerToken.ts"
import { RateLimits } from "../src/RateLimits.ts"
import { SharedRedis } from "../src/SharedRedis.ts"
import * as TokenKeys from "../src/TokenKeys.ts"
import { ViewersPerClient } from "../src/ViewersPerClient.ts"
import * as Connection from "../src/rpc/Connection.ts"
import * as RpcGuards from "../src/rpc/RpcGuards.ts"

class Group extends RpcGroup.make(
  Rpc.make("Break"),
  Rpc.make("BreakStream", { success: Schema.Int, stream: true }),
  Rpc.make("Wait"),
  Rpc.make("WaitStream", { success: Schema.Int, stream: true }),
  Rpc.make("Who", { success: Schema.NullOr(Schema.String) }),
  Rpc.make("Secret").middleware(OrganiserOnly)
).middleware(RpcEdge) {}

const tokenSecret = Redacted.make("a secret of more than thirty-two characters")
const tokens = CustomerToken.layer({ keys: Option.some(tokenSecret), organiserKey: Redacted.make("the key") })
const limits = RateLimits.layer.pipe(
  Layer.provide(SharedRedis.layerNone),
  Layer.provide(ConfigProvider.layer(ConfigProvider.fromUnknown({ ONSALE_RATE_LIMIT_ORDERS: "3" })))
)

const viewers = ViewersPerClient.layer.pipe(
  Layer.provide(ConfigProvider.layer(ConfigProvider.fromUnknown({ ONSALE_VIEWERS_PER_CLIENT: "1" })))
)

const defect = new Error("password=hunter2")

const world = Effect.gen(function* () {
  const go = Deferred.makeUnsafe<void>()
  const wire = { unread: 0, taken: 0 }
  const connection = Connection.make({
    unreadBytes: () => wire.unread,
    takenBytes: () => wire.taken,
    destroy: () => {}
  })
  const handlers = Group.toLayer({
    Break: () => Effect.die(defect),
    BreakStream: () => Stream.concat(Stream.make(1), Stream.die(defect)),
    Wait: () => Deferred.await(go),
    WaitStream: () => Stream.drain(Stream.fromEffect(Deferred.await(go))),
    Who: () => Effect.map(CurrentCustomer, (customer) => customer?.id ?? null),
    Secret: () => Effect.void
  })
  const services = yield* Layer.build(
    Layer.merge(handlers, RpcGuards.layer(Redacted.make("the key"))).pipe(
      Layer.provide([limits, tokens, viewers, AdmissionControl.layer])
    )
  )
  const client = yield* RpcTest.makeClient(Group).pipe(Effect.provideContext(services))
  return { client, connection, go, wire }
})

const tokenOf = Effect.fnUntraced(function* (id: string) {
  const nowMs = yield* Clock.currentTimeMillis
  return yield* TokenKeys.sign(
    yield* TokenKeys.parse(tokenSecret),
    { id: CustomerId.make(id) },
    {
      nowMs,
      expiresAtMs: nowMs + 60_000
    }
  )
})

const on = (connection: Connection.Connection) => Effect.provideService(Connection.Current, connection)

describe("RpcGuards", () => {
  it.effect("makes a defect of ours a problem that tells nothing of it, of a stream as well", () =>
    Effect.gen(function* () {
      const { client } = yield* world
      const errors = [
        yield* Effect.flip(client.Break()),
        yield* Effect.flip(Stream.runDrain(client.BreakStream()))
      ]
      for (const error of errors) {
        assert.strictEqual(error._tag, "Internal")
        assert.notInclude(JSON.stringify(error), "hunter2")
      }
      const named = yield* Effect.flip(client.Break(undefined, { headers: { "x-correlation-id": "mine-7" } }))
      assert.strictEqual(named._tag === "Internal" ? named.detail : "", "correlation id mine-7")
    }).pipe(Effect.scoped)
  )

  it.effect("refuses what a connection has too much of, until it has less", () =>
    Effect.gen(function* () {
      const { client, connection, go } = yield* world
      const calls = yield* Effect.forEach(Array.from({ length: Connection.maxCalls }), () =>
        Effect.forkChild(client.Wait().pipe(on(connection)))
      )
      const streams = yield* Effect.forEach(Array.from({ length: Connection.maxStreams }), () =>
        Effect.forkChild(Stream.runDrain(client.WaitStream()).pipe(on(connection)))
      )
      yield* Effect.yieldNow
      assert.strictEqual((yield* Effect.flip(client.Wait().pipe(on(connection))))._tag, "Overloaded")
      const stream = Stream.runDrain(client.WaitStream()).pipe(on(connection))
      assert.strictEqual((yield* Effect.flip(stream))._tag, "Overloaded")

      yield* Deferred.succeed(go, undefined)
      yield* Effect.forEach([...calls, ...streams], Fiber.join, { discard: true })
      assert.deepStrictEqual([connection.calls, connection.streams], [0, 0])
      yield* client.Wait().pipe(on(connection))
    }).pipe(Effect.scoped)
  )

  it.effect("does no more work for who does not read, or while the server stops", () =>
    Effect.gen(function* () {
      const { client, connection, go, wire } = yield* world
      yield* Deferred.succeed(go, undefined)
      wire.unread = Connection.maxUnreadBytes + 1
      assert.strictEqual((yield* Effect.flip(client.Wait().pipe(on(connection))))._tag, "Overloaded")
      wire.unread = 0
      yield* client.Wait().pipe(on(connection))
      connection.closing = true
      assert.strictEqual((yield* Effect.flip(client.Wait().pipe(on(connection))))._tag, "Overloaded")
    }).pipe(Effect.scoped)
  )

  it.effect("names the customer of a call by its token, and refuses one that does not hold", () =>
    Effect.gen(function* () {
      const { client } = yield* world
      const who = (authorization: string) => client.Who(undefined, { headers: { authorization } })
      assert.isNull(yield* client.Who())
      assert.isNull(yield* who("Bearer the key"))
      assert.strictEqual(yield* who(`Bearer ${yield* tokenOf("ada")}`), "ada")
      assert.strictEqual((yield* Effect.flip(who("Bearer a.b.c")))._tag, "TokenRejected")
    }).pipe(Effect.scoped)
  )

  it.effect("refuses calls beyond the limit of their client, and of their customer", () =>
    Effect.gen(function* () {
      const { client } = yield* world
      const from = (address: string | null) =>
        on(Connection.make({ unreadBytes: () => 0, takenBytes: () => 0, destroy: () => {} }, address))
      for (let call = 0; call < 3; call++) yield* client.Who().pipe(from("192.0.2.1"))
      const refused = yield* Effect.flip(client.Who().pipe(from("192.0.2.1")))
      assert.strictEqual(refused._tag, "TooManyRequests")
      yield* client.Who().pipe(from("192.0.2.2"))

      const headers = { authorization: `Bearer ${yield* tokenOf("ada")}` }
      for (let call = 0; call < 3; call++) {
        yield* client.Who(undefined, { headers }).pipe(from(`198.51.100.${call}`))
      }
      const everywhere = yield* Effect.flip(client.Who(undefined, { headers }).pipe(from("198.51.100.9")))
      assert.strictEqual(everywhere._tag, "TooManyRequests")
      for (let call = 0; call < 5; call++) yield* client.Who().pipe(from(null))
    }).pipe(Effect.scoped)
  )

  it.effect("refuses streams beyond those that a client may have open, over all its connections", () =>
    Effect.gen(function* () {
      const { client, go } = yield* world
      const watch = (address: string | null) =>
        Stream.runDrain(client.WaitStream()).pipe(
          on(Connection.make({ unreadBytes: () => 0, takenBytes: () => 0, destroy: () => {} }, address))
        )
      const open = yield* Effect.forEach(["192.0.2.1", "192.0.2.2", null, null], (address) =>
        Effect.forkChild(watch(address))
      )
      yield* Effect.yieldNow
      const refused = yield* Effect.flip(watch("192.0.2.1"))
      assert.strictEqual(refused._tag === "TooManyRequests" && refused.policy, '"viewers";q=1')
      yield* Fiber.interrupt(open[0]!)
      const next = yield* Effect.forkChild(watch("192.0.2.1"))
      yield* Effect.yieldNow
      yield* Deferred.succeed(go, undefined)
      yield* Effect.forEach([...open.slice(1), next], Fiber.join, { discard: true })
    }).pipe(Effect.scoped)
  )

  it.effect("lets organisers alone pass, by the whole of their key", () =>
    Effect.gen(function* () {
      const { client } = yield* world
      const withHeader = (authorization: string) => client.Secret(undefined, { headers: { authorization } })
      yield* withHeader("Bearer the key")
      yield* withHeader("bearer the key")
      for (const wrong of [
        "",
        "Bearer ",
        "Bearer",
        "the key",
        "Basic the key",
        "Bearer the ke",
        "Bearer the keys"
      ]) {
        assert.strictEqual((yield* Effect.flip(withHeader(wrong)))._tag, "Unauthorized", wrong)
      }
      assert.strictEqual((yield* Effect.flip(client.Secret()))._tag, "Unauthorized")
    }).pipe(Effect.scoped)
  )
})

describe("A connection", () => {
  const minutes = (connection: Connection.Connection, each: () => void) =>
    Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(Connection.lost(connection), { startImmediately: true })
      for (let minute = 1; minute <= 10; minute++) {
        each()
        yield* TestClock.adjust(Connection.silence)
        if (fiber.pollUnsafe() !== undefined) return minute
      }
      yield* Fiber.interrupt(fiber)
      return null
    })

  it.effect("is lost when its client is silent, or does not read", () =>
    Effect.gen(function* () {
      const wire = { unread: 0, taken: 0 }
      const make = () =>
        Connection.make({ unreadBytes: () => wire.unread, takenBytes: () => wire.taken, destroy: () => {} })
      const talks = make()
      assert.isNull(yield* minutes(talks, () => talks.received++))
      assert.isNotNull(yield* minutes(make(), () => {}))
      const stuck = make()
      wire.unread = 1
      assert.isNotNull(yield* minutes(stuck, () => stuck.received++))
      const slow = make()
      assert.isNull(
        yield* minutes(slow, () => {
          slow.received++
          wire.taken++
        })
      )
    })
  )
})
