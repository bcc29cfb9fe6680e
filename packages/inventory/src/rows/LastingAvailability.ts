/** Availability as rows have it, and how long it stays so by itself: for who keeps a copy. */
import type { EventId } from "@onsale/contracts/Ids"
import type { InventoryUnavailable } from "@onsale/contracts/inventory/InventoryClient"
import { AvailabilityView } from "@onsale/contracts/inventory/InventoryCommand"
import { Context, type Effect, Schema } from "effect"

export const Lasting = Schema.Struct({
  view: AvailabilityView,
  /** When the next hold expires, which nobody tells of; null where none lives. Milliseconds since 1970. */
  nextExpiryMs: Schema.NullOr(Schema.Int)
})
export type Lasting = typeof Lasting.Type

export class LastingAvailability extends Context.Service<
  LastingAvailability,
  {
    /** Null for an event whose sale was never opened. */
    readonly get: (eventId: EventId) => Effect.Effect<Lasting | null, InventoryUnavailable>
  }
>()("@onsale/inventory/LastingAvailability") {}
