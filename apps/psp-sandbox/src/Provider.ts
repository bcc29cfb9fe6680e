/**
 * The provider at work: it decides a command in memory, puts what follows on the disk, and answers once it is there.
 * Commands are decided one at a time and at once; only the disk is waited for, together with everybody else.
 *
 * Nothing is ever told that a crash could take back: refusals, replays and reads wait for the disk too when they rest
 * on something that is not there yet.
 */
import { Clock, Context, Effect, FiberMap, Latch, Layer, Schedule } from "effect"
import type { FileSystem, Path } from "effect"
import { SecureRandom } from "effect/crypto"
import {
  type Command,
  decide,
  type Refusal,
  type Stamp,
  unknownPayment,
  type WebhookPolicy
} from "./Ledger.ts"
import type { LedgerEvent } from "./LedgerEvent.ts"
import * as LedgerFile from "./LedgerFile.ts"
import * as LedgerState from "./LedgerState.ts"

type Payment = LedgerState.Payment

export type Answer =
  | { readonly type: "payment"; readonly payment: Payment }
  | { readonly type: "refund"; readonly payment: Payment; readonly refund: LedgerState.Refund }
  /** The 500 of a token that errs. */
  | { readonly type: "error" }

/** `held`: the command ran, and the token's rule is that its answer never comes. */
export interface Reply {
  readonly answer: Answer
  readonly replayed: boolean
  readonly held: boolean
}

export interface Found {
  readonly payments: ReadonlyArray<Payment>
  readonly inFlight: boolean
}

export interface Page {
  readonly payments: ReadonlyArray<Payment>
  /** Null after the last. */
  readonly nextCursor: number | null
}

export interface LedgerSnapshot {
  readonly payments: ReadonlyArray<Payment>
  readonly entries: number
  readonly undelivered: number
  readonly abandoned: number
}

export class Provider extends Context.Service<
  Provider,
  {
    /** Runs a command; what it answers is durable. Fails with the refusal if it did not run. */
    readonly execute: (command: Command) => Effect.Effect<Reply, Refusal>
    /** Runs the effect unless another one runs under the same idempotency key: then it is refused with 409. */
    readonly exclusive: (
      key: string
    ) => <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E | Refusal, R>
    readonly payment: (id: string) => Effect.Effect<Payment, Refusal>
    /** The payment that a money call with this key made or changed. */
    readonly findByKey: (key: string) => Effect.Effect<Found, Refusal>
    readonly findByReference: (reference: string) => Effect.Effect<Found, Refusal>
    /**
     * At most 100 payments created from `fromMs` and before `toMs`, the oldest first. `cursor` is the one of the
     * page before, 0 for the first.
     */
    readonly listCreated: (fromMs: number, toMs: number, cursor: number) => Effect.Effect<Page, Refusal>
    readonly snapshot: Effect.Effect<LedgerSnapshot, Refusal>
    /** The oldest webhooks that are owed and not in `except`, at most `most` of them. */
    readonly owedWebhooks: (
      most: number,
      except: ReadonlySet<string>
    ) => ReadonlyArray<LedgerState.OwedWebhook>
    readonly settleWebhook: (id: string, outcome: "delivered" | "abandoned") => Effect.Effect<void>
    /** Opened whenever a new webhook is owed. */
    readonly webhooksOwed: Latch.Latch
    /** Never succeeds; fails when the ledger can no longer be written. Everything is refused from then on. */
    readonly failed: Effect.Effect<never, LedgerFile.LedgerFileError>
  }
>()("@onsale/psp-sandbox/Provider") {
  /** Opens the ledger file, replays it, and takes up the late payments where they were. */
  static readonly layer = (options: {
    readonly ledger: string
    readonly webhooks: WebhookPolicy
  }): Layer.Layer<
    Provider,
    LedgerFile.LedgerFileError,
    FileSystem.FileSystem | Path.Path | SecureRandom.SecureRandom
  > => Layer.effect(Provider, make(options))
}

