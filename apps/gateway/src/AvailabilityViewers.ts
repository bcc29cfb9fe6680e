/**
 * Those who watch one event over sockets: each a place in a set and a number that says how far it was told. What is
 * to tell is made once and written to all of them.
 *
 * A socket that has not taken its last message is written nothing: what its viewer has missed comes as one message
 * when it has. So nothing queues for a viewer but that one message, whose bytes it shares with others.
 */
import { Effect } from "effect"
import * as AvailabilityEvents from "./AvailabilityEvents.ts"
import type { AvailabilityTopic } from "./AvailabilityTopic.ts"

/** Viewers that are written to before others get the thread: about 3 ms. */
const aChunk = 256
/** A viewer that has not taken its last message after so many heartbeats is cut off: a minute, usually. */
const patience = 4

export interface Viewer {
  /** A `Socket`, or as much of one. */
  readonly socket: {
    readonly write: (bytes: Buffer) => unknown
    readonly writableLength: number
    readonly destroy: () => unknown
  }
  readonly gzip: boolean
  /** Undefined before its first message. */
  told: number | undefined
  /** Whether it was told that nothing is known at the moment, and not yet that it is known again. */
  stale: boolean
  /** When it was written to last. */
  wroteAtMs: number
}

export interface AvailabilityViewers<V extends Viewer> {
  readonly all: ReadonlySet<V>
  /** Tells it what there is to tell: it has got its head. */
  readonly add: (viewer: V) => void
  readonly remove: (viewer: V) => void
  /** Tells everybody what is new, in turns of the thread; a comment where there was nothing for long. */
  readonly turn: Effect.Effect<void>
}

export const make = <V extends Viewer>(
  topic: AvailabilityTopic,
  options: {
    readonly heartbeatMs: number
    readonly nowMs: () => number
    /** Since when nothing is known, as it is told; undefined while the topic is what the inventory says. */
    readonly staleSince: () => string | undefined
  }
): AvailabilityViewers<V> => {
  const { heartbeatMs, nowMs, staleSince } = options
  const events = AvailabilityEvents.make(topic)
  const all = new Set<V>()
  /** Those who have not been told everything, or have not taken it. */
  const behind = new Set<V>()
  /** How far all were told who are not behind. */
  let told = topic.told
  let saidAtMs = nowMs()
  let stale: { readonly since: string; readonly bytes: AvailabilityEvents.Bytes } | undefined
  /** What those who are not behind were told of that. */
  let staleTold: string | undefined
  /** Some were told so, and nobody yet that it is over: who comes between two turns is told at once. */
  let someStale = false

  /** That nothing is known, where it is so. */
  const notice = (): AvailabilityEvents.Bytes | undefined => {
    const since = staleSince()
    if (since !== stale?.since) {
      stale = since === undefined ? undefined : { since, bytes: AvailabilityEvents.stale(since) }
    }
    return stale?.bytes
  }

  const write = (viewer: V, bytes: AvailabilityEvents.Bytes, atMs: number): void => {
    viewer.socket.write(viewer.gzip ? bytes.deflated : bytes.plain)
    viewer.wroteAtMs = atMs
  }

  /** False where the viewer has yet to take what it was written. */
  const free = (viewer: V, atMs: number): boolean => {
    if (viewer.socket.writableLength === 0) return true
    behind.add(viewer)
    if (atMs - viewer.wroteAtMs > patience * heartbeatMs) viewer.socket.destroy()
    return false
  }

  /**
   * A snapshot may be one of a while ago, with what has changed since behind it. Who was told that nothing is known
   * hears what has changed meanwhile, or that nothing has.
   */
  const tell = (viewer: V, atMs: number): void => {
    const unknown = notice()
    while (viewer.told !== topic.told || (viewer.stale && notice() === undefined)) {
      if (!free(viewer, atMs)) return
      const message = viewer.told === topic.told ? events.same() : events.since(viewer.told, atMs)
      write(viewer, message.bytes, atMs)
      viewer.told = message.told
      if (unknown === undefined && viewer.told === topic.told) viewer.stale = false
    }
    if (unknown !== undefined && !viewer.stale) {
      if (!free(viewer, atMs)) return
      write(viewer, unknown, atMs)
      viewer.stale = true
      someStale = true
    }
    if (free(viewer, atMs)) behind.delete(viewer)
  }

  const turn = Effect.gen(function* () {
    const atMs = nowMs()
    const since = staleSince()
    const over = someStale && since === undefined
    const news = told !== topic.told || staleTold !== since || over
    staleTold = since
    if (over) someStale = false
    const beat = !news && atMs - saidAtMs >= heartbeatMs
    told = topic.told
    if (news || beat) saidAtMs = atMs
    let written = 0
    for (const viewer of Array.from(news || beat ? all : behind)) {
      if (++written % aChunk === 0) yield* Effect.yieldNow
      if (!all.has(viewer)) continue
      tell(viewer, atMs)
      if (beat && free(viewer, atMs)) write(viewer, AvailabilityEvents.heartbeat, atMs)
    }
  })

  return {
    all,
    add: (viewer) => {
      all.add(viewer)
      tell(viewer, nowMs())
    },
    remove: (viewer) => {
      all.delete(viewer)
      behind.delete(viewer)
    },
    turn
  }
}
