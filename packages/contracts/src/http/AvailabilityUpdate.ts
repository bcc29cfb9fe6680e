/** What a client is told that watches the availability of an event, over any transport. */
import { Schema } from "effect"
import { AreaId, SeatId, TierId } from "../Ids.ts"
import { Availability } from "./EventsApi.ts"

/** All of it: replaces whatever the client knows. */
export const AvailabilitySnapshot = Schema.TaggedStruct("Snapshot", { availability: Availability })
export type AvailabilitySnapshot = typeof AvailabilitySnapshot.Type

/**
 * What has changed since the last message, or since the version that the client named: several changes may have
 * become one. What is not named is as it was. It makes `Availability` of an older one by replacing entries.
 */
export const AvailabilityDelta = Schema.TaggedStruct("Delta", {
  /** As of this message; a stream may be resumed after it. */
  version: Schema.Int,
  /** All four are as of this message. */
  totals: Availability.fields.seats,
  /** Seats with another status than before; `available` ones leave `unavailable`. */
  seats: Schema.Record(SeatId, Schema.Literals(["available", "held", "sold"])),
  /** Areas with other numbers than before. */
  areas: Schema.Record(AreaId, Schema.Struct({ capacity: Schema.Int, available: Schema.Int })),
  /** Tiers with other numbers than before. */
  tiers: Schema.Record(TierId, Schema.Struct({ available: Schema.Int }))
})
export type AvailabilityDelta = typeof AvailabilityDelta.Type

export const AvailabilityUpdate = Schema.Union([AvailabilitySnapshot, AvailabilityDelta])
export type AvailabilityUpdate = typeof AvailabilityUpdate.Type
