/**
 * The one writer of an event's inventory: it takes everything that waits, decides each command in
 * memory, writes the whole batch as one row of the journal, and replies after the commit.
 *
 * What it reads out, it reads between batches: nobody sees what is not committed. When the journal
 * refuses a row, another owner has the stream; when the commit fails in any other way, nobody knows
 * whether it was written. In both cases the writer dies with its state and with everything that waits
 * for it; its entity starts another one from the journal, and asks it again. Command ids make that safe.
 *
 * A batch that breaks an invariant kills the writer too, but is not asked again by itself: it would kill
 * the next one as well, and no seat of the event would be sold any more. Its callers hear
 * "unavailable".
 *
 * Reads are not fenced by a commit, so they are answered from memory for a while only after the journal was last
 * heard from: an owner that was frozen, and wakes up when another has taken over, asks it first.
 */
import type { EventId, HoldId } from "@onsale/contracts/Ids"
import { InventoryUnavailable, LayoutRefused } from "@onsale/contracts/inventory/InventoryClient"
import type {
  AvailabilityView,
  HoldView,
  InventoryAnswer,
  InventoryCommand,
  Refused,
  SeatHold
} from "@onsale/contracts/inventory/InventoryCommand"
import type { InventoryEvent } from "@onsale/contracts/inventory/InventoryEvent"
import { SaleLayout } from "@onsale/contracts/inventory/SaleLayout"
import { JournalConflict } from "@onsale/platform/Journal"
import { Cause, Clock, Duration, Effect, Exit, Metric, Schema } from "effect"
import * as BatchTrace from "./BatchTrace.ts"
import { answerOf, availability, holdOf, holdView, refusal } from "./InventoryAnswers.ts"
import { decide, recall, sweep } from "./Inventory.ts"
import { type Snapshot, snapshotOf } from "./InventorySnapshot.ts"
import { empty, evolve, relayout, relayoutProblem, type State } from "./InventoryState.ts"
import { InventoryStore } from "./InventoryStore.ts"
import * as Layout from "./Layout.ts"

/** Commands that may wait; beyond it the answer is "overloaded" at once. A few batches, a fraction of a second. */
export const queueLimit = 8_192
/** Commands in one batch, and so in one row of the journal. */
const batchLimit = 1_024
/** A snapshot is written after so many rows, which are read again in well under a second. */
const rowsASnapshot = 2_000
/** Expiries are made visible at this pace, unless a command comes first. */
const sweepEvery = Duration.millis(250)
const idleCheck = Duration.seconds(30)
/**
 * For so long the state in memory is taken for that of the journal: less than a runner must be silent before another
 * takes its shards (`RunnerWatch.ts`), so that nobody else has the event yet.
 */
const confirmedForMs = 1_000

const batchSize = Metric.histogram("onsale_inventory_batch_commands", {
  description: "Commands in one journal row",
  boundaries: Metric.linearBoundaries({ start: 0, width: 64, count: 17 })
})
const decided = Metric.counter("onsale_inventory_commands_total", {
  description: "Commands decided, by outcome",
  incremental: true
})
const won = Metric.withAttributes(decided, { outcome: "won" })
const lost = Metric.withAttributes(decided, { outcome: "refused" })

interface Work {
  readonly commands: ReadonlyArray<InventoryCommand>
  /** When nobody waits for it any more, by the clock that only goes forward. */
  readonly untilMs: number
  readonly reply: (exit: Exit.Exit<ReadonlyArray<InventoryAnswer>, InventoryUnavailable>) => void
  readonly trace: BatchTrace.MessageTrace | undefined
}
interface Read {
  readonly read: (state: State | null, nowMs: number) => void
  readonly fail: (exit: Exit.Exit<never>) => void
}
interface Open {
  readonly layout: SaleLayout
  readonly reply: (exit: Exit.Exit<void, LayoutRefused>) => void
}

