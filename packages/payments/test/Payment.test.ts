import { OrderId, PaymentIntentId, RefundId } from "@onsale/contracts/Ids"
import type { NewPayment, PaymentEvent } from "@onsale/contracts/payments/PaymentIntent"
import { describe, expect, it } from "@effect/vitest"
import { Arbitrary, Schema } from "effect"
import {
  type Command,
  decide,
  evolveAll,
  isCaptured,
  type Payment,
  undoRefundId,
  view,
  watch
} from "../src/Payment.ts"
import { type Answer, isOurs, observe, observeCovered, type Standing } from "../src/PaymentAnswer.ts"
import { nextCall } from "../src/PaymentCall.ts"

const intentId = PaymentIntentId.make("019a0000-0000-7000-8000-000000000001")
const refundA = RefundId.make("019a0000-0000-7000-8000-00000000000a")
const refundB = RefundId.make("019a0000-0000-7000-8000-00000000000b")
const amount = 5_000

const payment: NewPayment = {
  orderId: OrderId.make("019a0000-0000-7000-8000-000000000002"),
  amount,
  currency: "EUR",
  provider: null,
  method: "tok_ok"
}
const authorise: Command = { _tag: "Authorise", payment, provider: "sandbox" }

const standing = (status: Standing["status"], refunded = 0): Standing => ({
  _tag: "Standing",
  reference: "pay_1",
  status,
  amount,
  currency: "EUR",
  captured: status === "captured" ? amount : 0,
  refunded,
  failureCode: status === "failed" ? "card_declined" : null,
  nextAction: status === "requires_action" ? { type: "redirect", url: "https://psp.test/3ds" } : null,
  dispute: null
})

const disputed = (dispute: Standing["dispute"], refunded = 0): Standing => ({
  ...standing("captured", refunded),
  dispute
})

const absent: Answer = { _tag: "Absent" }
const unknown: Answer = { _tag: "Unknown", reason: "timeout" }

type Step = Command | Answer

const isCommand = (step: Step): step is Command =>
  step._tag === "Authorise" || step._tag === "Capture" || step._tag === "Void" || step._tag === "Refund"

const eventsOf = (state: Payment | null, step: Step): ReadonlyArray<PaymentEvent> => {
  if (isCommand(step)) {
    const decision = decide(state, step)
    return decision._tag === "Accepted" ? decision.events : []
  }
  return state === null ? [] : observe(state, step)
}

/** The payment and its whole journal after the steps. */
const play = (...steps: ReadonlyArray<Step>) => {
  let state: Payment | null = null
  const journal: Array<PaymentEvent> = []
  for (const step of steps) {
    const events = eventsOf(state, step)
    state = evolveAll(intentId, state, events)
    journal.push(...events)
  }
  if (state === null) throw new Error("the payment was not created")
  return { state, journal, tags: journal.map((event) => event._tag) }
}

const authorised = standing("authorised")
const captured = standing("captured")
const refund = (refundId: RefundId, of: number): Command => ({ _tag: "Refund", refundId, amount: of })
const made = (refundId: RefundId): Answer => ({ _tag: "RefundMade", refundId })

