/** The inventory's refusals, as the problems of the HTTP API. */
import { areaId, type EventId, seatId } from "@onsale/contracts/Ids"
import type { InventoryUnavailable } from "@onsale/contracts/inventory/InventoryClient"
import type { Refused } from "@onsale/contracts/inventory/InventoryCommand"
import {
  EventNotFound,
  ExtensionCap,
  HoldExpired,
  HoldInCheckout,
  HoldNotFound,
  KeyInUse,
  KeyReused,
  LimitPassed,
  NotForSale,
  Overloaded,
  SaleClosed,
  SeatsTaken,
  SeatsUnknown,
  SoldOut
} from "@onsale/contracts/http/Problems"
import { DateTime, Effect } from "effect"

const claims = (eventId: EventId, refused: Refused) => ({
  seats: refused.seats.map((seat) => ({ seatId: seatId(eventId, seat) })),
  areas: refused.areas.map((area) => ({ areaId: areaId(eventId, area) }))
})

type HoldProblem =
  | EventNotFound
  | SeatsUnknown
  | SoldOut
  | SeatsTaken
  | NotForSale
  | SaleClosed
  | LimitPassed
  | KeyReused
  | KeyInUse

/** Why seats could not be held. */
export const holdRefused = (eventId: EventId, refused: Refused): Effect.Effect<never, HoldProblem> => {
  switch (refused.code) {
    case "event_not_found":
      return Effect.fail(new EventNotFound({}))
    case "seats_unknown":
      return Effect.fail(new SeatsUnknown(claims(eventId, refused)))
    case "seats_taken":
      return refused.seats.length + refused.areas.length === 0
        ? Effect.fail(new SoldOut({}))
        : Effect.fail(new SeatsTaken(claims(eventId, refused)))
    case "not_for_sale":
      return Effect.fail(new NotForSale(claims(eventId, refused)))
    case "sale_closed":
      return Effect.fail(
        new SaleClosed({
          at: refused.limit === null ? null : DateTime.formatIso(DateTime.makeUnsafe(refused.limit))
        })
      )
    case "limit_passed":
      return Effect.fail(new LimitPassed({ limit: refused.limit ?? 0 }))
    case "key_reused":
      return Effect.fail(new KeyReused({}))
    case "key_in_use":
      return Effect.fail(new KeyInUse({}))
    default:
      return Effect.die(new Error(`a hold was refused with ${refused.code}`))
  }
}

/** Why nothing could be done with a hold. */
export const changeRefused = (refused: Refused) => {
  switch (refused.code) {
    case "event_not_found":
    case "hold_not_found":
      return Effect.fail(new HoldNotFound({}))
    case "hold_expired":
      return Effect.fail(new HoldExpired({}))
    case "in_checkout":
      return Effect.fail(new HoldInCheckout({}))
    case "extension_cap":
      return Effect.fail(new ExtensionCap({}))
    default:
      return Effect.die(new Error(`a change of a hold was refused with ${refused.code}`))
  }
}

export const overloaded = (error: InventoryUnavailable) =>
  new Overloaded({ retryAfterSeconds: Math.max(1, Math.ceil(error.retryAfterMs / 1000)) })
