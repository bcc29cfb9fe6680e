/**
 * Looks after payments that are unfinished: whatever a crash, a silent provider or a buyer who went away
 * has left is asked for again, in growing intervals, until it is settled (INV-05). Any number of runners
 * may do so at the same time.
 */
import { PaymentEntity } from "@onsale/contracts/payments/PaymentEntity"
import { Clock, Duration, Effect, Layer, Metric, Schedule } from "effect"
import { type ClaimedIntent, IntentTable } from "./IntentTable.ts"

export interface SupervisorOptions {
  /** How often to look when nothing was due; 500 ms when left out. */
  readonly pollEvery?: Duration.Input | undefined
  /** Intents taken at a time; 64 when left out. */
  readonly batch?: number | undefined
  /** Of them asked for at the same time; 16 when left out, so that a provider that hangs is not overrun. */
  readonly concurrency?: number | undefined
}

const pruneEvery = Duration.minutes(10)

const refreshed = Metric.counter("onsale_payment_supervisor_refreshes", {
  description: "Unfinished payments that the supervisor asked for, by outcome (ok, failed)",
  incremental: true
})

const makeSweep = Effect.fnUntraced(function* (options: SupervisorOptions) {
  const table = yield* IntentTable
  const clientOf = yield* PaymentEntity.client
  const batch = options.batch ?? 64

  const refresh = (claim: ClaimedIntent) =>
    clientOf(claim.intentId)
      .Refresh()
      .pipe(
        Effect.as(true),
        // Its next check is set already; a defect of one payment must not stop the others.
        Effect.catchCause((cause) =>
          Effect.as(Effect.logWarning(`payment ${claim.intentId} could not be refreshed`, cause), false)
        ),
        Effect.tap((ok) =>
          Metric.update(Metric.withAttributes(refreshed, { outcome: ok ? "ok" : "failed" }), 1)
        )
      )

  /** Refreshes what is due, and answers how many that were. */
  return Effect.fn("PaymentSupervisor.sweep")(function* () {
    const claims = yield* table.claimDue(yield* Clock.currentTimeMillis, batch)
    const done = yield* Effect.forEach(claims, refresh, { concurrency: options.concurrency ?? 16 })
    yield* table.release(claims.filter((_, index) => done[index] === true))
    return claims.length
  })
})

const forever = <A, E, R>(what: string, effect: Effect.Effect<A, E, R>) =>
  effect.pipe(
    Effect.sandbox,
    Effect.tapError((cause) => Effect.logError(`${what} failed`, cause)),
    Effect.retry(
      Schedule.min([Schedule.exponential("200 millis"), Schedule.spaced("30 seconds")]).pipe(
        Schedule.jittered
      )
    ),
    Effect.forever
  )

/** Runs for as long as the layer lives; a failure is logged and tried again after a pause of at most 30 seconds. */
export const layerNoDeps = (options: SupervisorOptions = {}) =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const table = yield* IntentTable
      const sweep = yield* makeSweep(options)
      const pollEvery = Duration.fromInputUnsafe(options.pollEvery ?? Duration.millis(500))
      const batch = options.batch ?? 64
      const round = Effect.flatMap(sweep(), (count) =>
        count < batch ? Effect.sleep(pollEvery) : Effect.void
      )
      // Beside the sweeps: a week's worth of webhooks must not keep a payment waiting.
      const prune = Clock.currentTimeMillis.pipe(
        Effect.flatMap(table.pruneWebhooks),
        Effect.andThen(Effect.sleep(pruneEvery))
      )
      yield* Effect.forkScoped(forever("the payment supervisor", round))
      yield* Effect.forkScoped(forever("forgetting old webhooks", prune))
    })
  )

export const layer = (options: SupervisorOptions = {}) =>
  layerNoDeps(options).pipe(Layer.provide(IntentTable.layer))
