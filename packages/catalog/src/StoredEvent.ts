/** Events as the repositories read them. Times are milliseconds since 1970, amounts minor units. */
import { EventId, PerformerId, TierId, VenueId } from "@onsale/contracts/Ids"
import { Schema } from "effect"

const StoredVenue = Schema.Struct({ id: VenueId, name: Schema.String, location: Schema.String })

const EventState = Schema.Literals(["draft", "published", "cancelled"])

export const StoredEvent = Schema.Struct({
  id: EventId,
  number: Schema.Int,
  /** Grows with each change of a draft. */
  revision: Schema.Int,
  state: EventState,
  venue: StoredVenue,
  seatMapVersion: Schema.Int,
  name: Schema.String,
  description: Schema.String,
  startsAtMs: Schema.Int,
  timeZone: Schema.String,
  onSaleAtMs: Schema.Int,
  saleEndsAtMs: Schema.Int,
  currency: Schema.String,
  maxPerOrder: Schema.Int,
  holdTtlMs: Schema.Int,
  holdMaxMs: Schema.Int,
  checkoutMaxMs: Schema.Int,
  tiers: Schema.Array(
    Schema.Struct({
      id: TierId,
      name: Schema.String,
      amount: Schema.Int,
      categories: Schema.Array(Schema.String)
    })
  ),
  performers: Schema.Array(
    Schema.Struct({ id: PerformerId, name: Schema.String, description: Schema.String })
  )
})
export type StoredEvent = typeof StoredEvent.Type

/** As much of an event as a list shows. */
export const ListedEvent = Schema.Struct({
  id: EventId,
  state: EventState,
  venue: StoredVenue,
  name: Schema.String,
  /** When it starts, exactly: its place in a list. */
  atMicros: Schema.Int,
  startsAtMs: Schema.Int,
  timeZone: Schema.String,
  onSaleAtMs: Schema.Int,
  saleEndsAtMs: Schema.Int,
  currency: Schema.String,
  priceFrom: Schema.Int,
  priceTo: Schema.Int
})
export type ListedEvent = typeof ListedEvent.Type
