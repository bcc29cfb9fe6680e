/**
 * Copies of what is asked for elsewhere, kept for a short time within a bound on their bytes. Whoever reads one gets
 * it at once while it is fresh; else it is asked for, once for all who wait. What is slow is asked for once more when it
 * has changed, and no oftener before one of the two has come: `ask` has to end by itself.
 *
 * A read that begins after `changed` never shows what was before the change: it waits for a copy that is asked for
 * after it.
 */
import * as ReadMetrics from "@onsale/platform/ReadMetrics"
import { Clock, Duration, Effect, Exit, Fiber, Metric, type Scope } from "effect"

export interface FreshCopiesOptions<Key, Copy, E> {
  /** Of its metrics; they are not counted where it is left out. */
  readonly name?: string
  /** Null where there is none; `before` is what is kept of it, to be given back where nothing has changed. */
  readonly ask: (key: Key, before: Copy | null) => Effect.Effect<Copy | null, E>
  /** Changes that nobody tells of show after this time. */
  readonly freshForMs: number
  /** From this age on whoever reads a copy has it renewed, and does not wait. As fresh as it is, when left out. */
  readonly renewAfterMs?: number
  /** However often one changes: it is not asked for more often than this. */
  readonly pauseMs: number
  /** Copies that are kept; the one that was read longest ago makes room. */
  readonly capacity: number
  /** Of all that are kept. One alone may be larger: to make it for every reader would cost more. */
  readonly maxBytes: number
  readonly bytesOf: (copy: Copy) => number
  /** To ask again for what is kept is little work: only what is not kept needs to be let in. */
  readonly renewsCheaply?: boolean
}

/** hit: it was here; joined: with others, on its way; asked: for this reader, and those who come meanwhile. */
const outcomes = ["hit", "joined", "asked"] as const
const reads = Metric.counter("onsale_copies_reads_total", {
  description: "Reads of the copies of a process, by what became of them",
  incremental: true
})

/** Of one key: one that hangs does not keep a newer one waiting; more would be more work for who is slow already. */
const asksAtOnce = 2

/** Calls `ask` once, when what it asks for may be read; or never. */
export type Admit = (ask: () => void) => void

export type Waiter<Copy, E> = (exit: Exit.Exit<Copy | null, E>) => void

interface Asking<Copy, E> {
  readonly waiters: Array<Waiter<Copy, E>>
  /** How many changes there had been when it was asked for. */
  asOf: number
  atMs: number
}

interface Entry<Copy, E> {
  copy: Copy | null
  bytes: number
  /** How many changes there had been when the copy was asked for. */
  asOf: number
  /** When the copy was asked for, by the clock that only goes forward: the wall clock may be set back by an hour. */
  freshFromMs: number
  /** When it was asked for last, whatever came of it. */
  askedAtMs: number
  changes: number
  /** What was asked for and has not come. */
  current: Asking<Copy, E> | undefined
  /** What will be asked for as soon as the pause is over, and there is room. */
  next: Asking<Copy, E> | undefined
  /** How many were asked for and have not come: those that others have overtaken too. */
  running: number
  whenRoom: (() => void) | undefined
}

export interface FreshCopies<Key, Copy, E> {
  /**
   * Calls back once, at once where the copy is fresh. Null, and failures, are not kept. With `admit` a copy is asked for
   * when that lets it in: who reads what is here, or on its way, does not come to it.
   */
  readonly read: (key: Key, done: Waiter<Copy, E>, admit?: Admit) => void
  /** One that is no older than so many milliseconds, which is no more than `freshForMs`; that, when left out. */
  readonly get: (key: Key, withinMs?: number) => Effect.Effect<Copy | null, E>
  /** What is kept of it, however old. */
  readonly kept: (key: Key) => Copy | null
  /** Reads of it that begin later show what has changed. */
  readonly changed: (key: Key) => void
  readonly allChanged: () => void
  /** To be called when a copy that is kept has become larger. */
  readonly grown: (key: Key, copy: Copy, bytes: number) => void
  readonly size: () => { readonly copies: number; readonly bytes: number }
}

