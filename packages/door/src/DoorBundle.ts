/** Opens the bundle of an event: what a gate knows of it without asking. */
import { fromBase64, fromBase64Url } from "./Bytes.ts"
import { type DoorKey, type Verifier, verifierOf } from "./Ed25519.ts"
import { SortedEntries } from "./SortedEntries.ts"

export interface DoorEvent {
  readonly id: string
  readonly name: string
  /** UTC instant, ISO 8601. */
  readonly startsAt: string
  readonly timeZone: string
  readonly venue: { readonly name: string; readonly location: string }
}

export interface TierCounts {
  readonly id: string
  readonly name: string | null
  readonly valid: number
  readonly refunded: number
  readonly admitted: number
}

/** When and where a ticket was used; milliseconds since 1970. */
export interface CheckIn {
  readonly atMs: number
  readonly gate: string
}

export interface DoorBundle {
  readonly event: DoorEvent
  readonly tiers: ReadonlyArray<TierCounts>
  readonly sequence: number
  readonly issuedAtMs: number
  /** By the number of their key. */
  readonly verifiers: ReadonlyMap<number, Verifier>
  readonly isRefunded: (ticket: Uint8Array) => boolean
  /** The version of the oldest code that admits. */
  readonly versionOf: (ticket: Uint8Array) => number
  readonly checkInOf: (ticket: Uint8Array) => CheckIn | undefined
}

/** The bundle is not to be used: `untrusted` where none of our keys has signed it, `unreadable` where it is no bundle. */
export class DoorBundleError extends Error {
  override readonly name = "DoorBundleError"
  readonly reason: "untrusted" | "unreadable" | "older" | "other event"
  constructor(reason: DoorBundleError["reason"], options?: ErrorOptions) {
    super(`the bundle is ${reason}`, options)
    this.reason = reason
  }
}

const type = "onsale-door+jws"
const format = 1
/** The largest event has ten megabytes; what is much larger is none of ours. */
const maxLength = 32 * 1024 * 1024

const parse = (base64: string): unknown => {
  const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(fromBase64Url(base64)))
  return value
}

const isHeader = (
  value: unknown
): value is { readonly alg: string; readonly kid: string; readonly typ: string } =>
  typeof value === "object" &&
  value !== null &&
  "alg" in value &&
  value.alg === "Ed25519" &&
  "typ" in value &&
  value.typ === type &&
  "kid" in value &&
  typeof value.kid === "string" &&
  !("crit" in value)

interface Body {
  readonly format: number
  readonly event: DoorEvent
  readonly keys: ReadonlyArray<DoorKey>
  readonly sequence: number
  readonly issuedAtMs: number
  readonly tiers: ReadonlyArray<TierCounts>
  readonly refunded: string
  readonly reissued: string
  readonly gates: ReadonlyArray<string>
  readonly admitted: string
}

/** What we have signed is as we make it: only the format may be another. */
const isBody = (value: unknown): value is Body =>
  typeof value === "object" && value !== null && "format" in value && value.format === format

const number = (bytes: Uint8Array, from: number, to: number): number =>
  bytes.subarray(from, to).reduce((sum, byte) => sum * 256 + byte, 0)

/**
 * Opens a compact JWS that one of the trusted keys has signed. `trustedKeys` come from the organiser once, over a way
 * that is trusted: the bundle's own keys are believed because one of these has signed it.
 *
 * Rejects with a `DoorBundleError`.
 */
export const openBundle = async (jws: string, trustedKeys: ReadonlyArray<DoorKey>): Promise<DoorBundle> => {
  const [protectedHeader, payload, signature, ...more] = jws.length > maxLength ? [] : jws.split(".")
  if (protectedHeader === undefined || payload === undefined || signature === undefined || more.length > 0) {
    throw new DoorBundleError("unreadable")
  }
  try {
    const header = parse(protectedHeader)
    if (!isHeader(header)) throw new DoorBundleError("unreadable")
    const key = trustedKeys.find((key) => String(key.number) === header.kid)
    if (key === undefined) throw new DoorBundleError("untrusted")
    const verifies = await verifierOf(key)
    const signed = new TextEncoder().encode(`${protectedHeader}.${payload}`)
    if (!(await verifies(fromBase64Url(signature), signed))) throw new DoorBundleError("untrusted")
    const body = parse(payload)
    if (!isBody(body)) throw new DoorBundleError("unreadable")
    return await read(body)
  } catch (cause) {
    throw cause instanceof DoorBundleError ? cause : new DoorBundleError("unreadable", { cause })
  }
}

const read = async (body: Body): Promise<DoorBundle> => {
  const refunded = new SortedEntries(fromBase64(body.refunded), 8)
  const reissued = new SortedEntries(fromBase64(body.reissued), 10)
  const admitted = new SortedEntries(fromBase64(body.admitted), 16)
  const verifiers = await Promise.all(
    body.keys.map(async (key) => [key.number, await verifierOf(key)] as const)
  )
  const { event, issuedAtMs, sequence, tiers } = body
  return {
    event,
    tiers,
    sequence,
    issuedAtMs,
    verifiers: new Map(verifiers),
    isRefunded: (ticket) => refunded.find(ticket) !== undefined,
    versionOf: (ticket) => {
      const entry = reissued.find(ticket)
      return entry === undefined ? 1 : number(entry, 8, 10)
    },
    checkInOf: (ticket) => {
      const entry = admitted.find(ticket)
      if (entry === undefined) return undefined
      return { atMs: number(entry, 8, 14), gate: body.gates[number(entry, 14, 16)] ?? "" }
    }
  }
}
