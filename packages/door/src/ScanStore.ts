/** Where a gate keeps its scans until they are told of. A page that is closed loses what is in memory: give it a store that lasts. */

/** Somebody was let in. */
export interface Scan {
  readonly scanId: string
  readonly ticketId: string
  readonly code: string
  readonly gate: string
  /** By the gate's clock, milliseconds since 1970. */
  readonly atMs: number
}

export interface ScanStore {
  /** The scan that has let this ticket in here. */
  readonly find: (ticketId: string) => Promise<Scan | undefined>
  /**
   * Keeps a scan, which is pending from now on; false where its ticket has one. In one step: of two cameras on one
   * ticket one admits. Rejects where there is no room.
   */
  readonly add: (scan: Scan) => Promise<boolean>
  /** Scans that were not told of yet, oldest first, at most `limit`. */
  readonly pending: (limit: number) => Promise<ReadonlyArray<Scan>>
  /** They were told of; their tickets stay used here. */
  readonly settle: (scanIds: ReadonlyArray<string>) => Promise<void>
}

/** A gate sees some thousands. */
const defaultCapacity = 250_000

export class ScanStoreFull extends Error {
  override readonly name = "ScanStoreFull"
}

/** In memory, for so many scans. */
export const memoryStore = (capacity: number = defaultCapacity): ScanStore => {
  const byTicket = new Map<string, Scan>()
  const pending = new Map<string, Scan>()
  return {
    find: async (ticketId) => byTicket.get(ticketId),
    add: async (scan) => {
      if (byTicket.has(scan.ticketId)) return false
      if (byTicket.size >= capacity) throw new ScanStoreFull(`no room for more than ${capacity} scans`)
      byTicket.set(scan.ticketId, scan)
      pending.set(scan.scanId, scan)
      return true
    },
    pending: async (limit) => Array.from(pending.values()).slice(0, limit),
    settle: async (scanIds) => {
      for (const scanId of scanIds) pending.delete(scanId)
    }
  }
}
