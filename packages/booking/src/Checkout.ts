/**
 * Carries out the steps of `Order.ts` at the inventory and the payments, and reads their answers.
 *
 * Every step is known over there by the order: the payments know it by the intent's id, the inventory by
 * the order's id in the command. Sales bear one command id however often they are sent; what may be undone
 * and done again, and changes nothing when it is repeated, bears a new one each time, or its answer would be
 * an old one out of the inventory's memory. So a step may be sent again after any failure. A step never
 * fails: what is not known, because a service is away, slow or broken, is `Unavailable`.
 */
import { Cause, Clock, Config, Context, Duration, Effect, Layer } from "effect"
import type { Sharding } from "effect/cluster"
import {
  type CustomerId,
  CommandId,
  type EventId,
  type HoldId,
  makeUuidV7,
  type OrderId,
  RefundId,
  TicketId
} from "@onsale/contracts/Ids"
import type { Customer, OrderRefund } from "@onsale/contracts/booking/Order"
import { BookingUnavailable, HoldNotBuyable } from "@onsale/contracts/booking/OrderEntity"
import { InventoryClient, type InventoryUnavailable } from "@onsale/contracts/inventory/InventoryClient"
import type {
  HoldView,
  InventoryAnswer,
  InventoryCommand
} from "@onsale/contracts/inventory/InventoryCommand"
import { PaymentEntity, type PaymentStepRefused } from "@onsale/contracts/payments/PaymentEntity"
import type { PaymentView } from "@onsale/contracts/payments/PaymentIntent"
import { Outcome, type Step } from "./Order.ts"
import { claimsOf, claimsOfRefund, customerKey } from "./OrderClaims.ts"
import { claimCount, type Order } from "./OrderState.ts"

/** All commands of an order with one id ask for the same, so that nothing has to be told apart. */
const fingerprint = "order"

const commandId = (orderId: OrderId, step: string) => CommandId.make(`${orderId}:${step}`)

/** Of this sending alone: the inventory looks at the hold, and not at what it has answered before. */
const newCommandId = (orderId: OrderId, step: string) =>
  Effect.map(Clock.currentTimeMillis, (nowMs) => commandId(orderId, `${step}:${makeUuidV7(nowMs)}`))

/** A command that was not begun has done nothing: its buyer may be told so. */
const certainlyNot = (failure: InventoryUnavailable) =>
  failure.reason === "deadline"
    ? Effect.fail(failure)
    : Effect.succeed(new BookingUnavailable({ retryAfterMs: failure.retryAfterMs, reason: failure.reason }))

/**
 * A payment that the provider does not answer is asked after by the payments, within 10 seconds or so;
 * after this time the buyer is told that it is pending, and it goes on without him.
 */
const defaultStepLimit = Duration.seconds(15)

const stepLimit = Config.Duration("ONSALE_CHECKOUT_STEP_LIMIT").pipe(Config.withDefault(defaultStepLimit))

