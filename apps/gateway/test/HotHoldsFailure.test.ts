import { assert, describe, it } from "@effect/vitest"
import { Catalog } from "@onsale/catalog/Catalog"
import { makeEventId, seatId } from "@onsale/contracts/Ids"
import { Effect, Layer, Logger, References } from "effect"
import { HttpServerRequest, HttpServerResponse } from "effect/http"
import { HoldDesk } from "../src/HoldDesk.ts"
import * as HotHolds from "../src/HotHolds.ts"

const eventId = makeEventId(1_700_000_000_000)
const body = JSON.stringify({ seats: [seatId(eventId, 1)] })
const request = HttpServerRequest.fromWeb(
  new Request(`http://localhost/api/v1/events/${eventId}/holds`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "content-length": String(body.length),
      "idempotency-key": "key",
      "x-correlation-id": "mine"
    },
    body
  })
)

const layer = Layer.mergeAll(
  Layer.mock(Catalog, { eventNumber: () => Effect.succeed(1) }),
  Layer.mock(HoldDesk, { hold: () => Effect.die(new Error("broken")) }),
  Layer.succeed(HttpServerRequest.HttpServerRequest, request)
)

describe("HotHolds", () => {
  it.effect(
    "a defect is answered as one of every other route: a problem, its correlation id, a log line",
    () => {
      const logged: Array<unknown> = []
      const logger = Logger.make(({ fiber, message }) => {
        logged.push([message, fiber.getRef(References.CurrentLogAnnotations)["correlationId"]])
      })
      return Effect.gen(function* () {
        const app = (yield* HotHolds.make)(Effect.succeed(HttpServerResponse.empty({ status: 204 })))
        assert.strictEqual((yield* app).status, 204, "the first request goes the typed way")
        const response = yield* app
        assert.strictEqual(response.status, 500)
        assert.strictEqual(response.headers["content-type"], "application/problem+json")
        assert.strictEqual(response.headers["x-correlation-id"], "mine")
        assert.lengthOf(logged, 1)
        assert.include(JSON.stringify(logged), "mine")
      }).pipe(Effect.provide([layer, Logger.layer([logger])]))
    }
  )
})
