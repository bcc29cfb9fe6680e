/**
 * Compares our payments with each provider's own list, tells every difference, and mends what may be mended.
 *
 * Their list goes by the time a payment was created. The last days are looked at again each time, as payments change;
 * a difference that is open is asked for until it is gone, however old its payment is.
 */
import type { PaymentIntentId } from "@onsale/contracts/Ids"
import { Clock, Context, Duration, Effect, Layer, Schedule } from "effect"
import {
  keys,
  type ListedPayment,
  type PaymentPage,
  type PaymentProvider,
  PaymentProviders,
  type ProviderFailure
} from "./PaymentProvider.ts"
import { compare, type Difference, mendingOf, missingThere, type OurPayment } from "./Reconciliation.ts"
import { ReconciliationTable, tellDifference } from "./ReconciliationTable.ts"
import { giveBackStray } from "./StrayPayment.ts"

export interface LookOptions {
  /** Looks no further back than this, in milliseconds before what is done; three days when left out. */
  readonly overlapMs?: number | undefined
  /** Younger changes are left to those who make them; 10 minutes when left out, in milliseconds. */
  readonly marginMs?: number | undefined
  /** Not where a whole look was made since; 0 when left out, which looks in any case. */
  readonly unlessDoneWithinMs?: number | undefined
}

export interface Look {
  readonly provider: string
  /** `busy`: another runner is at it, or was just now. `incomplete`: the provider did not answer to the end. */
  readonly outcome: "done" | "incomplete" | "busy"
  readonly listed: number
  /** Of them not made by us. */
  readonly foreign: number
  /** Found for the first time. */
  readonly found: number
  /** Closed by this look: they agree again, or were given back. */
  readonly closed: number
}

const day = Duration.toMillis(Duration.days(1))
const defaultOverlapMs = 3 * day
const defaultMarginMs = 10 * 60_000

/** A part of the time that is listed at once, so that what is done need not be done again after a failure. */
const sliceMs = day / 4

/** Of a slice: some hundred thousand payments. More is a list without an end. */
const maxPages = 2_000

/** Payments of a slice that the list left out, and open differences of a look, that are asked for one by one. */
const maxAsked = 200

/** More at once are no strays, but a mistake in how the providers are connected: a person must look first. */
const maxGivenBack = 20

/** A claim is prolonged with every page, which takes seconds. */
const claimMs = 10 * 60_000

/** Four more tries of a call that may pass, in about ten seconds. */
const patiently = <A>(call: Effect.Effect<A, ProviderFailure>) =>
  Effect.retry(call, {
    schedule: Schedule.jittered(Schedule.exponential("700 millis")),
    times: 4,
    while: (failure) => failure.kind !== "declined"
  })

/** What one look has done so far. */
interface Progress {
  readonly startedMs: number
  readonly settledBeforeMs: number
  listed: number
  foreign: number
  found: number
  closed: number
  givenBack: number
  open: number
}

export class Reconciler extends Context.Service<
  Reconciler,
  {
    /** A look at each connected provider, one after another. */
    readonly run: (options?: LookOptions) => Effect.Effect<ReadonlyArray<Look>>
  }
