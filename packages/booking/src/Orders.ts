/** Orders, for whoever serves buyers: the gateway and the command line. */
import { Context, Effect, Layer, Schema } from "effect"
import type { Sharding } from "effect/cluster"
import { SqlClient } from "effect/sql"
import { type CustomerId, type EventId, type HoldId, OrderId, type TicketId } from "@onsale/contracts/Ids"
import type { Customer, NewOrder, OrderTicket, OrderView, RefundCause } from "@onsale/contracts/booking/Order"
import {
  type BookingUnavailable,
  type HoldNotBuyable,
  type KeyInUse,
  type KeyReused,
  type NotRefundable,
  type NotReissuable,
  OrderEntity,
  OrderNotFound
} from "@onsale/contracts/booking/OrderEntity"
import { hexOf } from "@onsale/platform/Digest"
import { reachable } from "./ClusterErrors.ts"
import * as CancellationProgress from "./CancellationProgress.ts"
import { CustomerOrders } from "./CustomerOrders.ts"
import * as EventSales from "./EventSales.ts"
import { toView } from "./OrderState.ts"
import { OrderStore } from "./OrderStore.ts"

export interface PlaceOrder {
  /** The `Idempotency-Key`, at most 255 characters. */
  readonly key: string
  /** A hash of what was asked. */
  readonly fingerprint: string
  /** Of the request, for the logs of all that follows from it. */
  readonly correlation?: string
  readonly eventId: EventId
  /** Whom a token has named. */
  readonly customerId?: CustomerId
  /** Milliseconds after which nobody waits for the answer: what is not placed by then is not. */
  readonly waitMs?: number
  readonly order: NewOrder
}

export interface RefundOrder {
  readonly key: string
  readonly fingerprint: string
  /** Of the request, for the logs of all that follows from it. */
  readonly correlation?: string
  /** Null for all that are valid. */
  readonly tickets: ReadonlyArray<TicketId> | null
  readonly reason: string
  /** The customer when left out. */
  readonly cause?: RefundCause
}

export interface ReissueTicket {
  readonly key: string
  readonly fingerprint: string
  readonly ticketId: TicketId
  /** Whom it is given to; null where it only gets a new code. */
  readonly holder: Customer | null
}

export interface Placement {
  readonly order: OrderView
  /** True where the key was answered before, and this is that answer. */
  readonly replayed: boolean
}

/** A ticket, wherever it came from. */
export interface IssuedTicket {
  readonly ticket: OrderTicket
  readonly orderId: OrderId
  readonly eventId: EventId
}

const OwnerRows = Schema.Array(Schema.Struct({ orderId: OrderId }))

/**
 * The order that a key makes of a hold. One key is always the same order, so that whoever repeats a request
 * after a crash goes on with what the first has begun. A UUIDv7 with the time of the hold; the rest is a hash.
 */