describe("a payment", () => {
  it("is created, authorised and captured with one event each", () => {
    const { state, tags } = play(authorise, authorised, { _tag: "Capture" }, captured)
    expect(tags).toEqual(["Created", "Authorised", "Captured"])
    expect(view(state)).toMatchObject({
      status: "captured",
      captured: amount,
      refunded: 0,
      providerReference: "pay_1"
    })
    expect(watch(state)).toBe("settled")
  })

  it("does nothing for commands and answers that repeat", () => {
    const { tags } = play(
      authorise,
      authorise,
      authorised,
      authorised,
      authorise,
      captured,
      captured,
      authorised
    )
    expect(tags).toEqual(["Created", "Authorised", "Captured"])
  })

  it("refuses another payment under the same intent", () => {
    const { state } = play(authorise)
    expect(decide(state, { ...authorise, payment: { ...payment, amount: amount + 1 } })._tag).toBe("Refused")
  })

  it("takes no step before it exists", () => {
    for (const command of [{ _tag: "Capture" }, { _tag: "Void" }, refund(refundA, 1)] as const) {
      expect(decide(null, command)._tag).toBe("Refused")
    }
  })

  it("refuses a capture of what was voided, and a void of what was captured", () => {
    const voided = play(authorise, authorised, { _tag: "Void" }, standing("voided")).state
    expect(decide(voided, { _tag: "Capture" })._tag).toBe("Refused")
    expect(decide(voided, { _tag: "Void" })).toEqual({ _tag: "Accepted", events: [] })
    const paid = play(authorise, authorised, captured).state
    expect(decide(paid, { _tag: "Void" })._tag).toBe("Refused")
  })

  it("refunds no more than was captured, over all refunds, and each once", () => {
    const { state } = play(
      authorise,
      authorised,
      captured,
      refund(refundA, 3_000),
      made(refundA),
      made(refundA)
    )
    expect(view(state)).toMatchObject({ status: "partially_refunded", refunded: 3_000 })
    expect(decide(state, refund(refundB, 2_001))._tag).toBe("Refused")
    expect(decide(state, refund(refundA, 3_000))).toEqual({ _tag: "Accepted", events: [] })
    expect(decide(state, refund(refundA, 2_999))._tag).toBe("Refused")
    const all = evolveAll(intentId, state, [...eventsOf(state, refund(refundB, 2_000))])
    expect(all === null ? null : watch(all)).toBe("open")
  })

  it("gives free tickets back without a provider", () => {
    const { state, tags } = play(authorise, authorised, captured, refund(refundA, 0))
    expect(tags.slice(3)).toEqual(["RefundRequested", "Refunded"])
    expect(state.status).toBe("captured")
  })
})

describe("a dispute", () => {
  it("stands beside the payment and changes no sum", () => {
    const { state, tags } = play(authorise, authorised, captured, disputed("open"), disputed("open"))
    expect(tags.slice(3)).toEqual(["Disputed"])
    expect(view(state)).toMatchObject({ status: "disputed", captured: amount, refunded: 0 })
    expect(watch(state)).toBe("settled")
    const won = play(authorise, authorised, captured, disputed("open"), disputed("won"))
    expect(won.journal.at(-1)).toEqual({ _tag: "DisputeClosed", won: true })
    expect(view(won.state)).toMatchObject({ status: "captured", captured: amount })
    expect(play(authorise, authorised, captured, disputed("open"), disputed("lost")).journal.at(-1)).toEqual({
      _tag: "DisputeClosed",
      won: false
    })
  })

  it("whose beginning was missed begins and ends at once, and may come again", () => {
    const { tags } = play(authorise, authorised, disputed("won"), disputed("won"), disputed("open"))
    expect(tags.slice(2)).toEqual(["Captured", "Disputed", "DisputeClosed", "Disputed"])
  })

  it("is not forgotten by an older answer, nor by a refund in part", () => {
    const { state, tags } = play(
      authorise,
      authorised,
      disputed("open"),
      captured,
      refund(refundA, 2_000),
      made(refundA)
    )
    expect(tags.slice(2)).toEqual(["Captured", "Disputed", "RefundRequested", "Refunded"])
    expect(view(state)).toMatchObject({ status: "disputed", refunded: 2_000 })
  })
})

