/**
 * The commands of each event that wait in this process. Everything that waits for an event is carried out as
 * one batch; the next is gathered meanwhile.
 *
 * What is in a batch that fails for good is tried in halves, so that one command that breaks an invariant, or
 * that the database cannot take, does not take the others along.
 */
import type { EventId } from "@onsale/contracts/Ids"
import { InventoryUnavailable } from "@onsale/contracts/inventory/InventoryClient"
import type { InventoryCommand } from "@onsale/contracts/inventory/InventoryCommand"
import { Clock, Duration, Effect, Exit, Fiber, FiberSet, Option, Semaphore } from "effect"
import { notBegun, tooLate, Until } from "../InventorySubmit.ts"
import type { Executed } from "./RowBatch.ts"

/** Commands of one event that may wait; beyond it the answer is "overloaded" at once. Some tenths of a second. */
const waitingLimit = 2_048
/** Commands in one batch: enough that a flush of the disk is nothing to each, and an answer soon there. */
const batchLimit = 256
/**
 * Batches that may be in a transaction at once. One an event, so a crowd at one event takes one connection, and
 * fewer than a pool has, so that what is only read finds some too.
 */
const batchesAtOnce = 6
/** A command that has no answer by then is given up; it may have been carried out. */
const deadlineMs = 5_000
/** A batch that starts late still gets as long as a commit on a busy disk takes. */
const leastMs = 1_000
/** How often commands that have waited too long are looked for. */
const patienceEvery = Duration.millis(250)

export const overloaded = new InventoryUnavailable({ reason: "overloaded", retryAfterMs: 1_000 })

/** Fails with `tooLate` at the deadline. */
export const withDeadline = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.timeoutOrElse(effect, {
    duration: Duration.millis(deadlineMs),
    orElse: () => Effect.fail(tooLate)
  })

/** Who wants to know what becomes of the rows, before those are answered who have asked for it. */
export interface Listener {
  readonly executed: (
    eventId: EventId,
    commands: ReadonlyArray<InventoryCommand>,
    executed: ReadonlyArray<Executed>
  ) => Effect.Effect<void>
  /** Something may have been carried out, and it is not known what came of it. */
  readonly unknown: (eventId: EventId) => Effect.Effect<void>
}

interface Waiting {
  readonly command: InventoryCommand
  /** By a clock that only goes forward. */
  readonly sinceMs: number
  /** When nobody waits for it any more, in milliseconds since 1970. */
  readonly untilMs: number
  /** The first time counts. */
  readonly resume: (effect: Effect.Effect<Executed, InventoryUnavailable>) => void
}

interface Lane {
  readonly waiting: Array<Waiting>
  running: boolean
}

/**
 * `carryOut` carries out a batch, with its retries: the answers in the order of the commands. A failure that is
 * no `InventoryUnavailable` is one of the batch's own, and nothing of it was done.
 */
