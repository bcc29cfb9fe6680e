/**
 * How much may be at work at once, found out while it runs: additive increase and multiplicative decrease, as TCP's
 * congestion control has it (D.-M. Chiu and R. Jain, 1989; RFC 5681), with a standing delay in place of a lost packet,
 * as Netflix' `concurrency-limits` and CoDel (RFC 8289) do. Pure: who asks says what was measured.
 */

export interface Options {
  /** Work that nobody may be kept from for long goes on with so many. */
  readonly least: number
  readonly most: number
  readonly first: number
  /** As long as work may wait for the thread, in milliseconds, at all times. */
  readonly targetMs: number
}

export interface AdaptiveLimit {
  readonly options: Options
  /** Not whole: a small one has to be able to grow by a part. */
  value: number
  /** There was as much at work as may be, since the last turn: only then is it known what one more would do. */
  reached: boolean
}

/** Of what is measured, far beyond the target. */
const far = 2
/** And far within it, where growing may go faster. */
const near = 0.5
const backFast = 0.5
const back = 0.9
const forthFast = 1.5

export const make = (options: Options): AdaptiveLimit => ({ options, value: options.first, reached: false })

export const whole = ({ value }: AdaptiveLimit): number => Math.floor(value)

/**
 * To be called once for every time that a delay was measured over; `used` is the most that was at work in it. What is not
 * used goes back to where it began (RFC 7661): what a slow provider has needed is no leave to begin a thousand at once.
 */
export const turn = (limit: AdaptiveLimit, standingMs: number, used: number): void => {
  const {
    options: { first, least, most, targetMs },
    reached,
    value
  } = limit
  limit.reached = false
  if (standingMs > targetMs * far) limit.value = Math.max(least, value * backFast)
  else if (standingMs > targetMs) limit.value = Math.max(least, value * back)
  else if (reached)
    limit.value = Math.min(most, standingMs <= targetMs * near ? value * forthFast : value + 1)
  else if (value > first) limit.value = Math.max(first, used, value * back)
}