/** A late payment that meets a full ledger tries again for three minutes; after that the next start takes it up. */
const settleRetry = { schedule: Schedule.spaced("200 millis"), times: 900 }

const make = Effect.fnUntraced(function* (options: {
  readonly ledger: string
  readonly webhooks: WebhookPolicy
}) {
  const random = yield* SecureRandom.SecureRandom
  const state = LedgerState.empty()
  const webhooksOwed = yield* Latch.make(true)
  const running = new Set<string>()
  const openedAt = yield* Clock.currentTimeMillis

  const file = yield* LedgerFile.open({
    path: options.ledger,
    replay: (event) => LedgerState.apply(state, event),
    opened: () => {
      const event: LedgerEvent = { type: "ledger.opened", n: state.n + 1, at: openedAt }
      LedgerState.apply(state, event)
      return event
    }
  })
  let durable = state.n

  /** Changes the state and queues its line in one go, so that lines follow each other as the changes did. */
  const commit = (event: LedgerEvent, onDurable: () => void): void => {
    LedgerState.apply(state, event)
    file.append(event, () => {
      durable = event.n
      onDurable()
    })
  }

  const stamp: Effect.Effect<Stamp> = Effect.zipWith(
    Clock.currentTimeMillis,
    random.uuidV7(),
    (at, unique) => ({
      at,
      unique,
      webhooks: options.webhooks
    })
  )

  const onDisk = <A, E>(result: Effect.Effect<A, E>): Effect.Effect<A, E | Refusal> =>
    durable >= state.n
      ? result
      : Effect.callback((resume) => {
          if (!file.barrier(() => resume(result))) resume(Effect.fail(overloaded))
        })

  const executeStamped = (command: Command, stamp: Stamp): Effect.Effect<Reply, Refusal> =>
    Effect.callback((resume) => {
      if (file.isFull()) return resume(Effect.fail(overloaded))
      const decision = decide(state, command, stamp)
      switch (decision.type) {
        case "refuse":
          return resume(onDisk(Effect.fail(decision.refusal)))
        case "unchanged":
          return resume(onDisk(Effect.succeed(given(decision.payment, false))))
        case "replay": {
          if (decision.record.n > durable) return resume(Effect.fail(stillRunning))
          return resume(Effect.succeed({ answer: answerOf(decision.record), replayed: true, held: false }))
        }
        case "commit": {
          const { event } = decision
          commit(event, () => {
            if ("webhook" in event) webhooksOwed.openUnsafe()
            if (event.type === "payment.created" && event.settlesAt !== undefined)
              settle(event.id, event.settlesAt)
            resume(Effect.succeed(reply(event, decision.answer)))
          })
        }
      }
    })

  /** What a command answers once its event is durable: the payment as it was right after that event. */
  const reply = (event: LedgerEvent, how: "given" | "error" | "held"): Reply => {
    const record = "key" in event ? state.keys.get(event.key) : undefined
    const held = how === "held"
    if (how === "error") return { answer: { type: "error" }, replayed: false, held }
    if (record !== undefined) return { answer: answerOf(record), replayed: false, held }
    const payment = "id" in event ? state.payments.get(event.id) : undefined
    return payment === undefined ? { answer: { type: "error" }, replayed: false, held } : given(payment, held)
  }

  const execute = (command: Command) => Effect.flatMap(stamp, (stamp) => executeStamped(command, stamp))

  const settling = yield* FiberMap.make<string>()
  const runSettle = yield* FiberMap.runtime(settling)()
  const settle = (id: string, settlesAt: number): void => {
    const wait = Effect.flatMap(Clock.currentTimeMillis, (now) => Effect.sleep(Math.max(0, settlesAt - now)))
    runSettle(
      id,
      wait.pipe(
        Effect.andThen(Effect.retry(execute({ type: "settle", id }), settleRetry)),
        Effect.catch((refusal) =>
          Effect.logError(`Late payment ${id} waits for the next start: ${refusal.code}`)
        )
      )
    )
  }
  for (const payment of state.payments.values()) {
    if (payment.settlesAt !== undefined) settle(payment.id, payment.settlesAt)
  }

  const find = (ids: ReadonlyArray<string>, inFlight: boolean) => {
    const payments = ids.flatMap((id) => state.payments.get(id) ?? [])
    return onDisk(Effect.succeed({ payments, inFlight }))
  }

  return Provider.of({
    execute,
    exclusive:
      (key) =>
      <A, E, R>(effect: Effect.Effect<A, E, R>) =>
        Effect.suspend((): Effect.Effect<A, E | Refusal, R> => {
          if (running.has(key)) return Effect.fail(stillRunning)
          running.add(key)
          return Effect.ensuring(
            effect,
            Effect.sync(() => running.delete(key))
          )
        }),
    payment: (id) =>
      Effect.suspend(() => {
        const payment = state.payments.get(id)
        return onDisk(payment === undefined ? Effect.fail(unknownPayment) : Effect.succeed(payment))
      }),
    findByKey: (key) =>
      Effect.suspend(() => {
        const record = state.keys.get(key)
        return record === undefined ? find([], running.has(key)) : find([record.payment.id], false)
      }),
    findByReference: (reference) => Effect.suspend(() => find(state.references.get(reference) ?? [], false)),
    listCreated: (fromMs, toMs, cursor) =>
      Effect.suspend(() => onDisk(Effect.succeed(pageOf(state, fromMs, toMs, cursor)))),
    snapshot: Effect.suspend(() =>
      onDisk(
        Effect.succeed({
          payments: [...state.payments.values()],
          entries: state.n,
          undelivered: state.webhooks.size,
          abandoned: state.abandoned
        })
      )
    ),
    owedWebhooks: (most, except) => {
      const owed: Array<LedgerState.OwedWebhook> = []
      for (const webhook of state.webhooks.values()) {
        if (owed.length >= most || webhook.n > durable) break
        if (!except.has(webhook.id)) owed.push(webhook)
      }
      return owed
    },
    settleWebhook: (webhook, outcome) =>
      Effect.map(Clock.currentTimeMillis, (at) => {
        // Where the disk is behind it stays owed, and is delivered again: at least once is what is promised.
        if (file.isFull() || !state.webhooks.has(webhook)) return
        commit({ type: `webhook.${outcome}`, n: state.n + 1, at, webhook }, () => {})
      }),
    webhooksOwed,
    failed: file.failed
  })
})

