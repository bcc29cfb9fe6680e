import { assert, describe, it } from "@effect/vitest"
import { CheckIns } from "@onsale/booking/CheckIns"
import { Orders } from "@onsale/booking/Orders"
import { Blocks } from "@onsale/catalog/Blocks"
import { EventSearches } from "@onsale/catalog/search/EventSearches"
import { Catalog } from "@onsale/catalog/Catalog"
import { PublicEvents } from "@onsale/catalog/PublicEvents"
import { Vouchers } from "@onsale/catalog/Vouchers"
import { areaId, type EventId, makeEventId, makeUuidV7, seatId, TierId } from "@onsale/contracts/Ids"
import { InventoryClient, InventoryUnavailable } from "@onsale/contracts/inventory/InventoryClient"
import type { InventoryAnswer, InventoryCommand, Refused } from "@onsale/contracts/inventory/InventoryCommand"
import { MailWebhooks } from "@onsale/notifications/MailWebhooks"
import { MessageLog } from "@onsale/notifications/MessageLog"
import { Notifications } from "@onsale/notifications/Notifications"
import { Suppressions } from "@onsale/notifications/Suppressions"
import { Preferences } from "@onsale/notifications/Preferences"
import { PushSubscriptions } from "@onsale/notifications/push/PushSubscriptions"
import { VapidKeys } from "@onsale/notifications/push/VapidKeys"
import { SmsCallbacks } from "@onsale/notifications/sms/SmsCallbacks"
import { UnsubscribeLinks } from "@onsale/notifications/UnsubscribeLinks"
import { WebhookDeliveries } from "@onsale/notifications/webhooks/WebhookDeliveries"
import { WebhookSubscriptions } from "@onsale/notifications/webhooks/WebhookSubscriptions"
import { Webhooks } from "@onsale/payments/Webhooks"
import * as HttpServer from "@onsale/platform/HttpServer"
import {
  ConfigProvider,
  Context,
  Deferred,
  Effect,
  Exit,
  Fiber,
  Layer,
  Logger,
  Redacted,
  References,
  Scope
} from "effect"
import { HttpServer as Server } from "effect/http"
import { Reactivity } from "effect/reactivity"
import { SqlClient, Statement } from "effect/sql"
import * as Gateway from "../src/Gateway.ts"
import * as RawClient from "./RawClient.ts"

const eventId = makeEventId(1_700_000_000_000)
const tier = TierId.make(makeUuidV7(0))
type Hold = Extract<InventoryCommand, { readonly _tag: "Hold" }>

const refused = (code: Refused["code"], rest: Partial<Refused> = {}): InventoryAnswer => ({
  _tag: "Refused",
  code,
  seats: [],
  areas: [],
  limit: null,
  ...rest
})

const held = (command: Hold): InventoryAnswer => ({
  _tag: "Held",
  hold: {
    holdId: command.holdId,
    seats: command.seats.map((seat) => ({ seat, label: `Größe "${seat}"`, tier, price: 4500 })),
    areas: command.areas.map(({ area, quantity }) => ({ area, name: "Floor", quantity, tier, price: 100 })),
    amount: 9000,
    currency: "EUR",
    expiresAtMs: 1_900_000_000_000,
    version: 7,
    orderId: null
  }
})

type Execute = (command: Hold) => Effect.Effect<InventoryAnswer, InventoryUnavailable>