export const make = Effect.fnUntraced(function* (
  carryOut: (
    eventId: EventId,
    commands: ReadonlyArray<InventoryCommand>
  ) => Effect.Effect<ReadonlyArray<Executed>, InventoryUnavailable>,
  listener: Listener
) {
  const clock = yield* Clock.Clock
  const run = yield* FiberSet.makeRuntime<never, void, never>()
  const permits = Semaphore.makeUnsafe(batchesAtOnce)
  const lanes = new Map<EventId, Lane>()
  const nowMs = () => Number(clock.monotonicTimeNanosUnsafe() / 1_000_000n)

  const failAll = (batch: ReadonlyArray<Waiting>, error: InventoryUnavailable) =>
    Effect.sync(() => {
      for (const { resume } of batch) resume(Effect.fail(error))
    })

  const settle = (eventId: EventId, batch: ReadonlyArray<Waiting>): Effect.Effect<void> => {
    const commands = batch.map(({ command }) => command)
    return carryOut(eventId, commands).pipe(
      Effect.tap((executed) => listener.executed(eventId, commands, executed)),
      Effect.onError(() => listener.unknown(eventId)),
      Effect.map((executed) => {
        batch.forEach(({ resume }, i) => {
          const one = executed[i]
          resume(one === undefined ? Effect.die(new Error("an answer is missing")) : Effect.succeed(one))
        })
      }),
      Effect.catchTag("InventoryUnavailable", (error) => failAll(batch, error)),
      Effect.catchDefect((defect) =>
        Effect.andThen(
          Effect.logError(`a batch of ${batch.length} commands for event ${eventId} failed`, defect),
          inHalves(eventId, batch)
        )
      )
    )
  }

  const inHalves = (eventId: EventId, batch: ReadonlyArray<Waiting>): Effect.Effect<void> =>
    batch.length < 2
      ? failAll(batch, tooLate)
      : // Where not even a batch of none can be carried out, it is none of the commands.
        carryOut(eventId, []).pipe(
          Effect.exit,
          Effect.flatMap((exit) => {
            if (Exit.isFailure(exit)) return failAll(batch, tooLate)
            const middle = batch.length >> 1
            return Effect.andThen(
              settle(eventId, batch.slice(0, middle)),
              settle(eventId, batch.slice(middle))
            )
          })
        )

  const scope = yield* Effect.scope
  const send = (eventId: EventId, lane: Lane) =>
    permits.withPermits(1)(
      Effect.gen(function* () {
        const wallMs = clock.currentTimeMillisUnsafe()
        const batch: Array<Waiting> = []
        while (batch.length < batchLimit) {
          const next = lane.waiting.shift()
          if (next === undefined) break
          // Nothing has happened, and nothing will.
          if (next.untilMs <= wallMs) next.resume(Effect.fail(notBegun))
          else batch.push(next)
        }
        if (batch.length === 0) return
        // It may be interrupted without waiting for it: a connection that is dead may take its time to tell.
        const fiber = yield* Effect.forkIn(settle(eventId, batch), scope, { startImmediately: true })
        const leftMs = Math.max(leastMs, batch[0]!.sinceMs + deadlineMs - nowMs())
        const done = yield* Effect.timeoutOption(Fiber.await(fiber), Duration.millis(leftMs))
        if (Option.isSome(done)) return
        fiber.interruptUnsafe()
        yield* listener.unknown(eventId)
        yield* failAll(batch, tooLate)
      })
    )

  const drain = (eventId: EventId, lane: Lane): Effect.Effect<void> =>
    // The pause lets every request that this turn of the event loop has read come along.
    Effect.yieldNow.pipe(
      Effect.andThen(
        Effect.whileLoop({
          while: () => lane.waiting.length > 0,
          body: () => send(eventId, lane),
          step: () => {}
        })
      ),
      Effect.ensuring(
        Effect.sync(() => {
          lane.running = false
          if (lane.waiting.length === 0) lanes.delete(eventId)
          else start(eventId, lane)
        })
      )
    )

  const start = (eventId: EventId, lane: Lane): void => {
    lane.running = true
    run(drain(eventId, lane))
  }

  // For those who wait behind a batch that waits itself.
  yield* Effect.sleep(patienceEvery).pipe(
    Effect.andThen(
      Effect.sync(() => {
        const oldest = nowMs() - deadlineMs
        for (const { waiting } of lanes.values()) {
          while (waiting[0] !== undefined && waiting[0].sinceMs < oldest)
            waiting.shift()!.resume(Effect.fail(notBegun))
        }
      })
    ),
    Effect.forever,
    Effect.forkScoped
  )

  return {
    /** Carries out a command with those that wait for the same event. */
    execute: (eventId: EventId, command: InventoryCommand): Effect.Effect<Executed, InventoryUnavailable> =>
      Effect.flatMap(Until, (untilMs) =>
        Effect.callback((resume) => {
          let lane = lanes.get(eventId)
          if (lane === undefined) {
            lane = { waiting: [], running: false }
            lanes.set(eventId, lane)
          }
          if (lane.waiting.length >= waitingLimit) return resume(Effect.fail(overloaded))
          lane.waiting.push({
            command,
            sinceMs: nowMs(),
            untilMs: untilMs ?? Number.POSITIVE_INFINITY,
            resume
          })
          if (!lane.running) start(eventId, lane)
        })
      ),

    /** Lets go of what has expired, when it is its turn. */
    sweep: (eventId: EventId) => Effect.asVoid(permits.withPermits(1)(carryOut(eventId, [])))
  }
})
