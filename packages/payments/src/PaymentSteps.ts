/**
 * Takes a payment to a goal: calls the provider, records what it says, and goes on until nothing is owed
 * or it has to wait. What to call next is decided by `PaymentCall.ts`; here is only patience.
 */
import type { PaymentIntentId } from "@onsale/contracts/Ids"
import type { PaymentEvent } from "@onsale/contracts/payments/PaymentIntent"
import type { JournalConflict } from "@onsale/platform/Journal"
import { Clock, Context, Effect, Layer, Metric, Result } from "effect"
import { freeProvider } from "./FreeProvider.ts"
import type { Payment } from "./Payment.ts"
import { type Answer, isOurs, observe, observeCovered } from "./PaymentAnswer.ts"
import { type Call, type Goal, mustFence, nextCall } from "./PaymentCall.ts"
import {
  breakerOpenCode,
  keys,
  type PaymentProvider,
  PaymentProviders,
  ProviderFailure
} from "./PaymentProvider.ts"
import * as PaymentRouting from "./PaymentRouting.ts"
import {
  type OrderHasIntent,
  PaymentStore,
  putOff,
  type Recorded,
  type StoreUnavailable
} from "./PaymentStore.ts"

/** Before the provider is asked or tried again, in milliseconds. */
const pausesMs = [200, 500, 1_000, 2_000]

/**
 * No call begins later than this in a step, so that whoever waits hears from us while they still do; the
 * rest is the supervisor's. With a call's own timeout it stays within the cluster's 15 s for ending an entity.
 */
const budgetMs = 8_000

/** Each of them was found to have done nothing before the next. */
const maxAuthoriseAttempts = 3

/** A step makes two or three calls; this ends one that goes round in circles with a provider that contradicts itself. */
const maxCalls = 24

const calls = Metric.counter("onsale_payment_provider_calls", {
  description: "Calls to payment providers, by provider, call and outcome (ok, declined, retryable, unknown)",
  incremental: true
})

export interface Outcome {
  readonly recorded: Recorded
  /** Why the step stopped short; null where nothing more is owed now. */
  readonly failure: ProviderFailure | null
}

export class PaymentSteps extends Context.Service<
  PaymentSteps,
  {
    /**
     * `fresh`: the payment was created by this very step, so the provider cannot know it yet.
     * Repeating a step is safe: every call has its idempotency key.
     */
    readonly run: (
      intentId: PaymentIntentId,
      recorded: Recorded,
      goal: Goal,
      fresh: boolean
    ) => Effect.Effect<Outcome, JournalConflict | OrderHasIntent | StoreUnavailable>
  }
>()("@onsale/payments/PaymentSteps") {
  static readonly layer = Layer.effect(
    PaymentSteps,
    Effect.gen(function* () {
      const store = yield* PaymentStore
      const providers = yield* PaymentProviders
      const { byName } = providers

      const perform = Effect.fnUntraced(function* (state: Payment, call: Call) {
        const provider = providerOf(byName, state)
        const result = yield* Effect.result(
          provider === undefined
            ? notConnected(state)
            : Effect.flatMap(send(provider, state, call), believed(state))
        )
        const outcome = Result.isSuccess(result) ? "ok" : result.failure.kind
        yield* Metric.update(
          Metric.withAttributes(calls, { provider: state.provider, call: call._tag, outcome }),
          1
        )
        if (Result.isFailure(result) && outcome !== "retryable") {
          const { code, message } = result.failure
          yield* Effect.logWarning(
            `payment ${state.intentId}: ${call._tag} is ${outcome} (${code}): ${message}`
          )
        }
        return result
      })

      const run: PaymentSteps["Service"]["run"] = Effect.fnUntraced(function* (intentId, start, goal, fresh) {
        const startedMs = yield* Clock.currentTimeMillis
        let recorded = start
        let pauses = 0
        /** At the provider that it is at. */
        let attempts = 0
        /** Nothing was sent that anybody could have carried out: this step created it, and knows all its calls. */
        let untouched = fresh
        /** The call that the provider said no to, while it is asked how the payment stands. */
        let declined: { readonly call: Call; readonly failure: ProviderFailure } | null = null
        /** The newest failure that is not explained yet. */
        let failure: ProviderFailure | null = null

        const note = Effect.fnUntraced(function* (state: Payment, call: Call, answer: Answer) {
          const events = [...observe(state, answer)]
          // A refund that the provider has no money left for: was it made there by hand?
          if (declined?.call._tag === "Refund" && answer._tag === "Standing")
            events.push(...observeCovered(state, answer))
          if (isAuthorisedAtOnce(goal, call, failure, events)) {
            recorded = putOff(intentId, recorded, events)
          } else if (events.length > 0) {
            recorded = yield* store.append(intentId, recorded, events, yield* Clock.currentTimeMillis)
          }
        })
        /** Written before the other provider is called, so that whoever comes next asks where something can have been sent. */
        const leave = Effect.fnUntraced(function* (provider: string, reason: string) {
          const events: ReadonlyArray<PaymentEvent> = [{ _tag: "Rerouted", provider, reason }]
          recorded = yield* store.append(intentId, recorded, events, yield* Clock.currentTimeMillis)
        })
        const stopped = (why: ProviderFailure): Outcome => ({ recorded, failure: why })

        if (recorded.state === null) return { recorded, failure: null }
        let call = nextCall(recorded.state, goal, fresh ? "fresh" : null)
        for (let made = 0; call !== null; made++) {
          const state: Payment = recorded.state
          if (made >= maxCalls) return stopped(failure ?? contradiction)
          if (call._tag === "Authorise" && ++attempts > maxAuthoriseAttempts)
            return stopped(failure ?? contradiction)
          // Written before anything is sent: whoever created it cannot take it to another provider any more.
          if (call._tag === "Authorise" && mustFence(state, fresh))
            yield* note(state, call, { _tag: "Unknown", reason: "sent_again" })
          const result = yield* perform(state, call)

          if (Result.isSuccess(result)) {
            yield* note(state, call, result.success)
            const next: Call | null = nextCall(recorded.state, goal, result.success)
            // It said no, and its own account of the payment does not tell why: it would say no again.
            if (declined !== null && next?._tag === declined.call._tag) return stopped(declined.failure)
            declined = null
            call = next
            continue
          }

          failure = result.failure
          untouched = untouched && failure.kind === "retryable"
          if (failure.kind === "declined") {
            if (call._tag === "Ask") return stopped(failure)
            if (call._tag === "Authorise") {
              const answer: Answer = { _tag: "Declined", code: failure.code }
              yield* note(state, call, answer)
              call = nextCall(recorded.state, goal, answer)
            } else {
              declined = { call, failure }
              call = { _tag: "Ask" }
            }
            continue
          }

          if (untouched && (attempts >= 2 || failure.code === breakerOpenCode)) {
            const provider = yield* PaymentRouting.another(providers, state, failure.code)
            if (provider !== null && (yield* Clock.currentTimeMillis) - startedMs <= budgetMs) {
              yield* leave(provider, failure.code)
              attempts = 0
              continue
            }
          }

          const pauseMs = pausesMs[pauses++]
          const elapsedMs = (yield* Clock.currentTimeMillis) - startedMs
          if (pauseMs === undefined || elapsedMs + pauseMs > budgetMs) {
            if (failure.kind === "unknown")
              yield* note(state, call, { _tag: "Unknown", reason: failure.code })
            return stopped(failure)
          }
          yield* Effect.sleep(pauseMs)
          // A refund cannot be told from the others by asking; its key makes it safe to repeat.
          if (failure.kind === "unknown" && call._tag !== "Refund") call = { _tag: "Ask" }
        }
        return { recorded, failure: null }
      })

      return PaymentSteps.of({ run })
    })
  )
}

