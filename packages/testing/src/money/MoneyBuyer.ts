/** A buyer of the money world: holds, pays, gives back, and repeats what was not answered. */
import {
  type EventId,
  type HoldId,
  CommandId,
  makeHoldId,
  makeUuidV7,
  type OrderId,
  type TicketId
} from "@onsale/contracts/Ids"
import type { OrderView } from "@onsale/contracts/booking/Order"
import type {
  HoldView,
  InventoryAnswer,
  InventoryCommand
} from "@onsale/contracts/inventory/InventoryCommand"
import { Clock, Effect } from "effect"
import type { MoneyWorld } from "./MoneyWorld.ts"

/** What became of a request of the buyer's: an order, or the code of a refusal. */
export type Placed =
  | { readonly _tag: "Order"; readonly order: OrderView }
  | { readonly _tag: "Refused"; readonly code: string }

export interface Wish {
  readonly seats: ReadonlyArray<number>
  readonly areas: ReadonlyArray<{ readonly area: number; readonly quantity: number }>
}

const customer = { name: "Ada", email: "ada@example.org" }

const newKey = Effect.map(Clock.currentTimeMillis, makeUuidV7)

/** Not known to be done, or still at work: the same request again. */
const isUnanswered = ({ _tag }: { readonly _tag: string }): boolean =>
  _tag === "BookingUnavailable" || _tag === "KeyInUse"

export const make = (world: MoneyWorld) => {
  const execute = (eventId: EventId, command: InventoryCommand): Effect.Effect<InventoryAnswer> =>
    world
      .insist(
        ({ inventory }) => inventory.execute(eventId, command),
        () => true
      )
      .pipe(Effect.orDie)

  return {
    newKey,

    /** The hold, or the code of the refusal. */
    hold: Effect.fnUntraced(function* (eventId: EventId, wish: Wish): Effect.fn.Return<HoldView | string> {
      const nowMs = yield* Clock.currentTimeMillis
      const commandId = CommandId.make(makeUuidV7(nowMs))
      const answer = yield* execute(eventId, {
        _tag: "Hold",
        commandId,
        fingerprint: "hold",
        holdId: makeHoldId(nowMs, 1),
        ...wish,
        best: null
      })
      return answer._tag === "Held" ? answer.hold : answer._tag === "Refused" ? answer.code : answer._tag
    }),

    /** Gives a hold back; where it is gone already, nothing happens. */
    release: Effect.fnUntraced(function* (eventId: EventId, holdId: HoldId) {
      const commandId = CommandId.make(makeUuidV7(yield* Clock.currentTimeMillis))
      yield* execute(eventId, { _tag: "Release", commandId, fingerprint: "release", holdId })
    }),

    availability: (eventId: EventId) =>
      world
        .insist(
          ({ inventory }) => inventory.availability(eventId),
          () => true
        )
        .pipe(Effect.orDie),

    place: (
      eventId: EventId,
      holdId: HoldId,
      payment: { readonly method: string; readonly provider?: string },
      key: string
    ): Effect.Effect<Placed> =>
      world
        .insist(
          ({ orders }) =>
            orders.place({
              key,
              fingerprint: `${holdId} ${payment.method} ${payment.provider ?? ""}`,
              eventId,
              order: { holdId, customer, payment }
            }),
          isUnanswered
        )
        .pipe(
          Effect.map(({ order }): Placed => ({ _tag: "Order", order })),
          Effect.catch((error) =>
            Effect.succeed<Placed>({
              _tag: "Refused",
              code: error._tag === "HoldNotBuyable" ? error.code : error._tag
            })
          )
        ),

    /** Null for all tickets that are valid. Answers with the code of the refusal, or the order. */
    refund: (orderId: OrderId, tickets: ReadonlyArray<TicketId> | null, key: string): Effect.Effect<Placed> =>
      world
        .insist(
          ({ orders }) =>
            orders.refund(orderId, {
              key,
              fingerprint: `${orderId} ${tickets?.join()}`,
              tickets,
              reason: "ill"
            }),
          isUnanswered
        )
        .pipe(
          Effect.map((order): Placed => ({ _tag: "Order", order })),
          Effect.catch((error) => Effect.succeed<Placed>({ _tag: "Refused", code: error._tag }))
        ),

    look: (orderId: OrderId): Effect.Effect<OrderView> =>
      world
        .insist(
          ({ orders }) => orders.get(orderId),
          () => true
        )
        .pipe(
          Effect.flatMap((order) =>
            order === null ? Effect.die(new Error(`order ${orderId} is gone`)) : Effect.succeed(order)
          )
        )
  }
}

export type MoneyBuyer = ReturnType<typeof make>