const orderIdOf = (holdId: HoldId, key: string): OrderId => {
  const hash = hexOf(`order\n${holdId}\n${key}`)
  const variant = ((Number.parseInt(hash.slice(3, 4), 16) & 3) | 8).toString(16)
  return OrderId.make(
    `${holdId.slice(0, 13)}-7${hash.slice(0, 3)}-${variant}${hash.slice(4, 7)}-${hash.slice(7, 19)}`
  )
}

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const store = yield* OrderStore
  const orderFor = yield* OrderEntity.client
  const customers = yield* CustomerOrders

  return Orders.of({
    place: Effect.fn("Orders.place")(function* (request: PlaceOrder) {
      const id = orderIdOf(request.order.holdId, request.key)
      return yield* reachable(orderFor(id).Place(request)).pipe(
        Effect.map((order): Placement => ({ order, replayed: false })),
        Effect.catchTag("KeySeen", ({ answer }) =>
          Effect.succeed<Placement>({ order: answer, replayed: true })
        )
      )
    }),

    get: Effect.fn("Orders.get")(function* (orderId: OrderId) {
      const stored = yield* store.load(orderId)
      return stored === null ? null : toView(stored.order)
    }),

    placed: Effect.fn("Orders.placed")(function* (key: string) {
      const seen = yield* store.findRequest({ operation: "place", key })
      if (seen === null) return null
      if (seen.answer !== null) return { fingerprint: seen.fingerprint, order: seen.answer }
      const stored = yield* store.load(seen.orderId)
      return stored === null ? null : { fingerprint: seen.fingerprint, order: toView(stored.order) }
    }),

    isBought: Effect.fn("Orders.isBought")(function* (holdId: HoldId) {
      // By the words of the unique index on live holds.
      const [row] = yield* sql`SELECT id::text AS "orderId" FROM booking.orders
        WHERE hold_id = ${holdId}::uuid AND status NOT IN ('declined', 'cancelled')`.pipe(
        Effect.flatMap(Schema.decodeUnknownEffect(OwnerRows)),
        Effect.orDie
      )
      return row !== undefined
    }),

    refund: Effect.fn("Orders.refund")(function* (orderId: OrderId, request: RefundOrder) {
      // An entity is made for whatever id it is asked about: not for those that somebody made up.
      if ((yield* store.load(orderId)) === null) return yield* new OrderNotFound()
      return yield* reachable(orderFor(orderId).RequestRefund({ cause: "customer", ...request }))
    }),

    reissue: Effect.fn("Orders.reissue")(function* (orderId: OrderId, request: ReissueTicket) {
      if ((yield* store.load(orderId)) === null) return yield* new OrderNotFound()
      return yield* reachable(orderFor(orderId).ReissueTicket(request))
    }),

    ticket: Effect.fn("Orders.ticket")(function* (ticketId: TicketId) {
      const [row] = yield* sql`SELECT order_id::text AS "orderId" FROM booking.tickets
        WHERE id = ${ticketId}::uuid`.pipe(
        Effect.flatMap(Schema.decodeUnknownEffect(OwnerRows)),
        Effect.orDie
      )
      if (row === undefined) return null
      // Who has it now, and whether it was used, is known to the order alone.
      const order = (yield* store.load(row.orderId))?.order
      const ticket = order?.tickets.find(({ id }) => id === ticketId)
      return order === undefined || ticket === undefined
        ? yield* Effect.die(new Error(`ticket ${ticketId} is of no order`))
        : { orderId: order.id, eventId: order.placed.eventId, ticket }
    }),

    ownerOfSeat: Effect.fn("Orders.ownerOfSeat")(function* (eventId: EventId, seat: number) {
      const [row] = yield* sql`SELECT order_id::text AS "orderId" FROM booking.tickets
        WHERE event_id = ${eventId}::uuid AND seat = ${seat}::int4 AND status = 'valid'`.pipe(
        Effect.flatMap(Schema.decodeUnknownEffect(OwnerRows)),
        Effect.orDie
      )
      if (row === undefined) return null
      return { customerId: (yield* store.load(row.orderId))?.order.placed.customerId ?? null }
    }),

    cancellation: (eventId: EventId) =>
      Effect.provideService(CancellationProgress.read(eventId), SqlClient.SqlClient, sql),

    sales: yield* EventSales.make,

    ofCustomer: customers.page
  })
})

export class Orders extends Context.Service<
  Orders,
  {
    /** The order as it is when its checkout comes to rest, whatever its status. */
    readonly place: (
      request: PlaceOrder
    ) => Effect.Effect<Placement, HoldNotBuyable | KeyReused | KeyInUse | BookingUnavailable>
    /** Null for one that does not exist. */
    readonly get: (orderId: OrderId) => Effect.Effect<OrderView | null>
    /**
     * What was placed under an `Idempotency-Key`, with the hash of what was asked: as it was answered, or as it stands
     * where it has not been yet. Known for ever; null for a key that placed nothing.
     */
    readonly placed: (
      key: string
    ) => Effect.Effect<{ readonly fingerprint: string; readonly order: OrderView } | null>
    /** Whether a hold has become an order that was neither declined nor cancelled, whatever was refunded since. */
    readonly isBought: (holdId: HoldId) => Effect.Effect<boolean>
    readonly refund: (
      orderId: OrderId,
      request: RefundOrder
    ) => Effect.Effect<OrderView, OrderNotFound | NotRefundable | KeyReused | KeyInUse | BookingUnavailable>
    /**
     * Who has the valid ticket of a seat (its index), as a token has named him: `customerId` is null where nobody proved
     * it. Null where there is no such ticket, for a sold seat whose tickets are being issued or refunded too.
     */
    readonly ownerOfSeat: (
      eventId: EventId,
      seat: number
    ) => Effect.Effect<{ readonly customerId: CustomerId | null } | null>
    /** A new code for a ticket; the older ones admit nobody. */
    readonly reissue: (
      orderId: OrderId,
      request: ReissueTicket
    ) => Effect.Effect<OrderView, OrderNotFound | NotReissuable | KeyReused | KeyInUse | BookingUnavailable>
    readonly ticket: (ticketId: TicketId) => Effect.Effect<IssuedTicket | null>
    /** How far the refunds of a cancelled event are; null where booking has not heard that it is. */
    readonly cancellation: (
      eventId: EventId
    ) => Effect.Effect<Effect.Success<ReturnType<typeof CancellationProgress.read>>>
    /** What an event has sold, an entry a currency. */
    readonly sales: (eventId: EventId) => Effect.Effect<ReadonlyArray<EventSales.Sales>>
    /** A customer's, newest first. */
    readonly ofCustomer: CustomerOrders["Service"]["page"]
  }
>()("@onsale/booking/Orders") {
  static readonly layer: Layer.Layer<Orders, never, SqlClient.SqlClient | Sharding.Sharding> = Layer.effect(
    Orders,
    make
  ).pipe(Layer.provide([OrderStore.layer, CustomerOrders.layer]))
}
