/** The entity of an event's inventory: its id is the event's id. */
import { Schema } from "effect"
import { ClusterSchema, Entity } from "effect/cluster"
import { Rpc } from "effect/rpc"
import { HoldId } from "../Ids.ts"
import {
  AvailabilityView,
  HoldView,
  type InventoryAnswer,
  type InventoryCommand,
  Refused,
  SeatHold
} from "./InventoryCommand.ts"
import { InventoryUnavailable, LayoutRefused } from "./InventoryClient.ts"
import { SaleLayout } from "./SaleLayout.ts"

/** The most commands that travel in one message. */
export const maxCommandsAMessage = 1024

export const Open = Rpc.make("Open", { payload: { layout: SaleLayout }, error: LayoutRefused })

/**
 * Of plain data, as text that is parsed and not checked: checking it again costs five times what all the rest does, on the
 * way that everything is sold by. Both ends are processes of ours, and what clients say is checked where it comes in.
 */
const ours = <A>() => Schema.fromJsonString(Schema.declare((data: unknown): data is A => data !== undefined))

export const Commands = ours<ReadonlyArray<InventoryCommand>>()
export const Answers = ours<ReadonlyArray<InventoryAnswer>>()

/** Commands in the order they were received; the answers come back in that order. */
export const Execute = Rpc.make("Execute", {
  payload: {
    commands: Commands,
    /** Milliseconds after which nobody waits for any of them: then they are not begun. Counted from when it comes. */
    waitMs: Schema.optionalKey(Schema.Int),
    /** W3C trace context of the message, where one of its commands is traced. */
    traceparent: Schema.optionalKey(Schema.String),
    /** Of its commands that are traced, each with its correlation id: for the row of the journal. */
    carried: Schema.optionalKey(Schema.Array(Schema.String))
  },
  success: Answers,
  error: InventoryUnavailable
})

export const GetHold = Rpc.make("GetHold", {
  payload: { holdId: HoldId },
  success: Schema.Union([HoldView, Refused])
})

export const GetHoldOf = Rpc.make("GetHoldOf", {
  payload: { seat: Schema.Int },
  success: Schema.NullOr(SeatHold)
})

export const GetAvailability = Rpc.make("GetAvailability", { success: Schema.NullOr(AvailabilityView) })

/** The shard group of the runners that sell: inventories and orders. */
export const bookingShardGroup = "booking"

export const InventoryEntity = Entity.make("Inventory", [Open, Execute, GetHold, GetHoldOf, GetAvailability])
  // A message may hold the commands of many callers: one that goes away must not take the others along.
  .annotateRpcs(ClusterSchema.Uninterruptible, true)
  .annotateRpcs(ClusterSchema.ClientTracingEnabled, false)
  .annotate(ClusterSchema.ShardGroup, () => bookingShardGroup)
