/**
 * Payments over providers that fail in every way, in memory and on the test's clock: a journal with versions, and the
 * providers' own ledgers. Owners of a payment act as its entity does, also two at the same time.
 */
import { OrderId, PaymentIntentId } from "@onsale/contracts/Ids"
import type { NewPayment, PaymentEvent } from "@onsale/contracts/payments/PaymentIntent"
import { JournalConflict } from "@onsale/platform/Journal"
import { Effect, Fiber, Layer } from "effect"
import { TestClock } from "effect/testing"
import { decide, evolveAll } from "../src/Payment.ts"
import type { Standing } from "../src/PaymentAnswer.ts"
import { type Goal, isReached } from "../src/PaymentCall.ts"
import { make, type PaymentProvider, PaymentProviders, ProviderFailure } from "../src/PaymentProvider.ts"
import * as PaymentRouting from "../src/PaymentRouting.ts"
import { PaymentSteps } from "../src/PaymentSteps.ts"
import { none, PaymentStore, type Recorded } from "../src/PaymentStore.ts"
import * as ProviderHealth from "../src/ProviderHealth.ts"

/** A small generator with a seed (mulberry32), so that a failure comes again. */
export const seeded = (seed: number) => {
  let a = seed
  return () => {
    a = (a + 0x6d2b79f5) | 0
    let t = Math.imul(a ^ (a >>> 15), 1 | a)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}
export type Draw = () => number

const fail = (kind: ProviderFailure["kind"], code: string) =>
  Effect.fail(new ProviderFailure({ kind, code, message: "on command" }))

export interface FakeOptions {
  readonly name: string
  /** The part of money calls that fail. */
  readonly rate: number
  /** The part of those that certainly did nothing; a quarter when left out. */
  readonly retryable?: number
  /** The longest time of a call and of a request that is late, in milliseconds. */
  readonly slowestMs: number
  readonly draw: Draw
}

/** One that carries out a key once. A request may also arrive after its caller has given up. */
export const makeFake = (options: FakeOptions) => {
  const { draw, name, rate, retryable = 0.25, slowestMs } = options
  const ledger = new Map<string, Standing>()
  let calls = 0
  const pause = Effect.suspend(() => Effect.sleep(Math.floor(draw() * slowestMs)))

  const strike = <A>(carryOut: () => A): Effect.Effect<A, ProviderFailure> =>
    Effect.gen(function* () {
      calls++
      yield* pause
      if (draw() >= rate) return carryOut()
      if (draw() < retryable) return yield* fail("retryable", "http_429")
      switch (Math.floor(draw() * 3)) {
        case 0:
          return yield* fail("unknown", "lost_before")
        case 1:
          carryOut()
          return yield* fail("unknown", "lost_after")
        default:
          // It is on its way still.
          yield* Effect.forkDetach(Effect.andThen(pause, Effect.sync(carryOut)))
          return yield* fail("unknown", "late")
      }
    })

  const standing = (amount: number, currency: string): Standing => ({
    _tag: "Standing",
    reference: `${name}_${ledger.size}`,
    status: "authorised",
    amount,
    currency,
    captured: 0,
    refunded: 0,
    failureCode: null,
    nextAction: null,
    dispute: null
  })
  const put = (intentId: string, change: (standing: Standing) => Standing) => {
    const found = ledger.get(intentId)
    if (found === undefined) throw new Error(`${name} has no payment ${intentId}`)
    const next = change(found)
    ledger.set(intentId, next)
    return next
  }

  const provider: PaymentProvider = {
    name,
    currencies: "all",
    authorise: ({ amount, currency, intentId }) =>
      strike(() => {
        const found = ledger.get(intentId) ?? standing(amount, currency)
        ledger.set(intentId, found)
        return found
      }),
    capture: ({ amount, intentId }) =>
      strike(() => put(intentId, (now) => ({ ...now, status: "captured", captured: amount }))),
    void: ({ intentId }) => strike(() => put(intentId, (now) => ({ ...now, status: "voided" }))),
    refund: ({ amount, intentId }) =>
      Effect.asVoid(strike(() => put(intentId, (now) => ({ ...now, refunded: now.refunded + amount })))),
    find: ({ intentId }) =>
      Effect.andThen(
        pause,
        Effect.sync(() => ledger.get(intentId) ?? { _tag: "Absent" as const })
      ),
    list: () => Effect.succeed({ payments: [], nextCursor: null }),
    readWebhook: () => Effect.die("none is sent")
  }
  return { name, provider, ledger, calls: () => calls }
}
export type Fake = ReturnType<typeof makeFake>

const makeStore = () => {
  const journals = new Map<string, Array<ReadonlyArray<PaymentEvent>>>()
  const rows = (intentId: string) => journals.get(intentId) ?? []
  const store = PaymentStore.of({
    load: (intentId) =>
      Effect.sync(() => {
        const state = evolveAll(intentId, null, rows(intentId).flat())
        return { state, written: state, version: rows(intentId).length, unwritten: [] }
      }),
    append: (intentId, recorded, events) =>
      Effect.suspend(() => {
        const toWrite = [...recorded.unwritten, ...events]
        if (toWrite.length === 0) return Effect.succeed(recorded)
        const version = recorded.version + 1
        if (rows(intentId).length !== recorded.version)
          return Effect.fail(new JournalConflict({ stream: intentId, version }))
        journals.set(intentId, [...rows(intentId), toWrite])
        const state = evolveAll(intentId, recorded.state, events)
        return Effect.succeed({ state, written: state, version, unwritten: [] })
      })
  })
  return { store, eventsOf: (intentId: string) => rows(intentId).flat() }
}

export const makeWorld = Effect.fnUntraced(function* (fakes: readonly [Fake, ...ReadonlyArray<Fake>]) {
  const health = yield* ProviderHealth.make
  const [first, ...others] = fakes
  const providers = {
    ...make(
      health.guard(first.provider),
      others.map(({ provider }) => health.guard(provider)),
      fakes.map(({ name }) => ({ provider: name, weight: 1 }))
    ),
    isHealthy: health.isHealthy
  }
  const { eventsOf, store } = makeStore()
  const steps = yield* Effect.provide(
    PaymentSteps,
    PaymentSteps.layer.pipe(
      Layer.provide([Layer.succeed(PaymentStore, store), Layer.succeed(PaymentProviders, providers)])
    )
  )

  /** An owner of the payment, as `PaymentEntity.ts` is one: it keeps what it knows until something goes wrong. */
  const owner = (intentId: PaymentIntentId, payment: NewPayment) => {
    let cached: Recorded | undefined
    let isNew = true
    const attempt = Effect.fnUntraced(function* (tag: "Authorise" | "Capture" | "Void") {
      const goal: Goal = { _tag: tag }
      let recorded = cached ?? (isNew && tag === "Authorise" ? none : yield* store.load(intentId))
      isNew = false
      cached = undefined
      const fresh = recorded.state === null
      const provider = yield* PaymentRouting.first(providers, intentId, payment)
      const decision = decide(
        recorded.state,
        tag === "Authorise" ? { _tag: tag, payment, provider } : { _tag: tag }
      )
      if (decision._tag === "Refused") return null
      recorded = yield* store.append(intentId, recorded, decision.events, 0)
      const outcome = yield* steps.run(intentId, recorded, goal, fresh)
      cached = tag === "Authorise" ? outcome.recorded : yield* store.append(intentId, outcome.recorded, [], 0)
      return cached.state !== null && isReached(cached.state, goal) ? cached.state : null
    })
    return (tag: "Authorise" | "Capture" | "Void") =>
      Effect.retry(attempt(tag), { times: 3, while: (error) => error._tag === "JournalConflict" })
  }

  // Counted and not random: the id decides which provider is the first.
  let payments = 0
  const newPayment = Effect.sync(() => {
    const id = `019a0000-0000-7000-8000-${String(++payments).padStart(12, "0")}`
    return {
      intentId: PaymentIntentId.make(id),
      payment: {
        orderId: OrderId.make(id),
        amount: 4_200,
        currency: "EUR",
        provider: null,
        method: "tok_ok"
      } as NewPayment
    }
  })

  return { owner, newPayment, eventsOf, providers }
})

/** Runs it while the test's clock goes on by itself. */
export const onFastClock = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(effect)
    while (fiber.pollUnsafe() === undefined) yield* TestClock.adjust("100 millis")
    return yield* Fiber.join(fiber)
  })