export interface InventoryWriter {
  /** The answers in the order of the commands, after they are committed. What waits for `waitMs` is not begun. */
  readonly execute: (
    commands: ReadonlyArray<InventoryCommand>,
    waitMs?: number,
    trace?: BatchTrace.MessageTrace
  ) => Effect.Effect<ReadonlyArray<InventoryAnswer>, InventoryUnavailable>
  readonly open: (layout: SaleLayout) => Effect.Effect<void, LayoutRefused>
  readonly hold: (holdId: HoldId) => Effect.Effect<HoldView | Refused>
  readonly holdOf: (seat: number) => Effect.Effect<SeatHold | null>
  readonly availability: Effect.Effect<AvailabilityView | null>
}

/**
 * Not decided now. That is not said to have done nothing: an entity that was restarted is given its requests again, and the
 * first time this one may have been committed.
 */
const perhapsCarriedOut = new InventoryUnavailable({ reason: "deadline", retryAfterMs: 1_000 })

const sameLayout = Schema.toEquivalence(SaleLayout)

/** Loads the inventory of an event and starts its writer, which lives as long as the scope. */
export const make = Effect.fnUntraced(function* (eventId: EventId) {
  const store = yield* InventoryStore
  const clock = yield* Clock.Clock
  const monotonicMs = () => Number(clock.monotonicTimeNanosUnsafe()) / 1e6
  // Before it is read, not after.
  const loadedAtMs = monotonicMs()
  let state = yield* store.load(eventId)
  let rowsSinceSnapshot = 0

  const works: Array<Work> = []
  const reads: Array<Read> = []
  const opens: Array<Open> = []
  /** When the journal said last that the state is its own, by the clock that only goes forward. */
  let confirmedAtMs = loadedAtMs
  /** The batch that is decided or written now. */
  let inHand: ReadonlyArray<Work> = []
  /** The state is what the journal says: false from the first decision of a batch until it is committed. */
  let settled = true
  /** What is in hand breaks an invariant. */
  let poisoned = false
  let queued = 0
  let wake: (() => void) | undefined
  let died: Cause.Cause<never> | undefined
  const notify = () => {
    const go = wake
    wake = undefined
    go?.()
  }

  // Time never goes back in a stream, whichever machine's clock it is.
  const now = () => Math.max(clock.currentTimeMillisUnsafe(), state?.atMs ?? 0)

  const openNext = Effect.fnUntraced(function* (layout: SaleLayout) {
    if (state !== null) {
      const { source } = state.layout
      if (sameLayout(source, layout) || (layout.revision ?? 0) < (source.revision ?? 0)) return
    }
    const version = (state?.version ?? 0) + 1
    const layoutVersion = (state?.layout.version ?? 0) + 1
    const atMs = now()
    const compiled = yield* Effect.try({
      try: () => Layout.compile(layoutVersion, layout),
      catch: (cause) => new LayoutRefused({ problem: String(cause) })
    })
    // Before it is written: a row of the journal that cannot be carried out would stop the event for good.
    const problem = state === null ? undefined : relayoutProblem(state, compiled)
    if (problem !== undefined) return yield* new LayoutRefused({ problem })
    yield* store.open({ eventId, version, atMs, layoutVersion, layout })
    if (state === null) state = empty(compiled)
    else relayout(state, compiled)
    evolve(state, { _tag: "Opened", layout: layoutVersion }, version, atMs)
  })

  /** Nobody waits for these any more: they are answered, and nothing is decided. */
  const dropLate = (): void => {
    const nowMs = monotonicMs()
    if (works.every(({ untilMs }) => untilMs > nowMs)) return
    for (const work of works.splice(0)) {
      if (work.untilMs > nowMs) works.push(work)
      else {
        queued -= work.commands.length
        work.reply(Exit.fail(perhapsCarriedOut))
      }
    }
  }

  /** Takes works until the batch is full; a work is never divided. */
  const takeBatch = (): Array<Work> => {
    dropLate()
    let count = 0
    let taken = 0
    while (taken < works.length && (taken === 0 || count + works[taken]!.commands.length <= batchLimit)) {
      count += works[taken++]!.commands.length
    }
    queued -= count
    return works.splice(0, taken)
  }

  const commit = Effect.fnUntraced(function* (batch: ReadonlyArray<Work>) {
    if (state === null) {
      // Nothing is committed here that could find out that another owner has opened the sale.
      inHand = batch
      if (batch.length > 0) yield* confirm
      inHand = []
      for (const { commands, reply } of batch)
        reply(Exit.succeed(commands.map(() => refusal("event_not_found"))))
      return
    }
    inHand = batch
    settled = false
    // Until the journal is asked, only a broken invariant can go wrong.
    poisoned = true
    const atMs = now()
    const version = state.version + 1
    const events: Array<InventoryEvent> = []
    const expired = sweep(state, atMs)
    if (expired !== undefined) {
      evolve(state, expired, version, atMs)
      events.push(expired)
    }
    const answers: Array<ReadonlyArray<InventoryAnswer>> = []
    let refusals = 0
    for (const { commands } of batch) {
      const replies: Array<InventoryAnswer> = new Array(commands.length)
      for (let i = 0; i < commands.length; i++) {
        const command = commands[i]!
        const seen = recall(state, command)
        if (seen !== undefined) {
          replies[i] = seen
          continue
        }
        const event = decide(state, command, atMs)
        evolve(state, event, version, atMs)
        events.push(event)
        replies[i] = answerOf(state.layout, event, version)
        if (event._tag === "Refused") refusals++
      }
      answers.push(replies)
    }
    poisoned = false
    if (events.length > 0) {
      const askedAtMs = monotonicMs()
      const correlation = BatchTrace.carriedOf(batch)
      const row = { eventId, version, atMs, events }
      yield* store.append(correlation === undefined ? row : { ...row, correlation }).pipe(
        BatchTrace.written(batch),
        Effect.tapErrorTag("UniqueBroken", () =>
          Effect.sync(() => {
            poisoned = true
          })
        )
      )
      rowsSinceSnapshot++
      confirmedAtMs = askedAtMs
    }
    settled = true
    inHand = []
    batch.forEach(({ reply }, i) => reply(Exit.succeed(answers[i]!)))
    const commandEvents = events.length - (expired === undefined ? 0 : 1)
    if (commandEvents > 0) {
      yield* Metric.update(batchSize, commandEvents)
      yield* Metric.update(won, commandEvents - refusals)
      yield* Metric.update(lost, refusals)
    }
  })

  let snapshotUnderWay = false
  const scope = yield* Effect.scope
  const writeSnapshot = Effect.suspend(() => {
    if (state === null || rowsSinceSnapshot === 0) return Effect.void
    rowsSinceSnapshot = 0
    const snapshot: Snapshot = snapshotOf(state)
    // It only saves time: the journal says it all.
    return store
      .snapshot(eventId, snapshot)
      .pipe(Effect.catchCause((cause) => Effect.logWarning("no snapshot was written", cause)))
  })

  const idle = () => works.length === 0 && reads.length === 0 && opens.length === 0

  const wait = Effect.suspend(() => {
    const next = state === null ? Number.POSITIVE_INFINITY : state.expiries.nextMs()
    const pause = Number.isFinite(next)
      ? Duration.max(sweepEvery, Duration.min(Duration.millis(Math.max(0, next - now())), idleCheck))
      : idleCheck
    return Effect.timeoutOption(
      Effect.callback<void>((resume) => {
        // Something may have come since the writer looked, when there was nobody to wake yet.
        if (!idle()) return resume(Effect.void)
        wake = () => resume(Effect.void)
        return Effect.sync(() => {
          wake = undefined
        })
      }),
      pause
    )
  })

  /** Dies where another owner has written. */
  const confirm = Effect.gen(function* () {
    const askedAtMs = monotonicMs()
    const version = state?.version ?? 0
    if ((yield* store.versionOf(eventId)) !== version) {
      return yield* new JournalConflict({ stream: eventId, version: version + 1 })
    }
    confirmedAtMs = askedAtMs
  })

  const step = Effect.gen(function* () {
    if (idle()) yield* Effect.interruptible(wait)
    if (reads.length > 0 && monotonicMs() - confirmedAtMs > confirmedForMs) yield* confirm
    for (const { read } of reads.splice(0)) read(state, now())
    for (let next = opens[0]; next !== undefined; next = opens[0]) {
      const exit = yield* openNext(next.layout).pipe(
        Effect.as(Exit.void),
        Effect.catchTag("LayoutRefused", (refused) => Effect.succeed(Exit.fail(refused)))
      )
      opens.shift()
      next.reply(exit)
    }
    // With nothing waiting, a batch of none still lets go of what has expired.
    yield* commit(takeBatch())
    // Beside the batches that follow: only the copy is made between two of them.
    if (rowsSinceSnapshot >= rowsASnapshot && !snapshotUnderWay) {
      snapshotUnderWay = true
      const done = Effect.sync(() => {
        snapshotUnderWay = false
      })
      yield* Effect.forkIn(Effect.ensuring(writeSnapshot, done), scope, { startImmediately: true })
    }
  })

  const loop = Effect.forever(step).pipe(
    Effect.orDie,
    Effect.onExit((exit) =>
      Effect.suspend(() => {
        died = Exit.isFailure(exit) ? exit.cause : Cause.die(new Error("the inventory's writer ended"))
        const failure = Exit.failCause(died)
        const ofBatch = poisoned ? Exit.fail(perhapsCarriedOut) : failure
        for (const { reply } of inHand) reply(ofBatch)
        for (const { reply } of works.splice(0)) reply(failure)
        for (const { reply } of opens.splice(0)) reply(failure)
        for (const { fail } of reads.splice(0)) fail(failure)
        return Cause.hasInterruptsOnly(died)
          ? Effect.void
          : Effect.logError(`the inventory of event ${eventId} stops and reads its journal again`, died)
      })
    )
  )
  // Written when the event goes to sleep or moves, so that the next owner has little to read.
  yield* Effect.addFinalizer(() => (settled ? writeSnapshot : Effect.void))
  yield* loop.pipe(Effect.uninterruptible, Effect.forkScoped)

  const ask = <A, E>(submit: (reply: (exit: Exit.Exit<A, E>) => void) => unknown): Effect.Effect<A, E> =>
    Effect.callback<A, E>((resume) => {
      if (died !== undefined) return resume(Effect.failCause(died))
      submit((exit) => resume(exit))
      notify()
    })

  const read = <A>(f: (state: State | null, nowMs: number) => A): Effect.Effect<A> =>
    ask((reply) => reads.push({ read: (state, nowMs) => reply(Exit.succeed(f(state, nowMs))), fail: reply }))

  const writer: InventoryWriter = {
    execute: (commands, waitMs = Number.POSITIVE_INFINITY, trace) =>
      ask((reply) => {
        if (queued + commands.length > queueLimit) {
          return reply(Exit.fail(new InventoryUnavailable({ reason: "overloaded", retryAfterMs: 1_000 })))
        }
        queued += commands.length
        works.push({ commands, untilMs: monotonicMs() + waitMs, reply, trace })
      }),
    open: (layout) => ask((reply) => opens.push({ layout, reply })),
    holdOf: (seat) => read((state, nowMs) => (state === null ? null : holdOf(state, seat, nowMs))),
    hold: (holdId) =>
      read((state, nowMs) => (state === null ? refusal("event_not_found") : holdView(state, holdId, nowMs))),
    availability: read((state, nowMs) => (state === null ? null : availability(state, nowMs)))
  }
  return writer
})
