import { assert, describe, it } from "@effect/vitest"
import { makeEventId } from "@onsale/contracts/Ids"
import { InventoryClient, InventoryUnavailable } from "@onsale/contracts/inventory/InventoryClient"
import type { InventoryAnswer } from "@onsale/contracts/inventory/InventoryCommand"
import { SharedCache } from "@onsale/platform/SharedCache"
import { hold } from "@onsale/testing/InventorySale"
import { pollUntil } from "@onsale/testing/Poll"
import * as SaleLayouts from "@onsale/testing/SaleLayouts"
import { Deferred, Effect, Fiber, Layer } from "effect"
import * as CachedAvailability from "../../src/rows/CachedAvailability.ts"
import { LastingAvailability } from "../../src/rows/LastingAvailability.ts"

const eventId = makeEventId(0)
const refused: InventoryAnswer = { _tag: "Refused", code: "seats_taken", seats: [], areas: [], limit: null }

/** A command that is carried out when the test says so, over a cache that only tells when it forgets. */
const world = Effect.gen(function* () {
  const told: Array<string> = []
  const begun = yield* Deferred.make<void>()
  const commit = yield* Deferred.make<InventoryAnswer, InventoryUnavailable>()
  const carriedOut = Deferred.succeed(begun, undefined).pipe(
    Effect.andThen(Deferred.await(commit)),
    Effect.onExit(({ _tag }) => Effect.sync(() => told.push(`ended: ${_tag}`)))
  )
  const context = yield* Layer.build(
    CachedAvailability.layer.pipe(
      Layer.provide([
        Layer.mock(InventoryClient, { execute: () => carriedOut, open: () => Effect.asVoid(carriedOut) }),
        Layer.mock(LastingAvailability, {}),
        Layer.succeed(SharedCache, {
          shared: true,
          keyed: () =>
            Effect.succeed({
              get: () => Effect.die(new Error("nobody reads")),
              direct: () => Effect.die(new Error("nobody reads")),
              forget: () => Effect.sync(() => void told.push("forgotten")),
              forgetAll: Effect.void,
              doubt: () => void told.push("doubted")
            })
        })
      ])
    )
  )
  const client = yield* Effect.provideContext(InventoryClient, context)
  return { begun, client, commit, told }
})

describe("a copy of availability", () => {
  it.effect("is forgotten after the command of a client that has left, and not before it has ended", () =>
    Effect.gen(function* () {
      const { begun, client, commit, told } = yield* world
      const request = yield* Effect.forkChild(client.execute(eventId, hold({ seats: [1] })))
      yield* Deferred.await(begun)
      yield* Fiber.interrupt(request)
      assert.deepStrictEqual(told, [])
      yield* Deferred.fail(commit, new InventoryUnavailable({ reason: "deadline", retryAfterMs: 1 }))
      yield* pollUntil(
        Effect.sync(() => told.length),
        (count) => count === 2
      )
      assert.deepStrictEqual(told, ["ended: Failure", "forgotten"])
    })
  )

  it.effect("is forgotten after a sale was opened, though its organiser has left", () =>
    Effect.gen(function* () {
      const { begun, client, commit, told } = yield* world
      const request = yield* Effect.forkChild(client.open(eventId, SaleLayouts.grid(1, 1)))
      yield* Deferred.await(begun)
      yield* Fiber.interrupt(request)
      assert.deepStrictEqual(told, [])
      yield* Deferred.succeed(commit, refused)
      yield* pollUntil(
        Effect.sync(() => told.length),
        (count) => count === 2
      )
      assert.deepStrictEqual(told, ["ended: Success", "forgotten"])
    })
  )

  it.effect("is in doubt before who was refused is told so", () =>
    Effect.gen(function* () {
      const { client, commit, told } = yield* world
      yield* Deferred.succeed(commit, refused)
      assert.deepStrictEqual(yield* client.execute(eventId, hold({ seats: [1] })), refused)
      assert.deepStrictEqual(told, ["ended: Success", "doubted"])
    })
  )
})
