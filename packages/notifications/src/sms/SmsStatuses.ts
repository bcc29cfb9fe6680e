/**
 * What became of an SMS, put on record with its message. Twilio may tell it before the answer that names the message is
 * on record, and tells it once: so what is of no message yet is kept for some minutes, until there is one.
 */
import { Effect, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { settled } from "../SettledSql.ts"

export interface SmsStatus {
  /** Of the message, as its provider calls it. */
  readonly reference: string
  readonly arrived: boolean
  readonly reason: string
}

/** An answer is on record within seconds, or never: then the message is sent again, and has another reference. */
const keptFor = "15 minutes"

/** Many more than are sent in that time before one is on record; beyond them the oldest goes. */
const maxKept = 10_000

const decodeKept = Schema.decodeUnknownEffect(
  Schema.Array(Schema.Struct({ arrived: Schema.Boolean, reason: Schema.String }))
)

export const make = Effect.map(SqlClient.SqlClient, (sql) => {
  /** Whoever tells of a message, and whoever puts its reference on record, do it one after the other. */
  const lock = (reference: string) =>
    sql`SELECT pg_advisory_xact_lock(hashtextextended(${`sms:${reference}`}::text, 0))`

  const keep = Effect.fnUntraced(function* ({ arrived, reason, reference }: SmsStatus) {
    yield* sql`DELETE FROM notifications.early_sms_statuses
      WHERE at < clock_timestamp() - ${keptFor}::interval
        OR n <= (SELECT max(n) FROM notifications.early_sms_statuses) - ${maxKept}::int`
    yield* sql`INSERT INTO notifications.early_sms_statuses (reference, arrived, reason)
      VALUES (${reference}::text, ${arrived}::boolean, ${reason}::text) ON CONFLICT DO NOTHING`
    yield* Effect.logInfo(`a status of an SMS came before its message was on record: ${reason}`)
  })

  /** False where no message has the reference. */
  const record = Effect.fnUntraced(function* ({ arrived, reason, reference }: SmsStatus) {
    const found = yield* sql`SELECT 1 FROM notifications.messages
      WHERE reference = ${reference}::text AND channel = 'sms' FOR UPDATE`
    if (found.length === 0) return false
    yield* sql`INSERT INTO notifications.attempts (message_id, at, provider, outcome, reason)
      SELECT id, clock_timestamp(), provider, ${arrived ? "sent" : "refused"}::text, ${reason}::text
      FROM notifications.messages m
      WHERE reference = ${reference}::text AND channel = 'sms' AND NOT EXISTS (
        SELECT FROM notifications.attempts a WHERE a.message_id = m.id AND a.reason = ${reason}::text)`
    if (!arrived) {
      yield* sql`UPDATE notifications.messages SET bounced_at = clock_timestamp()
        WHERE reference = ${reference}::text AND channel = 'sms' AND bounced_at IS NULL`
    }
    return true
  })

  return {
    /** What is told twice, and Twilio repeats what we were slow to answer, is on record once. */
    take: Effect.fn("SmsStatuses.take")(
      function* (status: SmsStatus) {
        yield* lock(status.reference)
        if (!(yield* record(status))) yield* keep(status)
      },
      (effect) => settled(sql.withTransaction(effect))
    ),

    /**
     * Puts the reference of a message on record by `write`, and what was told of it before then. In a transaction: a
     * status that comes meanwhile waits for its end.
     */
    settle: Effect.fn("SmsStatuses.settle")(
      function* <E, R>(reference: string, write: Effect.Effect<void, E, R>) {
        yield* lock(reference)
        yield* write
        const kept =
          yield* sql`DELETE FROM notifications.early_sms_statuses WHERE reference = ${reference}::text
          RETURNING arrived, reason`
        for (const early of yield* Effect.orDie(decodeKept(kept))) yield* record({ reference, ...early })
      },
      (effect) => sql.withTransaction(effect)
    )
  }
})
