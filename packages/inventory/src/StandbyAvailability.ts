/**
 * Availability while the owner of an event is away (it is being moved, or overloaded): what the read model has, which
 * says as of when. Commands are never answered by it.
 */
import { InventoryClient, InventoryUnavailable } from "@onsale/contracts/inventory/InventoryClient"
import { Duration, Effect, Layer } from "effect"
import { EventAvailability } from "./EventAvailability.ts"
import * as InventorySubmit from "./InventorySubmit.ts"

/**
 * Longer than an owner takes that is there, also to read its journal on a busy machine: it is the one who knows. As
 * long as a runner that died is noticed after.
 */
const patience = Duration.seconds(2)

const tooLate = new InventoryUnavailable({ reason: "deadline", retryAfterMs: 2_000 })

/** Over another `InventoryClient`, and `EventAvailability`. */
export const layer = Layer.effect(
  InventoryClient,
  Effect.gen(function* () {
    const inventory = yield* InventoryClient
    const stored = yield* EventAvailability
    return InventorySubmit.takes(
      InventoryClient.of({
        ...inventory,
        availability: (eventId) =>
          inventory.availability(eventId).pipe(
            Effect.timeoutOrElse({ duration: patience, orElse: () => Effect.fail(tooLate) }),
            Effect.catch((error) =>
              stored.find(eventId).pipe(
                Effect.catchCause((cause) =>
                  Effect.as(Effect.logWarning("the availability on standby could not be read", cause), null)
                ),
                Effect.flatMap((view) => (view === null ? Effect.fail(error) : Effect.succeed(view)))
              )
            )
          )
      }),
      yield* InventorySubmit.of(inventory)
    )
  })
)
