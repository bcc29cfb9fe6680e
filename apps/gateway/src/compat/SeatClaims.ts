/** Seats as the older contracts know them, one at a time and each for a user: held, found again, sold. */
import { Orders } from "@onsale/booking/Orders"
import { Catalog } from "@onsale/catalog/Catalog"
import { EventId, type HoldId, indexIn, makeUuidV7, SeatId } from "@onsale/contracts/Ids"
import { InventoryClient } from "@onsale/contracts/inventory/InventoryClient"
import { Clock, Effect, Schema } from "effect"
import { AvailabilityBoard } from "../AvailabilityBoard.ts"
import { CurrentCustomer, limitKey, type ProvedCustomer } from "../CurrentCustomer.ts"
import type * as HoldOperations from "../HoldOperations.ts"
import * as CompatAnswer from "./CompatAnswer.ts"

/** What a UUID of these contracts names. */
export interface Seat {
  readonly eventId: EventId
  readonly id: SeatId
  readonly index: number
}

const decodeSeat = Schema.decodeUnknownOption(SeatId)

/** The seat of an id, where it has the form of one; the event may be none. */
export const seatOf = (uuid: string): Seat | undefined => {
  const id = decodeSeat(uuid.toLowerCase())
  if (id._tag === "None") return undefined
  const eventId = EventId.make(`${id.value.slice(0, 30)}000000`)
  const index = indexIn(eventId, "seat", id.value)
  return index === -1 ? undefined : { eventId, id: id.value, index }
}

/** A reservation of these contracts lasts so long. */
const lifeMs = 15 * 60_000

export const make = Effect.fnUntraced(function* (holds: Effect.Success<typeof HoldOperations.make>) {
  const catalog = yield* Catalog
  const orders = yield* Orders
  const inventory = yield* InventoryClient
  const boards = yield* AvailabilityBoard

  /** The status of a seat and the version of the event, as the board shows it; null for none. */
  const look = Effect.fnUntraced(
    function* ({ eventId, index }: Seat) {
      if ((yield* Effect.option(catalog.eventNumber(eventId)))._tag === "None") return null
      const board = yield* boards.get(eventId)
      if (board === null || index >= board.view.total) return null
      const { held, sold } = board.view
      return {
        version: board.version,
        isFree: !held.includes(index) && !sold.includes(index),
        isSold: sold.includes(index)
      }
    },
    Effect.catchTag("InventoryUnavailable", (error) => Effect.fail(CompatAnswer.unavailable(error)))
  )

  return {
    look,

    /** Holds the seat for the user; fails with the problem that HTTP would tell. */
    hold: (seat: Seat, customer: ProvedCustomer) =>
      Effect.flatMap(Clock.currentTimeMillis, (nowMs) =>
        holds.create(seat.eventId, makeUuidV7(nowMs), { seats: [seat.id] }, { lifeMs })
      ).pipe(Effect.provideService(CurrentCustomer, customer)),

    /** Gives a hold back that nothing came of; whoever is at it by now keeps it. */
    release: (holdId: HoldId) => Effect.ignore(holds.release(holdId)),

    /** The user's own hold of the seat, live at this moment. */
    ownHold: Effect.fnUntraced(function* (
      { eventId, index }: Seat,
      customer: ProvedCustomer
    ): Effect.fn.Return<HoldId | null, CompatAnswer.Refused> {
      if ((yield* Effect.option(catalog.eventNumber(eventId)))._tag === "None") return null
      const hold = yield* Effect.mapError(inventory.holdOf(eventId, index), CompatAnswer.unavailable)
      return hold !== null && hold.customer === limitKey(customer, undefined) ? hold.holdId : null
    }),

    /** Whose the valid ticket for the seat is; null where nobody has one. */
    ownerOf: ({ eventId, index }: Seat, customer: ProvedCustomer) =>
      Effect.map(orders.ownerOfSeat(eventId, index), (owner) => {
        if (owner === null) return null
        return owner.customerId === customer.id ? ("user" as const) : ("other" as const)
      })
  }
})

export type SeatClaims = Effect.Success<ReturnType<typeof make>>
