/**
 * A crowd: thousands who come within a second, nearly all of whom get nothing and are told so in some tens of
 * microseconds each. Who has won stands aside until they are: he has what he came for, and his hold lives for minutes.
 * Not for long, and not again and again, or a sale that is asked for without end would keep those waiting who pay.
 *
 * It is known by those who lose. The delay of the thread does not show it: whoever is not let in yet waits in the kernel.
 * Pure.
 */

/** Who lose, a second: a machine that sells all it can has fewer. */
export const crowdFrom = 400
/** With so few a second all who came are told. */
export const overFrom = 100
/** The longest that winners stand aside for one: those of a crowd are told within five seconds. */
export const asideForMs = 4_000
/** The next crowd is one that comes so long after the last one. */
export const calmForMs = 10_000

export interface Crowd {
  /** When the one that is there was first seen; undefined while there is none. */
  sinceMs: number | undefined
  /** It has not passed yet. */
  isHere: boolean
  /** When there were so many last. */
  lastMs: number
  /** When it was looked for last. */
  lookedMs: number
}

export const make = (nowMs: number): Crowd => ({
  sinceMs: undefined,
  isHere: false,
  lastMs: Number.NEGATIVE_INFINITY,
  lookedMs: nowMs
})

/** Whether winners stand aside, by how many have lost since it was asked last. */
export const turn = (crowd: Crowd, lost: number, nowMs: number): boolean => {
  const aSecond = (lost * 1_000) / Math.max(1, nowMs - crowd.lookedMs)
  crowd.lookedMs = nowMs
  if (crowd.sinceMs !== undefined && nowMs - crowd.lastMs >= calmForMs) crowd.sinceMs = undefined
  if (aSecond >= crowdFrom) {
    crowd.isHere = true
    crowd.sinceMs ??= nowMs
    crowd.lastMs = nowMs
  } else if (aSecond < overFrom) crowd.isHere = false
  return crowd.isHere && crowd.sinceMs !== undefined && nowMs - crowd.sinceMs < asideForMs
}