export const make = Effect.fnUntraced(function* <Key, Copy, E>(
  options: FreshCopiesOptions<Key, Copy, E>
): Effect.fn.Return<FreshCopies<Key, Copy, E>, never, Scope.Scope> {
  const { ask, capacity, freshForMs, maxBytes, pauseMs } = options
  const renewAfterMs = options.renewAfterMs ?? freshForMs
  const clock = yield* Clock.Clock
  const scope = yield* Effect.scope
  const context = yield* Effect.context<never>()
  const runFork = Effect.runForkWith(context)
  /** The one that was read longest ago first. */
  const entries = new Map<Key, Entry<Copy, E>>()
  let bytes = 0
  // Plain numbers: to count a read must not cost what the read does.
  const counts = { hit: 0, joined: 0, asked: 0 }
  if (options.name !== undefined) {
    for (const outcome of outcomes) {
      const series = Metric.withAttributes(reads, { copies: options.name, outcome })
      yield* ReadMetrics.counter(series, () => counts[outcome])
    }
  }
  const nowMs = () => Number(clock.monotonicTimeNanosUnsafe()) / 1e6

  const forget = (key: Key, entry: Entry<Copy, E>): void => {
    if (entries.get(key) !== entry) return
    entries.delete(key)
    bytes -= entry.bytes
  }

  const makeRoom = (for_: Entry<Copy, E>): void => {
    for (const [key, entry] of entries) {
      if (bytes <= maxBytes && entries.size <= capacity) return
      if (entry !== for_) forget(key, entry)
    }
  }

  const keep = (key: Key, entry: Entry<Copy, E>, copy: Copy | null): void => {
    entry.copy = copy
    if (entries.get(key) !== entry) return
    // What cannot be had is not remembered: anybody may ask for anything.
    if (copy === null) return entry.next === undefined && entry.running <= 1 ? forget(key, entry) : undefined
    bytes -= entry.bytes
    entry.bytes = options.bytesOf(copy)
    bytes += entry.bytes
    makeRoom(entry)
  }

  /** When one more may be asked for. */
  const room = (entry: Entry<Copy, E>): Effect.Effect<void> =>
    Effect.suspend(() =>
      entry.running < asksAtOnce
        ? Effect.void
        : Effect.callback((resume) => {
            entry.whenRoom = () => resume(Effect.void)
          })
    )

  const refresh = (key: Key, entry: Entry<Copy, E>, asking: Asking<Copy, E>): Effect.Effect<void> => {
    let begun = false
    return Effect.suspend(() =>
      Effect.sleep(Duration.millis(Math.max(0, entry.askedAtMs + pauseMs - nowMs())))
    ).pipe(
      Effect.andThen(room(entry)),
      Effect.andThen(
        Effect.suspend(() => {
          asking.asOf = entry.changes
          entry.next = undefined
          entry.current = asking
          entry.running++
          begun = true
          entry.askedAtMs = nowMs()
          asking.atMs = entry.askedAtMs
          return ask(key, entry.copy)
        })
      ),
      Effect.onExit((exit) =>
        Effect.sync(() => {
          // A later one may have been faster.
          if (Exit.isSuccess(exit) && asking.asOf >= entry.asOf) {
            entry.asOf = asking.asOf
            entry.freshFromMs = asking.atMs
            keep(key, entry, exit.value)
          }
          if (entry.current === asking) entry.current = undefined
          if (entry.next === asking) entry.next = undefined
          if (begun) entry.running--
          if (
            entry.copy === null &&
            entry.current === undefined &&
            entry.next === undefined &&
            entry.running === 0
          ) {
            forget(key, entry)
          }
          for (const waiter of asking.waiters) waiter(exit)
          if (!begun) return
          const { whenRoom } = entry
          entry.whenRoom = undefined
          whenRoom?.()
        })
      ),
      Effect.ignoreCause
    )
  }

  /** May have its answer before it returns. */
  const begin = (key: Key, entry: Entry<Copy, E>, waiters: Array<Waiter<Copy, E>>): void => {
    const asking: Asking<Copy, E> = { waiters, asOf: -1, atMs: Number.NEGATIVE_INFINITY }
    entry.next = asking
    Fiber.runIn(runFork(refresh(key, entry, asking)), scope)
  }

  let lastRead: Key | undefined
  const entryOf = (key: Key): Entry<Copy, E> => {
    let found = entries.get(key)
    if (found !== undefined && key === lastRead) return found
    lastRead = key
    if (found === undefined) {
      found = {
        copy: null,
        bytes: 0,
        asOf: -1,
        freshFromMs: Number.NEGATIVE_INFINITY,
        askedAtMs: Number.NEGATIVE_INFINITY,
        changes: 0,
        current: undefined,
        next: undefined,
        running: 0,
        whenRoom: undefined
      }
    } else entries.delete(key)
    entries.set(key, found)
    if (entries.size > capacity) makeRoom(found)
    return found
  }

  const readWithin = (withinMs: number, key: Key, done: Waiter<Copy, E>, admit?: Admit): void => {
    const entry = entryOf(key)
    if (entry.copy !== null && entry.asOf === entry.changes) {
      const age = nowMs() - entry.freshFromMs
      if (age < withinMs) {
        const { copy } = entry
        if (age >= renewAfterMs && entry.current === undefined && entry.next === undefined)
          begin(key, entry, [])
        counts.hit++
        return done(Exit.succeed(copy))
      }
    }
    const asking = entry.current?.asOf === entry.changes ? entry.current : entry.next
    if (asking === undefined) {
      if (admit !== undefined && (entry.copy === null || options.renewsCheaply !== true)) {
        // Nothing is known of it, and perhaps nothing will be.
        if (entry.copy === null && entry.current === undefined && entry.running === 0) forget(key, entry)
        return admit(() => readWithin(withinMs, key, done))
      }
      counts.asked++
      return begin(key, entry, [done])
    }
    counts.joined++
    asking.waiters.push(done)
  }

  const read = (key: Key, done: Waiter<Copy, E>, admit?: Admit): void =>
    readWithin(freshForMs, key, done, admit)

  const changed = (entry: Entry<Copy, E> | undefined): void => {
    if (entry !== undefined) entry.changes++
  }

  return {
    read,
    get: (key, withinMs = freshForMs) =>
      Effect.callback((resume) => {
        readWithin(Math.min(withinMs, freshForMs), key, resume)
      }),
    kept: (key) => entries.get(key)?.copy ?? null,
    changed: (key) => changed(entries.get(key)),
    allChanged: () => {
      for (const entry of entries.values()) changed(entry)
    },
    grown: (key, copy, more) => {
      const entry = entries.get(key)
      if (entry?.copy !== copy) return
      entry.bytes += more
      bytes += more
      makeRoom(entry)
    },
    size: () => ({ copies: entries.size, bytes })
  }
})
