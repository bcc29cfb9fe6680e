/** Payments in memory behind `PaymentEntity`: the book outlives the runners of a test, like a provider's ledger. */
import { Effect } from "effect"
import { Entity } from "effect/cluster"
import { PaymentIntentId } from "@onsale/contracts/Ids"
import {
  PaymentEntity,
  PaymentStepRefused,
  PaymentUnavailable
} from "@onsale/contracts/payments/PaymentEntity"
import type { NewPayment, PaymentStatus, PaymentView } from "@onsale/contracts/payments/PaymentIntent"
import { Faults } from "./Faults.ts"

interface Payment {
  readonly intentId: PaymentIntentId
  readonly payment: NewPayment
  status: PaymentStatus
  /** It came after it was voided. */
  late?: boolean
  captured: number
  readonly refunds: Map<string, number>
  /** Money calls that moved something; of an order that is charged once there is one capture. */
  captures: number
}

export class FakePayments {
  readonly faults = new Faults()
  readonly book = new Map<string, Payment>()

  /** The payment of the only order there is, or of the one named. */
  of(orderId?: string): Payment {
    const found = [...this.book.values()].filter(
      ({ payment }) => orderId === undefined || payment.orderId === orderId
    )
    const [payment] = found
    if (payment === undefined || found.length > 1)
      throw new Error(`${found.length} payments of ${orderId ?? "anybody"}`)
    return payment
  }

  refunded(orderId?: string): number {
    return [...this.of(orderId).refunds.values()].reduce((sum, amount) => sum + amount, 0)
  }

  readonly layer = PaymentEntity.toLayer(
    Effect.gen({ self: this }, function* () {
      const { entityId } = yield* Entity.CurrentAddress
      const intentId = PaymentIntentId.make(entityId)
      const step = (name: string, act: (payment: Payment) => boolean) =>
        this.faults.strike(
          name,
          Effect.suspend(() => {
            const payment = this.book.get(intentId)
            return payment !== undefined && act(payment)
              ? Effect.succeed(view(payment))
              : Effect.fail(
                  new PaymentStepRefused({
                    step: name,
                    payment: payment === undefined ? null : view(payment)
                  })
                )
          }),
          Effect.fail(new PaymentUnavailable({ message: `${name} is not known` }))
        )
      return PaymentEntity.of({
        Authorise: ({ payload }) =>
          this.faults.strike(
            "Authorise",
            Effect.sync(() => {
              const known = this.book.get(intentId)
              if (known !== undefined) return view(known)
              const payment = open(intentId, payload.payment)
              this.book.set(intentId, payment)
              return view(payment)
            }),
            Effect.fail(new PaymentUnavailable({ message: "the authorisation is not known" }))
          ),
        Capture: () =>
          step("Capture", (payment) => {
            if (payment.payment.method === "tok_nocapture") payment.status = "failed"
            if (payment.status === "authorised") {
              payment.status = "captured"
              payment.captured = payment.payment.amount - (payment.payment.method === "tok_part" ? 1 : 0)
              payment.captures++
              payment.late = false
            }
            return payment.captured > 0
          }),
        Void: () =>
          step("Void", (payment) => {
            if (payment.captured > 0) return false
            if (payment.status !== "failed") payment.status = "voided"
            payment.late = false
            return true
          }),
        Refund: ({ payload: { amount, refundId } }) =>
          step("Refund", (payment) => {
            const known = payment.refunds.get(refundId)
            if (known !== undefined) return known === amount
            if (sum(payment.refunds) + amount > payment.captured) return false
            payment.refunds.set(refundId, amount)
            payment.status = sum(payment.refunds) === payment.captured ? "refunded" : "partially_refunded"
            return true
          }),
        Refresh: () => step("Refresh", () => true),
        GetPayment: () =>
          Effect.sync(() => {
            const payment = this.book.get(intentId)
            return payment === undefined ? null : view(payment)
          })
      })
    }),
    { disableFatalDefects: true }
  )
}

const opening: { readonly [method: string]: PaymentStatus } = {
  tok_declined: "failed",
  tok_3ds: "requires_action",
  tok_late: "processing"
}

const open = (intentId: PaymentIntentId, payment: NewPayment): Payment => ({
  intentId,
  payment,
  status: opening[payment.method] ?? "authorised",
  captured: 0,
  refunds: new Map(),
  captures: 0
})

const sum = (refunds: ReadonlyMap<string, number>) =>
  [...refunds.values()].reduce((total, amount) => total + amount, 0)

const view = ({ captured, intentId, late, payment, refunds, status }: Payment): PaymentView => ({
  intentId,
  orderId: payment.orderId,
  provider: payment.provider ?? "sandbox",
  status,
  amount: payment.amount,
  currency: payment.currency,
  captured,
  refunded: sum(refunds),
  failureCode: status === "failed" ? "card_declined" : null,
  nextAction: status === "requires_action" ? { type: "redirect", url: "https://bank.example/3ds" } : null,
  providerReference: null,
  ...(late === true ? { late } : {})
})