>()("@onsale/payments/Reconciler") {
  static readonly layerNoDeps = Layer.effect(
    Reconciler,
    Effect.gen(function* () {
      const table = yield* ReconciliationTable
      const { byName } = yield* PaymentProviders

      const giveBack = Effect.fnUntraced(function* (
        provider: PaymentProvider,
        difference: Difference,
        progress: Progress
      ) {
        if (progress.givenBack++ === maxGivenBack) {
          yield* Effect.logError(
            `reconciliation: ${provider.name} has more than ${maxGivenBack} payments that are at other providers; the rest is left to an operator`
          )
        }
        if (progress.givenBack > maxGivenBack) return null
        const outcome = yield* patiently(giveBackStray(provider, difference.intentId))
        return outcome === "absent" ? null : `given back there (${outcome})`
      })

      /** Keeps the differences, tells the new ones, and does what may be done about each. */
      const handle = Effect.fnUntraced(function* (
        provider: PaymentProvider,
        differences: ReadonlyArray<Difference>,
        progress: Progress
      ) {
        if (differences.length === 0) return
        progress.open += differences.length
        const fresh = yield* table.record(differences, yield* Clock.currentTimeMillis)
        progress.found += fresh.length
        yield* Effect.forEach(fresh, (one) => Effect.logError(`reconciliation: ${tellDifference(one)}`), {
          discard: true
        })
        const due = differences.filter(({ kind }) => mendingOf(kind) === "refresh")
        yield* table.makeDue(
          due.map(({ intentId }) => intentId),
          yield* Clock.currentTimeMillis
        )
        const strays = differences.filter(({ kind }) => mendingOf(kind) === "give_back")
        for (const stray of strays) {
          const resolution = yield* giveBack(provider, stray, progress).pipe(
            Effect.catchTag("ProviderFailure", (failure) =>
              Effect.as(
                Effect.logWarning(
                  `payment ${stray.intentId} could not be given back at ${provider.name}: ${failure.message}`
                ),
                null
              )
            )
          )
          if (resolution !== null) {
            yield* table.closeOf(stray, yield* Clock.currentTimeMillis, resolution)
            progress.closed++
            progress.open--
          }
        }
      })

      /** The payment as the provider tells it when asked for this one. */
      const ask = Effect.fnUntraced(function* (
        provider: PaymentProvider,
        intentId: PaymentIntentId,
        reference: string | null,
        ours: OurPayment | null,
        progress: Progress
      ) {
        const found = yield* patiently(provider.find({ key: keys.authorise(intentId), intentId, reference }))
        if (found._tag === "Standing") {
          const listed: ListedPayment = { intentId, standing: found, createdAtMs: progress.startedMs }
          return compare(provider.name, listed, ours, progress.settledBeforeMs)
        }
        return ours !== null && ours.provider === provider.name && ours.captured > 0
          ? [missingThere(ours)]
          : []
      })

      /** What we have captured in that time and the list left out: the list may be behind, or cut the time otherwise. */
      const missing = Effect.fnUntraced(function* (
        provider: PaymentProvider,
        fromMs: number,
        toMs: number,
        seen: ReadonlySet<PaymentIntentId>,
        progress: Progress
      ) {
        let after: PaymentIntentId | null = null
        let asked = 0
        while (true) {
          const rows: ReadonlyArray<OurPayment> = yield* table.captured(provider.name, fromMs, toMs, after)
          const last = rows[rows.length - 1]
          if (last === undefined) return
          after = last.intentId
          for (const ours of rows) {
            if (seen.has(ours.intentId) || ours.updatedAtMs >= progress.settledBeforeMs) continue
            if (asked++ >= maxAsked) {
              yield* Effect.logError(
                `reconciliation: the list of ${provider.name} lacks more than ${maxAsked} payments of six hours`
              )
              return
            }
            yield* handle(
              provider,
              yield* ask(provider, ours.intentId, ours.reference, ours, progress),
              progress
            )
          }
        }
      })

      const slice = Effect.fn("Reconciler.slice")(function* (
        provider: PaymentProvider,
        fromMs: number,
        toMs: number,
        progress: Progress
      ) {
        const seen = new Set<PaymentIntentId>()
        let cursor: string | null = null
        for (let pages = 0; ; pages++) {
          if (pages >= maxPages)
            return yield* Effect.die(new Error(`the list of ${provider.name} has no end`))
          const page: PaymentPage = yield* patiently(provider.list({ fromMs, toMs, cursor }))
          const ids = page.payments.flatMap(({ intentId }) => (intentId === null ? [] : [intentId]))
          const ours = yield* table.payments([...new Set(ids)])
          const differences = page.payments.flatMap((listed) =>
            compare(
              provider.name,
              listed,
              listed.intentId === null ? null : (ours.get(listed.intentId) ?? null),
              progress.settledBeforeMs
            )
          )
          for (const id of ids) seen.add(id)
          progress.listed += page.payments.length
          progress.foreign += page.payments.length - ids.length
          yield* handle(provider, differences, progress)
          yield* table.renew(provider.name, (yield* Clock.currentTimeMillis) + claimMs)
          cursor = page.nextCursor
          if (cursor === null) break
        }
        yield* missing(provider, fromMs, toMs, seen, progress)
      })

      /** Asks for what is open and was not met in this look, and closes what is no difference any more. */
      const recheck = Effect.fn("Reconciler.recheck")(function* (
        provider: PaymentProvider,
        progress: Progress
      ) {
        const open = (yield* table.open(provider.name, maxAsked)).filter(
          ({ seenAt }) => seenAt.getTime() < progress.startedMs
        )
        const rows = yield* table.payments([...new Set(open.map(({ intentId }) => intentId))])
        for (const difference of open) {
          const ours = rows.get(difference.intentId) ?? null
          // Its steps are under way: nothing can be told yet.
          if (ours !== null && ours.updatedAtMs >= progress.settledBeforeMs) continue
          const reference = difference.reference === difference.intentId ? null : difference.reference
          const now = yield* ask(provider, difference.intentId, reference, ours, progress)
          yield* handle(provider, now, progress)
          if (now.some(({ kind }) => kind === difference.kind)) continue
          yield* table.close([difference.id], yield* Clock.currentTimeMillis, "agrees now")
          progress.closed++
        }
      })

      const lookAll = Effect.fnUntraced(function* (
        provider: PaymentProvider,
        firstMs: number,
        toMs: number,
        progress: Progress
      ) {
        for (let fromMs = firstMs; fromMs < toMs; fromMs += sliceMs) {
          const endMs = Math.min(fromMs + sliceMs, toMs)
          yield* slice(provider, fromMs, endMs, progress)
          yield* table.advance(provider.name, endMs)
        }
        yield* recheck(provider, progress)
      })

      const look = Effect.fn("Reconciler.look")(function* (provider: PaymentProvider, options: LookOptions) {
        const startedMs = yield* Clock.currentTimeMillis
        const busy: Look = {
          provider: provider.name,
          outcome: "busy",
          listed: 0,
          foreign: 0,
          found: 0,
          closed: 0
        }
        const claim = yield* table.claim(
          provider.name,
          startedMs,
          startedMs + claimMs,
          startedMs - (options.unlessDoneWithinMs ?? 0)
        )
        if (claim === null) return busy
        const toMs = startedMs - (options.marginMs ?? defaultMarginMs)
        const firstMs = (claim.doneToMs ?? claim.oldestMs ?? toMs) - (options.overlapMs ?? defaultOverlapMs)
        const progress: Progress = {
          startedMs,
          settledBeforeMs: toMs,
          listed: 0,
          foreign: 0,
          found: 0,
          closed: 0,
          givenBack: 0,
          open: 0
        }
        let completed = false
        yield* lookAll(provider, firstMs, toMs, progress).pipe(
          Effect.tap(() => Effect.sync(() => (completed = true))),
          Effect.catchCause((cause) =>
            Effect.logWarning(
              `reconciliation with ${provider.name} is incomplete, and will be made again`,
              cause
            )
          ),
          Effect.ensuring(
            Effect.suspend(() =>
              Effect.flatMap(Clock.currentTimeMillis, (nowMs) =>
                table.finish(provider.name, nowMs, {
                  completed,
                  listed: progress.listed,
                  differences: progress.open
                })
              )
            )
          )
        )
        const { closed, foreign, found, listed } = progress
        return {
          provider: provider.name,
          outcome: completed ? ("done" as const) : ("incomplete" as const),
          listed,
          foreign,
          found,
          closed
        }
      })

      return Reconciler.of({
        run: (options = {}) => Effect.forEach([...byName.values()], (provider) => look(provider, options))
      })
    })
  )

  /** Needs PaymentProviders and SqlClient. */
  static readonly layer = Reconciler.layerNoDeps.pipe(Layer.provide(ReconciliationTable.layer))
}
