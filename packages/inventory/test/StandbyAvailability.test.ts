import { assert, describe, it } from "@effect/vitest"
import { makeEventId } from "@onsale/contracts/Ids"
import { InventoryClient, InventoryUnavailable } from "@onsale/contracts/inventory/InventoryClient"
import type { AvailabilityView } from "@onsale/contracts/inventory/InventoryCommand"
import { Effect, Exit, Fiber, Layer, References } from "effect"
import { TestClock } from "effect/testing"
import { EventAvailability } from "../src/EventAvailability.ts"
import * as StandbyAvailability from "../src/StandbyAvailability.ts"

const eventId = makeEventId(0)
const view: AvailabilityView = { version: 7, total: 10, held: [1], sold: [2], areas: [], tiers: [] }
const full = new InventoryUnavailable({ reason: "overloaded", retryAfterMs: 1_000 })

/** An owner that answers so, and what the read model has. */
const asked = Effect.fnUntraced(function* (
  owner: Effect.Effect<AvailabilityView | null, InventoryUnavailable>,
  stored: Effect.Effect<AvailabilityView | null>
) {
  const world = StandbyAvailability.layer.pipe(
    Layer.provide([
      Layer.mock(InventoryClient, { availability: () => owner }),
      Layer.mock(EventAvailability, { find: () => stored }),
      Layer.succeed(References.MinimumLogLevel, "None")
    ])
  )
  const fiber = yield* Effect.forkChild(
    Effect.exit(Effect.flatMap(InventoryClient, ({ availability }) => availability(eventId))).pipe(
      Effect.provide(world)
    )
  )
  yield* TestClock.adjust("10 seconds")
  return yield* Fiber.join(fiber)
})

describe("StandbyAvailability", () => {
  const stale = { ...view, asOfMs: 1_000 }

  it.effect("an owner that is there is the only one who is asked", () =>
    Effect.gen(function* () {
      const never = Effect.die("the read model was asked")
      assert.deepStrictEqual(yield* asked(Effect.succeed(view), never), Exit.succeed(view))
      assert.deepStrictEqual(yield* asked(Effect.succeed(null), never), Exit.succeed(null))
    })
  )

  it.effect("where it refuses or does not answer, the read model does, and says as of when", () =>
    Effect.gen(function* () {
      for (const owner of [Effect.fail(full), Effect.never]) {
        assert.deepStrictEqual(yield* asked(owner, Effect.succeed(stale)), Exit.succeed(stale))
      }
    })
  )

  it.effect("what neither knows is unavailable", () =>
    Effect.gen(function* () {
      for (const stored of [Effect.succeed(null), Effect.die("no database")]) {
        assert.deepStrictEqual(yield* asked(Effect.fail(full), stored), Exit.fail(full))
      }
    })
  )
})