const make = (limit: Duration.Duration) =>
  Effect.gen(function* () {
    const inventory = yield* InventoryClient
    const paymentFor = yield* PaymentEntity.client

    /** What is not known is told so, with its cause in the log. */
    const known = <A, E, R>(what: string, orderId: OrderId, effect: Effect.Effect<A, E, R>) =>
      effect.pipe(
        Effect.timeout(limit),
        // Interruptions too: they may be those of an entity that moves to another runner.
        Effect.catchCause((cause) => {
          const told = `${what} of order ${orderId} is not known to be done, it will be done again`
          // A typed error is the other side's word and says it all; a stack trace is for what is not.
          const log = Cause.hasDies(cause)
            ? Effect.logWarning(told, cause)
            : Effect.logWarning(
                `${told}: ${Cause.prettyErrors(cause)
                  // Errors of a contract have fields, and mostly no message.
                  .map(({ message, name }) => (message === "" ? name : message))
                  .join("; ")}`
              )
          return Effect.as(log, undefined)
        })
      )

    const execute = <A extends { readonly _tag: "BookingUnavailable" } = never>(
      what: string,
      orderId: OrderId,
      eventId: EventId,
      command: InventoryCommand,
      /** What a failure says for certain; else it is not known what became of the command. */
      certain: (failure: InventoryUnavailable) => Effect.Effect<A, InventoryUnavailable> = Effect.fail
    ) =>
      known(what, orderId, Effect.catch(inventory.execute(eventId, command), certain)).pipe(
        Effect.map((answer) =>
          // The first sending is still at work, or our id means something else there: both are not known.
          answer?._tag === "Refused" && (answer.code === "key_in_use" || answer.code === "key_reused")
            ? undefined
            : answer
        )
      )

    /** A step of the payment; a refusal of it tells how the payment stands too. */
    const pay = (
      what: string,
      order: Order,
      step: (
        payment: ReturnType<typeof paymentFor>
      ) => Effect.Effect<PaymentView | null, { readonly _tag: string } | PaymentStepRefused>
    ): Effect.Effect<{ readonly refused: string | null; readonly payment: PaymentView | null } | undefined> =>
      known(
        what,
        order.id,
        step(paymentFor(order.placed.intentId)).pipe(
          Effect.map((payment) => ({ refused: null, payment })),
          Effect.catchIf(isStepRefused, (refusal) =>
            Effect.logWarning(`${what} of order ${order.id} was refused`, refusal).pipe(
              Effect.as({ refused: refusal.step, payment: refusal.payment })
            )
          )
        )
      )

    const seen = (answer: { readonly payment: PaymentView | null } | undefined): Outcome =>
      answer === undefined ? Outcome.Unavailable() : Outcome.PaymentSeen({ payment: answer.payment })

    const sendAuthorise = (order: Order) => {
      const { correlation, method, provider, terms, total } = order.placed
      return pay("the authorisation", order, (payment) =>
        payment.Authorise({
          payment: {
            ...(correlation === undefined ? {} : { correlation }),
            orderId: order.id,
            amount: total.amount,
            currency: total.currency,
            provider,
            method,
            ...(terms?.organiser === undefined ? {} : { organiser: terms.organiser })
          }
        })
      )
    }

    const authorise = Effect.fn("Checkout.authorise")(function* (order: Order) {
      const answer = yield* sendAuthorise(order)
      return answer?.refused != null && answer.payment === null
        ? Outcome.PaymentRefused({ code: "payment_refused" })
        : seen(answer)
    })

    /** How the payment stands, by the provider's word where ours has no end. */
    const ask = Effect.fn("Checkout.ask")(function* (order: Order) {
      const recorded = yield* pay("the payment", order, (payment) => payment.GetPayment())
      return recorded?.payment != null && isUndecided(recorded.payment)
        ? yield* pay("the payment", order, (payment) => payment.Refresh())
        : recorded
    })

    /** As `ask`; and one that its provider has never heard of is tried there again: the buyer still wants it. */
    const askOn = Effect.fn("Checkout.askOn")(function* (order: Order) {
      const recorded = yield* pay("the payment", order, (payment) => payment.GetPayment())
      if (recorded?.payment == null || !isUndecided(recorded.payment)) return recorded
      const { providerReference, status } = recorded.payment
      return providerReference === null && status !== "requires_action"
        ? yield* sendAuthorise(order)
        : yield* pay("the payment", order, (payment) => payment.Refresh())
    })

    const lapse = Effect.fn("Checkout.lapse")(function* (order: Order) {
      const answer = yield* ask(order)
      if (answer === undefined) return Outcome.Unavailable()
      // Who paid at last gets the seats if they are still there.
      if (answer.payment !== null && !isUndecided(answer.payment)) return seen(answer)
      return seen(yield* pay("the void", order, (payment) => payment.Void()))
    })

    const confirmSeats = Effect.fn("Checkout.confirmSeats")(function* (order: Order) {
      const { eventId, holdId } = order.placed
      const answer = yield* execute("the sale", order.id, eventId, {
        _tag: "Confirm",
        // An order that has ended may have bought and returned its seats: the old answer means nothing any more.
        commandId: commandId(order.id, order.lateMoney === null ? "confirm" : "reclaim"),
        fingerprint,
        holdId,
        orderId: order.id,
        ...claimsOf(order),
        customer: customerKey(order.placed),
        ...(order.placed.voucher === undefined ? {} : { voucher: order.placed.voucher })
      })
      if (answer === undefined) return Outcome.Unavailable()
      if (answer._tag === "Sold") return Outcome.SeatsSold({ reclaimed: answer.reclaimed })
      if (answer._tag === "Refused") return Outcome.SeatsRefused({ code: answer.code })
      return yield* strange(order.id, "Confirm", answer)
    })

    const giveMoneyBack = Effect.fn("Checkout.giveMoneyBack")(function* (order: Order) {
      const voided = yield* pay("the void", order, (payment) => payment.Void())
      if (voided === undefined) return Outcome.Unavailable()
      const payment = voided.payment
      switch (payment?.status) {
        case undefined:
          return Outcome.MoneyBack({ status: null })
        case "voided":
        case "failed":
        case "refunded":
          return Outcome.MoneyBack({ status: payment.status })
        case "captured":
        case "disputed":
        case "partially_refunded": {
          // The intent's own id names the refund of all of it, so that there is one, however often it is asked for.
          const refundId = RefundId.make(order.placed.intentId)
          const answer = yield* pay("the refund", order, (payments) =>
            payments.Refund({ refundId, amount: payment.captured })
          )
          return answer?.payment?.status === "refunded"
            ? Outcome.MoneyBack({ status: "refunded" })
            : Outcome.Unavailable()
        }
        default:
          return Outcome.Unavailable()
      }
    })

    const returnSeats = Effect.fn("Checkout.returnSeats")(function* (order: Order) {
      const answer = yield* execute("the return", order.id, order.placed.eventId, {
        _tag: "Return",
        // All or nothing of what the order claims, so a second return finds nothing. Its own id each time:
        // a sale that came after a return that found nothing must be found by the next.
        commandId: yield* newCommandId(order.id, "return"),
        fingerprint,
        orderId: order.id,
        ...claimsOf(order)
      })
      // Refused: nothing of it is sold to this order.
      return answer === undefined ? Outcome.Unavailable() : Outcome.SeatsBack()
    })

    const unfreezeHold = Effect.fnUntraced(function* (orderId: OrderId, eventId: EventId, holdId: HoldId) {
      return yield* execute("the end of the checkout", orderId, eventId, {
        _tag: "Unfreeze",
        commandId: yield* newCommandId(orderId, "unfreeze"),
        fingerprint,
        holdId,
        orderId
      })
    })

    const capture = Effect.fn("Checkout.capture")(function* (order: Order) {
      const answer = yield* pay("the capture", order, (payment) => payment.Capture())
      const { amount, currency } = order.placed.total
      const captured = answer?.payment
      if (
        (captured?.status === "captured" || captured?.status === "disputed") &&
        captured.captured < amount
      ) {
        yield* Effect.logError(
          `order ${order.id} is undone: ${captured.captured} of its ${amount} ${currency} (minor units) were captured`
        )
      }
      return seen(answer)
    })

    const refundMoney = Effect.fn("Checkout.refundMoney")(function* (order: Order, refund: OrderRefund) {
      const before = order.refunds.reduce(
        (sum, { amount, status }) => (status === "succeeded" ? sum + amount.amount : sum),
        0
      )
      const correlation = order.refundCorrelations.get(refund.id)
      const answer = yield* pay("the refund", order, (payment) =>
        payment.Refund({
          refundId: refund.id,
          amount: refund.amount.amount,
          ...(correlation === undefined ? {} : { correlation })
        })
      )
      return answer?.payment != null && answer.payment.refunded >= before + refund.amount.amount
        ? Outcome.RefundPaid({ refundId: refund.id })
        : Outcome.Unavailable()
    })

    const returnTickets = Effect.fn("Checkout.returnTickets")(function* (order: Order, refund: OrderRefund) {
      const answer = yield* execute("the return", order.id, order.placed.eventId, {
        _tag: "Return",
        commandId: commandId(order.id, `return:${refund.id}`),
        fingerprint,
        orderId: order.id,
        ...claimsOfRefund(order, refund)
      })
      if (answer === undefined) return Outcome.Unavailable()
      if (answer._tag === "Refused") {
        yield* Effect.logError(
          `the seats of refund ${refund.id} of order ${order.id} were not sold to it`,
          answer
        )
      }
      return Outcome.TicketsBack({ refundId: refund.id })
    })

    return Checkout.of({
      freeze: Effect.fn("Checkout.freeze")(function* (orderId, eventId, holdId, buyer) {
        const answer = yield* execute(
          "the start of the checkout",
          orderId,
          eventId,
          {
            _tag: "Freeze",
            commandId: yield* newCommandId(orderId, "freeze"),
            fingerprint,
            holdId,
            orderId,
            customer: customerKey(buyer)
          },
          certainlyNot
        )
        if (answer instanceof BookingUnavailable) return yield* answer
        if (answer === undefined) return yield* new BookingUnavailable({ retryAfterMs: 1000 })
        if (answer._tag === "Refused") {
          const { code, limit, scope } = answer
          return yield* new HoldNotBuyable({ code, limit, ...(scope === undefined ? {} : { scope }) })
        }
        if (answer._tag !== "Held") return yield* strange(orderId, "Freeze", answer)
        // The answer may have been long on its way.
        if (answer.hold.expiresAtMs <= (yield* Clock.currentTimeMillis)) {
          return yield* new HoldNotBuyable({ code: "hold_expired", limit: null })
        }
        return answer.hold
      }),

      unfreeze: Effect.fn("Checkout.unfreeze")(function* (orderId, eventId, holdId) {
        yield* unfreezeHold(orderId, eventId, holdId)
      }),

      carryOut: (order, step) => {
        switch (step._tag) {
          case "Authorise":
            return authorise(order)
          case "AskPayment":
            return Effect.map(askOn(order), seen)
          case "LapsePayment":
            return lapse(order)
          case "ConfirmSeats":
            return confirmSeats(order)
          case "Capture":
            return capture(order)
          case "IssueTickets":
            return Effect.map(Clock.currentTimeMillis, (nowMs) =>
              Outcome.TicketsNumbered({
                ids: Array.from({ length: claimCount(order.placed) }, () => TicketId.make(makeUuidV7(nowMs)))
              })
            )
          case "GiveMoneyBack":
            return giveMoneyBack(order)
          case "AskLateMoney":
            return Effect.map(
              pay("the payment", order, (payment) => payment.GetPayment()),
              seen
            )
          case "ReturnSeats":
            return returnSeats(order)
          case "Unfreeze":
            return Effect.map(unfreezeHold(order.id, order.placed.eventId, order.placed.holdId), (answer) =>
              // Refused: the hold is gone, or another order's.
              answer === undefined ? Outcome.Unavailable() : Outcome.Unfrozen()
            )
          case "RefundMoney":
            return refundMoney(order, step.refund)
          case "ReturnTickets":
            return returnTickets(order, step.refund)
          case "Wait":
          case "Done":
            return Effect.die(new Error(`${step._tag} is no step to carry out`))
        }
      }
    })
  })

