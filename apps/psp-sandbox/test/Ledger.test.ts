import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { type Command, type Decision, decide, type WebhookPolicy } from "../src/Ledger.ts"
import { LedgerEvent } from "../src/LedgerEvent.ts"
import { apply, empty, type KeyRecord, type LedgerState } from "../src/LedgerState.ts"

/** A step of a random story: few payments and amounts, and keys that now and then meet again. */
const Step = Schema.Struct({
  type: Schema.Literals([
    "create",
    "capture",
    "capture",
    "refund",
    "refund",
    "refund",
    "void",
    "authenticate",
    "settle",
    "dispute"
  ]),
  key: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 40 })),
  payment: Schema.Literals([0, 1, 2]),
  amount: Schema.Literals([1, 2, 3, 4]),
  method: Schema.Literals([
    "tok_ok",
    "tok_ok",
    "tok_declined",
    "tok_timeout",
    "tok_error",
    "tok_error_charged",
    "tok_3ds",
    "tok_late_5",
    "tok_capture_error",
    "tok_capture_timeout",
    "tok_refund_error",
    "tok_dispute",
    "tok_unknown"
  ]),
  approve: Schema.Boolean
})
type Step = typeof Step.Type

const Story = Schema.Array(Step).check(Schema.isBetweenLength(20, 80))

const runs = { arbitrary: { runs: 300 } }

const commandOf = (step: Step, state: LedgerState): Command => {
  const id = [...state.payments.keys()][step.payment] ?? "pay_none"
  const { amount } = step
  const key = `key${step.key}`
  switch (step.type) {
    case "create":
      return { type: "create", key, amount, currency: "EUR", method: step.method, reference: "intent" }
    case "capture":
      return { type: "capture", key, id, amount: step.approve ? null : amount }
    case "refund":
      return { type: "refund", key, id, amount }
    case "authenticate":
      return { type: "authenticate", id, approve: step.approve }
    case "dispute":
      return { type: "dispute", id, outcome: amount === 1 ? "won" : amount === 2 ? "lost" : "open" }
    default:
      return { type: step.type, id }
  }
}

interface Told {
  readonly command: Command
  readonly decision: Decision
  /** What the key stands for right after the decision. */
  readonly record: KeyRecord | undefined
}

/** Plays a story on an empty ledger, as the provider does. */
const play = (story: ReadonlyArray<Step>, webhooks: WebhookPolicy = "all") => {
  const state = empty()
  const events: Array<LedgerEvent> = []
  const told: Array<Told> = []
  for (const [index, step] of story.entries()) {
    const command = commandOf(step, state)
    const decision = decide(state, command, { at: 1_000 + index, unique: `u${index}`, webhooks })
    if (decision.type === "commit") {
      apply(state, decision.event)
      events.push(decision.event)
    }
    told.push({ command, decision, record: "key" in command ? state.keys.get(command.key) : undefined })
  }
  return { state, events, told }
}

const decodeLine = Schema.decodeUnknownSync(Schema.fromJsonString(LedgerEvent))

const replay = (events: ReadonlyArray<LedgerEvent>): LedgerState => {
  const state = empty()
  for (const event of events) apply(state, decodeLine(JSON.stringify(event)))
  return state
}

const created = (method: string, key = "a"): Command => ({
  type: "create",
  key,
  amount: 1_000,
  currency: "EUR",
  method,
  reference: "intent"
})

/** Runs commands one after another and says what came of the last. */
const run = (...commands: ReadonlyArray<Command>) => {
  const state = empty()
  let last: Decision | undefined
  for (const [index, command] of commands.entries()) {
    last = decide(state, command, { at: 1_000, unique: `u${index}`, webhooks: "all" })
    if (last.type === "commit") apply(state, last.event)
  }
  assert(last !== undefined)
  return { state, last }
}

