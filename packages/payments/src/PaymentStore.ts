/**
 * Payments in Postgres: the journal is the truth, `payments.intents` has one row an intent for those who look for
 * unfinished ones, and `payments.ledger` what moved. All are written by one statement.
 */
import type { PaymentIntentId, RefundId } from "@onsale/contracts/Ids"
import { PaymentEvent } from "@onsale/contracts/payments/PaymentIntent"
import * as Journal from "@onsale/platform/Journal"
import { Context, Effect, Layer, Schedule, Schema } from "effect"
import { SqlClient, SqlError } from "effect/sql"
import { type Line, linesOf } from "./Ledger.ts"
import { correlationOf, evolve, evolveAll, type Payment, statusOf, watch } from "./Payment.ts"

/** A payment as recorded. `version` counts the rows of its stream; 0 where there is none. */
export interface Recorded {
  readonly state: Payment | null
  readonly version: number
  /** The payment without `unwritten`: as its journal tells it. */
  readonly written: Payment | null
  /** Events that the state has and the journal has not yet: they are written with those that follow. */
  readonly unwritten: ReadonlyArray<PaymentEvent>
}

/** A payment of which nothing is known. */
export const none: Recorded = { state: null, version: 0, written: null, unwritten: [] }

/**
 * The payment after events that are not worth a transaction of their own. Only for what the provider would tell
 * again when it is asked, as after a crash it has to be.
 */
export const putOff = (
  intentId: PaymentIntentId,
  { state, unwritten, version, written }: Recorded,
  events: ReadonlyArray<PaymentEvent>
): Recorded => ({
  state: evolveAll(intentId, state, events),
  version,
  written,
  unwritten: [...unwritten, ...events]
})

/** The database cannot be reached; whether a write happened is not known. */
export class StoreUnavailable extends Schema.TaggedError<StoreUnavailable>()("StoreUnavailable", {
  message: Schema.String
}) {}

/** The order has another intent already (INV-04). */
export class OrderHasIntent extends Schema.TaggedError<OrderHasIntent>()("OrderHasIntent", {}) {}

/** Rows of a stream that are read at a time; a payment with some refunds has about ten. */
const page = 500

/** Three more tries in about half a second; the caller may repeat the whole step. */
const retrySchedule = Schedule.jittered(Schedule.exponential("100 millis"))
const retryTimes = 3

/**
 * How soon the supervisor looks at a payment that nothing more was heard of, in milliseconds. Long
 * enough that a payment on its way is left alone, short enough that nobody has gone home.
 */
const firstCheckMs = (state: Payment): number | null => {
  switch (watch(state)) {
    case "settled":
      return null
    case "late":
      return 30_000
    case "open":
      // The order is told by the journal, and has the next word.
      if (state.late) return 60_000
      if (state.voidRequested || state.undo || state.status === "processing") return 3_000
      if (state.status === "created") return 20_000
      return state.status === "authorised" || state.status === "requires_action" ? 60_000 : 5_000
  }
}

export class PaymentStore extends Context.Service<
  PaymentStore,
  {
    readonly load: (intentId: PaymentIntentId) => Effect.Effect<Recorded, StoreUnavailable>
    /**
     * Appends the events, behind those that were put off, as one row behind `recorded`, and answers with what is
     * recorded then.
     */
    readonly append: (
      intentId: PaymentIntentId,
      recorded: Recorded,
      events: ReadonlyArray<PaymentEvent>,
      nowMs: number
    ) => Effect.Effect<Recorded, Journal.JournalConflict | OrderHasIntent | StoreUnavailable>
  }
