/**
 * Messages about an event's availability as server-sent events, in bytes that are made once for all who get them.
 * Pure, but for the memory.
 */
import { constants, deflateRawSync } from "node:zlib"
import type { AvailabilityTopic } from "./AvailabilityTopic.ts"
import type { Told } from "./AvailabilityFeed.ts"

/** JSON has no line break of its own, so an event's data is one line. */
export const encode = ({ id, update }: Told): string => {
  if (update._tag === "Snapshot") {
    return `event: snapshot\nid: ${id}\ndata: ${JSON.stringify(update.availability)}\n\n`
  }
  const { areas, seats, tiers, totals, version } = update
  return `event: delta\nid: ${id}\ndata: ${JSON.stringify({ version, totals, seats, areas, tiers })}\n\n`
}

/**
 * That nothing is known of the event since then. Without an `id`: a stream is resumed by what was told before it.
 * `stored`, as it is said once.
 */
export const stale = (since: string): Bytes => stored(`event: stale\ndata: ${JSON.stringify({ since })}\n\n`)

/** How long a client waits before it comes back; of the rest of the stream and of its end. */
export const retry = (ms: number): string => `retry: ${Math.round(ms)}\n\n`

/** The same bytes for whoever takes them as they are, and for whoever takes gzip. */
export interface Bytes {
  readonly plain: Buffer
  /** Whole blocks of deflate that look back at nothing before them: they may follow any others. */
  readonly deflated: Buffer
}

/** Compressed when the first one asks. */
const compressed = (plain: Buffer): Bytes => {
  let deflated: Buffer | undefined
  return {
    plain,
    get deflated() {
      deflated ??= deflateRawSync(plain, { finishFlush: constants.Z_FULL_FLUSH })
      return deflated
    }
  }
}

/** Of what is too short, or too rarely the same, to compress: a block that is stored as it is (RFC 1951 §3.2.4). */
export const stored = (text: string): Bytes => {
  const plain = Buffer.from(text)
  const head = Buffer.alloc(5)
  head.writeUInt16LE(plain.length, 1)
  head.writeUInt16LE(0xffff - plain.length, 3)
  return { plain, deflated: Buffer.concat([head, plain]) }
}

/** What a body begins with (RFC 1952 §2.3): no name, no time, of an unknown system. */
export const gzipHead = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff])

/** A comment, which clients do not see. */
export const heartbeat = stored(":\n\n")

export interface Message {
  readonly bytes: Bytes
  /** How far who has read it was told. */
  readonly told: number
}

export interface AvailabilityEvents {
  /** What happened since, or a snapshot where `from` is undefined or too long ago; it may be one of a while ago. */
  readonly since: (from: number | undefined, nowMs: number) => Message
  /** A delta of nothing, for who was told everything: that it is so. Made once for all who hear it at the same time. */
  readonly same: () => Message
}

/**
 * A snapshot serves those who come after it for so long: they get what has changed since behind it. Who comes when
 * many do costs no encoding, and what is being read by those who read slowly is never many snapshots.
 */
const snapshotForMs = 1_000

export const make = (topic: AvailabilityTopic): AvailabilityEvents => {
  /** By how far its readers were told before; all are of `told`. */
  const deltas = new Map<number, Message>()
  let told = -1
  let snapshot: (Message & { readonly madeAtMs: number }) | undefined
  let same: (Message & { readonly id: string }) | undefined

  const make = (from: number | undefined): Message => ({
    bytes: compressed(Buffer.from(encode({ update: topic.since(from), id: topic.id() }))),
    told: topic.told
  })

  const wholeAt = (nowMs: number): Message => {
    if (
      snapshot === undefined ||
      nowMs - snapshot.madeAtMs > snapshotForMs ||
      !topic.reaches(snapshot.told)
    ) {
      snapshot = { ...make(undefined), madeAtMs: nowMs }
    }
    return snapshot
  }

  /** All that is kept is of `topic.told`. */
  const renew = (): void => {
    if (told === topic.told) return
    told = topic.told
    deltas.clear()
    same = undefined
  }

  return {
    same: () => {
      renew()
      const id = topic.id()
      if (same?.id !== id) same = { ...make(topic.told), id }
      return same
    },
    since: (from, nowMs) => {
      if (from === undefined || !topic.reaches(from)) return wholeAt(nowMs)
      renew()
      const found = deltas.get(from) ?? make(from)
      deltas.set(from, found)
      return found
    }
  }
}
