/**
 * A world of one order for its property tests: one payment and the seats, which fail, answer late, or take
 * the process down, as a list of choices says; when the list is used up, everything works.
 */
import { Clock, Effect } from "effect"
import { TestClock } from "effect/testing"
import {
  type EventId,
  type HoldId,
  makeEventId,
  makeHoldId,
  makeUuidV7,
  OrderId,
  PaymentIntentId,
  TicketId,
  TierId
} from "@onsale/contracts/Ids"
import type { OrderEvent } from "@onsale/contracts/booking/Order"
import type { PaymentStatus, PaymentView } from "@onsale/contracts/payments/PaymentIntent"
import * as CheckoutRun from "../src/CheckoutRun.ts"
import { laterRun, Outcome, type Run, type Step } from "../src/Order.ts"
import { claimCount, evolve, type Order, type Placed } from "../src/OrderState.ts"

export const orderId = OrderId.make(makeUuidV7(1))
const intentId = PaymentIntentId.make(makeUuidV7(2))
const eventId: EventId = makeEventId(3)
const holdId: HoldId = makeHoldId(4, 7)
const tier = TierId.make(makeUuidV7(5))

export const payUntilMs = 60_000

export const placed: Placed = {
  _tag: "Placed",
  eventId,
  holdId,
  customer: { name: "Ada", email: "ada@example.org" },
  intentId,
  provider: null,
  method: "tok_ok",
  total: { amount: 9_000, currency: "EUR" },
  seats: [
    { seat: 3, label: "A 1-3", tier, price: 2_500 },
    { seat: 4, label: "A 1-4", tier, price: 2_500 }
  ],
  areas: [{ area: 0, name: "Floor", quantity: 2, tier, price: 2_000 }],
  payUntilMs
}

/** The process is gone, with all that was not written down. */
export class Crash extends Error {
  override readonly name = "Crash"
}

export type Method = "ok" | "declined" | "action" | "late" | "never"

export class OrderWorld {
  readonly journal: Array<{ readonly atMs: number; readonly events: ReadonlyArray<OrderEvent> }> = [
    { atMs: 0, events: [placed] }
  ]
  payment: PaymentStatus | null = null
  refunds = new Map<string, number>()
  captures = 0
  /** Authorised after it had ended, and waiting for the order's word. */
  late = false
  /** Sold are the claims that are this order's: two seats and two places. */
  sold = 0
  /** The seats are somebody else's. */
  taken = false
  unfrozen = 0
  readonly choices: Array<number>
  readonly method: Method

  constructor(method: Method, choices: ReadonlyArray<number>) {
    this.method = method
    this.choices = [...choices]
  }

  /** The money comes after all. */
  arrive(): void {
    if (this.payment !== "voided" && this.payment !== "failed") return
    this.payment = "authorised"
    this.late = true
  }

  order(): Order {
    let order: Order | undefined
    for (const { atMs, events } of this.journal) {
      for (const event of events) order = evolve(order, event, { orderId, atMs })
    }
    if (order === undefined) throw new Error("there is no order")
    return order
  }

  get events(): ReadonlyArray<OrderEvent> {
    return this.journal.flatMap(({ events }) => events)
  }

  /** Whether the customer's money is held or taken, refunds deducted. */
  get paid(): number {
    if (this.payment === "authorised") return placed.total.amount
    const refunded = [...this.refunds.values()].reduce((sum, amount) => sum + amount, 0)
    return this.captures > 0 ? placed.total.amount - refunded : 0
  }

