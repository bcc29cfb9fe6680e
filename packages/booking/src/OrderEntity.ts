/**
 * The handlers of `OrderEntity`: one order, one command at a time.
 *
 * An order is in memory only while it is at work; what it knows is folded from its journal, and thrown
 * away after any failure. Another owner of the same order makes an append fail (`JournalConflict`): then
 * the order is read again, and its run goes on from there.
 */
import { Cause, Clock, Effect, Metric, Result, Semaphore } from "effect"
import { Entity } from "effect/cluster"
import {
  type CustomerId,
  type EventId,
  makeUuidV7,
  OrderId,
  PaymentIntentId,
  RefundId,
  type TicketId
} from "@onsale/contracts/Ids"
import type { NewOrder, OrderView, RefundCause } from "@onsale/contracts/booking/Order"
import {
  BookingUnavailable,
  HoldNotBuyable,
  KeyInUse,
  KeyReused,
  KeySeen,
  NotRefundable,
  OrderEntity,
  OrderNotFound
} from "@onsale/contracts/booking/OrderEntity"
import type { HoldView } from "@onsale/contracts/inventory/InventoryCommand"
import { JournalConflict } from "@onsale/platform/Journal"
import * as Tracing from "@onsale/platform/Tracing"
import { Checkout } from "./Checkout.ts"
import * as CheckoutRun from "./CheckoutRun.ts"
import * as DoorCommands from "./DoorCommands.ts"
import { firstRun, laterRun, requestRefund, type Run, type Step } from "./Order.ts"
import * as OrderCorrelation from "./OrderCorrelation.ts"
import { evolve, isAtWork, type Placed, toView } from "./OrderState.ts"
import { type Key, OrderStore, type Plan, type Stored } from "./OrderStore.ts"

/** Most buyers are done in less; a process that dies is noticed after it. */
const leaseMs = 5_000
/** The supervisor's first look at an order that waits; later ones are further and further apart. */
const firstCheckMs = 1_000
/** Owners change when runners come and go; twice in one command would be strange, five times is a bug. */
const maxConflicts = 5
const retryAfterMs = 1_000
/**
 * A hold's clock stops once. An order that is given up after that has lost it for all that come later: with less time left
 * than the freeze and the first write take on a busy day it is not begun.
 */
const leastLeftMs = 1_000

const lateMoneySeen = Metric.counter("onsale_orders_late_money", {
  description: "Orders whose money came after they had ended, by what became of it (taken, returned)",
  incremental: true
})

interface Request {
  readonly key: string
  readonly fingerprint: string
}

interface PlaceRequest extends Request {
  readonly correlation?: string
  readonly eventId: EventId
  readonly customerId?: CustomerId
  readonly waitMs?: number
  readonly order: NewOrder
}

interface RefundRequest extends Request {
  readonly correlation?: string
  readonly tickets: ReadonlyArray<TicketId> | null
  readonly reason: string
  readonly cause: RefundCause
}

const planOf = (step: Step, atMs: number): Plan => {
  switch (step._tag) {
    case "Done":
      return { _tag: "Finished" }
    case "Wait":
      return { _tag: "Waiting", checkAtMs: atMs + firstCheckMs }
    default:
      return { _tag: "Running", checkAtMs: atMs + leaseMs }
  }
}

/** The keys of buyers and organisers, and those of the refunds of a cancelled event, which nobody else can use. */
const refundOperation = (cause: RefundCause): Key["operation"] =>
  cause === "event_cancelled" ? "cancellation" : "refund"

/** A valid ticket for the seat exists already: INV-06 was broken elsewhere, and the database refused to join in. */
class SeatTicketedTwice extends Error {
  override readonly name = "SeatTicketedTwice"
}

