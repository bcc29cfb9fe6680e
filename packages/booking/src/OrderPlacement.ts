/** How an order comes to be: the hold's clock stops for it, and it is written with the key of who asked. */
import { Clock, Effect } from "effect"
import type { NewOrder } from "@onsale/contracts/booking/Order"
import {
  BookingUnavailable,
  HoldNotBuyable,
  KeyInUse,
  KeyReused,
  KeySeen
} from "@onsale/contracts/booking/OrderEntity"
import {
  type CustomerId,
  type EventId,
  makeUuidV7,
  type OrderId,
  PaymentIntentId
} from "@onsale/contracts/Ids"
import type { HoldView } from "@onsale/contracts/inventory/InventoryCommand"
import { JournalConflict } from "@onsale/platform/Journal"
import type { Checkout } from "./Checkout.ts"
import { firstRun } from "./Order.ts"
import * as OrderDrive from "./OrderDrive.ts"
import type { KeyedRequest, OrderKeys } from "./OrderKeys.ts"
import { evolve, isAtWork, type Placed, toView } from "./OrderState.ts"
import type { Key, OrderStore, Stored } from "./OrderStore.ts"
import type { OrderTurn } from "./OrderTurn.ts"

/**
 * A hold's clock stops once. An order that is given up after that has lost it for all that come later: with less time left
 * than the freeze and the first write take on a busy day it is not begun.
 */
const leastLeftMs = 1_000
const retryAfterMs = 1_000

export interface PlaceRequest extends KeyedRequest {
  readonly correlation?: string
  readonly eventId: EventId
  readonly customerId?: CustomerId
  readonly waitMs?: number
  readonly order: NewOrder
}

/** Places the order in its turn, for who waits until a time in milliseconds since 1970, and takes it to its rest. */
export const make = (
  orderId: OrderId,
  {
    checkout,
    drive: { drive, driveOn },
    keys: { beforeNow },
    store,
    turn
  }: {
    readonly checkout: Checkout["Service"]
    readonly drive: OrderDrive.OrderDrive
    readonly keys: OrderKeys
    readonly store: OrderStore["Service"]
    readonly turn: OrderTurn
  }
) => {
  const write = Effect.fnUntraced(function* (request: PlaceRequest, hold: HoldView, key: Key) {
    const atMs = yield* Clock.currentTimeMillis
    const placed: Placed = {
      _tag: "Placed",
      ...(request.correlation === undefined ? {} : { correlation: request.correlation }),
      eventId: request.eventId,
      holdId: request.order.holdId,
      customer: request.order.customer,
      ...(request.customerId === undefined ? {} : { customerId: request.customerId }),
      intentId: PaymentIntentId.make(makeUuidV7(atMs)),
      provider: request.order.payment.provider ?? null,
      method: request.order.payment.method,
      total: { amount: hold.amount, currency: hold.currency },
      seats: hold.seats,
      areas: hold.areas,
      ...(hold.voucher === undefined ? {} : { voucher: hold.voucher }),
      ...(hold.terms === undefined ? {} : { terms: hold.terms }),
      payUntilMs: hold.expiresAtMs
    }
    const order = evolve(undefined, placed, { orderId, atMs })
    yield* store.append({
      events: [placed],
      order,
      version: 1,
      atMs,
      plan: OrderDrive.running(atMs),
      request: { ...key, fingerprint: request.fingerprint },
      answers: null
    })
    const stored: Stored = { order, version: 1 }
    turn.remember(stored)
    return stored
  })

  /** The answer to a key that came before, with its order where that is this one; null where it is new. */
  const replay = Effect.fnUntraced(function* (request: PlaceRequest, key: Key) {
    const seen = yield* beforeNow(key, request.fingerprint)
    if (seen === null) return null
    if (seen.answer !== null) return yield* new KeySeen({ orderId: seen.orderId, answer: seen.answer })
    const stored = seen.orderId === orderId ? yield* turn.current : yield* store.load(seen.orderId)
    if (stored === null) return yield* new KeyInUse()
    const answer = seen.orderId === orderId ? yield* driveOn(stored, key) : toView(stored.order)
    return yield* new KeySeen({ orderId: seen.orderId, answer })
  })

  /** The hold's clock stands still for an order that could not be written: why, and is the hold to be let go? */
  const notWritten = Effect.fnUntraced(function* (
    request: PlaceRequest,
    key: Key,
    constraint: string | null
  ) {
    turn.forget()
    const stored = yield* turn.current
    // The hold of an order that is at work stays its own.
    if (stored === null || !isAtWork(stored.order)) {
      yield* checkout.unfreeze(orderId, request.eventId, request.order.holdId)
    }
    yield* replay(request, key)
    if (stored !== null) return yield* new KeyReused()
    return yield* constraint === "orders_live_hold"
      ? new HoldNotBuyable({ code: "in_checkout", limit: null })
      : new JournalConflict({ stream: orderId, version: 1 })
  })

  return Effect.fnUntraced(function* (request: PlaceRequest, untilMs: number) {
    const key: Key = { operation: "place", key: request.key }
    const { holdId } = request.order

    // 0. Is there an order already? Then it is the answer, once it has come to rest. Most keys are new, so nobody
    // asks before the database says no, in 2.
    if (turn.known() !== undefined) {
      yield* replay(request, key)
      if (turn.known() !== null) return yield* new KeyReused()
    }

    // Nobody waits for it long enough, and nothing has happened.
    if (untilMs - (yield* Clock.currentTimeMillis) < leastLeftMs)
      return yield* new BookingUnavailable({ retryAfterMs, reason: "not_begun" })

    // 1. The hold's clock stops for this order, and for no other.
    const hold = yield* checkout
      .freeze(orderId, request.eventId, holdId, {
        customer: request.order.customer,
        customerId: request.customerId
      })
      .pipe(Effect.tapError(() => replay(request, key)))

    // The last chance: from here on it goes to its end, whoever waits.
    if ((yield* Clock.currentTimeMillis) >= untilMs) {
      const before = yield* turn.current
      if (before === null) {
        yield* checkout.unfreeze(orderId, request.eventId, holdId)
        return yield* new BookingUnavailable({ retryAfterMs, reason: "not_begun" })
      }
    }

    // 2. The order is placed, and its key known.
    const stored = yield* write(request, hold, key).pipe(
      Effect.catchTags({
        UniqueBroken: ({ constraint }) => notWritten(request, key, constraint),
        JournalConflict: () => notWritten(request, key, null)
      })
    )

    // 3. to 6. are the order's own steps.
    return yield* drive(stored, firstRun, key).pipe(
      Effect.catchTag("JournalConflict", () => {
        turn.forget()
        return driveOn(stored, key)
      })
    )
  })
}