/** The whole edge on a free port, over an inventory that answers as told, until the scope closes. */
const serve = Effect.fnUntraced(function* (execute: Execute, shutdownLimit = 2_000) {
  const commands: Array<Hold> = []
  const lookups: Array<EventId> = []
  const logged: Array<unknown> = []
  const contexts = Layer.mergeAll(
    Layer.mock(Catalog, {
      // Each request on the typed route asks for it, and none on the lean one.
      eventNumber: (id) =>
        Effect.sync(() => {
          lookups.push(id)
          return 1
        })
    }),
    Layer.mock(PublicEvents, {}),
    Layer.mock(Orders, {}),
    Layer.mock(Blocks, {}),
    Layer.mock(Vouchers, {}),
    Layer.mock(EventSearches, {}),
    Layer.mock(CheckIns, {}),
    Layer.mock(Notifications, {}),
    Layer.mock(MailWebhooks, {}),
    Layer.mock(MessageLog, {}),
    Layer.mock(Suppressions, {}),
    Layer.mock(Preferences, {}),
    Layer.mock(UnsubscribeLinks, {}),
    Layer.mock(WebhookDeliveries, {}),
    Layer.mock(WebhookSubscriptions, {}),
    Layer.mock(PushSubscriptions, {}),
    Layer.mock(SmsCallbacks, {}),
    Layer.mock(VapidKeys, { publicKey: "", privateKey: Redacted.make(""), subject: "" }),
    Layer.mock(Webhooks, {}),
    Layer.mock(InventoryClient, {
      execute: (_, command) =>
        Effect.suspend(() => {
          if (command._tag !== "Hold") return Effect.die(new Error(command._tag))
          commands.push(command)
          return execute(command)
        })
    }),
    // Only asked for whether it answers.
    Layer.effect(
      SqlClient.SqlClient,
      SqlClient.make({
        acquirer: Effect.never,
        compiler: Statement.makeCompilerSqlite(),
        driver: "none",
        spanAttributes: []
      })
    ).pipe(Layer.provide(Reactivity.layer))
  )
  const logger = Logger.make(({ fiber, message }) => {
    logged.push([message, fiber.getRef(References.CurrentLogAnnotations)["correlationId"]])
  })
  const scope = yield* Scope.make()
  yield* Effect.addFinalizer(() => Scope.close(scope, Exit.void))
  const context = yield* HttpServer.serve(Gateway.layer({ organiserKey: Redacted.make("key") }), {
    port: 0,
    host: "127.0.0.1",
    shutdownLimit
  }).pipe(Layer.provide([contexts, Logger.layer([logger])]), Layer.buildWithScope(scope))
  const { address } = Context.get(context, Server.HttpServer)
  const port = address._tag === "UnixPathAddress" ? 0 : address.port
  return { port, commands, lookups, logged, close: Scope.close(scope, Exit.void) }
})

interface Told {
  readonly body?: string
  readonly headers?: string
  readonly key?: string
  readonly query?: string
  readonly id?: EventId
}

const seats = JSON.stringify({ seats: [seatId(eventId, 1), seatId(eventId, 2)] })
let keys = 0

const request = ({ body = seats, headers = "", id = eventId, key = `key-${keys++}`, query = "" }: Told) => ({
  head: `POST /api/v1/events/${id}/holds${query} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nidempotency-key: ${key}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n${headers}\r\n`,
  body
})
const bytes = (told: Told = {}): string => {
  const { body, head } = request(told)
  return head + body
}

/** What goes the typed way for a query that means nothing. */
const typed = "?"

const learnt = Effect.fnUntraced(function* (port: number) {
  const client = yield* RawClient.make(port)
  // The first request of an event goes the typed way.
  client.send(bytes())
  yield* client.answer
  return client
})

/** An answer without what is another one each time. */
const comparable = ({ body, headers, status }: RawClient.RawAnswer) => ({
  status,
  headers,
  body: body.replace(/"id":"[^"]*"/, '"id":""')
})

