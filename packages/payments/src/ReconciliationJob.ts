/**
 * Reconciles with every provider from time to time, for as long as the layer lives. Any number of runners may do so:
 * one works at a time.
 */
import { Clock, Config, Duration, Effect, Layer, Metric, Random, Ref, Schedule } from "effect"
import { ReconciliationTable } from "./ReconciliationTable.ts"
import { DifferenceKind } from "./Reconciliation.ts"
import { Reconciler } from "./Reconciler.ts"
import * as StuckRefunds from "./StuckRefunds.ts"

const defaultEvery = Duration.hours(1)

/** `ONSALE_RECONCILE_EVERY`. */
const every = Config.Duration("ONSALE_RECONCILE_EVERY").pipe(Config.withDefault(defaultEvery))

/** Runners that start together do not ask together, and none asks while it starts. */
const firstAfter = Effect.map(Random.nextBetween(60, 90), Duration.seconds)

const openDifferences = Metric.gauge("onsale_reconciliation_open_differences", {
  description: "Differences between our payments and a provider's list that are open, by provider and kind"
})

const lastDone = Metric.gauge("onsale_reconciliation_age_seconds", {
  description: "Since the last whole look at a provider's list; minus one where there was none, by provider"
})

const measure = Effect.gen(function* () {
  const table = yield* ReconciliationTable
  const nowMs = yield* Clock.currentTimeMillis
  const counts = yield* table.openCounts
  for (const { completedAtMs, provider } of yield* table.looks) {
    const age = completedAtMs === null ? -1 : Math.max(0, (nowMs - completedAtMs) / 1000)
    yield* Metric.update(Metric.withAttributes(lastDone, { provider }), age)
    // All kinds, so that one that is gone falls back to zero.
    for (const kind of DifferenceKind.literals) {
      const count = counts.find((one) => one.provider === provider && one.kind === kind)?.count ?? 0
      yield* Metric.update(Metric.withAttributes(openDifferences, { provider, kind }), count)
    }
  }
})

const stuckRefunds = Metric.gauge("onsale_payments_stuck_refunds", {
  description: "Refunds that were asked for more than a day ago and are not made, at most 1,000"
})

/** Tells of refunds that do not come about, each once a process. */
const watchRefunds = Effect.map(Ref.make<ReadonlySet<string>>(new Set()), (told) =>
  Effect.gen(function* () {
    const stuck = yield* StuckRefunds.list(yield* Clock.currentTimeMillis, StuckRefunds.stuckAfterMs, 1_000)
    const before = yield* Ref.getAndSet(told, new Set(stuck.map(({ refundId }) => refundId)))
    for (const refund of stuck) {
      if (!before.has(refund.refundId)) yield* Effect.logError(StuckRefunds.tell(refund))
    }
    yield* Metric.update(stuckRefunds, stuck.length)
  })
)

const measureEvery = Duration.minutes(1)

const repeatedly = <A, E, R>(what: string, pause: Duration.Duration, effect: Effect.Effect<A, E, R>) =>
  effect.pipe(
    Effect.catchCause((cause) => Effect.logError(`${what} failed`, cause)),
    Effect.repeat(Schedule.jittered(Schedule.spaced(pause)))
  )

/** Looks a minute after the start and then every `ONSALE_RECONCILE_EVERY`; a look that fails is made again at its next time. */
export const layerNoDeps = Layer.effectDiscard(
  Effect.gen(function* () {
    const reconciler = yield* Reconciler
    const pause = yield* every
    const run = reconciler.run({ unlessDoneWithinMs: Duration.toMillis(pause) / 2 })
    yield* Effect.forkScoped(
      Effect.andThen(
        Effect.flatMap(firstAfter, (wait) => Effect.sleep(wait)),
        repeatedly("reconciliation", pause, run)
      )
    )
    yield* Effect.forkScoped(repeatedly("measuring reconciliation", measureEvery, measure))
    yield* Effect.forkScoped(repeatedly("watching refunds", measureEvery, yield* watchRefunds))
  })
)

export const layer = layerNoDeps.pipe(
  Layer.provide(Reconciler.layerNoDeps),
  Layer.provide(ReconciliationTable.layer)
)
