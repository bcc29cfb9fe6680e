import { assert, describe, it } from "@effect/vitest"
import { CheckIns } from "@onsale/booking/CheckIns"
import { Orders } from "@onsale/booking/Orders"
import { Blocks } from "@onsale/catalog/Blocks"
import { Catalog } from "@onsale/catalog/Catalog"
import { PublicEvents } from "@onsale/catalog/PublicEvents"
import { EventSearches } from "@onsale/catalog/search/EventSearches"
import { Vouchers } from "@onsale/catalog/Vouchers"
import { EventNotFound } from "@onsale/contracts/catalog/CatalogErrors"
import { makeEventId, seatId } from "@onsale/contracts/Ids"
import { InventoryClient, InventoryUnavailable } from "@onsale/contracts/inventory/InventoryClient"
import type { AvailabilityView } from "@onsale/contracts/inventory/InventoryCommand"
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
import * as FastClock from "@onsale/testing/FastClock"
import { pollUntil } from "@onsale/testing/Poll"
import { Clock, ConfigProvider, Context, Effect, Exit, Layer, Redacted, Scope } from "effect"
import { HttpServer as Server } from "effect/http"
import { Reactivity } from "effect/reactivity"
import { SqlClient, Statement } from "effect/sql"
import { render } from "../src/AvailabilityBoard.ts"
import * as Gateway from "../src/Gateway.ts"
import * as EventStreamClient from "./EventStreamClient.ts"

const eventId = makeEventId(1_700_000_000_000)
const unknownId = makeEventId(1_700_000_100_000)
const pathOf = (id: string, query = "") => `/api/v1/events/${id}/availability/stream${query}`
const path = pathOf(eventId)
/** Another form of the same, which goes to the typed route. */
const typed = pathOf(eventId, "?")

const deadline = Effect.fail(new InventoryUnavailable({ reason: "deadline", retryAfterMs: 1_000 }))
const absent = { failing: deadline, slow: Effect.delay(deadline, "5 seconds") }

/** The whole edge on a free port, over one event whose availability is as told. */
const serve = Effect.fnUntraced(function* (
  total: number,
  env: Record<string, string> = {},
  /** How much faster its time goes than the test's. */
  speed = 1
) {
  let view: AvailabilityView = { version: 1, total, held: [], sold: [], areas: [], tiers: [] }
  let deleted = false
  let inventory: "there" | keyof typeof absent = "there"
  const contexts = Layer.mergeAll(
    Layer.mock(Catalog, {
      eventNumber: (id) =>
        id === eventId && !deleted ? Effect.succeed(1) : Effect.fail(new EventNotFound({ eventId: id }))
    }),
    Layer.mock(PublicEvents, {}),
    Layer.mock(EventSearches, {}),
    Layer.mock(Orders, {}),
    Layer.mock(Blocks, {}),
    Layer.mock(Vouchers, {}),
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
      availability: () =>
        Effect.suspend(() => (inventory === "there" ? Effect.succeed(view) : absent[inventory]))
    }),
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
  const scope = yield* Scope.make()
  yield* Effect.addFinalizer(() => Scope.close(scope, Exit.void))
  const context = yield* HttpServer.serve(Gateway.layer({ organiserKey: Redacted.make("key") }), {
    port: 0,
    host: "127.0.0.1",
    shutdownLimit: 10_000
  }).pipe(
    Layer.provide(contexts),
    Layer.buildWithScope(scope),
    Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromUnknown(env)),
    Effect.provideServiceEffect(Clock.Clock, FastClock.make(speed))
  )
  const { address } = Context.get(context, Server.HttpServer)
  const port = address._tag === "UnixPathAddress" ? 0 : address.port
  return {
    port,
    hold: (held: ReadonlyArray<number>) => {
      view = { ...view, version: view.version + 1, held }
    },
    inventory: (is: typeof inventory) => {
      inventory = is
    },
    /** By SQL. */
    remove: () => {
      deleted = true
    },
    /** Another version of the same. */
    touch: () => {
      view = { ...view, version: view.version + 1 }
    },
    /** What a fresh snapshot shows. */
    board: () => {
      const { areas, seats, tiers, unavailable } = render(eventId, view)
      return { areas, seats, tiers, unavailable }
    },
    watch: (options?: EventStreamClient.StreamRequest, at = path) =>
      EventStreamClient.make(port, at, options),
    close: Scope.close(scope, Exit.void)
  }
})