const answers: ReadonlyArray<readonly [name: string, execute: Execute]> = [
  ["a grant", (command) => Effect.succeed(held(command))],
  ["seats taken", () => Effect.succeed(refused("seats_taken", { seats: [1], areas: [0] }))],
  ["sold out", () => Effect.succeed(refused("seats_taken"))],
  ["seats unknown", () => Effect.succeed(refused("seats_unknown", { seats: [2] }))],
  ["not for sale", () => Effect.succeed(refused("not_for_sale", { seats: [2] }))],
  ["a limit passed", () => Effect.succeed(refused("limit_passed", { limit: 10 }))],
  ["a sale that is closed", () => Effect.succeed(refused("sale_closed", { limit: 1_900_000_000_000 }))],
  ["an event that is cancelled", () => Effect.succeed(refused("event_cancelled"))],
  ["an event that is gone", () => Effect.succeed(refused("event_not_found"))],
  ["a key with another body", () => Effect.succeed(refused("key_reused"))],
  ["overload", () => Effect.fail(new InventoryUnavailable({ reason: "overloaded", retryAfterMs: 1_500 }))],
  [
    "an outcome that is not known",
    () => Effect.fail(new InventoryUnavailable({ reason: "deadline", retryAfterMs: 1_500 }))
  ],
  [
    "that it was not begun",
    () => Effect.fail(new InventoryUnavailable({ reason: "not_begun", retryAfterMs: 1_500 }))
  ],
  ["a defect", () => Effect.die(new Error("broken"))],
  ["an answer that makes no sense", () => Effect.succeed({ _tag: "Released" })]
]

const limitedTo = (env: Record<string, string>) =>
  Effect.provideService(
    ConfigProvider.ConfigProvider,
    ConfigProvider.fromUnknown({
      ONSALE_RATE_LIMIT_HOLDS: "2",
      ONSALE_RATE_LIMIT_WINDOW: "100 seconds",
      ...env
    })
  )

