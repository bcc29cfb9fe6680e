/** What is done with holds, whoever carries the request: the HTTP API and RPC answer with these. */
import { Catalog } from "@onsale/catalog/Catalog"
import type { Hold, NewHold } from "@onsale/contracts/http/HoldsApi"
import {
  EventNotFound,
  HoldInCheckout,
  HoldNotFound,
  Overloaded,
  SeatsUnknown
} from "@onsale/contracts/http/Problems"
import {
  areaId,
  CommandId,
  type EventId,
  eventNumberOfHold,
  type HoldId,
  indexIn,
  makeUuidV7,
  seatId
} from "@onsale/contracts/Ids"
import { InventoryClient } from "@onsale/contracts/inventory/InventoryClient"
import { voucherText } from "@onsale/contracts/inventory/CustomerText"
import type { HoldView } from "@onsale/contracts/inventory/InventoryCommand"
import { keyOf } from "@onsale/platform/Digest"
import { DateTime, Effect } from "effect"
import { AvailabilityBoard } from "./AvailabilityBoard.ts"
import { CurrentCustomer, limitKey } from "./CurrentCustomer.ts"
import * as GoneHold from "./GoneHold.ts"
import { HoldDesk } from "./HoldDesk.ts"
import { bestOf } from "./HoldsJson.ts"
import { changeRefused, holdRefused, unanswered, unsettled } from "./InventoryProblems.ts"
import * as Patience from "./Patience.ts"

/** The hold as the API shows it. */
export const render = (eventId: EventId, hold: HoldView): Hold => ({
  id: hold.holdId,
  eventId,
  seats: hold.seats.map(({ seat, label, tier, price }) => ({
    seatId: seatId(eventId, seat),
    label,
    tier,
    price: { amount: price, currency: hold.currency }
  })),
  areas: hold.areas.map(({ area, name, quantity, tier, price }) => ({
    areaId: areaId(eventId, area),
    name,
    quantity,
    tier,
    price: { amount: price, currency: hold.currency }
  })),
  total: { amount: hold.amount, currency: hold.currency },
  expiresAt: DateTime.formatIso(DateTime.makeUnsafe(hold.expiresAtMs)),
  version: hold.version
})

/** The ids of the request as indices of the event; the ids that are not of this event. */
const indices = (eventId: EventId, payload: NewHold) => {
  const unknownSeats: Array<{ readonly seatId: string }> = []
  const unknownAreas: Array<{ readonly areaId: string }> = []
  const seats = (payload.seats ?? []).map((id) => {
    const index = indexIn(eventId, "seat", id)
    if (index === -1) unknownSeats.push({ seatId: id })
    return index
  })
  const areas = (payload.areas ?? []).map(({ areaId, quantity }) => {
    const area = indexIn(eventId, "area", areaId)
    if (area === -1) unknownAreas.push({ areaId })
    return { area, quantity }
  })
  return unknownSeats.length + unknownAreas.length > 0
    ? Effect.fail(new SeatsUnknown({ seats: unknownSeats, areas: unknownAreas }))
    : Effect.succeed({ seats, areas })
}

export const make = Effect.gen(function* () {
  const inventory = yield* InventoryClient
  const catalog = yield* Catalog
  const boards = yield* AvailabilityBoard
  const desk = yield* HoldDesk
  const goneHold = yield* GoneHold.make

  const eventOf = Effect.fnUntraced(function* (holdId: HoldId) {
    return (yield* catalog.eventIdByNumber(eventNumberOfHold(holdId))) ?? (yield* new HoldNotFound({}))
  })

  /** A command on a hold that needs no key: a repeat does no harm. */
  const change = Effect.fnUntraced(function* (holdId: HoldId, tag: "Extend" | "Release") {
    const eventId = yield* eventOf(holdId)
    const now = yield* Effect.clockWith((clock) => clock.currentTimeMillis)
    const untilMs = yield* Patience.Until
    // Nobody waits for it any more: he finds the hold as it was.
    if (untilMs !== undefined && untilMs <= now)
      return yield* new Overloaded({ retryAfterSeconds: 1, reason: "unavailable" })
    const answer = yield* inventory
      .execute(eventId, { _tag: tag, commandId: CommandId.make(makeUuidV7(now)), fingerprint: "", holdId })
      .pipe(Effect.mapError(unsettled))
    boards.changed(eventId)
    return { eventId, answer }
  })

  return {
    create: Effect.fnUntraced(function* (
      eventId: EventId,
      key: string,
      payload: NewHold,
      /** Milliseconds, where it is not the event's. */
      life: { readonly lifeMs?: number } = {}
    ) {
      const eventNumber = yield* catalog
        .eventNumber(eventId)
        .pipe(Effect.catchTag("EventNotFound", () => Effect.fail(new EventNotFound({}))))
      const { seats, areas } = yield* indices(eventId, payload)
      const { accessible, replaces, voucher } = payload
      const customer = limitKey(yield* CurrentCustomer, payload.customer)
      const answer = yield* desk.hold({ id: eventId, number: eventNumber }, key, {
        seats,
        areas,
        best: bestOf(eventId, payload.bestAvailable),
        ...(accessible === undefined ? {} : { accessible }),
        ...(customer === undefined ? {} : { customer }),
        ...(voucher === undefined ? {} : { voucherKey: keyOf(voucherText(voucher)) }),
        ...(replaces === undefined ? {} : { replaces }),
        ...life
      })
      if (answer._tag === "Held") return render(eventId, answer.hold)
      // An event without a sale is not the hold's fault.
      const isReplacedGone =
        GoneHold.isGone(answer) && !("code" in answer && answer.code === "event_not_found")
      if (replaces !== undefined && isReplacedGone) return yield* goneHold(replaces)
      return answer._tag === "Refused"
        ? yield* holdRefused(eventId, answer)
        : yield* Effect.die(new Error(`a hold was answered with ${answer._tag}`))
    }),

    get: Effect.fnUntraced(function* (holdId: HoldId) {
      const eventId = yield* eventOf(holdId)
      const hold = yield* inventory.hold(eventId, holdId).pipe(Effect.mapError(unanswered))
      return "_tag" in hold ? yield* goneHold(holdId) : render(eventId, hold)
    }),

    release: Effect.fnUntraced(function* (holdId: HoldId) {
      const { answer } = yield* change(holdId, "Release")
      if (answer._tag !== "Refused") return
      return yield* answer.code === "in_checkout" ? new HoldInCheckout({}) : goneHold(holdId)
    }),

    extend: Effect.fnUntraced(function* (holdId: HoldId) {
      const { eventId, answer } = yield* change(holdId, "Extend")
      if (answer._tag === "Held") return render(eventId, answer.hold)
      if (GoneHold.isGone(answer)) return yield* goneHold(holdId)
      return answer._tag === "Refused"
        ? yield* changeRefused(answer)
        : yield* Effect.die(new Error(`an extension was answered with ${answer._tag}`))
    })
  }
})
