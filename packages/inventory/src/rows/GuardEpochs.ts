/**
 * Whether what Redis says of an event counts for this process. It does from when an epoch was begun over the
 * present connection, until something that should have been told to Redis was not.
 *
 * An epoch begins with what Postgres knows at that time: the claims on all seats, and the commands that were
 * answered of late. From then on everybody who changes something tells it to Redis, before he answers.
 */
import { type EventId, makeUuidV7 } from "@onsale/contracts/Ids"
import { Deferred, Duration, Effect, Exit, type Scope } from "effect"
import type { CircuitBreaker, Redis } from "effect/persistence"
import { rememberMs } from "../InventoryState.ts"
import * as Scripts from "./GuardScripts.ts"

/** Events whose epoch is known to be good. */
const epochLimit = 10_000
/** So that much trouble does not become more: an epoch costs as many reads as there are claims and answers. */
const pauseMs = 500
/** Usually it takes some milliseconds; who comes meanwhile had better wait than ask Postgres in a crowd. */
const waitForBegin = Duration.millis(100)
/** Seats or commands that travel in one call: Redis does nothing else meanwhile, for a millisecond or two. */
const chunk = 1_000

export interface Epoch {
  /** The connection over which it was begun. */
  readonly generation: number
  readonly sinceMs: number
  /** Done when it has begun, or could not. */
  readonly begun: Deferred.Deferred<void>
  state: "beginning" | "good" | "lost"
}

/** What Postgres knows of an event. */
export interface Known {
  readonly version: number
  readonly news: ReadonlyArray<Scripts.News>
  readonly commands: ReadonlyArray<{ readonly cmd: string; readonly atMs: number }>
}

const chunks = <A>(all: ReadonlyArray<A>): ReadonlyArray<ReadonlyArray<A>> =>
  Array.from({ length: Math.ceil(all.length / chunk) }, (_, i) => all.slice(i * chunk, (i + 1) * chunk))

export const make = (options: {
  readonly redis: Redis.Redis["Service"]
  readonly generation: () => number
  /** What Postgres knows at `nowMs`, and what it has answered since. */
  readonly known: (eventId: EventId, nowMs: number, sinceMs: number) => Effect.Effect<Known>
  readonly scope: Scope.Scope
  readonly guarded: <A, E>(
    effect: Effect.Effect<A, E>
  ) => Effect.Effect<A, E | CircuitBreaker.CircuitBreakerError>
}) => {
  const send = options.redis.eval(Scripts.begin)
  const epochs = new Map<EventId, Epoch>()

  const begin = Effect.fn("GuardEpochs.begin")(function* (eventId: EventId, nowMs: number) {
    const epoch = makeUuidV7(nowMs)
    // Before the reads: what changes from here on is told to Redis by whoever changes it.
    yield* send({ eventId, epoch, part: { _tag: "First", nowMs } })
    const { commands, news, version } = yield* options.known(eventId, nowMs, nowMs - rememberMs)
    const parts: ReadonlyArray<Scripts.BeginParams["part"]> = [
      ...chunks(commands).map((commands) => ({ _tag: "Answered" as const, commands })),
      ...chunks(news).map((news) => ({ _tag: "Seats" as const, version, news })),
      { _tag: "Last", version }
    ]
    // Where another process has begun one since, that one holds for us too.
    for (const part of parts) if ((yield* send({ eventId, epoch, part })) === 0) return
  })

  const add = (eventId: EventId, nowMs: number): Epoch => {
    const epoch: Epoch = {
      generation: options.generation(),
      sinceMs: nowMs,
      begun: Deferred.makeUnsafe<void>(),
      state: "beginning"
    }
    epochs.delete(eventId)
    epochs.set(eventId, epoch)
    if (epochs.size > epochLimit) {
      for (const oldest of epochs.keys()) {
        epochs.delete(oldest)
        break
      }
    }
    return epoch
  }

  const start = (eventId: EventId, epoch: Epoch) =>
    options.guarded(begin(eventId, epoch.sinceMs)).pipe(
      Effect.onExit((exit) => {
        // Unless something went untold while it began.
        if (epoch.state === "beginning") epoch.state = Exit.isSuccess(exit) ? "good" : "lost"
        return Deferred.succeed(epoch.begun, undefined)
      }),
      Effect.ignore,
      Effect.forkIn(options.scope)
    )

  return {
    /** The epoch under which Redis counts; undefined where it does not, and the rows are to be asked. */
    current: Effect.fnUntraced(function* (eventId: EventId, nowMs: number) {
      let epoch = epochs.get(eventId)
      if (
        epoch === undefined ||
        epoch.generation !== options.generation() ||
        (epoch.state === "lost" && nowMs >= epoch.sinceMs + pauseMs)
      ) {
        epoch = add(eventId, nowMs)
        yield* start(eventId, epoch)
      }
      if (epoch.state === "beginning") yield* Effect.timeoutOption(Deferred.await(epoch.begun), waitForBegin)
      return epoch.state === "good" ? epoch : undefined
    }),

    /** Something was not told to Redis, or may not have been. */
    distrust: (eventId: EventId): Effect.Effect<void> =>
      Effect.sync(() => {
        const epoch = epochs.get(eventId)
        if (epoch !== undefined) epoch.state = "lost"
      })
  }
}