describe("HotHolds in front of the routes", () => {
  for (const [name, execute] of answers) {
    it.live(`answers ${name} with the bytes and headers of the typed route`, () =>
      Effect.gen(function* () {
        const { commands, lookups, port } = yield* serve(execute)
        const client = yield* learnt(port)
        const before = lookups.length
        const headers = `x-correlation-id: mine\r\ntraceparent: 00-${"a".repeat(32)}-${"b".repeat(16)}-01\r\nprefer: wait=99\r\n`
        const body = JSON.stringify({
          seats: [seatId(eventId, 2), seatId(eventId, 1)],
          areas: [{ areaId: areaId(eventId, 0), quantity: 2 }]
        })
        client.send(bytes({ headers, body }))
        const lean = yield* client.answer
        assert.lengthOf(lookups, before)
        client.send(bytes({ headers, body, query: typed }))
        assert.deepStrictEqual(comparable(lean), comparable(yield* client.answer))
        assert.lengthOf(lookups, before + 1)
        assert.strictEqual(lean.headers["x-correlation-id"], "mine")
        assert.strictEqual(lean.headers["preference-applied"], "wait=60")
        const [, one, two] = commands
        assert.strictEqual(one?.fingerprint, two?.fingerprint)
        assert.deepStrictEqual([one?.seats, one?.areas], [two?.seats, two?.areas])
      })
    )
  }

  it.live("is not reached by a client that asks for too much, on the lean route or the typed one", () =>
    Effect.gen(function* () {
      const { commands, port } = yield* serve((command) => Effect.succeed(held(command)))
      const client = yield* learnt(port)
      client.send(bytes())
      assert.strictEqual((yield* client.answer).status, 201)
      // A body that nobody reads does not stand in the way of the next request.
      const long = { body: seats + " ".repeat(40 * 1024) }
      for (const told of [{}, { query: typed }, long, {}]) {
        client.send(bytes({ ...told, headers: "x-correlation-id: mine\r\nx-forwarded-for: 203.0.113.9\r\n" }))
        const { body, headers, status } = yield* client.answer
        assert.strictEqual(status, 429)
        assert.deepInclude(headers, {
          "content-type": "application/problem+json",
          "x-correlation-id": "mine",
          "ratelimit-policy": '"holds";q=2;w=100',
          ratelimit: '"holds";r=0;t=50',
          "retry-after": "50"
        })
        assert.deepStrictEqual(JSON.parse(body), {
          type: "urn:onsale:problem:too-many-requests",
          status: 429,
          title: "Too many requests from your address, or by your token; try again later"
        })
      }
      assert.lengthOf(commands, 2)
      client.send("GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n")
      assert.strictEqual((yield* client.answer).status, 200)
    }).pipe(limitedTo({ ONSALE_RATE_LIMIT_LOOPBACK: "limited" }))
  )

  it.live(
    "is reached by a client on this machine without a limit, and by each one behind a proxy with its own",
    () =>
      Effect.gen(function* () {
        const { port } = yield* serve((command) => Effect.succeed(held(command)))
        const client = yield* learnt(port)
        const askFor = Effect.fnUntraced(function* (forwarded: string) {
          client.send(bytes({ headers: forwarded }))
          return (yield* client.answer).status
        })
        for (let i = 0; i < 5; i++) assert.strictEqual(yield* askFor(""), 201)
        const statuses: Array<number> = []
        for (let i = 0; i < 3; i++) statuses.push(yield* askFor("x-forwarded-for: 1.2.3.4, 203.0.113.9\r\n"))
        assert.deepStrictEqual(statuses, [201, 201, 429])
        assert.strictEqual(yield* askFor("x-forwarded-for: 203.0.113.10\r\n"), 201)
      }).pipe(limitedTo({ ONSALE_TRUSTED_PROXIES: "127.0.0.0/8" }))
  )

  it.live("hands on untouched what is not of the common form, in one packet or in several", () =>
    Effect.gen(function* () {
      const { port } = yield* serve((command) => Effect.succeed(held(command)))
      const client = yield* learnt(port)
      const others: ReadonlyArray<readonly [number, Told]> = [
        [400, { body: "{" }],
        [400, { body: "" }],
        [400, { body: "{}" }],
        [400, { key: "" }],
        [400, { key: "k".repeat(256) }],
        [400, { body: JSON.stringify({ seats: "all" }) }],
        [201, { body: JSON.stringify({ bestAvailable: { quantity: 2, more: 1 } }) }],
        [201, { body: `\ufeff${seats}` }],
        [201, { body: JSON.stringify({ seats: [seatId(eventId, 1)], more: 1 }) }],
        [201, { body: seats + " ".repeat(8 * 1024) }],
        [404, { body: JSON.stringify({ seats: [seatId(makeEventId(1), 1)] }) }],
        [413, { body: seats + " ".repeat(64 * 1024) }]
      ]
      for (const [status, told] of others) {
        for (const packets of [1, 2, 3]) {
          const own = status === 413 ? yield* learnt(port) : client
          const { body, head } = request(told)
          const whole = head + body
          const cuts = [head.length, head.length + Math.ceil(body.length / 2)].slice(0, packets - 1)
          let from = 0
          for (const cut of [...cuts, whole.length]) {
            own.send(whole.slice(from, cut))
            from = cut
            yield* Effect.sleep("5 millis")
          }
          const answer = yield* own.answer
          assert.strictEqual(answer.status, status, `${packets} packets of ${body.slice(0, 60)}`)
        }
      }
    })
  )

  it.live("takes a body that comes after its headers, in pieces", () =>
    Effect.gen(function* () {
      const { commands, lookups, port } = yield* serve((command) => Effect.succeed(held(command)))
      const client = yield* learnt(port)
      const before = lookups.length
      const { body, head } = request({})
      for (const packet of [head.slice(0, 30), head.slice(30), body.slice(0, 10), body.slice(10)]) {
        client.send(packet)
        yield* Effect.sleep("5 millis")
      }
      assert.strictEqual((yield* client.answer).status, 201)
      assert.lengthOf(commands, 2)
      assert.lengthOf(lookups, before)
    })
  )

  it.live("does nothing for a client that goes away in the middle of its body", () =>
    Effect.gen(function* () {
      const { commands, logged, port } = yield* serve((command) => Effect.succeed(held(command)))
      const client = yield* learnt(port)
      const { body, head } = request({})
      client.send(head + body.slice(0, 10))
      yield* Effect.sleep("20 millis")
      client.socket.destroy()
      yield* Effect.sleep("20 millis")
      const other = yield* RawClient.make(port)
      other.send(bytes())
      assert.strictEqual((yield* other.answer).status, 201)
      assert.lengthOf(commands, 2)
      assert.lengthOf(logged, 0)
    })
  )

  it.live("answers requests that came in one packet in their order", () =>
    Effect.gen(function* () {
      const first = yield* Deferred.make<void>()
      const { port } = yield* serve((command) =>
        command.seats[0] === 5
          ? Effect.as(Deferred.await(first), held(command))
          : Effect.as(Deferred.succeed(first, undefined), held(command))
      )
      const client = yield* learnt(port)
      client.send(
        [5, 6, 7].map((n) => bytes({ body: JSON.stringify({ seats: [seatId(eventId, n)] }) })).join("")
      )
      for (const n of [5, 6, 7]) assert.include((yield* client.answer).body, seatId(eventId, n))
    })
  )

  it.live("refuses a key whose first request is running, and gives it back when that client goes away", () =>
    Effect.gen(function* () {
      const { port } = yield* serve((command) =>
        command.commandId === "k:slow" ? Effect.never : Effect.succeed(held(command))
      )
      const client = yield* learnt(port)
      const slow = yield* RawClient.make(port)
      slow.send(bytes({ key: "slow" }))
      yield* Effect.sleep("20 millis")
      client.send(bytes({ key: "slow" }))
      const inUse = yield* client.answer
      assert.strictEqual(inUse.status, 409)
      assert.include(inUse.body, "key-in-use")
      client.send(bytes({ key: "slow", query: typed }))
      assert.deepStrictEqual(comparable(yield* client.answer).body, inUse.body)
      slow.socket.destroy()
      yield* Effect.sleep("20 millis")
      const again = yield* RawClient.make(port)
      again.send(bytes({ key: "slow" }))
      const early = yield* again.answer.pipe(Effect.timeoutOption("50 millis"))
      assert.strictEqual(early._tag, "None", "it runs, and is not refused")
    })
  )

  it.live("a defect is logged under the correlation id of its request", () =>
    Effect.gen(function* () {
      const { logged, port } = yield* serve(() => Effect.die(new Error("broken")))
      const client = yield* learnt(port)
      const before = logged.length
      client.send(bytes({ headers: "x-correlation-id: mine\r\n" }))
      assert.strictEqual((yield* client.answer).status, 500)
      assert.lengthOf(logged, before + 1)
      assert.include(JSON.stringify(logged[before]), "mine")
    })
  )

  it.live("finishes what it has accepted when it is told to stop, and ends the connection", () =>
    Effect.gen(function* () {
      const go = yield* Deferred.make<void>()
      const { close, port } = yield* serve((command) =>
        command.commandId === "k:last"
          ? Effect.as(Deferred.await(go), held(command))
          : Effect.succeed(held(command))
      )
      const client = yield* learnt(port)
      client.send(bytes({ key: "last" }))
      yield* Effect.sleep("20 millis")
      const closing = yield* Effect.forkChild(close)
      yield* Effect.sleep("20 millis")
      yield* Deferred.succeed(go, undefined)
      assert.strictEqual((yield* client.answer).status, 201)
      yield* client.ended
      yield* Fiber.join(closing)
    })
  )

  it.live("cuts off what is not answered when the time to stop is over", () =>
    Effect.gen(function* () {
      const { close, port } = yield* serve(
        (command) => (command.commandId === "k:never" ? Effect.never : Effect.succeed(held(command))),
        200
      )
      const client = yield* learnt(port)
      client.send(bytes({ key: "never" }))
      yield* Effect.sleep("20 millis")
      yield* close
      yield* client.ended
    })
  )
})
