/** When a scan was made, told from a gate's clock. Pure. Milliseconds. */

/** Less is what the network takes; to add it would make scans of one gate differ by how long its uploads took. */
const ignoredMs = 2_000

/** A clock that is further off may have been set since: what it says is no evidence against another gate. */
const believedMs = 10 * 60_000

/** What is to be added to the times of a clock that said `clockMs` at our `nowMs`; null where it is not believed. */
export const correctionOf = (clockMs: number, nowMs: number): number | null => {
  const offMs = nowMs - clockMs
  if (Math.abs(offMs) <= ignoredMs) return 0
  return Math.abs(offMs) <= believedMs ? offMs : null
}

/** The time of a scan: never after its arrival, and at its arrival where the clock is not believed. */
export const timeOf = (scanMs: number, correctionMs: number | null, nowMs: number): number =>
  correctionMs === null ? nowMs : Math.max(0, Math.min(nowMs, scanMs + correctionMs))