describe("an answer that contradicts the payment", () => {
  it("authorised after voided waits for the order's word, and is voided at the provider where it does not want it", () => {
    const { state, tags } = play(authorise, unknown, { _tag: "Void" }, absent, authorised)
    expect(tags).toEqual(["Created", "Processing", "VoidRequested", "Voided", "Authorised"])
    expect(view(state)).toMatchObject({ status: "voided", late: true })
    expect(watch(state)).toBe("open")
    expect(nextCall(state, { _tag: "Refresh" }, authorised)).toBe(null)
    const refused = play(authorise, unknown, { _tag: "Void" }, absent, authorised, { _tag: "Void" })
    expect(refused.tags.at(-1)).toBe("LateMoneyRefused")
    expect(nextCall(refused.state, { _tag: "Refresh" }, authorised)).toEqual({
      _tag: "Void",
      reference: "pay_1"
    })
    expect(watch(evolveAll(intentId, refused.state, [{ _tag: "Voided" }])!)).toBe("settled")
  })

  it("authorised after voided is captured where the order wants it after all", () => {
    const steps: ReadonlyArray<Step> = [authorise, { _tag: "Void" }, absent, authorised, { _tag: "Capture" }]
    const { state, tags } = play(...steps)
    expect(tags.slice(2)).toEqual(["Voided", "Authorised", "Reinstated"])
    expect(view(state)).toMatchObject({ status: "authorised" })
    expect(nextCall(state, { _tag: "Capture" }, null)).toEqual({ _tag: "Capture", reference: "pay_1" })
    expect(view(play(...steps, captured).state)).toMatchObject({ status: "captured", captured: amount })
    expect(view(play(...steps, captured).state)).not.toHaveProperty("late")
  })

  it("authorised after declined is voided at the provider, and stays failed", () => {
    const { state } = play(authorise, { _tag: "Declined", code: "no" }, authorised, { _tag: "Void" })
    expect(nextCall(state, { _tag: "Refresh" }, authorised)).toEqual({ _tag: "Void", reference: "pay_1" })
    const after = evolveAll(intentId, state, [{ _tag: "Voided" }])
    expect(after).toMatchObject({ status: "failed", undo: false, failureCode: "no" })
  })

  it("captured after a void was asked for waits for the order's word, and is refunded whole or kept", () => {
    const { state } = play(authorise, authorised, { _tag: "Void" }, captured)
    expect(view(state)).toMatchObject({ status: "captured", late: true })
    expect(nextCall(state, { _tag: "Void" }, captured)).toBe(null)
    const refused = play(authorise, authorised, { _tag: "Void" }, captured, { _tag: "Void" })
    expect(nextCall(refused.state, { _tag: "Void" }, captured)).toEqual({
      _tag: "Refund",
      reference: "pay_1",
      refundId: undoRefundId(intentId),
      amount
    })
    const end = evolveAll(intentId, refused.state, observe(refused.state, made(undoRefundId(intentId))))
    expect(view(end!)).toMatchObject({ status: "refunded", captured: amount, refunded: amount })
    const kept = play(authorise, authorised, { _tag: "Void" }, captured, { _tag: "Capture" }).state
    expect(watch(kept)).toBe("settled")
    expect(decide(kept, { _tag: "Void" })._tag).toBe("Refused")
  })

  it("captured after the order has given the authorisation back is refunded without its word", () => {
    const { state } = play(authorise, { _tag: "Void" }, absent, authorised, { _tag: "Void" }, captured)
    expect(nextCall(state, { _tag: "Refresh" }, captured)?._tag).toBe("Refund")
  })

  it("is not believed where it is about another payment", () => {
    const { state } = play(authorise, authorised)
    expect(isOurs(state, authorised)).toBe(true)
    expect(isOurs(state, { ...authorised, amount: amount + 1 })).toBe(false)
    expect(isOurs(state, { ...authorised, reference: "pay_2" })).toBe(false)
    expect(isOurs(state, { ...authorised, currency: "USD" })).toBe(false)
  })

  it("of refunds that were made by hand covers those that wait, all or none", () => {
    const { state } = play(authorise, authorised, captured, refund(refundA, 1_000), refund(refundB, 2_000))
    expect(observeCovered(state, standing("captured", 2_999))).toEqual([])
    expect(observeCovered(state, standing("captured", 3_000)).map((event) => event._tag)).toEqual([
      "Refunded",
      "Refunded"
    ])
  })
})