>()("@onsale/payments/PaymentStore") {
  static readonly layer = Layer.effect(
    PaymentStore,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const journal = yield* Journal.make({ schema: "payments", event: PaymentEvent })

      const load = Effect.fnUntraced(function* (intentId: PaymentIntentId) {
        let recorded = none
        while (true) {
          const rows = yield* journal.read(intentId, recorded.version + 1, page)
          for (const row of rows) {
            const state = evolveAll(intentId, recorded.state, row.events)
            recorded = { state, version: row.version, written: state, unwritten: [] }
          }
          if (rows.length < page) return recorded
        }
      }, orUnavailable)

      const insertIntent = (state: Payment, nowMs: number) => sql`INSERT INTO payments.intents
        (id, order_id, provider, status, watch, amount, currency, captured, refunded, checks, next_check_at, created_at, updated_at)
        VALUES (${state.intentId}::uuid, ${state.payment.orderId}::uuid, ${state.provider}::text, ${statusOf(state)}::text,
          ${watch(state)}::text, ${state.payment.amount}::bigint, ${state.payment.currency}::text, 0, 0, 0,
          to_timestamp(${nextCheck(state, nowMs)}::float8 / 1000), to_timestamp(${nowMs}::float8 / 1000), to_timestamp(${nowMs}::float8 / 1000))`

      const updateIntent = (state: Payment, nowMs: number) => sql`UPDATE payments.intents SET
        provider = ${state.provider}::text, status = ${statusOf(state)}::text, watch = ${watch(state)}::text, provider_reference = ${state.reference}::text,
        captured = ${state.captured}::bigint, refunded = ${state.refunded}::bigint, checks = 0,
        next_check_at = to_timestamp(${nextCheck(state, nowMs)}::float8 / 1000),
        updated_at = to_timestamp(${nowMs}::float8 / 1000)
        WHERE id = ${state.intentId}::uuid`

      /** What the events move, one after another. */
      const ledgerRows = (
        intentId: PaymentIntentId,
        before: Payment | null,
        events: ReadonlyArray<PaymentEvent>,
        version: number,
        nowMs: number
      ) => {
        const lines: Array<Line & { readonly currency: string }> = []
        let state = before
        for (const event of events) {
          for (const line of linesOf(state, event)) {
            lines.push({ ...line, currency: state?.payment.currency ?? "" })
          }
          state = evolve(intentId, state, event)
        }
        if (lines.length === 0) return []
        const rows = JSON.stringify(lines.map((line, index) => ({ ...line, line: index + 1 })))
        return [
          sql`INSERT INTO payments.ledger (intent_id, version, line, account, amount, currency, at)
            SELECT ${intentId}::uuid, ${version}::bigint, line, account, amount, currency, to_timestamp(${nowMs}::float8 / 1000)
            FROM json_to_recordset(${rows}::json) AS row (line int, account text, amount bigint, currency text)`
        ]
      }

      const append: PaymentStore["Service"]["append"] = Effect.fnUntraced(
        function* (intentId, recorded, events, nowMs) {
          const state = evolveAll(intentId, recorded.state, events)
          const toWrite = [...recorded.unwritten, ...events]
          if (state === null || toWrite.length === 0) return recorded
          const version = recorded.version + 1
          const intent = recorded.version === 0 ? insertIntent(state, nowMs) : updateIntent(state, nowMs)
          yield* journal
            .append(
              {
                stream: intentId,
                version,
                atMs: nowMs,
                correlation: correlationOf(state, refundIn(toWrite)) ?? null,
                events: toWrite
              },
              [intent, ...ledgerRows(intentId, recorded.written, toWrite, version, nowMs)]
            )
            .pipe(
              Effect.catchTag(
                "UniqueBroken",
                (error): Effect.Effect<never, OrderHasIntent | Journal.JournalConflict> =>
                  error.constraint === "intents_order_id_key"
                    ? Effect.fail(new OrderHasIntent())
                    : // The row of this very intent: another owner has just created it.
                      Effect.fail(new Journal.JournalConflict({ stream: intentId, version }))
              ),
              orUnavailable
            )
          return { state, version, written: state, unwritten: [] }
        }
      )

      return PaymentStore.of({ load, append })
    })
  )
}

/** The refund that events tell of first; null where they tell of none. */
const refundIn = (events: ReadonlyArray<PaymentEvent>): RefundId | null => {
  for (const event of events)
    if (event._tag === "RefundRequested" || event._tag === "Refunded") return event.refundId
  return null
}

const nextCheck = (state: Payment, nowMs: number): number | null => {
  const afterMs = firstCheckMs(state)
  return afterMs === null ? null : nowMs + afterMs
}

/** Retries what may pass. A write that happened after all meets itself as a `JournalConflict`, which reloads. */
const orUnavailable = <A, E, R>(effect: Effect.Effect<A, E | SqlError.SqlError, R>) =>
  effect.pipe(
    Effect.retry({
      schedule: retrySchedule,
      times: retryTimes,
      while: (error) => SqlError.isSqlError(error) && error.isRetryable
    }),
    Effect.catchIf(SqlError.isSqlError, (error) =>
      error.isRetryable ? Effect.fail(new StoreUnavailable({ message: error.message })) : Effect.die(error)
    )
  )
