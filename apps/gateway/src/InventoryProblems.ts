/** The inventory's refusals, as the problems of the HTTP API. */
import { areaId, type EventId, seatId, type TierId } from "@onsale/contracts/Ids"
import type { InventoryUnavailable } from "@onsale/contracts/inventory/InventoryClient"
import type { Refused } from "@onsale/contracts/inventory/InventoryCommand"
import {
  AccessibleOnly,
  BelowMinimum,
  EventCancelled,
  EventNotFound,
  ExtensionCap,
  HoldInCheckout,
  KeyInUse,
  KeyReused,
  LimitPassed,
  NotForSale,
  Overloaded,
  QuotaFull,
  SaleClosed,
  SeatsTaken,
  SeatsUnknown,
  SoldOut,
  TierClosed,
  VoucherInvalid,
  VoucherNeeded,
  VoucherUsed
} from "@onsale/contracts/http/Problems"
import { DateTime, Effect } from "effect"

const claims = (eventId: EventId, refused: Refused) => ({
  seats: refused.seats.map((seat) => ({ seatId: seatId(eventId, seat) })),
  areas: refused.areas.map((area) => ({ areaId: areaId(eventId, area) }))
})

const instantOf = ({ limit }: Refused): string | null =>
  limit === null ? null : DateTime.formatIso(DateTime.makeUnsafe(limit))

const tierOf = ({ code, tier }: Refused): TierId => {
  if (tier === undefined) throw new Error(`the inventory refused with ${code} and named no tier`)
  return tier
}

export const limitPassed = ({ limit, scope = "order", tier }: Refused): LimitPassed =>
  new LimitPassed({ limit: limit ?? 0, scope, ...(tier === undefined ? {} : { tier }) })

type HoldProblem =
  | AccessibleOnly
  | BelowMinimum
  | EventCancelled
  | HoldInCheckout
  | QuotaFull
  | TierClosed
  | VoucherInvalid
  | VoucherNeeded
  | VoucherUsed
  | EventNotFound
  | SeatsUnknown
  | SoldOut
  | SeatsTaken
  | NotForSale
  | SaleClosed
  | LimitPassed
  | KeyReused
  | KeyInUse

/** Why seats could not be held; of a hold that is not there tells `GoneHold`. */
export const holdRefused = (eventId: EventId, refused: Refused): Effect.Effect<never, HoldProblem> => {
  switch (refused.code) {
    case "event_not_found":
      return Effect.fail(new EventNotFound({}))
    case "event_cancelled":
      return Effect.fail(new EventCancelled({}))
    case "seats_unknown":
      return Effect.fail(new SeatsUnknown(claims(eventId, refused)))
    case "seats_taken":
      return refused.seats.length + refused.areas.length === 0
        ? Effect.fail(new SoldOut({}))
        : Effect.fail(new SeatsTaken(claims(eventId, refused)))
    case "not_for_sale":
      return Effect.fail(new NotForSale(claims(eventId, refused)))
    case "sale_closed":
      return Effect.fail(new SaleClosed({ at: instantOf(refused) }))
    case "limit_passed":
      return Effect.fail(limitPassed(refused))
    case "below_minimum":
      return Effect.fail(new BelowMinimum({ limit: refused.limit ?? 0, tier: tierOf(refused) }))
    case "tier_closed":
      return Effect.fail(
        new TierClosed({ ...claims(eventId, refused), tier: tierOf(refused), at: instantOf(refused) })
      )
    case "quota_full":
      return Effect.fail(new QuotaFull({ ...claims(eventId, refused), available: refused.limit ?? 0 }))
    case "accessible_only":
      return Effect.fail(new AccessibleOnly({ seats: claims(eventId, refused).seats }))
    case "voucher_needed":
      return Effect.fail(new VoucherNeeded(claims(eventId, refused)))
    case "voucher_invalid":
      return Effect.fail(new VoucherInvalid({}))
    case "voucher_used":
      return Effect.fail(new VoucherUsed({ available: refused.limit ?? 0 }))
    case "in_checkout":
      return Effect.fail(new HoldInCheckout({}))
    case "key_reused":
      return Effect.fail(new KeyReused({}))
    case "key_in_use":
      return Effect.fail(new KeyInUse({}))
    default:
      return Effect.die(new Error(`a hold was refused with ${refused.code}`))
  }
}

/** Why nothing could be done with a hold that is there. */
export const changeRefused = (refused: Refused) => {
  switch (refused.code) {
    case "event_cancelled":
      return Effect.fail(new EventCancelled({}))
    case "in_checkout":
      return Effect.fail(new HoldInCheckout({}))
    case "extension_cap":
      return Effect.fail(new ExtensionCap({}))
    default:
      return Effect.die(new Error(`a change of a hold was refused with ${refused.code}`))
  }
}

const seconds = (ms: number) => Math.max(1, Math.ceil(ms / 1000))

/** Of a question that the inventory did not answer: there was nothing to be done. */
export const unanswered = ({ reason, retryAfterMs }: InventoryUnavailable) =>
  new Overloaded({
    retryAfterSeconds: seconds(retryAfterMs),
    ...(reason === "overloaded" ? {} : { reason: "unavailable" })
  })

/** Of a command, which may have been carried out where it was sent. */
export const unsettled = ({ reason, retryAfterMs }: InventoryUnavailable) =>
  new Overloaded({
    retryAfterSeconds: seconds(retryAfterMs),
    ...(reason === "overloaded" ? {} : { reason: reason === "not_begun" ? "unavailable" : "outcome_unknown" })
  })
