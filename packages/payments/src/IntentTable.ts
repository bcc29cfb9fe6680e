/** The rows of `payments.intents` as the supervisor, the webhooks and an operator use them. */
import { OrderId, PaymentIntentId } from "@onsale/contracts/Ids"
import { PaymentStatus } from "@onsale/contracts/payments/PaymentIntent"
import { Context, Effect, Layer, Schedule, Schema } from "effect"
import { SqlClient, SqlError } from "effect/sql"
import type { WebhookNotice } from "./PaymentProvider.ts"

/** An intent that is not settled. `nextCheckAt` is null where the watch over it has ended. */
export const UnfinishedIntent = Schema.Struct({
  intentId: PaymentIntentId,
  orderId: OrderId,
  provider: Schema.String,
  status: PaymentStatus,
  /** Times the supervisor has looked at it since its last change. */
  checks: Schema.Int,
  nextCheckAt: Schema.NullOr(Schema.Date),
  updatedAt: Schema.Date
})
export type UnfinishedIntent = typeof UnfinishedIntent.Type

const Carried = Schema.Array(Schema.Struct({ correlation: Schema.NullOr(Schema.String) }))

const ClaimedIntent = Schema.Struct({ intentId: PaymentIntentId, dueAtMs: Schema.Finite })
/** `dueAtMs` names the claim: a change of the payment in the meantime gives it another. */
export type ClaimedIntent = typeof ClaimedIntent.Type

/** `noted`: the payment will be asked for. `known`: it says nothing new to us, or the very same came before. */
export type NoticeOutcome = "noted" | "known"

/** Doubles from 2 s to an hour: the first looks find what is merely slow, the last ones what an operator must see. */
const checkAfter = "least(interval '1 hour', interval '2 seconds' * power(2, least(checks, 12)))"

/** After about an hour a request that was on its way to the provider is not under way any more. */
const maxLateChecks = 10

/** The API's own answer is usually a moment behind the webhook; asking at once would ask in vain. */
const noticeDelayMs = 200

/** Providers repeat a webhook for three days at the most; after that the signature's age refuses it anyway. */
const webhookRetentionMs = 7 * 24 * 60 * 60_000

const pruneBatch = 5_000

/** What a status makes of a later notice: told already, so no reason to ask. */
const impliedBy = {
  requires_action: [],
  processing: ["processing"],
  authorised: ["authorised", "captured", "partially_refunded", "refunded", "disputed"],
  captured: ["captured", "partially_refunded", "refunded", "disputed"],
  voided: ["voided"],
  failed: ["failed"],
  refunded: ["refunded"],
  // That a dispute is over is told in the same words as that it began.
  disputed: []
} satisfies Record<WebhookNotice["status"], ReadonlyArray<PaymentStatus>>

export class IntentTable extends Context.Service<
  IntentTable,
  {
    /** Takes what is due, the longest due first, and moves its next check away, so that no two take it. */
    readonly claimDue: (nowMs: number, limit: number) => Effect.Effect<ReadonlyArray<ClaimedIntent>>
    /** Ends the watch over the claimed ones that turned out to be settled. */
    readonly release: (claims: ReadonlyArray<ClaimedIntent>) => Effect.Effect<void>
    /** Records the notice of a provider and has the payment looked at soon. */
    readonly note: (provider: string, notice: WebhookNotice, nowMs: number) => Effect.Effect<NoticeOutcome>
    /** Whether the payment is ours and at another provider: it has left this one. */
    readonly hasLeft: (provider: string, intentId: PaymentIntentId) => Effect.Effect<boolean>
    /** What the first row of the payment carries of the request that it stems from; null where it has none. */
    readonly carried: (intentId: PaymentIntentId) => Effect.Effect<string | null>
    /** Forgets all webhooks that can no longer come again, some thousands at a time; answers how many. */
    readonly pruneWebhooks: (nowMs: number) => Effect.Effect<number>
    /** Unfinished intents whose last change is older than `olderThanMs`, the oldest first. */
    readonly listUnfinished: (
      nowMs: number,
      olderThanMs: number,
      limit: number
    ) => Effect.Effect<ReadonlyArray<UnfinishedIntent>>
  }
