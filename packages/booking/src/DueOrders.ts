/**
 * When an unfinished order is looked at next, as it stands in its row of `booking.orders`. Claiming it moves
 * that time on, further with every check that changed nothing, so a broken order costs little and hides no
 * other; and several supervisors share the work without knowing of each other.
 */
import { Clock, Effect, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { OrderId } from "@onsale/contracts/Ids"

/** The first pause between two checks; it doubles with each, up to the last. */
const firstPauseMs = 1_000
const lastPauseMs = 30_000
/** Orders that are made due in one statement. */
const dueBatch = 1_000

const Claimed = Schema.Struct({
  id: OrderId,
  /** Checks in a row that changed nothing, this one included; the end of the buyer's time begins anew. */
  checks: Schema.Int,
  /** Nothing is wrong with it: its buyer is at the bank's page, and has time. */
  waitsForBuyer: Schema.Boolean
})
export type Claimed = typeof Claimed.Type

const now = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  return sql`to_timestamp(${yield* Clock.currentTimeMillis}::float8 / 1000)`
})

/** Takes up to `limit` orders that are due, the longest due first, and puts off their next check. */
export const claim = Effect.fn("DueOrders.claim")(function* (limit: number) {
  const sql = yield* SqlClient.SqlClient
  const at = yield* now
  // Not later than the end of the time to pay, or the seats would be kept from others for nothing.
  const rows = yield* sql`UPDATE booking.orders SET
      checks = looks,
      waiting = true,
      next_check_at = CASE WHEN pay_until > ${at} THEN least(pay_until, ${at} + pause) ELSE ${at} + pause END
    FROM (
      SELECT due, looks, make_interval(secs => least(${lastPauseMs}::float8, ${firstPauseMs}::float8 * 2 ^ least(looks - 1, 10))
          * (0.8 + 0.4 * random()) / 1000) AS pause
      FROM (
        SELECT id AS due, CASE WHEN stage = 'pending' AND next_check_at <= pay_until AND pay_until <= ${at}
          THEN 1 ELSE checks + 1 END AS looks
        FROM booking.orders WHERE next_check_at <= ${at}
        ORDER BY next_check_at LIMIT ${limit}::int FOR UPDATE SKIP LOCKED
      ) AS found
    ) AS claimed
    WHERE id = due
    RETURNING id::text AS id, checks, stage = 'pending' AND pay_until > ${at} AS "waitsForBuyer"`
  return yield* Schema.decodeUnknownEffect(Schema.Array(Claimed))(rows)
})

/** Makes every unfinished order due now, some at a time; claims none. */
export const makeAllDue = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const at = yield* now
  const makeSomeDue = Effect.map(
    sql`UPDATE booking.orders SET next_check_at = ${at} WHERE id IN (
      SELECT id FROM booking.orders WHERE next_check_at > ${at}
      ORDER BY next_check_at LIMIT ${dueBatch}::int FOR UPDATE SKIP LOCKED) RETURNING 1`,
    (rows) => rows.length
  )
  while ((yield* makeSomeDue) === dueBatch);
}).pipe(Effect.withSpan("DueOrders.makeAllDue"))
