/** Holds: an exclusive claim on seats and places, for a while. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { AreaId, EventId, HoldId, SeatId, TierId } from "../Ids.ts"
import { Customer } from "../booking/Order.ts"
import { Money } from "../Money.ts"
import { isStorable } from "../Text.ts"
import { aboutWaiting, WaitingHeaders } from "./Common.ts"
import { CustomerAuth } from "./CustomerAuth.ts"
import {
  AccessibleOnly,
  BelowMinimum,
  EventCancelled,
  EventNotFound,
  ExtensionCap,
  HoldBought,
  HoldInCheckout,
  HoldNotFound,
  KeyInUse,
  KeyReused,
  LimitPassed,
  NotForSale,
  OverloadedProblem,
  QuotaFull,
  SaleClosed,
  SeatsTaken,
  SeatsUnknown,
  SoldOut,
  TierClosed,
  VoucherInvalid,
  VoucherNeeded,
  VoucherUsed
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
  /**
   * Let us choose. `tier` and `section` are ids or names. `accessible`: so many of the seats are accessible
   * ones, the others beside them, companion seats first; true is one.
   */
  bestAvailable: Schema.optionalKey(
    Schema.Struct({
      quantity,
      tier: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(200))),
      section: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(200))),
      accessible: Schema.optionalKey(Schema.Union([Schema.Boolean, quantity]))
    }).check(
      Schema.makeFilter(
        ({ accessible, quantity }: { readonly accessible?: boolean | number; readonly quantity: number }) =>
          typeof accessible === "number" && accessible > quantity
            ? { path: ["accessible"], issue: "Expected no more accessible seats than seats" }
            : undefined
      )
    )
  ),
  /** Who is going to buy, where it is known: limits a customer are told of at once, not only by the order. */
  customer: Schema.optionalKey(Schema.Struct({ email: Customer.fields.email })),
  /** The code of a voucher. */
  voucher: Schema.optionalKey(Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(64), isStorable)),
  /** Says that the accessible seats that are named are needed as such, and the companion seats beside them. */
  accessible: Schema.optionalKey(Schema.Boolean),
  /**
   * A hold of the same event that is changed into this one: it ends when this one is made, and only then; its
   * seats and places count as free for it. The clock goes on as it was.
   */
  replaces: Schema.optionalKey(HoldId)
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

/** Why seats may not be held, over any transport; overload comes besides, and each transport tells it in its way. */
export const newHoldProblems = [
  EventNotFound,
  EventCancelled,
  SeatsUnknown,
  SeatsTaken,
  SoldOut,
  QuotaFull,
  NotForSale,
  AccessibleOnly,
  VoucherNeeded,
  VoucherInvalid,
  VoucherUsed,
  SaleClosed,
  TierClosed,
  LimitPassed,
  BelowMinimum,
  HoldBought,
  HoldInCheckout,
  HoldNotFound,
  KeyReused,
  KeyInUse
] as const
export const holdProblems = [HoldNotFound, HoldBought] as const
export const releaseProblems = [HoldNotFound, HoldBought, HoldInCheckout] as const
export const extendProblems = [
  HoldNotFound,
  HoldBought,
  HoldInCheckout,
  ExtensionCap,
  EventCancelled
] as const

const aboutGoneHolds =
  "One that was bought is a 409 of type `hold-bought`; one that has expired or was given back is a 404."

const holdId = { holdId: HoldId }

export class HoldsApi extends HttpApiGroup.make("holds")
  .add(
    HttpApiEndpoint.post("create", "/events/:eventId/holds", {
      params: { eventId: EventId },
      headers: WaitingHeaders,
      payload: NewHold,
      success: Hold.pipe(HttpApiSchema.status(201)),
      error: [...newHoldProblems, OverloadedProblem]
    }).annotate(
      OpenApi.Description,
      `All that is asked for, or nothing. ${aboutWaiting} A hold that is not made by then is not begun any more: 503, of type \`outcome-unknown\` where it may have been made all the same. Who says nothing waits for 5 seconds. The same Idempotency-Key asks what became of it.`
    ),
    HttpApiEndpoint.get("get", "/holds/:holdId", {
      params: holdId,
      success: Hold,
      error: [...holdProblems, OverloadedProblem]
    }).annotate(OpenApi.Description, `A hold that can still be bought, or is at checkout. ${aboutGoneHolds}`),
    HttpApiEndpoint.delete("release", "/holds/:holdId", {
      params: holdId,
      error: [...releaseProblems, OverloadedProblem]
    }).annotate(OpenApi.Description, `Gives a hold back. ${aboutGoneHolds}`),
    HttpApiEndpoint.post("extend", "/holds/:holdId/extend", {
      params: holdId,
      success: Hold,
      error: [...extendProblems, OverloadedProblem]
    }).annotate(OpenApi.Description, `Gives a hold a whole life from now, up to its cap. ${aboutGoneHolds}`)
  )
  .middleware(CustomerAuth)
  .prefix("/api/v1") {}
