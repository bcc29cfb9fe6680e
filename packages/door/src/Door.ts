/**
 * A gate that lets people in without network: verifies codes by the last bundle it has got, keeps its scans, and tells of
 * them later. Runs in a browser (a secure page, for its Web Crypto) and wherever that is.
 */
import { type CheckIn, type DoorBundle, DoorBundleError, openBundle } from "./DoorBundle.ts"
import type { DoorKey } from "./Ed25519.ts"
import { memoryStore, type Scan, type ScanStore } from "./ScanStore.ts"
import * as TicketCode from "./TicketCode.ts"

export type Verdict =
  | { readonly result: "admitted"; readonly ticketId: string; readonly scanId: string }
  | { readonly result: "used"; readonly ticketId: string; readonly checkIn: CheckIn }
  /** It was refunded, or a newer code was issued. */
  | { readonly result: "cancelled"; readonly ticketId: string; readonly reason: "refunded" | "replaced" }
  | { readonly result: "wrong event"; readonly ticketId: string; readonly eventId: string }
  | { readonly result: "forged" }

/** What an upload is answered with, of one scan (`ScanReport` of the API). */
export interface ScanReport {
  readonly scanId: string
  readonly result: string
}

/** Scans that an upload may have. */
const maxUpload = 1_000

const newScanId = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join(
    ""
  )

export class Door {
  private readonly trustedKeys: ReadonlyArray<DoorKey>
  private readonly store: ScanStore
  private current: DoorBundle

  private constructor(bundle: DoorBundle, trustedKeys: ReadonlyArray<DoorKey>, store: ScanStore) {
    this.current = bundle
    this.trustedKeys = trustedKeys
    this.store = store
  }

  /** A door by its first bundle; rejects as `openBundle`. */
  static async open(options: {
    readonly jws: string
    readonly trustedKeys: ReadonlyArray<DoorKey>
    readonly store?: ScanStore
  }): Promise<Door> {
    const bundle = await openBundle(options.jws, options.trustedKeys)
    return new Door(bundle, options.trustedKeys, options.store ?? memoryStore())
  }

  get bundle(): DoorBundle {
    return this.current
  }

  /** Goes on with a newer bundle of the same event; one that is older is refused, and the door stays as it was. */
  async refresh(jws: string): Promise<DoorBundle> {
    const bundle = await openBundle(jws, this.trustedKeys)
    if (bundle.event.id !== this.current.event.id) throw new DoorBundleError("other event")
    if (bundle.sequence < this.current.sequence) throw new DoorBundleError("older")
    this.current = bundle
    return bundle
  }

  /**
   * Judges a code that is shown at `gate` at `now` (milliseconds since 1970, by the gate's clock). `event` is what is
   * entered here; that of the bundle when left out.
   */
  async verify(
    code: string,
    at: { readonly gate: string; readonly now: number; readonly event?: string }
  ): Promise<Verdict> {
    const bundle = this.current
    const claim = await TicketCode.verify(code, bundle.verifiers)
    if (claim === null) return { result: "forged" }
    const { eventId, key, ticketId, version } = claim
    if (eventId !== bundle.event.id || (at.event !== undefined && eventId !== at.event)) {
      return { result: "wrong event", ticketId, eventId }
    }
    if (bundle.isRefunded(key)) return { result: "cancelled", ticketId, reason: "refunded" }
    if (version < bundle.versionOf(key)) return { result: "cancelled", ticketId, reason: "replaced" }
    const elsewhere = bundle.checkInOf(key)
    if (elsewhere !== undefined) return { result: "used", ticketId, checkIn: elsewhere }
    const scan: Scan = {
      scanId: newScanId(),
      ticketId,
      code: code.trim().toUpperCase(),
      gate: at.gate,
      atMs: at.now
    }
    if (await this.store.add(scan)) return { result: "admitted", ticketId, scanId: scan.scanId }
    const here = await this.store.find(ticketId)
    return { result: "used", ticketId, checkIn: { atMs: here?.atMs ?? at.now, gate: here?.gate ?? at.gate } }
  }

  /** Scans that are to be told of, oldest first; as many as an upload may have. */
  pendingScans(limit: number = maxUpload): Promise<ReadonlyArray<Scan>> {
    return this.store.pending(Math.min(limit, maxUpload))
  }

  /** The body of an upload of pending scans of one gate; null where there are none. `now` is the gate's clock. */
  async upload(now: number): Promise<{
    readonly gate: string
    readonly clockMs: number
    readonly scans: ReadonlyArray<Pick<Scan, "scanId" | "code" | "atMs">>
  } | null> {
    const pending = await this.pendingScans()
    const gate = pending[0]?.gate
    if (gate === undefined) return null
    return {
      gate,
      clockMs: now,
      scans: pending
        .filter((scan) => scan.gate === gate)
        .map(({ atMs, code, scanId }) => ({ scanId, code, atMs }))
    }
  }

  /** What an upload was answered with: those scans are told of, whatever became of them. */
  settle(reports: ReadonlyArray<ScanReport>): Promise<void> {
    return this.store.settle(reports.map(({ scanId }) => scanId))
  }
}
