/**
 * What viewers know, without keeping it for each: messages and states that are the same are one object, and a state
 * is made of another by a message once, however many viewers do it. Every byte that comes is compared all the same.
 */
import { createHash } from "node:crypto"
import { constants, inflateRawSync } from "node:zlib"

interface Snapshot {
  readonly seats: unknown
  readonly unavailable: Readonly<Record<string, string>>
  readonly areas: Readonly<Record<string, unknown>>
  readonly tiers: Readonly<Record<string, unknown>>
}

interface Delta {
  readonly totals: unknown
  readonly seats: Readonly<Record<string, string>>
  readonly areas: Readonly<Record<string, unknown>>
  readonly tiers: Readonly<Record<string, unknown>>
}

export type Message = { readonly bytes: Buffer } & (
  | { readonly event: "snapshot"; readonly data: Snapshot }
  | { readonly event: "delta"; readonly data: Delta }
)

export interface State {
  readonly totals: unknown
  readonly unavailable: ReadonlyMap<string, string>
  readonly areas: Readonly<Record<string, unknown>>
  readonly tiers: Readonly<Record<string, unknown>>
  /** What has been made of it. */
  readonly next: Map<Message, State>
}

const parse = (bytes: Buffer, gzip: boolean): Message => {
  const text = gzip ? inflateRawSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH }) : bytes
  const [event = "", , data = ""] = text.toString("utf8").split("\n")
  const name = event.slice("event: ".length)
  if (name !== "snapshot" && name !== "delta") throw new Error(`an event that we do not know: ${event}`)
  return { event: name, bytes: Buffer.from(bytes), data: JSON.parse(data.slice("data: ".length)) }
}

const keyLength = 80

/** Messages by their first bytes, which have the id, and all of them where those are the same. */
export const messages = () => {
  const known = new Map<string, Array<Message>>()
  return (bytes: Buffer, gzip: boolean): Message => {
    const key = bytes.toString("latin1", 0, keyLength)
    const list = known.get(key) ?? []
    const found = list.find((message) => message.bytes.equals(bytes))
    if (found !== undefined) return found
    const made = parse(bytes, gzip)
    list.push(made)
    known.set(key, list)
    return made
  }
}

const whole = ({ areas, seats, tiers, unavailable }: Snapshot): State => ({
  totals: seats,
  unavailable: new Map(Object.entries(unavailable)),
  areas,
  tiers,
  next: new Map()
})

const changed = (state: State, data: Delta): State => {
  const unavailable = new Map(state.unavailable)
  for (const [seat, status] of Object.entries<string>(data.seats)) {
    if (status === "available") unavailable.delete(seat)
    else unavailable.set(seat, status)
  }
  return {
    totals: data.totals,
    unavailable,
    areas: { ...state.areas, ...data.areas },
    tiers: { ...state.tiers, ...data.tiers },
    next: new Map()
  }
}

/** Snapshots are the same for everybody. */
const snapshots = new WeakMap<Message, State>()

export const apply = (state: State | undefined, message: Message): State => {
  if (message.event === "snapshot") {
    const found = snapshots.get(message) ?? whole(message.data)
    snapshots.set(message, found)
    return found
  }
  if (state === undefined) throw new Error("a delta came before any snapshot")
  const found = state.next.get(message) ?? changed(state, message.data)
  state.next.set(message, found)
  return found
}

const sorted = (entries: Iterable<readonly [string, unknown]>) =>
  Array.from(entries).sort(([a], [b]) => (a < b ? -1 : 1))

/** Of all that shows, without the version; `availability` is what GET answers. */
export const digest = ({ areas, tiers, totals, unavailable }: Omit<State, "next">): string =>
  createHash("sha1")
    .update(
      JSON.stringify([
        totals,
        sorted(unavailable),
        sorted(Object.entries(areas)),
        sorted(Object.entries(tiers))
      ])
    )
    .digest("hex")

/** Of the body of GET availability. */
export const digestOf = (body: string): string => digest(whole(JSON.parse(body)))
