/**
 * The handlers of the contracts' `PaymentEntity`. One payment does one thing at a time; its state is what
 * the journal says, kept in memory between messages and read again after anything went wrong.
 */
import { PaymentIntentId } from "@onsale/contracts/Ids"
import {
  PaymentEntity,
  PaymentStepRefused,
  PaymentUnavailable
} from "@onsale/contracts/payments/PaymentEntity"
import type { NewPayment, PaymentEvent, PaymentView } from "@onsale/contracts/payments/PaymentIntent"
import { JournalConflict } from "@onsale/platform/Journal"
import * as Tracing from "@onsale/platform/Tracing"
import { Clock, Duration, Effect, Layer } from "effect"
import { Entity } from "effect/cluster"
import { type Command, correlationOf, decide, type Payment, view } from "./Payment.ts"
import { type Goal, isReached } from "./PaymentCall.ts"
import { PaymentProviders, type ProviderFailure } from "./PaymentProvider.ts"
import {
  none,
  type OrderHasIntent,
  PaymentStore,
  type Recorded,
  type StoreUnavailable
} from "./PaymentStore.ts"
import * as PaymentRouting from "./PaymentRouting.ts"
import { PaymentSteps } from "./PaymentSteps.ts"

/**
 * A checkout's steps follow each other within a second, and nothing is lost by reading the journal again;
 * a long stay would fill the runner with payments that are done.
 */
const maxIdleTime = Duration.seconds(5)

/** Two owners for more than this many tries in a row is no hand-over any more. */
const maxConflicts = 3

type StepError = PaymentStepRefused | PaymentUnavailable

const unavailable = (message: string) => new PaymentUnavailable({ message })

/** Registers the entity; needs its store, its steps and the providers. */
export const layerNoDeps = PaymentEntity.toLayer(
  Effect.gen(function* () {
    const store = yield* PaymentStore
    const steps = yield* PaymentSteps
    const providers = yield* PaymentProviders
    const intentId = PaymentIntentId.make((yield* Entity.CurrentAddress).entityId)

    let cached: Recorded | undefined
    /** An order's first step finds no payment: it is created without a look, and the fence tells if there was one. */
    let isNew = true
    const load = Effect.suspend(() => (cached === undefined ? store.load(intentId) : Effect.succeed(cached)))

    const refuse = (step: string, state: Payment | null) =>
      new PaymentStepRefused({ step, payment: state === null ? null : view(state) })

    /** Decides the command, records it, and takes the payment towards the goal. */
    const attempt = Effect.fnUntraced(function* (goal: Goal, command: Command | null) {
      const guessed = cached === undefined && isNew && goal._tag === "Authorise"
      let recorded = guessed ? none : yield* load
      isNew = false
      // From here on the database may know more than we do, unless the step ends well.
      cached = undefined
      const fresh = recorded.state === null
      if (command !== null) {
        const decision = decide(recorded.state, command)
        if (decision._tag === "Refused") {
          cached = recorded
          return yield* refuse(goal._tag, recorded.state)
        }
        const events = fresh
          ? [...decision.events, ...refusedAtOnce(providers, intentId, command)]
          : decision.events
        if (events.length > 0) {
          recorded = yield* store.append(intentId, recorded, events, yield* Clock.currentTimeMillis).pipe(
            // Where there is one already, Postgres may tell of the order's index first: the next look tells.
            Effect.mapError((error) =>
              guessed && error._tag === "OrderHasIntent"
                ? new JournalConflict({ stream: intentId, version: 1 })
                : error
            )
          )
        }
      }
      const outcome = yield* steps.run(intentId, recorded, goal, fresh).pipe(within(recorded.state, goal))
      // Only an authorisation waits to be written with what follows it.
      cached =
        goal._tag === "Authorise"
          ? outcome.recorded
          : yield* store.append(intentId, outcome.recorded, [], yield* Clock.currentTimeMillis)
      return { ...outcome, recorded: cached }
    })

    const step = Effect.fnUntraced(
      function* (
        goal: Goal,
        command: Command | null
      ): Effect.fn.Return<PaymentView, StepError | JournalConflict | OrderHasIntent | StoreUnavailable> {
        const { failure, recorded } = yield* attempt(goal, command)
        const { state } = recorded
        if (state === null) return yield* refuse(goal._tag, null)
        if (failure === null ? isAnswered(state, goal) : isReached(state, goal)) return view(state)
        // The outcome of an authorisation is not known: that is an answer, and the supervisor goes on asking.
        if (goal._tag === "Authorise" && state.status === "processing") return view(state)
        return yield* unavailable(failure === null ? "the payment is not there yet" : describe(failure))
      },
      Effect.retry({ times: maxConflicts, while: (error) => error._tag === "JournalConflict" }),
      (effect, goal) =>
        Effect.catchTags(effect, {
          JournalConflict: () => Effect.fail(unavailable("another owner is writing this payment")),
          StoreUnavailable: (error) => Effect.fail(unavailable(error.message)),
          OrderHasIntent: () => Effect.fail(refuse(goal._tag, null))
        })
    )

    const authorise = (payment: NewPayment) =>
      Effect.flatMap(PaymentRouting.first(providers, intentId, payment), (provider) =>
        step({ _tag: "Authorise" }, { _tag: "Authorise", payment, provider })
      )
    const refund = ({ amount, correlation, refundId }: RefundPayload) =>
      step(
        { _tag: "Refund", refundId },
        { _tag: "Refund", refundId, amount, ...(correlation === undefined ? {} : { correlation }) }
      )

    return PaymentEntity.of({
      Authorise: ({ payload }) =>
        authorise(payload.payment).pipe(
          Effect.tap(({ status }) => Effect.logInfo(`payment ${intentId} is ${status}`)),
          Tracing.handled("Payment.authorise"),
          logged(payload.payment.correlation)
        ),
      Capture: () => Tracing.handled("Payment.capture")(step({ _tag: "Capture" }, { _tag: "Capture" })),
      Void: () => Tracing.handled("Payment.void")(step({ _tag: "Void" }, { _tag: "Void" })),
      Refund: ({ payload }) =>
        refund(payload).pipe(
          Effect.tap(({ status }) => Effect.logInfo(`payment ${intentId} is ${status}`)),
          Tracing.handled("Payment.refund"),
          logged(payload.correlation)
        ),
      Refresh: () => Tracing.handled("Payment.refresh")(step({ _tag: "Refresh" }, null)),
      GetPayment: () =>
        load.pipe(
          Effect.tap((recorded) =>
            Effect.sync(() => {
              cached = recorded
            })
          ),
          Effect.map(({ state }) => (state === null ? null : view(state))),
          Effect.orDie
        )
    })
  }),
  // A defect is told to the caller, and the next message reads the journal: restarting the entity would
  // run the same message again.
  { maxIdleTime, concurrency: 1, disableFatalDefects: true }
)

