/** The tables of reconciliation: how far it has come with each provider, and the differences that it found. */
import { makeUuidV7, OrderId, PaymentIntentId } from "@onsale/contracts/Ids"
import { PaymentStatus } from "@onsale/contracts/payments/PaymentIntent"
import { Context, Effect, Layer, Schedule, Schema } from "effect"
import { SqlClient, SqlError } from "effect/sql"
import { type Difference, DifferenceKind, type OurPayment, Side } from "./Reconciliation.ts"

const Payment = Schema.Struct({
  intentId: PaymentIntentId,
  orderId: OrderId,
  provider: Schema.String,
  status: PaymentStatus,
  amount: Schema.Finite,
  currency: Schema.String,
  captured: Schema.Finite,
  refunded: Schema.Finite,
  reference: Schema.NullOr(Schema.String),
  updatedAtMs: Schema.Finite
})

export const StoredDifference = Schema.Struct({
  id: Schema.String,
  provider: Schema.String,
  reference: Schema.String,
  intentId: PaymentIntentId,
  kind: DifferenceKind,
  ours: Schema.NullOr(Side),
  theirs: Schema.NullOr(Side),
  foundAt: Schema.Date,
  seenAt: Schema.Date,
  mendedAt: Schema.NullOr(Schema.Date),
  resolution: Schema.NullOr(Schema.String)
})
export type StoredDifference = typeof StoredDifference.Type

const Claim = Schema.Struct({
  /** Unix times in milliseconds. All payments before it have been compared; null where none has. */
  doneToMs: Schema.NullOr(Schema.Finite),
  /** Of the oldest payment that we have there; null where there is none. */
  oldestMs: Schema.NullOr(Schema.Finite)
})
export type Claim = typeof Claim.Type

const OpenCount = Schema.Struct({ provider: Schema.String, kind: DifferenceKind, count: Schema.Int })

/** How a provider's last look ended. */
const Look = Schema.Struct({
  provider: Schema.String,
  completedAtMs: Schema.NullOr(Schema.Finite),
  startedAtMs: Schema.NullOr(Schema.Finite)
})

/** Captured payments that are read at a time. */
const page = 5_000

/** The lowest id of that millisecond: ids of intents are in the order of time, so that their key finds those of a window. */
const lowestId = (ms: number): string => `${makeUuidV7(ms).slice(0, 15)}000-8000-000000000000`

export class ReconciliationTable extends Context.Service<
  ReconciliationTable,
  {
    /** Of several runners one gets it, until `untilMs`; null where another has it, or it was done since `doneBeforeMs`. */
    readonly claim: (
      provider: string,
      nowMs: number,
      untilMs: number,
      doneBeforeMs: number
    ) => Effect.Effect<Claim | null>
    readonly renew: (provider: string, untilMs: number) => Effect.Effect<void>
    /** All that was created before `doneToMs` has been compared. */
    readonly advance: (provider: string, doneToMs: number) => Effect.Effect<void>
    /** Gives the claim back; `completed` where nothing was left out. */
    readonly finish: (
      provider: string,
      nowMs: number,
      look: { readonly completed: boolean; readonly listed: number; readonly differences: number }
    ) => Effect.Effect<void>
    readonly payments: (
      ids: ReadonlyArray<PaymentIntentId>
    ) => Effect.Effect<ReadonlyMap<PaymentIntentId, OurPayment>>
    /** Captured payments of the provider, made in that time, a page at a time in the order of their ids. */
    readonly captured: (
      provider: string,
      fromMs: number,
      toMs: number,
      after: PaymentIntentId | null
    ) => Effect.Effect<ReadonlyArray<OurPayment>>
    /** Keeps what was found, and answers what was not known before. */
    readonly record: (
      differences: ReadonlyArray<Difference>,
      nowMs: number
    ) => Effect.Effect<ReadonlyArray<StoredDifference>>
    readonly open: (provider: string | null, limit: number) => Effect.Effect<ReadonlyArray<StoredDifference>>
    readonly ofIntent: (intentId: PaymentIntentId) => Effect.Effect<ReadonlyArray<StoredDifference>>
    readonly close: (ids: ReadonlyArray<string>, nowMs: number, resolution: string) => Effect.Effect<void>
    /** As `close`, for one that was just kept. */
    readonly closeOf: (difference: Difference, nowMs: number, resolution: string) => Effect.Effect<void>
    /** Has the supervisors ask for the payments now. */
    readonly makeDue: (ids: ReadonlyArray<PaymentIntentId>, nowMs: number) => Effect.Effect<void>
    readonly openCounts: Effect.Effect<ReadonlyArray<typeof OpenCount.Type>>
    readonly looks: Effect.Effect<ReadonlyArray<typeof Look.Type>>
  }
