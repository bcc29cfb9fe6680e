/**
 * What buyers of a cluster asked and were answered, and whether one careful seller could have answered so.
 *
 * Seat by seat the calls must be linearisable: there is an order of them, in which none begins before another that had
 * ended when it began, and in which every answer is the one of a single seat that is free or held. A call without an
 * answer may have been carried out at any time after it began, or never. The search is that of Wing and Gong ("Testing
 * and verifying concurrent objects", 1993), with a memo of what was tried.
 */

export interface SeatCall {
  /**
   * `hold`: of the seat by a hold. `taken`: somebody was refused because the seat was not free. `release`: of a hold
   * that has it. `kept`: a hold was looked at, and lives.
   */
  readonly kind: "hold" | "taken" | "release" | "kept"
  /** The hold; empty for `taken`. */
  readonly hold: string
  readonly startMs: number
  /** `undefined` where it was never answered. */
  readonly endMs: number | undefined
}

/** The hold that has the seat after the call; undefined where it is free; null where the call is not possible. */
const step = (call: SeatCall, holder: string | undefined): string | undefined | null => {
  switch (call.kind) {
    case "hold":
      return holder === undefined ? call.hold : null
    case "taken":
      return holder === undefined ? null : holder
    case "release":
      return holder === call.hold ? undefined : null
    case "kept":
      return holder === call.hold ? holder : null
  }
}

/** Whether the calls on one seat, free at first, can have happened one after another. */
export const isLinearisable = (all: ReadonlyArray<SeatCall>): boolean => {
  const calls = all.toSorted((a, b) => a.startMs - b.startMs)
  const done = new Uint8Array(calls.length)
  const tried = new Set<string>()
  const search = (left: number, holder: string | undefined): boolean => {
    // What was never answered need not have happened.
    if (left === 0) return true
    const memo = `${done.join("")}|${holder ?? ""}`
    if (tried.has(memo)) return false
    tried.add(memo)
    // The next one must have begun before any other that is left has ended.
    let firstEnd = Number.POSITIVE_INFINITY
    calls.forEach((call, i) => {
      if (done[i] === 0 && call.endMs !== undefined) firstEnd = Math.min(firstEnd, call.endMs)
    })
    for (let i = 0; i < calls.length; i++) {
      const call = calls[i]!
      if (done[i] === 1) continue
      if (call.startMs > firstEnd) break
      const after = step(call, holder)
      if (after === null) continue
      done[i] = 1
      if (search(call.endMs === undefined ? left : left - 1, after)) return true
      done[i] = 0
    }
    return false
  }
  return search(calls.filter(({ endMs }) => endMs !== undefined).length, undefined)
}

/** The seats whose calls cannot have happened one after another. */
export const brokenSeats = (seats: ReadonlyMap<string, ReadonlyArray<SeatCall>>): ReadonlyArray<string> =>
  [...seats].filter(([, calls]) => !isLinearisable(calls)).map(([seat]) => seat)

/** The longest time between two successes, of those that ended after `fromMs`. */
export const longestGapMs = (successesMs: ReadonlyArray<number>, fromMs: number, untilMs: number): number => {
  let before = fromMs
  let longest = 0
  for (const at of successesMs) {
    if (at < fromMs || at > untilMs) continue
    longest = Math.max(longest, at - before)
    before = at
  }
  return Math.max(longest, untilMs - before)
}
