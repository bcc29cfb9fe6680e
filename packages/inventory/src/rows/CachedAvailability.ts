/**
 * Availability from a cache that several processes share (`SharedCache`), over an inventory that reads it from rows.
 *
 * A read that begins after a command was answered here shows what it did; one after a refusal, what it has met. A copy
 * lives until a command takes it away, or the next hold expires, which is nobody's command.
 */
import { InventoryClient, type InventoryUnavailable } from "@onsale/contracts/inventory/InventoryClient"
import type { InventoryAnswer, InventoryCommand } from "@onsale/contracts/inventory/InventoryCommand"
import { EventId } from "@onsale/contracts/Ids"
import { SharedCache } from "@onsale/platform/SharedCache"
import { Duration, Effect, Exit, Fiber, Layer } from "effect"
import { Lasting, LastingAvailability } from "./LastingAvailability.ts"

/** Nobody takes a copy away where its process died between commit and answer: so old it may be then. */
const ttl = Duration.seconds(5)
/** Anybody may ask for events that there are not. */
const absentTtl = Duration.seconds(1)

/** A hold that is frozen for its order is held as before. */
const showsTheSame = ({ _tag }: InventoryCommand, answer: InventoryAnswer): boolean =>
  _tag === "Freeze" && answer._tag === "Held"

const make = Effect.gen(function* () {
  const inventory = yield* InventoryClient
  const lasting = yield* LastingAvailability
  const cache = yield* SharedCache
  const copies = yield* cache.keyed<Lasting, InventoryUnavailable>({
    name: "availability",
    version: 2,
    schema: Lasting,
    source: (id) => lasting.get(EventId.make(id, { disableChecks: true })),
    ttl,
    absentTtl,
    endsAtMs: ({ nextExpiryMs }) => nextExpiryMs ?? undefined
  })
  const forgotten = (eventId: EventId) => copies.forget([eventId])
  const scope = yield* Effect.scope
  /**
   * A command is carried out to its end, and what it has changed forgotten after that, also where nobody waits for it any
   * more: a copy that was forgotten before the commit would be made again of what was before. The inventory has a deadline.
   */
  const toItsEnd = <A, E>(command: Effect.Effect<A, E>): Effect.Effect<A, E> =>
    Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(Effect.forkIn(command, scope, { startImmediately: true }), (fiber) =>
        restore(Fiber.join(fiber))
      )
    )

  return InventoryClient.of({
    hold: inventory.hold,
    holdOf: inventory.holdOf,
    availability: (eventId) => Effect.map(copies.get(eventId), (found) => found?.view ?? null),
    open: (eventId, layout) =>
      // Also where it failed: it may have been carried out.
      toItsEnd(Effect.ensuring(inventory.open(eventId, layout), forgotten(eventId))),
    execute: (eventId, command) =>
      toItsEnd(
        Effect.onExit(inventory.execute(eventId, command), (exit) => {
          if (Exit.isFailure(exit)) return forgotten(eventId)
          if (exit.value._tag === "Refused") return Effect.sync(() => copies.doubt(eventId))
          return showsTheSame(command, exit.value) ? Effect.void : forgotten(eventId)
        })
      )
  })
})

/** Over another `InventoryClient`, of rows. */
export const layer = Layer.effect(InventoryClient, make)
