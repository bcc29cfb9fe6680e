/** Who was told that a seat is his, compared after the run: the oversell that a client can see. */

export interface Told {
  readonly holdId: string
  /** Keys of seats, such as `eventId/seatId`. */
  readonly seats: ReadonlyArray<string>
  /** When it was asked for and answered; it was decided between. Milliseconds of the Unix epoch. */
  readonly askedMs: number
  readonly answeredMs: number
  /** Until when it was certainly the buyer's: its expiry, or when he began to give it back; Infinity where it was bought. */
  readonly untilMs: number
}

/**
 * Seats that two holds had at one time, whatever happened between an answer and its coming. Of two clocks of one
 * machine, so that no skew has to be allowed for.
 */
export const soldTwice = (told: ReadonlyArray<Told>): ReadonlyArray<string> => {
  const bySeat = new Map<string, Array<Told>>()
  for (const each of told)
    for (const seat of each.seats) {
      const known = bySeat.get(seat)
      if (known === undefined) bySeat.set(seat, [each])
      else known.push(each)
    }
  const twice: Array<string> = []
  for (const [seat, holds] of bySeat) {
    if (holds.length < 2) continue
    holds.sort((a, b) => a.answeredMs - b.answeredMs)
    let longest = holds[0]!
    for (const next of holds.slice(1)) {
      const both = next.holdId !== longest.holdId
      const bothBought = longest.untilMs === Infinity && next.untilMs === Infinity
      if (both && (bothBought || (next.askedMs > longest.answeredMs && next.answeredMs < longest.untilMs))) {
        twice.push(seat)
        break
      }
      if (next.untilMs > longest.untilMs) longest = next
    }
  }
  return twice
}
