/** A flash: a crowd within one second, one seat each, and fewer seats than buyers. */
import type { Measured } from "./Measured.ts"
import { type Objective, stated } from "./Objectives.ts"

export interface Flash {
  readonly buyers: number
  readonly seats: number
}

/** Everybody else knows by then that there is nothing left. */
const truthMs = 5_000

export const judge = ({ buyers, seats }: Flash, { audit, load }: Measured): ReadonlyArray<Objective> => {
  const { bought, held, refused, slowestRefusalMs, unanswered } = load.flash
  const broken = audit.filter(({ ok }) => !ok).map(({ invariant }) => invariant)
  const sold = Math.min(seats, buyers)
  return [
    {
      name: "seats sold",
      target: String(sold),
      measured: String(load.seatsBought),
      passed: load.seatsBought === sold
    },
    {
      name: "buyers with a truthful answer",
      target: String(buyers),
      measured: `${bought.count + refused.count}: ${bought.count} bought, ${refused.count} told that there is none`,
      passed: bought.count + refused.count === buyers && unanswered === 0
    },
    {
      name: "the slowest to be told that there is none",
      target: `≤ ${truthMs} ms`,
      measured: `${slowestRefusalMs.toFixed(0)} ms (p50 ${refused.p50.toFixed(0)}, p95 ${refused.p95.toFixed(0)})`,
      passed: refused.count === 0 || slowestRefusalMs <= truthMs
    },
    {
      name: "winners: until they hold, p95",
      target: stated,
      measured: `${held.p95.toFixed(0)} ms (p50 ${held.p50.toFixed(0)}, p99 ${held.p99.toFixed(0)})`,
      passed: undefined
    },
    {
      name: "winners: until they have bought, p95",
      target: stated,
      measured: `${bought.p95.toFixed(0)} ms (p50 ${bought.p50.toFixed(0)}, p99 ${bought.p99.toFixed(0)})`,
      passed: undefined
    },
    {
      name: "told to two buyers",
      target: "0",
      measured: String(load.soldTwice.length),
      passed: load.soldTwice.length === 0
    },
    {
      name: "answers that cannot be right",
      target: "0",
      measured: String(load.wrong),
      passed: load.wrong === 0
    },
    {
      name: "audit",
      target: "no breach",
      measured: broken.length === 0 ? `${audit.length} invariants hold` : broken.join(", "),
      passed: broken.length === 0
    }
  ]
}