const until = (what: () => boolean, deadline = 20_000) =>
  pollUntil(Effect.sync(what), (is) => is, { deadline })
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)
const sameBoard = (viewer: EventStreamClient.EventStreamClient, board: unknown) =>
  JSON.stringify(sorted(EventStreamClient.shown(viewer.events))) === JSON.stringify(sorted(board))
const sorted = (value: unknown): unknown =>
  typeof value === "object" && value !== null
    ? Object.entries(value)
        .map(([key, inner]) => [key, sorted(inner)] as const)
        .sort(([a], [b]) => (a < b ? -1 : 1))
    : value

describe("the stream of an event's availability", () => {
  for (const [name, at] of [
    ["in front of the routes", path],
    ["on the typed route", typed]
  ] as const) {
    it.live(`begins with a snapshot and goes on with deltas, ${name}`, () =>
      Effect.gen(function* () {
        const sale = yield* serve(100)
        sale.hold([1])
        const viewer = yield* sale.watch({}, at)
        yield* until(() => viewer.events.length === 1)
        assert.strictEqual(viewer.status(), 200)
        assert.include(viewer.headers(), {
          "content-type": "text/event-stream",
          "cache-control": "no-store",
          "x-accel-buffering": "no"
        })
        assert.strictEqual(viewer.events[0]?.event, "snapshot")
        assert.isTrue(sameBoard(viewer, sale.board()))
        assert.strictEqual(viewer.retries.length, 1)
        sale.hold([2, 3])
        yield* until(() => viewer.events.length === 2)
        const delta = viewer.events[1]!
        assert.strictEqual(delta.event, "delta")
        assert.deepStrictEqual(JSON.parse(delta.data).seats, {
          [seatId(eventId, 1)]: "available",
          [seatId(eventId, 2)]: "held",
          [seatId(eventId, 3)]: "held"
        })
        assert.isTrue(sameBoard(viewer, sale.board()))
      })
    )

    it.live(`resumes after the last event, with nothing missed and nothing doubled, ${name}`, () =>
      Effect.gen(function* () {
        const sale = yield* serve(100)
        const before = yield* sale.watch({}, at)
        yield* until(() => before.events.length === 1)
        sale.hold([1])
        yield* until(() => before.events.length === 2)
        before.socket.destroy()
        sale.hold([1, 2])
        const witness = yield* sale.watch()
        yield* until(() => sameBoard(witness, sale.board()))
        const after = yield* sale.watch({ lastEventId: before.events[1]!.id }, at)
        yield* until(() => after.events.length > 0)
        assert.deepStrictEqual(
          after.events.map(({ data, event }) => [event, JSON.parse(data).seats]),
          [["delta", { [seatId(eventId, 2)]: "held" }]]
        )
      })
    )

    it.live(`answers 404 for an event that there is not, ${name}`, () =>
      Effect.gen(function* () {
        const sale = yield* serve(10)
        const viewer = yield* sale.watch({}, at.replace(eventId, unknownId))
        yield* until(() => viewer.status() !== 0)
        assert.strictEqual(viewer.status(), 404)
        assert.include(viewer.body(), "urn:onsale:problem:event-not-found")
      })
    )
  }

  it.live("begins anew for who names what is not known, or nothing that could be", () =>
    Effect.gen(function* () {
      const sale = yield* serve(100)
      sale.hold([4])
      for (const lastEventId of ["17-AAAAAAAAAA", "%00garbage", "-1", "9".repeat(4_000), "1-x, 2-y"]) {
        const viewer = yield* sale.watch({ lastEventId })
        yield* until(() => viewer.events.length > 0)
        assert.deepStrictEqual([viewer.status(), viewer.events[0]?.event], [200, "snapshot"])
        assert.isTrue(sameBoard(viewer, sale.board()))
      }
    })
  )

  it.live("says nothing to who comes back and has missed nothing, though the version has gone on", () =>
    Effect.gen(function* () {
      const sale = yield* serve(100)
      sale.hold([1])
      const before = yield* sale.watch()
      yield* until(() => before.events.length === 1)
      sale.touch()
      const after = yield* sale.watch({ lastEventId: before.events[0]!.id })
      yield* until(() => after.status() === 200)
      sale.hold([1, 5])
      yield* until(() => after.events.length > 0)
      assert.deepStrictEqual(Object.keys(JSON.parse(after.events[0]!.data).seats), [seatId(eventId, 5)])
    })
  )

  it.live("writes the same bytes to all viewers", () =>
    Effect.gen(function* () {
      const sale = yield* serve(100)
      const viewers = yield* Effect.forEach(range(0, 5), () => sale.watch())
      yield* until(() => viewers.every(({ events }) => events.length === 1))
      for (const seat of range(1, 6)) {
        sale.hold([seat])
        yield* until(() => viewers.every(({ events }) => events.length === seat + 1))
      }
      const told = (viewer: EventStreamClient.EventStreamClient) =>
        viewer.body().replace(/retry: \d+\n\n/, "")
      for (const viewer of viewers) assert.strictEqual(told(viewer), told(viewers[0]!))
    })
  )

  it.live(
    "keeps nothing for who does not read but one message, and tells all of it when it reads again",
    () =>
      Effect.gen(function* () {
        const total = 8_897
        const sale = yield* serve(total)
        const reader = yield* sale.watch()
        const sleeper = yield* sale.watch({ paused: true })
        // More than the buffers of the system hold between two sockets of this machine.
        const deltaBytes = total * 55
        const rounds = Math.ceil((24 * 1024 * 1024) / deltaBytes)
        for (const round of range(0, rounds)) {
          sale.hold(round % 2 === 0 ? range(0, total) : [round])
          const seen = reader.events.length
          yield* until(() => reader.events.length > seen)
        }
        sale.hold([7])
        yield* until(() => sameBoard(reader, sale.board()))
        sleeper.socket.resume()
        yield* until(() => sameBoard(sleeper, sale.board()))
        assert.isBelow(sleeper.events.length, reader.events.length, "it was not told everything one by one")
      })
  )

  it.live("says something now and then where nothing happens", () =>
    Effect.gen(function* () {
      const sale = yield* serve(10, { ONSALE_VIEWER_HEARTBEAT: "50 millis" })
      const viewer = yield* sale.watch()
      yield* until(() => viewer.comments() >= 3)
      assert.strictEqual(viewer.events.length, 1)
    })
  )

  for (const how of ["failing", "slow"] as const) {
    it.live(
      `tells viewers of an inventory that is away (${how}), and all that happened when it is back`,
      () =>
        Effect.gen(function* () {
          const sale = yield* serve(100, { ONSALE_VIEWER_HEARTBEAT: "2 seconds" }, 10)
          const viewer = yield* sale.watch()
          const gzipped = yield* sale.watch({ gzip: true })
          yield* until(() => viewer.events.length === 1 && gzipped.events.length === 1)
          const before = yield* Clock.currentTimeMillis
          sale.inventory(how)
          yield* until(() => viewer.events.at(-1)?.event === "stale")
          const since = Date.parse(JSON.parse(viewer.events[1]!.data).since)
          assert.isAtLeast(since, before - 1_000, "when it was answered last")
          assert.strictEqual(viewer.events[1]?.id, "", "what it resumes by is as before")
          const beats = viewer.comments()
          yield* until(() => viewer.comments() > beats)
          const late = yield* sale.watch({ lastEventId: viewer.events[0]!.id })
          yield* until(() => late.events.length === 1)
          assert.strictEqual(late.events[0]?.event, "stale", "who has missed nothing is told so as well")

          sale.hold([1, 2])
          sale.inventory("there")
          yield* until(() => [viewer, gzipped, late].every((one) => one.events.at(-1)?.event === "delta"))
          assert.isTrue(sameBoard(viewer, sale.board()))
          assert.isTrue(sameBoard(gzipped, sale.board()))
          for (const { events } of [viewer, gzipped]) {
            assert.deepStrictEqual(
              events.map(({ event }) => event),
              ["snapshot", "stale", "delta"]
            )
          }
        })
    )
  }

  it.live("ends the streams of an event that was deleted", () =>
    Effect.gen(function* () {
      const sale = yield* serve(100)
      const viewers = [yield* sale.watch(), yield* sale.watch({}, typed)]
      yield* until(() => viewers.every(({ events }) => events.length === 1))
      sale.remove()
      yield* until(() => viewers.every(({ retries }) => retries.length === 2))
      yield* pollUntil(
        Effect.gen(function* () {
          const viewer = yield* sale.watch()
          yield* until(() => viewer.status() !== 0)
          return viewer.status()
        }),
        (status) => status === 404
      )
    })
  )

  it.live("sends viewers elsewhere when the inventory has been away for a minute", () =>
    Effect.gen(function* () {
      const sale = yield* serve(100, {}, 20)
      const viewers = yield* Effect.forEach(range(0, 20), (i) => sale.watch({}, i === 0 ? typed : path))
      yield* until(() => viewers.every(({ events }) => events.length === 1))
      sale.inventory("failing")
      const [other, ...lean] = viewers
      yield* until(() => lean.every(({ ended }) => ended()))
      // What was one of many on its connection leaves that open.
      yield* until(() => other!.retries.length === 2)
      for (const { events, retries } of lean) {
        assert.deepStrictEqual(
          events.map(({ event }) => event),
          ["snapshot", "stale"]
        )
        assert.strictEqual(retries.length, 2)
      }
      assert.isAbove(new Set(lean.map(({ retries }) => retries[1])).size, 10, "not all at once")
      const refused = yield* sale.watch()
      yield* until(() => refused.status() === 503)
      sale.hold([3])
      sale.inventory("there")
      const back = yield* pollUntil(
        Effect.gen(function* () {
          const viewer = yield* sale.watch({ lastEventId: lean[0]!.events[0]!.id })
          yield* until(() => viewer.status() !== 0)
          return viewer
        }),
        (viewer) => viewer.status() === 200
      )
      yield* until(() => back.events.length > 0)
      const told = [lean[0]!.events[0]!, ...back.events]
      assert.deepStrictEqual(sorted(EventStreamClient.shown(told)), sorted(sale.board()))
    })
  )

  it.live("refuses viewers beyond the limit, and takes one when another has gone", () =>
    Effect.gen(function* () {
      const sale = yield* serve(10, { ONSALE_VIEWERS: "2" })
      const [first, second] = yield* Effect.all([sale.watch(), sale.watch()])
      yield* until(() => first.events.length === 1 && second.events.length === 1)
      for (const at of [path, typed]) {
        const third = yield* sale.watch({}, at)
        yield* until(() => third.status() !== 0)
        assert.strictEqual(third.status(), 503)
        assert.isAtLeast(Number(third.headers()["retry-after"]), 1)
        assert.include(third.body(), "urn:onsale:problem:overloaded")
      }
      first.socket.destroy()
      const viewers: Array<EventStreamClient.EventStreamClient> = []
      yield* pollUntil(
        Effect.gen(function* () {
          const viewer = yield* sale.watch()
          viewers.push(viewer)
          yield* until(() => viewer.status() !== 0)
          return viewer.status()
        }),
        (status) => status === 200
      )
    })
  )

  it.live("tells viewers when to come back, and ends their connections, when the server stops", () =>
    Effect.gen(function* () {
      const sale = yield* serve(10)
      const viewers = yield* Effect.forEach(range(0, 20), (i) => sale.watch({}, i === 0 ? typed : path))
      yield* until(() => viewers.every(({ events }) => events.length === 1))
      yield* Effect.forkChild(sale.close)
      yield* until(() => viewers.every(({ ended }) => ended()))
      const [, ...lean] = viewers
      assert.isTrue(lean.every(({ retries }) => retries.length === 2))
      assert.isAbove(new Set(lean.map(({ retries }) => retries[1])).size, 10, "not all at once")
    })
  )

  it.live("serves HTTP/1.0, and a viewer that speaks again is let go", () =>
    Effect.gen(function* () {
      const sale = yield* serve(10)
      const old = yield* sale.watch({ http: "1.0" })
      yield* until(() => old.events.length === 1)
      assert.isUndefined(old.headers()["transfer-encoding"])
      const talker = yield* sale.watch()
      yield* until(() => talker.events.length === 1)
      talker.socket.write("GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n")
      yield* until(() => talker.ended())
      const head = yield* sale.watch({ method: "HEAD" })
      yield* until(() => head.status() !== 0)
      assert.strictEqual(head.body(), "")
    })
  )
})
