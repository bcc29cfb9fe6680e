/** Events as the repositories read them. Times are milliseconds since 1970, amounts minor units. */
import { OrganiserName, RefundPolicy } from "@onsale/contracts/catalog/SaleTerms"
import { BlockId, EventId, PerformerId, TierId, VenueId, VoucherId } from "@onsale/contracts/Ids"
import { Effect, Schema } from "effect"

const StoredVenue = Schema.Struct({ id: VenueId, name: Schema.String, location: Schema.String })

const EventState = Schema.Literals(["draft", "published", "cancelled"])

export const StoredEvent = Schema.Struct({
  id: EventId,
  number: Schema.Int,
  /** Grows with each change of a draft, and of what a published event sells. */
  revision: Schema.Int,
  /** The newest revision whose layout the inventory is known to have. */
  openedRevision: Schema.Int,
  state: EventState,
  venue: StoredVenue,
  /** Of the venue's seat map. */
  seatMapVersion: Schema.Int,
  /** How often its tiers have changed what its seat map shows, by SQL; none where a copy does not know of it. */
  mapChanges: Schema.Int.pipe(Schema.withDecodingDefaultKey(Effect.succeed(0))),
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
      categories: Schema.Array(Schema.String),
      /** Null is no rule, here and below. */
      saleFromMs: Schema.NullOr(Schema.Int),
      saleUntilMs: Schema.NullOr(Schema.Int),
      minPerOrder: Schema.NullOr(Schema.Int),
      maxPerOrder: Schema.NullOr(Schema.Int),
      voucherOnly: Schema.Boolean
    })
  ),
  /** Tiers by their index. */
  quotas: Schema.Array(
    Schema.Struct({ name: Schema.String, capacity: Schema.Int, tiers: Schema.Array(Schema.Int) })
  ),
  maxPerCustomer: Schema.NullOr(Schema.Int),
  /** Of the whole event. */
  maxTickets: Schema.NullOr(Schema.Int),
  accessibleReleased: Schema.Boolean,
  /** Null unless it is cancelled. */
  cancellation: Schema.NullOr(Schema.Struct({ atMs: Schema.Int, reason: Schema.String })),
  organiser: Schema.NullOr(OrganiserName),
  /** One of `untilMs` and `hoursBeforeStart` at the most. Null: everything is paid back at any time. */
  refundPolicy: Schema.NullOr(
    Schema.Struct({ ...RefundPolicy.fields, hoursBeforeStart: Schema.optionalKey(Schema.Int) })
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

/** Places of an area that a block keeps. */
export const StoredBlockArea = Schema.Struct({
  /** Index of the area in the seat map. */
  area: Schema.Int,
  tier: TierId,
  /** Places when the block was made. */
  quantity: Schema.Int,
  /** Those that it still keeps. */
  kept: Schema.Int
})

/** House seats; the blocks of an event stand in the order of their creation. */
export const StoredBlock = Schema.Struct({
  id: BlockId,
  name: Schema.String,
  /** Indices of the seats that it keeps, in their order. */
  seats: Schema.Array(Schema.Int),
  areas: Schema.Array(StoredBlockArea)
})
export type StoredBlock = typeof StoredBlock.Type

export const StoredVoucher = Schema.Struct({
  id: VoucherId,
  code: Schema.String,
  /** Its hash, as the inventory knows it. */
  key: Schema.String,
  tiers: Schema.Array(TierId),
  blocks: Schema.Array(BlockId),
  maxTickets: Schema.Int,
  fromMs: Schema.NullOr(Schema.Int),
  untilMs: Schema.NullOr(Schema.Int)
})
export type StoredVoucher = typeof StoredVoucher.Type