>()("@onsale/payments/ReconciliationTable") {
  static readonly layer = Layer.effect(
    ReconciliationTable,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const at = (ms: number) => sql`to_timestamp(${ms}::float8 / 1000)`
      const ms = (column: string) => sql.literal(`(extract(epoch FROM ${column}) * 1000)::float8`)
      const decodePayments = Schema.decodeUnknownEffect(Schema.Array(Payment))
      const decodeDifferences = Schema.decodeUnknownEffect(Schema.Array(StoredDifference))
      const decodeClaims = Schema.decodeUnknownEffect(Schema.Array(Claim))
      const decodeCounts = Schema.decodeUnknownEffect(Schema.Array(OpenCount))
      const decodeLooks = Schema.decodeUnknownEffect(Schema.Array(Look))
      const payment = sql`id AS "intentId", order_id AS "orderId", provider, status, amount::float8 AS amount, currency,
        captured::float8 AS captured, refunded::float8 AS refunded, provider_reference AS reference,
        ${ms("updated_at")} AS "updatedAtMs"`
      const difference = sql`id, provider, reference, intent_id AS "intentId", kind, ours, theirs,
        found_at AS "foundAt", seen_at AS "seenAt", mended_at AS "mendedAt", resolution`

      return ReconciliationTable.of({
        claim: Effect.fn("ReconciliationTable.claim")(function* (provider, nowMs, untilMs, doneBeforeMs) {
          const rows =
            yield* sql`INSERT INTO payments.reconciliations AS r (provider, claimed_until, last_started_at)
            VALUES (${provider}::text, ${at(untilMs)}, ${at(nowMs)})
            ON CONFLICT (provider) DO UPDATE SET claimed_until = ${at(untilMs)}, last_started_at = ${at(nowMs)}
              WHERE r.claimed_until <= ${at(nowMs)}
                AND (r.last_completed_at IS NULL OR r.last_completed_at <= ${at(doneBeforeMs)})
            RETURNING ${ms("r.done_to")} AS "doneToMs", (SELECT ${ms("min(i.created_at)")} FROM payments.intents i
              WHERE r.done_to IS NULL AND i.provider = r.provider) AS "oldestMs"`
          return (yield* decodeClaims(rows))[0] ?? null
        }, orDie),

        renew: Effect.fn("ReconciliationTable.renew")(function* (provider, untilMs) {
          yield* sql`UPDATE payments.reconciliations SET claimed_until = ${at(untilMs)} WHERE provider = ${provider}::text`
        }, orDie),

        advance: Effect.fn("ReconciliationTable.advance")(function* (provider, doneToMs) {
          yield* sql`UPDATE payments.reconciliations SET done_to = greatest(done_to, ${at(doneToMs)})
            WHERE provider = ${provider}::text`
        }, orDie),

        finish: Effect.fn("ReconciliationTable.finish")(function* (provider, nowMs, look) {
          yield* sql`UPDATE payments.reconciliations SET claimed_until = ${at(nowMs)},
              listed = ${look.listed}::bigint, differences = ${look.differences}::int,
              last_completed_at = CASE WHEN ${look.completed}::boolean THEN ${at(nowMs)} ELSE last_completed_at END
            WHERE provider = ${provider}::text`
        }, orDie),

        payments: Effect.fn("ReconciliationTable.payments")(function* (ids) {
          if (ids.length === 0) return new Map()
          const rows = yield* sql`SELECT ${payment} FROM payments.intents WHERE id = ANY (${ids}::uuid[])`
          return new Map((yield* decodePayments(rows)).map((ours) => [ours.intentId, ours]))
        }, orDie),

        captured: Effect.fn("ReconciliationTable.captured")(function* (provider, fromMs, toMs, after) {
          const rows = yield* sql`SELECT ${payment} FROM payments.intents
            WHERE id >= ${lowestId(fromMs)}::uuid AND id < ${lowestId(toMs)}::uuid AND id > ${after ?? lowestId(0)}::uuid
              AND provider = ${provider}::text AND captured > 0 ORDER BY id LIMIT ${page}::int`
          return yield* decodePayments(rows)
        }, orDie),

        record: Effect.fn("ReconciliationTable.record")(function* (differences, nowMs) {
          if (differences.length === 0) return []
          const rows = JSON.stringify(
            differences.map(({ intentId, ...rest }) => ({
              ...rest,
              id: makeUuidV7(nowMs),
              intent_id: intentId
            }))
          )
          const stored = yield* sql`WITH kept AS (
              INSERT INTO payments.differences (id, provider, reference, intent_id, kind, ours, theirs, found_at, seen_at)
              SELECT DISTINCT ON (provider, reference, kind) id, provider, reference, intent_id, kind, ours, theirs,
                ${at(nowMs)}, ${at(nowMs)}
              FROM json_to_recordset(${rows}::json)
                AS row (id uuid, provider text, reference text, intent_id uuid, kind text, ours json, theirs json)
              ON CONFLICT (provider, reference, kind) WHERE mended_at IS NULL
                DO UPDATE SET seen_at = excluded.seen_at, ours = excluded.ours, theirs = excluded.theirs
              RETURNING *)
            SELECT ${difference} FROM kept WHERE found_at = seen_at`
          return yield* decodeDifferences(stored)
        }, orDie),

        open: Effect.fn("ReconciliationTable.open")(function* (provider, limit) {
          const rows = yield* sql`SELECT ${difference} FROM payments.differences
            WHERE mended_at IS NULL AND (${provider}::text IS NULL OR provider = ${provider}::text)
            ORDER BY seen_at, id LIMIT ${limit}::int`
          return yield* decodeDifferences(rows)
        }, orDie),

        ofIntent: Effect.fn("ReconciliationTable.ofIntent")(function* (intentId) {
          const rows = yield* sql`SELECT ${difference} FROM payments.differences
            WHERE intent_id = ${intentId}::uuid ORDER BY found_at, id LIMIT 1000`
          return yield* decodeDifferences(rows)
        }, orDie),

        close: Effect.fn("ReconciliationTable.close")(function* (ids, nowMs, resolution) {
          if (ids.length === 0) return
          yield* sql`UPDATE payments.differences SET mended_at = ${at(nowMs)}, resolution = ${resolution}::text
            WHERE id = ANY (${ids}::uuid[]) AND mended_at IS NULL`
        }, orDie),

        closeOf: Effect.fn("ReconciliationTable.closeOf")(function* (one, nowMs, resolution) {
          yield* sql`UPDATE payments.differences SET mended_at = ${at(nowMs)}, resolution = ${resolution}::text
            WHERE provider = ${one.provider}::text AND reference = ${one.reference}::text AND kind = ${one.kind}::text
              AND mended_at IS NULL`
        }, orDie),

        makeDue: Effect.fn("ReconciliationTable.makeDue")(function* (ids, nowMs) {
          if (ids.length === 0) return
          yield* sql`UPDATE payments.intents SET checks = 0, next_check_at = least(next_check_at, ${at(nowMs)})
            WHERE id = ANY (${ids}::uuid[])`
        }, orDie),

        openCounts: Effect.suspend(() =>
          sql`SELECT provider, kind, count(*)::int AS count FROM payments.differences
            WHERE mended_at IS NULL GROUP BY 1, 2`.pipe(Effect.flatMap(decodeCounts), orDie)
        ),

        looks: Effect.suspend(() =>
          sql`SELECT provider, ${ms("last_completed_at")} AS "completedAtMs", ${ms("last_started_at")} AS "startedAtMs"
            FROM payments.reconciliations`.pipe(Effect.flatMap(decodeLooks), orDie)
        )
      })
    })
  )
}

/** A difference in one line, for logs and people. */
export const tellDifference = ({
  intentId,
  kind,
  ours,
  provider,
  reference,
  theirs
}: StoredDifference): string => {
  const side = (one: StoredDifference["ours"]) =>
    one === null
      ? "nothing"
      : `${one.status} ${one.amount} ${one.currency} (captured ${one.captured}, refunded ${one.refunded}, at ${one.provider})`
  return `${kind} of payment ${intentId}, ${reference} at ${provider}: they have ${side(theirs)}, we have ${side(ours)}`
}

/** What may pass is tried again; then it is a defect of the look, which is logged and made again. */
const orDie = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  effect.pipe(
    Effect.retry({
      schedule: Schedule.jittered(Schedule.exponential("100 millis")),
      times: 3,
      while: (error) => SqlError.isSqlError(error) && error.isRetryable
    }),
    Effect.orDie
  )
