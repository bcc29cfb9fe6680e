/** What makes expiries visible, and forgets old answers, while nobody asks for anything. */
import { EventId } from "@onsale/contracts/Ids"
import { Clock, Duration, Effect, Schedule } from "effect"
import type { RowCommands } from "./RowCommands.ts"

const sweepEvery = Duration.millis(500)
/** Of the sweeps: an answer that is remembered for 15 minutes may stay for some seconds more. */
const sweepsAPrune = 20
/** Holds looked at for their events, in one round. */
const roundLimit = 256

/**
 * Starts it, for as long as the scope lives. A failure is logged, and tried again with a growing pause: an
 * expiry counts without it.
 */
export const sweeping = Effect.fnUntraced(function* (
  { answers, holds }: RowCommands,
  sweep: (eventId: EventId, nowMs: number) => Effect.Effect<number, unknown>
) {
  let round = 0
  const step = Effect.gen(function* () {
    yield* Effect.sleep(sweepEvery)
    const nowMs = yield* Clock.currentTimeMillis
    const events = yield* holds.eventsWithExpired(nowMs, roundLimit)
    yield* Effect.forEach(events, ({ id }) => sweep(EventId.make(id), nowMs), { discard: true })
    if (round++ % sweepsAPrune === 0) yield* answers.prune(nowMs)
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