describe("an unknown outcome", () => {
  it("is asked for before anything is tried again, and under the same intent", () => {
    const { state } = play(authorise)
    const goal = { _tag: "Authorise" } as const
    expect(nextCall(state, goal, "fresh")).toEqual({ _tag: "Authorise" })
    expect(nextCall(state, goal, null)).toEqual({ _tag: "Ask" })
    expect(nextCall(state, goal, absent)).toEqual({ _tag: "Authorise" })
  })

  it("is never charged by a refresh", () => {
    const { state } = play(authorise, unknown)
    expect(nextCall(state, { _tag: "Refresh" }, null)).toEqual({ _tag: "Ask" })
    expect(nextCall(state, { _tag: "Refresh" }, absent)).toBe(null)
  })

  it("that was voided unseen is watched for a late arrival", () => {
    expect(watch(play(authorise, unknown, { _tag: "Void" }, absent).state)).toBe("late")
  })
})

const steps: ReadonlyArray<Step> = [
  authorise,
  { _tag: "Capture" },
  { _tag: "Void" },
  refund(refundA, 2_000),
  refund(refundB, 4_000),
  refund(undoRefundId(intentId), 1),
  authorised,
  captured,
  standing("captured", amount),
  disputed("open"),
  disputed("won"),
  disputed("lost", 2_000),
  standing("processing"),
  standing("requires_action"),
  standing("voided"),
  standing("failed"),
  absent,
  unknown,
  { _tag: "Declined", code: "no" },
  made(refundA),
  made(refundB),
  made(undoRefundId(intentId))
]

const anySteps = Arbitrary.array(
  Arbitrary.map(
    Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: steps.length - 1 }))),
    (i) => {
      const step = steps[i]
      if (step === undefined) throw new RangeError(`no step ${i}`)
      return step
    }
  ),
  { minLength: 0, maxLength: 40 }
)

describe("in any order and repetition of commands and answers", () => {
  it.prop(
    "money stays within its bounds, is captured at most once, and an end is an end",
    { some: anySteps },
    ({ some }) => {
      let state: Payment | null = null
      let captures = 0
      for (const step of [authorise, ...some]) {
        const before: Payment | null = state
        // `evolve` throws on an event that may not follow, which fails the property.
        const events = eventsOf(before, step)
        const after = evolveAll(intentId, before, events)
        state = after
        if (before === null || after === null) continue
        captures += events.filter((event) => event._tag === "Captured").length
        expect(captures).toBeLessThanOrEqual(1)
        expect(after.captured).toBeLessThanOrEqual(amount)
        expect(after.refunded).toBeLessThanOrEqual(after.captured)
        const requested = [...after.refunds.values()].reduce((sum, one) => sum + one.amount, 0)
        expect(requested).toBeLessThanOrEqual(after.captured)
        // Heard again at once, it changes nothing.
        expect(eventsOf(after, step)).toEqual([])
        if (isCaptured(before.status)) expect(isCaptured(after.status)).toBe(true)
        if (before.status === "failed" || before.status === "voided") {
          // An end stays, except for a late success: then the order has a word, or what the provider holds goes back.
          if (after.status !== before.status && events[0]?._tag !== "Reinstated") {
            expect(after.status).toBe("captured")
            if (!after.late) expect(nextCall(after, { _tag: "Refresh" }, captured)?._tag).toBe("Refund")
          }
          if (after.undo) expect(nextCall(after, { _tag: "Refresh" }, authorised)?._tag).toBe("Void")
        }
        if (watch(after) === "settled") expect(after.undo || after.late).toBe(false)
      }
    },
    { arbitrary: { runs: 2_000 } }
  )

  it.prop("the journal alone gives the same payment again", { some: anySteps }, ({ some }) => {
    const { state, journal } = play(authorise, ...some)
    expect(evolveAll(intentId, null, journal)).toEqual(state)
  })
})
