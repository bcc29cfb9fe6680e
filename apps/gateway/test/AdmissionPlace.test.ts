import { assert, describe, it } from "@effect/vitest"
import { Orders } from "@onsale/booking/Orders"
import { Catalog } from "@onsale/catalog/Catalog"
import { BookingUnavailable } from "@onsale/contracts/booking/OrderEntity"
import { makeEventId, makeHoldId } from "@onsale/contracts/Ids"
import { pollUntil } from "@onsale/testing/Poll"
import { Deferred, Effect, Fiber, Layer } from "effect"
import { AdmissionPlace, Current, keeping } from "../src/AdmissionPlace.ts"
import * as IdleGateway from "./IdleGateway.ts"
import * as RawClient from "./RawClient.ts"

const eventId = makeEventId(0)
const body = JSON.stringify({
  holdId: makeHoldId(0, 1),
  customer: { name: "Ada", email: "ada@example.org" },
  payment: { method: "tok_ok" }
})

/** A place in a queue that says how often it was given back. */
const makePlace = () => {
  const given = { back: 0 }
  const place = new AdmissionPlace()
  place.given(() => given.back++)
  return { given, place }
}

describe("the place of a request", () => {
  it.effect("is kept by what it has begun when its client leaves, and given back once", () =>
    Effect.gen(function* () {
      const { given, place } = makePlace()
      const end = yield* Deferred.make<void>()
      const begun = yield* Deferred.make<void>()
      const work = Effect.andThen(Deferred.succeed(begun, undefined), Deferred.await(end))
      const request = yield* keeping(yield* Effect.scope)(work).pipe(
        Effect.provideService(Current, place),
        Effect.forkChild
      )
      yield* Deferred.await(begun)
      yield* Fiber.interrupt(request)
      place.clientLeft()
      place.clientLeft()
      assert.strictEqual(given.back, 0)
      yield* Deferred.succeed(end, undefined)
      yield* pollUntil(
        Effect.sync(() => given.back),
        (back) => back > 0
      )
      assert.strictEqual(given.back, 1)
    })
  )

  it.effect("is given back by who is answered, or whose work fails", () =>
    Effect.gen(function* () {
      const { given, place } = makePlace()
      const work = keeping(yield* Effect.scope)(Effect.fail("no" as const))
      assert.strictEqual(yield* Effect.flip(Effect.provideService(work, Current, place)), "no")
      assert.strictEqual(given.back, 0)
      place.clientLeft()
      assert.strictEqual(given.back, 1)
    })
  )

  it.live("of a purchase counts as at work until the purchase has ended, though its client has left", () =>
    Effect.gen(function* () {
      const end = yield* Deferred.make<void>()
      const port = yield* IdleGateway.serve(
        Layer.mergeAll(
          Layer.mock(Catalog, { eventIdByNumber: () => Effect.succeed(eventId) }),
          Layer.mock(Orders, {
            place: () =>
              Effect.andThen(Deferred.await(end), Effect.fail(new BookingUnavailable({ retryAfterMs: 1 }))),
            placed: () => Effect.succeed(null)
          })
        )
      )
      const watcher = yield* RawClient.make(port)
      const seen = (series: RegExp) =>
        Effect.suspend(() => {
          watcher.send("GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n")
          return Effect.map(watcher.answer, ({ body }) => Number(series.exec(body)?.[1] ?? 0))
        })
      const atWork = seen(/^onsale_admission_in_flight\{[^}]*class="orders"[^}]*\} (\d+)/m)
      const buyer = yield* RawClient.make(port)
      buyer.send(
        `POST /api/v1/orders HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nidempotency-key: key\r\ncontent-length: ${body.length}\r\n\r\n${body}`
      )
      yield* pollUntil(atWork, (count) => count === 1)
      buyer.socket.destroy()
      yield* pollUntil(
        seen(/^onsale_http_requests_total\{[^}]*status_class="aborted"[^}]*\} (\d+)/m),
        (count) => count === 1
      )
      assert.strictEqual(yield* atWork, 1)
      yield* Deferred.succeed(end, undefined)
      yield* pollUntil(atWork, (count) => count === 0)
    })
  )
})