export const layer = layerNoDeps.pipe(Layer.provide(PaymentSteps.layer), Layer.provide(PaymentStore.layer))

/** With nothing more to call, an authorise or a refresh is answered by whatever the payment has become. */
const isAnswered = (state: Payment, goal: Goal): boolean =>
  goal._tag === "Authorise" || goal._tag === "Refresh" || isReached(state, goal)

type RefundPayload = Parameters<Parameters<typeof PaymentEntity.of>[0]["Refund"]>[0]["payload"]

/** Under the correlation id that stands in what is carried. */
const logged = (carried: string | undefined) => {
  const { correlation } = Tracing.split(carried)
  return correlation === undefined
    ? <A, E, R>(effect: Effect.Effect<A, E, R>) => effect
    : Effect.annotateLogs({ correlationId: correlation })
}

/** The work on a payment: whoever asks for it, or in the trace of who did first where the supervisor does. */
const within =
  (state: Payment | null, goal: Goal) =>
  <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> => {
    const carried =
      state === null ? undefined : correlationOf(state, goal._tag === "Refund" ? goal.refundId : null)
    const { parent } = Tracing.split(carried)
    return logged(carried)(
      goal._tag === "Refresh" ? Tracing.unlessRecorded(parent, "Payment.refresh")(work) : work
    )
  }

const describe = (failure: ProviderFailure): string => `${failure.code}: ${failure.message}`

/** A payment that nobody can take is declined: the buyer may choose another way to pay at once. */
const refusedAtOnce = (
  providers: PaymentProviders["Service"],
  intentId: PaymentIntentId,
  command: Command
): ReadonlyArray<PaymentEvent> => {
  const code =
    command._tag === "Authorise" ? PaymentRouting.refusal(providers, intentId, command.payment) : null
  return code === null ? [] : [{ _tag: "Failed", reference: null, code }]
}