  /** One run, cut off where the choices say so. */
  readonly run = (run: Run): Effect.Effect<"Wait" | "Done" | "Crash"> =>
    CheckoutRun.toRest({
      order: this.order(),
      run,
      carryOut: (order, step) => this.#carryOut(order, step),
      save: (events, _order, _step, atMs) =>
        this.#faulty(() => {
          this.journal.push({ atMs, events })
          return true
        }).pipe(
          // A store never says that it wrote when it does not know.
          Effect.flatMap((known) => (known === undefined ? Effect.die(new Crash()) : Effect.void))
        )
    }).pipe(
      Effect.map(({ step }) => (step._tag === "Wait" ? ("Wait" as const) : ("Done" as const))),
      Effect.catchDefect((defect) =>
        defect instanceof Crash ? Effect.succeed("Crash" as const) : Effect.die(defect)
      )
    )

  /** Runs until nothing is left to do, as a supervisor would. */
  readonly toEnd = (first: Run): Effect.Effect<void> =>
    Effect.gen({ self: this }, function* () {
      let run = first
      for (let i = 0; i < 60; i++) {
        if ((yield* this.run(run)) === "Done") return
        run = laterRun
        yield* TestClock.adjust(5_000)
      }
      throw new Error(`the order never ends: it is ${this.order().stage}, the payment ${this.payment}`)
    })

  #carryOut(order: Order, step: Step): Effect.Effect<Outcome> {
    return Effect.flatMap(Clock.currentTimeMillis, (nowMs) =>
      Effect.map(
        this.#faulty(() => this.#act(order, step, nowMs)),
        (outcome) => outcome ?? Outcome.Unavailable()
      )
    )
  }

  /** Undefined where the outcome is not known to the caller. */
  #faulty<A>(act: () => A): Effect.Effect<A | undefined> {
    return Effect.suspend(() => {
      const choice = this.choices.shift() ?? 9
      const late = choice === 5 ? TestClock.adjust(payUntilMs) : Effect.void
      return Effect.andThen(
        late,
        Effect.suspend(() => {
          switch (choice) {
            case 0:
              return Effect.succeed(undefined)
            case 1:
              act()
              return Effect.succeed(undefined)
            case 2:
              return Effect.die(new Crash())
            case 3:
              act()
              return Effect.die(new Crash())
            case 4:
              // An unsold hold that ran out, and was bought by another.
              if (this.sold === 0) this.taken = true
              return Effect.succeed(act())
            case 6:
            case 7:
              // The provider lets the authorisation go, before a process that dies could look again.
              if (this.payment === "authorised") this.payment = choice === 6 ? "voided" : "failed"
              return Effect.die(new Crash())
            default:
              return Effect.succeed(act())
          }
        })
      )
    })
  }

  #act(order: Order, step: Step, nowMs: number): Outcome {
    switch (step._tag) {
      case "Authorise":
        this.payment ??= {
          ok: "authorised",
          declined: "failed",
          action: "requires_action",
          late: "processing",
          never: "processing"
        }[this.method] as PaymentStatus
        return this.#seen()
      case "AskPayment":
        this.#settle()
        return this.#seen()
      case "LapsePayment":
        if (
          this.payment === "created" ||
          this.payment === "processing" ||
          this.payment === "requires_action"
        ) {
          this.payment = "voided"
        }
        return this.#seen()
      case "ConfirmSeats": {
        if (this.sold === 0 && this.taken) return Outcome.SeatsRefused({ code: "seats_taken" })
        const reclaimed = nowMs >= payUntilMs
        this.sold = claimCount(placed)
        return Outcome.SeatsSold({ reclaimed })
      }
      case "Capture":
        if (this.payment === "authorised") {
          this.payment = "captured"
          this.late = false
          this.captures++
        }
        return this.#seen()
      case "IssueTickets":
        return Outcome.TicketsNumbered({
          ids: Array.from({ length: claimCount(placed) }, () => TicketId.make(makeUuidV7(nowMs)))
        })
      case "GiveMoneyBack":
        if (this.payment === "captured") this.refunds.set(intentId, placed.total.amount)
        else if (this.payment !== null && this.payment !== "failed") this.payment = "voided"
        this.late = false
        return Outcome.MoneyBack({ status: this.payment === "captured" ? "refunded" : this.payment })
      case "AskLateMoney":
        return this.#seen()
      case "ReturnSeats":
        if (this.paid > 0) throw new Error("seats are given away while the money is held")
        this.sold = 0
        return Outcome.SeatsBack()
      case "Unfreeze":
        this.unfrozen++
        return Outcome.Unfrozen()
      case "RefundMoney":
        this.refunds.set(step.refund.id, step.refund.amount.amount)
        return Outcome.RefundPaid({ refundId: step.refund.id })
      case "ReturnTickets":
        this.#returned.add(step.refund.id)
        this.sold =
          claimCount(placed) -
          order.refunds.filter(({ id }) => this.#returned.has(id)).flatMap(({ tickets }) => tickets).length
        return Outcome.TicketsBack({ refundId: step.refund.id })
      case "Wait":
      case "Done":
        throw new Error(`${step._tag} was carried out`)
    }
  }

  readonly #returned = new Set<string>()

  #settle() {
    if (this.payment === "requires_action" && this.method === "action") this.payment = "authorised"
    if (this.payment === "processing" && this.method === "late") this.payment = "authorised"
  }

  #seen(): Outcome {
    return Outcome.PaymentSeen({ payment: this.payment === null ? null : this.view(this.payment) })
  }

  view(status: PaymentStatus): PaymentView {
    return {
      intentId,
      orderId,
      provider: "sandbox",
      status,
      amount: placed.total.amount,
      currency: placed.total.currency,
      captured: this.captures > 0 ? placed.total.amount : 0,
      refunded: 0,
      failureCode: status === "failed" ? "card_declined" : null,
      nextAction: status === "requires_action" ? { type: "redirect", url: "https://bank.example" } : null,
      providerReference: null,
      ...(this.late ? { late: true } : {})
    }
  }
}
