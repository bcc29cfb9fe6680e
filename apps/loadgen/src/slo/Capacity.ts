/** The search for the highest rate that a level carries, whatever makes the load (`test/Capacity.test.ts`: a machine of numbers). */
import { Effect } from "effect"

export interface Try {
  readonly requestsPerSecond: number
  /** Sent and not counted. */
  readonly warmUpSeconds: number
  readonly seconds: number
}

export interface Tried {
  /** In time, and without more errors than the level may have. */
  readonly carried: boolean
  /** Rightly, in time or not. */
  readonly answeredPerSecond: number
}

export interface Found {
  /** 0 where nothing was carried. */
  readonly requestsPerSecond: number
  /** The most that was answered a second, in the warm-up or any try, in time or not. */
  readonly shown: number
  /** Whether more was carried than the search begins with, or all that the level is asked for. */
  readonly rose: boolean
}

export const firstRate = 100
/**
 * Far more than at first, and counted from its first second: what compilers learn from is requests and not seconds, and what
 * the level answers of it says whether a rate found after it can be all that there is.
 */
const warmUp = { requestsPerSecond: 10 * firstRate, warmUpSeconds: 0, seconds: 10 }
const trySeconds = 6
/** Warm-ups of the tries at the first rate, each one's where the one before was not carried: below it nothing is looked for sooner. */
const firstWarmUps = [3, 10, 20]
/** One bad second must not end the rise. */
const nextWarmUps = [3, 10]
const bisections = 4

/** Of what was answered. Within its latencies a level carries a third of that at the worst that was seen. */
export const leastOfShown = 0.25

/** A rate that is so much less than what was answered is no capacity, whatever the tries said. */
export const isCredible = ({ requestsPerSecond, shown }: Found): boolean =>
  requestsPerSecond >= leastOfShown * shown

/** Doubled until it is not carried, twice, then halved in between; below the first rate only where that was never carried. */
export const search = Effect.fnUntraced(function* <E, R>(
  most: number,
  attempt: (what: Try) => Effect.Effect<Tried, E, R>
) {
  let shown = 0
  const tried = Effect.fnUntraced(function* (what: Try) {
    const { answeredPerSecond, carried } = yield* attempt(what)
    shown = Math.max(shown, answeredPerSecond)
    return carried
  })
  const carries = Effect.fnUntraced(function* (requestsPerSecond: number, warmUps: ReadonlyArray<number>) {
    for (const warmUpSeconds of warmUps)
      if (yield* tried({ requestsPerSecond, warmUpSeconds, seconds: trySeconds })) return true
    return false
  })
  yield* tried({ ...warmUp, requestsPerSecond: Math.min(most, warmUp.requestsPerSecond) })
  let [low, high] = [0, Math.min(firstRate, most)]
  while (low < most && (yield* carries(high, low === 0 ? firstWarmUps : nextWarmUps)))
    [low, high] = [high, Math.min(high * 2, most)]
  for (let i = 0; i < bisections && low < most; i++) {
    const middle = Math.round((low + high) / 2)
    if (yield* carries(middle, nextWarmUps.slice(0, 1))) low = middle
    else high = middle
  }
  const found: Found = { requestsPerSecond: low, shown, rose: low > firstRate || low >= most }
  return found
})

/** In a sentence, what is wrong with a rate; undefined where nothing is known to be. */
export const doubt = (found: Found): string | undefined => {
  if (found.rose && isCredible(found)) return undefined
  const { requestsPerSecond, rose, shown } = found
  return [
    rose
      ? `The search ended at ${requestsPerSecond} a second`
      : `The search never rose above the ${firstRate} a second that it began with, and ended at ${requestsPerSecond}`,
    `: ${shown.toFixed(0)} a second were answered at the most, if not in time.`,
    isCredible(found)
      ? ""
      : " That is no capacity: the level was cold, or other programs had the machine. Run it again."
  ].join("")
}
