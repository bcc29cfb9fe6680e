/**
 * Availability from a cache that several processes share (`SharedCache`), over an inventory that reads it from rows.
 *
 * A read that begins after a command was answered here shows what it did; one after a refusal, what it has met. An
 * expiry, which is nobody's command, shows when the copy is a second old.
 */
import { InventoryClient, type InventoryUnavailable } from "@onsale/contracts/inventory/InventoryClient"
import { AvailabilityView } from "@onsale/contracts/inventory/InventoryCommand"
import { EventId } from "@onsale/contracts/Ids"
import { SharedCache } from "@onsale/platform/SharedCache"
import { Duration, Effect, Exit, Layer } from "effect"

const ttl = Duration.seconds(1)

const make = Effect.gen(function* () {
  const inventory = yield* InventoryClient
  const cache = yield* SharedCache
  const copies = yield* cache.keyed<AvailabilityView, InventoryUnavailable>({
    name: "availability",
    version: 1,
    schema: AvailabilityView,
    source: (id) => inventory.availability(EventId.make(id, { disableChecks: true })),
    ttl,
    absentTtl: ttl
  })
  const forgotten = (eventId: EventId) => copies.forget([eventId])

  return InventoryClient.of({
    hold: inventory.hold,
    holdOf: inventory.holdOf,
    availability: copies.get,
    open: (eventId, layout) =>
      // Also where it failed: it may have been carried out.
      Effect.ensuring(inventory.open(eventId, layout), forgotten(eventId)),
    execute: (eventId, command) =>
      Effect.onExit(inventory.execute(eventId, command), (exit) =>
        Exit.isSuccess(exit) && exit.value._tag === "Refused"
          ? Effect.sync(() => copies.doubt(eventId))
          : forgotten(eventId)
      )
  })
})

/** Over another `InventoryClient`. */
export const layer = Layer.effect(InventoryClient, make)