describe("Ledger", () => {
  it.prop(
    "a replay of the lines gives the same ledger",
    { story: Story },
    ({ story }) => {
      const { state, events } = play(story)
      assert.deepStrictEqual(replay(events), state)
    },
    runs
  )

  it.prop(
    "a crash between two lines loses only what follows",
    { story: Story },
    ({ story }) => {
      const { events } = play(story)
      const half = events.slice(0, Math.floor(events.length / 2))
      const state = replay(half)
      for (const event of events.slice(half.length)) apply(state, event)
      assert.deepStrictEqual(state, replay(events))
    },
    runs
  )

  it.prop(
    "a key never charges twice and answers the same for ever",
    { story: Story },
    ({ story }) => {
      const { events, told } = play(story)
      const spent = events.flatMap((event) => ("key" in event ? [event.key] : []))
      assert.strictEqual(new Set(spent).size, spent.length)
      const first = new Map<string, Told>()
      for (const one of told) {
        if (!("key" in one.command)) continue
        const before = first.get(one.command.key)
        if (one.decision.type === "commit" && one.record !== undefined) {
          assert.isUndefined(before)
          const { event } = one.decision
          first.set(one.command.key, one)
          if (event.type === "payment.captured") assert.strictEqual(one.record.payment.captured, event.amount)
          if (event.type === "payment.refunded") assert.strictEqual(one.record.refund?.amount, event.amount)
        } else if (one.decision.type === "replay") {
          assert.deepStrictEqual(one.command, before?.command)
          assert.strictEqual(one.decision.record, before?.record)
        }
      }
    },
    runs
  )

  it.prop(
    "captured never passes authorised, refunded never passes captured",
    { story: Story },
    ({ story }) => {
      const { state, events } = play(story)
      for (const payment of state.payments.values()) {
        const own = events.filter((event) => "id" in event && event.id === payment.id)
        const authorised = own.filter(
          (event) =>
            event.type === "payment.authorised" ||
            (event.type === "payment.created" && event.status === "authorised")
        ).length
        const captured = own.reduce(
          (sum, event) => sum + (event.type === "payment.captured" ? event.amount : 0),
          0
        )
        const refunded = own.reduce(
          (sum, event) => sum + (event.type === "payment.refunded" ? event.amount : 0),
          0
        )
        assert.isAtMost(authorised, 1)
        assert.isAtMost(captured, authorised * payment.amount)
        assert.isAtMost(refunded, captured)
        assert.deepStrictEqual([payment.captured, payment.refunded], [captured, refunded])
        const voided = own.some((event) => event.type === "payment.voided")
        assert.isFalse(voided && captured > 0)
      }
    },
    runs
  )

  it.prop(
    "every change owes one webhook, or only those no call made",
    { story: Story },
    ({ story }) => {
      for (const policy of ["all", "asynchronous", "none"] as const) {
        const { state, events } = play(story, policy)
        const owed = events.filter(
          (event) =>
            (policy === "all" &&
              event.type === "payment.created" &&
              /authorised|failed/.test(event.status)) ||
            (policy === "all" && /captured|voided|refunded/.test(event.type)) ||
            (policy !== "none" && /payment\.(authorised|failed|disputed)/.test(event.type))
        )
        assert.strictEqual(state.webhooks.size, owed.length)
      }
    },
    runs
  )

  it("disputes what was captured, once at a time, and changes no sum", () => {
    const paid = [created("tok_ok"), { type: "capture", key: "b", id: "pay_u0", amount: null }] as const
    const dispute = (outcome: "open" | "won" | "lost"): Command => ({
      type: "dispute",
      id: "pay_u0",
      outcome
    })
    const refused = (decision: Decision) => (decision.type === "refuse" ? decision.refusal.code : "")
    assert.strictEqual(refused(run(created("tok_ok"), dispute("open")).last), "payment_not_disputable")
    assert.strictEqual(refused(run(...paid, dispute("won")).last), "payment_not_disputable")
    assert.strictEqual(run(...paid, dispute("open"), dispute("open")).last.type, "unchanged")
    const { state } = run(...paid, dispute("open"), dispute("lost"))
    assert.deepInclude(state.payments.get("pay_u0"), { captured: 1_000, refunded: 0, dispute: "lost" })
  })

  it("disputes a tok_dispute as it is captured", () => {
    const { state } = run(created("tok_dispute"), { type: "capture", key: "b", id: "pay_u0", amount: null })
    assert.deepInclude(state.payments.get("pay_u0"), { status: "captured", dispute: "open" })
  })

  it("refuses another request under a used key", () => {
    const { last } = run(created("tok_ok"), { ...created("tok_ok"), reference: "other" } as Command)
    assert.strictEqual(last.type === "refuse" ? last.refusal.status : 0, 422)
  })

  it("refuses the key of a payment for its capture", () => {
    const { last } = run(created("tok_ok"), { type: "capture", key: "a", id: "pay_u0", amount: null })
    assert.strictEqual(last.type === "refuse" ? last.refusal.status : 0, 422)
  })

  it.each([
    ["tok_unknown", "method_unknown"],
    ["tok_late_3601", "method_unknown"],
    ["tok_late_", "method_unknown"],
    ["4242424242424242", "card_number_refused"],
    ["4242 4242 4242 4242", "card_number_refused"],
    ["5555555555554444", "card_number_refused"]
  ])("refuses the method %s and leaves the key free", (method, code) => {
    const { last, state } = run(created(method))
    assert.strictEqual(last.type === "refuse" ? last.refusal.code : "", code)
    assert.strictEqual(state.keys.size, 0)
  })

  it("does not spend the key on an error before anything happened", () => {
    const { last, state } = run(created("tok_error"))
    assert.strictEqual(last.type === "refuse" ? last.refusal.status : 0, 500)
    assert.deepStrictEqual([state.payments.size, state.keys.size], [0, 0])
  })

  it("lets the second capture of tok_capture_error work, under the same key", () => {
    const capture: Command = { type: "capture", key: "b", id: "pay_u0", amount: null }
    const { last, state } = run(created("tok_capture_error"), capture, capture)
    assert.strictEqual(last.type === "commit" ? last.answer : "", "given")
    assert.strictEqual(state.payments.get("pay_u0")?.captured, 1_000)
  })

  it("never captures a payment that was voided while it was late", () => {
    const id = "pay_u0"
    const { last, state } = run(
      created("tok_late_1"),
      { type: "void", id },
      { type: "settle", id },
      { type: "capture", key: "b", id, amount: null }
    )
    assert.strictEqual(state.payments.get(id)?.status, "voided")
    assert.strictEqual(last.type === "refuse" ? last.refusal.code : "", "payment_not_capturable")
  })

  it("dies on a line that would break an invariant", () => {
    const { state } = run(created("tok_ok"))
    const over = {
      type: "payment.captured",
      n: 2,
      at: 1,
      id: "pay_u0",
      key: "b",
      requested: null,
      amount: 1_001
    } as const
    assert.throws(() => apply(state, over), /at most what was authorised/)
    assert.throws(() => apply(state, { ...over, n: 5, amount: 1 }), /follows line 1/)
  })
})