const isStepRefused = (error: { readonly _tag: string } | PaymentStepRefused): error is PaymentStepRefused =>
  error._tag === "PaymentStepRefused"

const isUndecided = ({ status }: PaymentView): boolean =>
  status === "created" || status === "requires_action" || status === "processing"

const strange = (orderId: OrderId, command: string, answer: InventoryAnswer) =>
  Effect.die(new Error(`the inventory answered ${answer._tag} to ${command} of order ${orderId}`))

export class Checkout extends Context.Service<
  Checkout,
  {
    /**
     * Stops the clock of the hold for this order and answers with the hold; again, where it stands still for
     * it. From now on its tickets count as the customer's.
     */
    readonly freeze: (
      orderId: OrderId,
      eventId: EventId,
      holdId: HoldId,
      buyer: { readonly customer: Customer; readonly customerId?: CustomerId | undefined }
    ) => Effect.Effect<HoldView, HoldNotBuyable | BookingUnavailable>
    /** Gives the hold its clock back, if the inventory can be reached; else its time runs out by itself. */
    readonly unfreeze: (orderId: OrderId, eventId: EventId, holdId: HoldId) => Effect.Effect<void>
    readonly carryOut: (order: Order, step: Step) => Effect.Effect<Outcome>
  }
>()("@onsale/booking/Checkout") {
  /**
   * No call takes longer than `ONSALE_CHECKOUT_STEP_LIMIT` (15 seconds). Most steps are one call; giving money
   * back is two, and a payment whose time is over takes three.
   */
  static readonly layer: Layer.Layer<Checkout, Config.ConfigError, InventoryClient | Sharding.Sharding> =
    Layer.effect(Checkout, Effect.flatMap(stepLimit, make))
}
