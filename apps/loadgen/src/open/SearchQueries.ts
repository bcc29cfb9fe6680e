/** What people type who look for an event: most of them the same few things, and many what nobody else types. */
import { zipf } from "../load/Traffic.ts"

/** As they are typed: begun, finished, in another order, with a slip. All events of a run are called Bench, in Bench hall. */
const texts = [
  "bench",
  "ben",
  "benc",
  "bench ",
  "bench hall",
  "hall",
  "hal",
  "hall bench",
  "bnech",
  "bench hlal"
]
/** Who narrows down a search names a day: texts times days are the searches that there are. */
const days = 50
const firstDay = Date.UTC(2026, 0, 1)
const dayMs = 86_400_000
/** As web searches are: few are frequent, and half of all are rare. */
const exponent = 0.9

const all = Array.from({ length: days }, (_, day) =>
  texts.map((text) => {
    const from = day === 0 ? "" : `&from=${new Date(firstDay + day * dayMs).toISOString()}`
    return `/api/v1/search/events?q=${encodeURIComponent(text)}${from}`
  })
).flat()
const rank = zipf(all.length, exponent)

/** One of them, by a number from 0 to below 1. */
export const path = (random: number): string => all[rank(random)]!
