/**
 * When what arrives is due: decided before anything is sent, so that a server that stalls is sent no less, and the
 * wait of what was due meanwhile counts.
 */
import { randomAt } from "../load/Traffic.ts"

/** Milliseconds from the beginning at which each arrival is due, one after another; undefined when there are no more. */
export type Arrivals = () => number | undefined

/** Independent of each other, `perSecond` of them on average (Poisson), for `ms`. */
export const poisson = (perSecond: number, ms: number, seed: number): Arrivals => {
  let at = 0
  let count = 0
  return () => {
    at -= (Math.log(1 - randomAt(seed, count++)) / perSecond) * 1e3
    return at < ms ? at : undefined
  }
}

/** `count` of them within `ms`, anywhere in it. */
export const crowd = (count: number, ms: number, seed: number): Arrivals => {
  const all = Float64Array.from({ length: count }, (_, i) => randomAt(seed, i) * ms).sort()
  let next = 0
  return () => all[next++]
}