const maxPage = 100

/** Payments looked at for one page: about a millisecond of a core. */
const maxLooked = 20_000

const pageOf = (state: LedgerState.LedgerState, fromMs: number, toMs: number, cursor: number): Page => {
  const payments: Array<Payment> = []
  const end = Math.min(state.order.length, cursor + maxLooked)
  let at = cursor
  for (; at < end && payments.length < maxPage; at++) {
    const payment = state.payments.get(state.order[at] ?? "")
    if (payment !== undefined && payment.createdAt >= fromMs && payment.createdAt < toMs)
      payments.push(payment)
  }
  return { payments, nextCursor: at < state.order.length ? at : null }
}

const given = (payment: Payment, held: boolean): Reply => ({
  answer: { type: "payment", payment },
  replayed: false,
  held
})

const answerOf = (record: LedgerState.KeyRecord): Answer => {
  if (record.answer === "error") return { type: "error" }
  return record.refund === undefined
    ? { type: "payment", payment: record.payment }
    : { type: "refund", payment: record.payment, refund: record.refund }
}

const stillRunning: Refusal = {
  status: 409,
  type: "idempotency_error",
  code: "key_in_use",
  message: "A request with this idempotency key still runs"
}

export const overloaded: Refusal = {
  status: 503,
  type: "api_error",
  code: "overloaded",
  message: "Too much waits for the ledger: try again later"
}
