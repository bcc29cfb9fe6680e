/**
 * The delay that stands: the least of those that were measured in a while, as CoDel has it (RFC 8289 §3). A queue that
 * is emptied now and then is a good one, however long it gets in between; a pause of the garbage collector is no load.
 * Pure.
 */

/** Longer than a turn of the event loop that has work, short enough for a crowd that comes within a second. */
export const windowMs = 200

export interface StandingDelay {
  /** Of the last while that is over. */
  standingMs: number
  leastMs: number
  fromMs: number
}

export const make = (nowMs: number): StandingDelay => ({
  standingMs: 0,
  leastMs: Number.POSITIVE_INFINITY,
  fromMs: nowMs
})

/** Takes one in; true where a while is over with it, and `standingMs` is new. */
export const take = (delay: StandingDelay, delayMs: number, nowMs: number): boolean => {
  delay.leastMs = Math.min(delay.leastMs, Math.max(0, delayMs))
  if (nowMs - delay.fromMs < windowMs) return false
  delay.standingMs = delay.leastMs
  delay.leastMs = Number.POSITIVE_INFINITY
  delay.fromMs = nowMs
  return true
}