const make = Effect.gen(function* () {
  const store = yield* OrderStore
  const checkout = yield* Checkout
  const { entityId } = yield* Entity.CurrentAddress
  const orderId = OrderId.make(entityId)
  const turn = yield* Semaphore.make(1)

  /** The order as last read or written; undefined when it has to be read (again). */
  let known: Stored | null | undefined
  let busy = false
  /** The fingerprints of the placements that are at work, by key. */
  const atWork = new Map<string, string>()

  const current = Effect.gen(function* () {
    if (known === undefined) known = yield* store.load(orderId)
    return known
  })

  const inTurn = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | BookingUnavailable, R> =>
    Effect.suspend(() => {
      busy = true
      return effect
    }).pipe(
      // A bug or a broken database ends this attempt, not the order: it is told and tried again later.
      Effect.catchCauseIf(Cause.hasDies, (cause) => {
        known = undefined
        return Effect.logError(`order ${orderId} broke off`, cause).pipe(
          Effect.andThen(Effect.fail(new BookingUnavailable({ retryAfterMs })))
        )
      }),
      Effect.ensuring(
        Effect.sync(() => {
          busy = false
        })
      ),
      turn.withPermit
    )

  /** Tries again with the order read anew, where another owner was faster. */
  const reloading = <A, E, R>(effect: Effect.Effect<A, E | JournalConflict, R>) =>
    effect.pipe(
      Effect.tapErrorTag("JournalConflict", () =>
        Effect.sync(() => {
          known = undefined
        })
      ),
      Effect.retry({ while: (error) => error instanceof JournalConflict, times: maxConflicts }),
      Effect.catchIf(
        (error): error is Extract<E | JournalConflict, JournalConflict> => error instanceof JournalConflict,
        () => Effect.fail(new BookingUnavailable({ retryAfterMs }))
      )
    )

  /** Takes the order's steps to their rest; `answers` is a request that is answered by where it rests. */
  const drive = Effect.fn("OrderEntity.drive")(
    function* (start: Stored, run: Run, answers: Key | null) {
      let { version } = start
      let answered = answers === null
      const { order, step } = yield* CheckoutRun.toRest({
        order: start.order,
        run,
        carryOut: checkout.carryOut,
        save: (events, order, step, atMs) => {
          const resting = step._tag === "Done" || step._tag === "Wait"
          return store
            .append({
              events,
              order,
              version: version + 1,
              atMs,
              plan: planOf(step, atMs),
              request: null,
              answers: resting ? answers : null
            })
            .pipe(
              Effect.andThen(
                Effect.sync(() => {
                  version++
                  known = { order, version }
                  answered ||= resting
                })
              ),
              Effect.catchTag("UniqueBroken", ({ constraint }) =>
                Effect.die(new SeatTicketedTwice(`order ${orderId} broke ${constraint}`))
              )
            )
        }
      })
      if (answers !== null && !answered) yield* store.answer(answers, order)
      const { lateMoney } = order
      if (lateMoney !== null && lateMoney !== start.order.lateMoney) {
        yield* Metric.update(Metric.withAttributes(lateMoneySeen, { outcome: lateMoney }), 1)
        yield* Effect.logWarning(`money came after order ${orderId} had ended, and was ${lateMoney}`)
      }
      // A later run that has to wait was put off by the supervisor when it was claimed.
      if (version === start.version && (run.first || step._tag === "Done")) {
        yield* store.plan(start, planOf(step, yield* Clock.currentTimeMillis))
      }
      const view = toView(order)
      yield* Effect.logInfo(`order ${orderId} is ${view.status}`)
      return view
    },
    (driving, { order }) => {
      const { correlation } = Tracing.split(OrderCorrelation.ofWork(order))
      return correlation === undefined ? driving : Effect.annotateLogs(driving, "correlationId", correlation)
    }
  )

  const driveOn = (start: Stored, answers: Key | null) =>
    reloading(
      Effect.suspend(() => (known === undefined ? store.load(orderId) : Effect.succeed(known))).pipe(
        Effect.flatMap((stored) => drive(stored ?? start, laterRun, answers))
      )
    )

  /** What a request says to one with its key that came before; it did not, if this does not fail. */
  const beforeNow = Effect.fnUntraced(function* (key: Key, fingerprint: string) {
    const seen = yield* store.findRequest(key)
    if (seen === null) return null
    if (seen.fingerprint !== fingerprint) return yield* new KeyReused()
    return seen
  })

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
      plan: { _tag: "Running", checkAtMs: atMs + leaseMs },
      request: { ...key, fingerprint: request.fingerprint },
      answers: null
    })
    const stored: Stored = { order, version: 1 }
    known = stored
    return stored
  })

  /** The answer to a key that came before, with its order where that is this one; null where it is new. */
  const replay = Effect.fnUntraced(function* (request: PlaceRequest, key: Key) {
    const seen = yield* beforeNow(key, request.fingerprint)
    if (seen === null) return null
    if (seen.answer !== null) return yield* new KeySeen({ orderId: seen.orderId, answer: seen.answer })
    const stored = seen.orderId === orderId ? yield* current : yield* store.load(seen.orderId)
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
    known = undefined
    const stored = yield* current
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

  const place = Effect.fnUntraced(function* (request: PlaceRequest, untilMs: number) {
    const key: Key = { operation: "place", key: request.key }
    const { holdId } = request.order

    // 0. Is there an order already? Then it is the answer, once it has come to rest. Most keys are new, so nobody
    // asks before the database says no, in 2.
    if (known !== undefined) {
      yield* replay(request, key)
      if (known !== null) return yield* new KeyReused()
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
      const before = yield* current
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
        known = undefined
        return driveOn(stored, key)
      })
    )
  })

  const refund = Effect.fnUntraced(function* (request: RefundRequest) {
    const key: Key = { operation: refundOperation(request.cause), key: request.key }
    const seen = yield* beforeNow(key, request.fingerprint)
    if (seen !== null && seen.orderId !== orderId) return yield* new KeyReused()
    if (seen !== null && seen.answer !== null) return seen.answer
    const stored = yield* current
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
        plan: { _tag: "Running", checkAtMs: atMs + leaseMs },
        request: { ...key, fingerprint: request.fingerprint },
        answers: null
      })
      .pipe(
        Effect.catchTag("UniqueBroken", () =>
          Effect.flatMap(beforeNow(key, request.fingerprint), () => Effect.fail(new KeyReused()))
        )
      )
    known = after
    return yield* driveOn(after, key)
  })

  /** Whoever asks again while the first is at work is not made to wait for it. */
  const unlessRunning = <A, E, R>(key: Key, fingerprint: string, effect: Effect.Effect<A, E, R>) =>
    Effect.gen(function* () {
      if (busy) {
        const seen = yield* beforeNow(key, fingerprint)
        if (seen !== null && seen.answer === null) return yield* new KeyInUse()
      }
      return yield* effect
    })

  /** One request with a key at a time (INV-07): the others are told so at once. */
  const once = <A, E, R>(
    operation: Key["operation"],
    request: Request,
    effect: Effect.Effect<A, E, R>
  ): Effect.Effect<A, E | KeyInUse | KeyReused, R> =>
    Effect.suspend((): Effect.Effect<A, E | KeyInUse | KeyReused, R> => {
      const key: Key = { operation, key: request.key }
      const name = `${operation}:${request.key}`
      const fingerprint = atWork.get(name)
      if (fingerprint !== undefined) {
        return Effect.fail(fingerprint === request.fingerprint ? new KeyInUse() : new KeyReused())
      }
      atWork.set(name, request.fingerprint)
      return unlessRunning(key, request.fingerprint, effect).pipe(
        Effect.ensuring(Effect.sync(() => atWork.delete(name)))
      )
    })

  const door = DoorCommands.make({
    orderId,
    store,
    current,
    remember: (stored) => {
      known = stored
    },
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
          known = undefined
          const stored = yield* current
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
      Effect.map(
        Effect.suspend(() => (known === undefined ? store.load(orderId) : Effect.succeed(known))),
        (stored) => (stored === null ? null : toView(stored.order))
      )
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
