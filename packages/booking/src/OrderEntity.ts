/**
 * The handlers of `OrderEntity`: one order, one command at a time. An order is in memory only while it is at work.
 * What commands have in common is in `OrderTurn` (memory and turns), `OrderKeys` (repeats) and `OrderDrive` (its steps).
 */
import { Clock, Effect, Result } from "effect"
import { Entity } from "effect/cluster"
import { makeUuidV7, OrderId, RefundId, type TicketId } from "@onsale/contracts/Ids"
import type { OrderView, RefundCause } from "@onsale/contracts/booking/Order"
import { KeyReused, NotRefundable, OrderEntity, OrderNotFound } from "@onsale/contracts/booking/OrderEntity"
import * as Tracing from "@onsale/platform/Tracing"
import { Checkout } from "./Checkout.ts"
import * as DoorCommands from "./DoorCommands.ts"
import { requestRefund } from "./Order.ts"
import * as OrderCorrelation from "./OrderCorrelation.ts"
import * as OrderDrive from "./OrderDrive.ts"
import * as OrderKeys from "./OrderKeys.ts"
import * as OrderPlacement from "./OrderPlacement.ts"
import { evolve, toView } from "./OrderState.ts"
import { type Key, OrderStore, type Stored } from "./OrderStore.ts"
import * as OrderTurn from "./OrderTurn.ts"

interface RefundRequest extends OrderKeys.KeyedRequest {
  readonly correlation?: string
  readonly tickets: ReadonlyArray<TicketId> | null
  readonly reason: string
  readonly cause: RefundCause
}

/** The keys of buyers and organisers, and those of the refunds of a cancelled event, which nobody else can use. */
const refundOperation = (cause: RefundCause): Key["operation"] =>
  cause === "event_cancelled" ? "cancellation" : "refund"

const make = Effect.gen(function* () {
  const store = yield* OrderStore
  const checkout = yield* Checkout
  const { entityId } = yield* Entity.CurrentAddress
  const orderId = OrderId.make(entityId)
  const turn = yield* OrderTurn.make(orderId, store)
  const keys = OrderKeys.make(store, turn)
  const drive = OrderDrive.make(orderId, { checkout, store, turn })
  const place = OrderPlacement.make(orderId, { checkout, drive, keys, store, turn })
  const { beforeNow, once } = keys
  const { driveOn } = drive
  const { inTurn, reloading } = turn

  const refund = Effect.fnUntraced(function* (request: RefundRequest) {
    const key: Key = { operation: refundOperation(request.cause), key: request.key }
    const seen = yield* beforeNow(key, request.fingerprint)
    if (seen !== null && seen.orderId !== orderId) return yield* new KeyReused()
    if (seen !== null && seen.answer !== null) return seen.answer
    const stored = yield* turn.current
    if (stored === null) return yield* new OrderNotFound()
    yield* Tracing.linkTo(stored.order.placed.correlation)
    if (seen !== null) return yield* driveOn(stored, key)

    const atMs = yield* Clock.currentTimeMillis
    const { cause, correlation, reason, tickets } = request
    const refundId = RefundId.make(makeUuidV7(atMs))
    const decided = requestRefund(stored.order, { refundId, tickets, reason, cause }, atMs)
    if (Result.isFailure(decided)) return yield* new NotRefundable(decided.failure)
    const requested = { ...decided.success, ...(correlation === undefined ? {} : { correlation }) }

    // From here on the tickets admit nobody, and the money is owed.
    const order = evolve(stored.order, requested, { orderId, atMs })
    const after: Stored = { order, version: stored.version + 1 }
    yield* store
      .append({
        events: [requested],
        order,
        version: after.version,
        atMs,
        plan: OrderDrive.running(atMs),
        request: { ...key, fingerprint: request.fingerprint },
        answers: null
      })
      .pipe(
        Effect.catchTag("UniqueBroken", () =>
          Effect.flatMap(beforeNow(key, request.fingerprint), () => Effect.fail(new KeyReused()))
        )
      )
    turn.remember(after)
    return yield* driveOn(after, key)
  })

  const door = DoorCommands.make({
    orderId,
    store,
    current: turn.current,
    remember: turn.remember,
    beforeNow
  })

  return OrderEntity.of({
    Place: ({ payload }) =>
      Effect.flatMap(Clock.currentTimeMillis, (nowMs) => {
        const untilMs = nowMs + (payload.waitMs ?? Number.POSITIVE_INFINITY)
        return Tracing.handled("Order.place")(
          once("place", payload, inTurn(reloading(place(payload, untilMs))))
        )
      }),

    Resume: () =>
      inTurn(
        Effect.gen(function* () {
          // Whoever resumes may know of another owner's writes.
          turn.forget()
          const stored = yield* turn.current
          if (stored === null) return yield* new OrderNotFound()
          // Nobody asks: it goes on in the trace of whoever did.
          const { parent } = Tracing.split(OrderCorrelation.ofWork(stored.order))
          return yield* Tracing.unlessRecorded(parent, "Order.resume")(driveOn(stored, null))
        })
      ),

    RequestRefund: ({ payload }) =>
      Tracing.handled("Order.requestRefund")(
        once(refundOperation(payload.cause), payload, inTurn(reloading(refund(payload))))
      ),

    CheckIn: ({ payload }) => inTurn(reloading(door.checkIn(payload))),

    RecordScans: ({ payload }) => inTurn(reloading(door.record(payload.scans))),

    ReissueTicket: ({ payload }) => once("reissue", payload, inTurn(reloading(door.reissue(payload)))),

    GetOrder: (): Effect.Effect<OrderView | null> =>
      Effect.map(turn.look, (stored) => (stored === null ? null : toView(stored.order)))
  })
})

/**
 * Registers the entity. Orders leave the memory soon: most are never asked for again after they were
 * answered. Handlers run side by side so that a question is not held up by a payment; commands take
 * turns. A defect fails the one request; the library's default would run it again for ever.
 */
export const layer = OrderEntity.toLayer(make, {
  maxIdleTime: "10 seconds",
  concurrency: "unbounded",
  mailboxCapacity: 64,
  disableFatalDefects: true
})
