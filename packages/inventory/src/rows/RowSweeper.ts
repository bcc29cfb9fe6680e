/** What makes expiries visible, and forgets old answers, while nobody asks for anything. */
import { EventId } from "@onsale/contracts/Ids"
import { Cause, Clock, Duration, Effect, Schedule } from "effect"
import { SqlClient } from "effect/sql"
import { rememberMs } from "../InventoryState.ts"

const sweepEvery = Duration.millis(500)
/** Of the sweeps: an answer that is remembered for 15 minutes may stay for some seconds more. */
const sweepsAPrune = 20
/** Holds looked at for their events, in one round. */
const roundLimit = 256
/** Old answers deleted at once. */
const pruneLimit = 2_000

/**
 * Starts it, for as long as the scope lives. A failure is logged, and tried again with a growing pause: an
 * expiry counts without it.
 */
export const sweeping = Effect.fnUntraced(function* (
  sweep: (eventId: EventId) => Effect.Effect<void, unknown>
) {
  const sql = yield* SqlClient.SqlClient

  const eventsWithExpired = (nowMs: number) =>
    sql<{ readonly id: string }>`SELECT DISTINCT event_id::text AS id FROM
      (SELECT event_id FROM inventory.row_hold WHERE expires_at_ms <= ${nowMs}::bigint
       ORDER BY expires_at_ms LIMIT ${roundLimit}::int) AS expired`

  const prune = (nowMs: number) =>
    sql`DELETE FROM inventory.row_answer AS answer
      USING (SELECT event_id, cmd FROM inventory.row_answer
        WHERE at_ms <= ${nowMs - rememberMs}::bigint AND NOT returned
        ORDER BY at_ms LIMIT ${pruneLimit}::int FOR UPDATE SKIP LOCKED) AS old
      WHERE answer.event_id = old.event_id AND answer.cmd = old.cmd`

  /** One event that cannot be swept must not keep the others from it. */
  const sweepOne = (eventId: EventId) =>
    Effect.catchCauseIf(
      sweep(eventId),
      (cause) => !Cause.hasInterruptsOnly(cause),
      (cause) => Effect.logError(`the expired holds of event ${eventId} could not be swept`, cause)
    )

  let round = 0
  const step = Effect.gen(function* () {
    yield* Effect.sleep(sweepEvery)
    const nowMs = yield* Clock.currentTimeMillis
    const events = yield* eventsWithExpired(nowMs)
    yield* Effect.forEach(events, ({ id }) => sweepOne(EventId.make(id)), { discard: true })
    if (round++ % sweepsAPrune === 0) yield* prune(nowMs)
  })
  yield* step.pipe(
    Effect.sandbox,
    Effect.tapError((cause) => Effect.logError("expired holds could not be swept", cause)),
    Effect.retry(
      Schedule.min([Schedule.exponential("500 millis"), Schedule.spaced("30 seconds")]).pipe(
        Schedule.jittered
      )
    ),
    Effect.forever,
    Effect.forkScoped
  )
})