>()("@onsale/payments/IntentTable") {
  static readonly layer = Layer.effect(
    IntentTable,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const decodeClaims = Schema.decodeUnknownEffect(Schema.Array(ClaimedIntent))
      const decodeUnfinished = Schema.decodeUnknownEffect(Schema.Array(UnfinishedIntent))
      const decodeCarried = Schema.decodeUnknownEffect(Carried)
      const after = sql.literal(checkAfter)
      const at = (ms: number) => sql`to_timestamp(${ms}::float8 / 1000)`

      return IntentTable.of({
        claimDue: Effect.fn("IntentTable.claimDue")(function* (nowMs, limit) {
          const rows =
            yield* sql`UPDATE payments.intents SET checks = checks + 1, next_check_at = ${at(nowMs)} + ${after}
            WHERE id IN (SELECT id FROM payments.intents WHERE next_check_at <= ${at(nowMs)}
              ORDER BY next_check_at LIMIT ${limit}::int FOR UPDATE SKIP LOCKED)
            RETURNING id AS "intentId", (extract(epoch FROM next_check_at) * 1000)::float8 AS "dueAtMs"`
          return yield* decodeClaims(rows)
        }, orDie),

        release: Effect.fn("IntentTable.release")(function* (claims) {
          if (claims.length === 0) return
          yield* sql`UPDATE payments.intents AS i SET next_check_at = NULL
            FROM unnest(${claims.map((claim) => claim.intentId)}::uuid[], ${claims.map((claim) => `${claim.dueAtMs}`)}::text[]::float8[])
              AS claim(id, due_at_ms)
            WHERE i.id = claim.id AND abs(extract(epoch FROM i.next_check_at) * 1000 - claim.due_at_ms) < 0.01
              AND (i.watch = 'settled' OR (i.watch = 'late' AND i.checks > ${maxLateChecks}::int))`
        }, orDie),

        note: Effect.fn("IntentTable.note")(function* (provider, notice, nowMs) {
          const rows = yield* sql`WITH seen AS (
              INSERT INTO payments.webhook_events (provider, event_id, intent_id, received_at)
              SELECT ${provider}::text, ${notice.eventId}::text, id, ${at(nowMs)} FROM payments.intents
              WHERE id = ${notice.intentId}::uuid AND provider = ${provider}::text
                AND status <> ALL (${impliedBy[notice.status]}::text[])
              ON CONFLICT DO NOTHING RETURNING intent_id)
            UPDATE payments.intents SET checks = 0,
              next_check_at = least(next_check_at, ${at(nowMs + noticeDelayMs)})
            FROM seen WHERE id = seen.intent_id RETURNING id`
          return rows.length > 0 ? ("noted" as const) : ("known" as const)
        }, orDie),

        carried: Effect.fn("IntentTable.carried")(function* (intentId) {
          const rows = yield* sql`SELECT correlation FROM payments.journal
            WHERE stream = ${intentId}::uuid AND version = 1`
          return (yield* decodeCarried(rows))[0]?.correlation ?? null
        }, orDie),

        hasLeft: Effect.fn("IntentTable.hasLeft")(function* (provider, intentId) {
          const rows = yield* sql`SELECT 1 FROM payments.intents
            WHERE id = ${intentId}::uuid AND provider <> ${provider}::text`
          return rows.length > 0
        }, orDie),

        pruneWebhooks: Effect.fn("IntentTable.pruneWebhooks")(function* (nowMs) {
          const forget = Effect.map(
            sql`DELETE FROM payments.webhook_events WHERE (provider, event_id) IN (
              SELECT provider, event_id FROM payments.webhook_events
              WHERE received_at < ${at(nowMs - webhookRetentionMs)} LIMIT ${pruneBatch}::int) RETURNING 1`,
            (rows) => rows.length
          )
          let forgotten = 0
          while (true) {
            const count = yield* forget
            forgotten += count
            if (count < pruneBatch) return forgotten
          }
        }, orDie),

        listUnfinished: Effect.fn("IntentTable.listUnfinished")(function* (nowMs, olderThanMs, limit) {
          const rows = yield* sql`SELECT id AS "intentId", order_id AS "orderId", provider, status, checks,
              next_check_at AS "nextCheckAt", updated_at AS "updatedAt"
            FROM payments.intents WHERE watch = 'open' AND next_check_at IS NOT NULL AND updated_at <= ${at(nowMs - olderThanMs)}
            ORDER BY updated_at LIMIT ${limit}::int`
          return yield* decodeUnfinished(rows)
        }, orDie)
      })
    })
  )
}

/** What may pass is tried again; then it is a defect of whoever asked, who is supervised or answers 500. */
const orDie = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  effect.pipe(
    Effect.retry({
      schedule: Schedule.jittered(Schedule.exponential("100 millis")),
      times: 3,
      while: (error) => SqlError.isSqlError(error) && error.isRetryable
    }),
    Effect.orDie
  )
