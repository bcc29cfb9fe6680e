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
  options: { readonly heartbeatMs: number; readonly nowMs: () => number }
): AvailabilityViewers<V> => {
  const { heartbeatMs, nowMs } = options
  const events = AvailabilityEvents.make(topic)
  const all = new Set<V>()
  /** Those who have not been told everything, or have not taken it. */
  const behind = new Set<V>()
  /** How far all were told who are not behind. */
  let told = topic.told
  let saidAtMs = nowMs()

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

  /** A snapshot may be one of a while ago, with what has changed since behind it. */
  const tell = (viewer: V, atMs: number): void => {
    while (viewer.told !== topic.told) {
      if (!free(viewer, atMs)) return
      const message = events.since(viewer.told, atMs)
      write(viewer, message.bytes, atMs)
      viewer.told = message.told
    }
    if (free(viewer, atMs)) behind.delete(viewer)
  }

  const turn = Effect.gen(function* () {
    const atMs = nowMs()
    const news = told !== topic.told
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