/**
 * An authorisation that the order has asked for, and whose capture it will ask for next: that writes both. A crash in
 * between leaves a payment that is created and not answered, whose provider is asked.
 */
const isAuthorisedAtOnce = (
  goal: Goal,
  call: Call,
  failure: ProviderFailure | null,
  events: ReadonlyArray<PaymentEvent>
): boolean =>
  goal._tag === "Authorise" &&
  call._tag === "Authorise" &&
  failure === null &&
  events.length === 1 &&
  events[0]?._tag === "Authorised"

const contradiction = new ProviderFailure({
  kind: "unknown",
  code: "contradiction",
  message: "the provider's answers do not lead anywhere"
})

const providerOf = (
  byName: ReadonlyMap<string, PaymentProvider>,
  state: Payment
): PaymentProvider | undefined =>
  state.payment.amount === 0 ? freeProvider(state.payment.currency) : byName.get(state.provider)

const notConnected = (state: Payment) =>
  Effect.fail(
    new ProviderFailure({
      kind: "retryable",
      code: "provider_not_connected",
      message: `the provider ${state.provider} is not connected`
    })
  )

const send = (
  provider: PaymentProvider,
  state: Payment,
  call: Call
): Effect.Effect<Answer, ProviderFailure> => {
  const { intentId } = state
  const { amount, currency, method, orderId } = state.payment
  switch (call._tag) {
    case "Ask":
      return provider.find({ key: keys.authorise(intentId), intentId, reference: state.reference })
    case "Authorise":
      return provider.authorise({
        key: keys.authorise(intentId),
        intentId,
        orderId,
        amount,
        currency,
        method
      })
    case "Capture":
      return provider.capture({
        key: keys.capture(intentId),
        intentId,
        reference: call.reference,
        amount,
        currency
      })
    case "Void":
      return provider.void({ key: keys.void(intentId), intentId, reference: call.reference })
    case "Refund": {
      const { refundId, reference } = call
      const key = keys.refund(intentId, refundId)
      return Effect.as(provider.refund({ key, intentId, reference, amount: call.amount, currency }), {
        _tag: "RefundMade",
        refundId
      })
    }
  }
}

const believed =
  (state: Payment) =>
  (answer: Answer): Effect.Effect<Answer, ProviderFailure> =>
    answer._tag !== "Standing" || isOurs(state, answer)
      ? Effect.succeed(answer)
      : Effect.fail(
          new ProviderFailure({
            kind: "unknown",
            code: "not_ours",
            message: `the provider answers with ${answer.reference}, ${answer.amount} ${answer.currency}, which is not this payment`
          })
        )
