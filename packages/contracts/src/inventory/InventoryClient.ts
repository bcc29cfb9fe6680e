/**
 * How the rest of the system commands an event's inventory. One contract; the level decides which
 * implementation stands behind it.
 */
import { Context, type Effect, Schema } from "effect"
import type { EventId, HoldId } from "../Ids.ts"
import type {
  AvailabilityView,
  HoldView,
  InventoryAnswer,
  InventoryCommand,
  Refused,
  SeatHold
} from "./InventoryCommand.ts"
import type { SaleLayout } from "./SaleLayout.ts"

/**
 * The inventory cannot take the command now: its queue is full, it did not answer within the deadline, or nobody waited
 * any longer before it was begun. Only of a `deadline` is it not known whether the command was carried out; the same
 * command id may be sent again.
 */
export class InventoryUnavailable extends Schema.TaggedError<InventoryUnavailable>()("InventoryUnavailable", {
  reason: Schema.Literals(["overloaded", "deadline", "not_begun"]),
  retryAfterMs: Schema.Int
}) {}

/** A layout that cannot replace the one in force, or that refers to what it does not have. A bug of who sends it. */
export class LayoutRefused extends Schema.TaggedError<LayoutRefused>()("LayoutRefused", {
  problem: Schema.String
}) {}

export class InventoryClient extends Context.Service<
  InventoryClient,
  {
    /**
     * Opens the sale of an event, or replaces its layout. The same layout again changes nothing, and neither
     * does one whose revision is older than that of the one in force.
     * Seats, areas and sections keep their order, and what is claimed stays for sale: a new layout may
     * only add behind the last, and dies with `LayoutRefused` else. Before the first claim anything goes.
     */
    readonly open: (eventId: EventId, layout: SaleLayout) => Effect.Effect<void, InventoryUnavailable>
    /** Carries out one command; a refusal is an answer, not an error. */
    readonly execute: (
      eventId: EventId,
      command: InventoryCommand
    ) => Effect.Effect<InventoryAnswer, InventoryUnavailable>
    /** A hold that is live at this moment, or the refusal. */
    readonly hold: (
      eventId: EventId,
      holdId: HoldId
    ) => Effect.Effect<HoldView | Refused, InventoryUnavailable>
    /** The hold that a seat (its index) is in at this moment; null where it is free, sold or none. */
    readonly holdOf: (eventId: EventId, seat: number) => Effect.Effect<SeatHold | null, InventoryUnavailable>
    /** Null for an event whose sale was never opened. */
    readonly availability: (eventId: EventId) => Effect.Effect<AvailabilityView | null, InventoryUnavailable>
  }
>()("@onsale/contracts/inventory/InventoryClient") {}
