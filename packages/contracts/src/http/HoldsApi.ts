/** Holds: an exclusive claim on seats and places, for a while. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema } from "effect/http-api"
import { AreaId, EventId, HoldId, SeatId, TierId } from "../Ids.ts"
import { Money } from "../Money.ts"
import { IdempotencyHeaders } from "./Common.ts"
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
  OverloadedProblem,
  SaleClosed,
  SeatsTaken,
  SeatsUnknown,
  SoldOut
} from "./Problems.ts"

/** No event allows as many in one order; beyond it a request is refused unread. */
const maxClaims = 1000
/** Places of an area in one claim. */
export const maxQuantity = 10_000
const quantity = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: maxQuantity }))

export const NewHold = Schema.Struct({
  seats: Schema.optionalKey(Schema.Array(SeatId).check(Schema.isMaxLength(maxClaims), Schema.isUnique())),
  areas: Schema.optionalKey(
    Schema.Array(Schema.Struct({ areaId: AreaId, quantity })).check(
      Schema.isMaxLength(maxClaims),
      Schema.makeFilter((claims: ReadonlyArray<{ readonly areaId: AreaId }>) =>
        new Set(claims.map((claim) => claim.areaId)).size === claims.length
          ? undefined
          : "Expected each area once"
      )
    )
  ),
  /** Let us choose. `tier` and `section` are ids; `accessible` asks for accessible seats. */
  bestAvailable: Schema.optionalKey(
    Schema.Struct({
      quantity,
      tier: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(200))),
      section: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(200))),
      accessible: Schema.optionalKey(Schema.Boolean)
    })
  )
}).check(
  Schema.makeFilter(({ seats, areas, bestAvailable }) =>
    (seats?.length ?? 0) + (areas?.length ?? 0) > 0 || bestAvailable !== undefined
      ? undefined
      : "Expected at least one of seats, areas and bestAvailable"
  )
)
export type NewHold = typeof NewHold.Type

export const Hold = Schema.Struct({
  id: HoldId,
  eventId: EventId,
  seats: Schema.Array(Schema.Struct({ seatId: SeatId, label: Schema.String, tier: TierId, price: Money })),
  areas: Schema.Array(
    Schema.Struct({
      areaId: AreaId,
      name: Schema.String,
      quantity: Schema.Int,
      tier: TierId,
      /** For one place. */
      price: Money
    })
  ),
  total: Money,
  expiresAt: Schema.String,
  /** The version of the availability as of the answer: no older one shows the hold as it stands here. */
  version: Schema.Int
})
export type Hold = typeof Hold.Type

const holdId = { holdId: HoldId }

export class HoldsApi extends HttpApiGroup.make("holds")
  .add(
    HttpApiEndpoint.post("create", "/events/:eventId/holds", {
      params: { eventId: EventId },
      headers: IdempotencyHeaders,
      payload: NewHold,
      success: Hold.pipe(HttpApiSchema.status(201)),
      error: [
        EventNotFound,
        SeatsUnknown,
        SeatsTaken,
        SoldOut,
        NotForSale,
        SaleClosed,
        LimitPassed,
        KeyReused,
        KeyInUse,
        OverloadedProblem
      ]
    }),
    HttpApiEndpoint.get("get", "/holds/:holdId", {
      params: holdId,
      success: Hold,
      error: [HoldNotFound, OverloadedProblem]
    }),
    HttpApiEndpoint.delete("release", "/holds/:holdId", {
      params: holdId,
      error: [HoldNotFound, HoldInCheckout, OverloadedProblem]
    }),
    HttpApiEndpoint.post("extend", "/holds/:holdId/extend", {
      params: holdId,
      success: Hold,
      error: [HoldNotFound, HoldExpired, HoldInCheckout, ExtensionCap, OverloadedProblem]
    })
  )
  .prefix("/api/v1") {}
