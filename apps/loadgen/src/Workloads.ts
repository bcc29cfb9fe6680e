/** What is asked of every contender. */
import type { EventId } from "@onsale/contracts/Ids"
import { Plan } from "./load/Traffic.ts"

export interface WorkloadOptions {
  readonly seconds: number
  readonly buyers: number
}

export interface Workload {
  readonly name: string
  readonly about: string
  /** What has to be on sale; `capacity` is of the one area. */
  readonly seats: number
  readonly capacity: number
  /** Places a hold where places are what is asked for, else 0. */
  readonly quantity: number
  /** What ratios are taken of: winning holds, or all answers where turning the losers away is the work. */
  readonly compares: "won" | "answered"
  /** A round ends after so long at the latest. */
  readonly seconds: number
  /** `round` is from 0. */
  readonly plan: (eventId: EventId, host: string, seats: number, round: number) => Plan
}

/** A million ids a second would do for nobody; a limit keeps nothing and may be asked for ever. */
export const endless = 4_000_000
const arenaSeats = 8_897
/** Beyond what any of ours does on a machine of today; a row for each place has to be made beforehand. */
const placesASecond = 40_000
const rushLimitSeconds = 120
const zipfExponent = 1
const triesABuyer = 3

export const distinct = ({ seconds }: WorkloadOptions): Workload => ({
  name: "distinct",
  about: "distinct seats, two a hold, nobody wants what another wants",
  seats: Math.min(400_000, Math.ceil(seconds * 50_000)),
  capacity: 0,
  quantity: 0,
  compares: "won",
  seconds,
  plan: (eventId, host, seats) => Plan.cases.Pairs.make({ eventId, host, seats })
})

export const rush = ({ buyers }: WorkloadOptions): Workload => ({
  name: "rush",
  about: `${buyers} buyers for ${arenaSeats} seats, two neighbours each, the front liked most (Zipf, exponent ${zipfExponent}), up to ${triesABuyer} tries; closed loop, to the last buyer`,
  seats: arenaSeats,
  capacity: 0,
  quantity: 0,
  compares: "answered",
  seconds: rushLimitSeconds,
  plan: (eventId, host, _, round) =>
    Plan.cases.Rush.make({
      eventId,
      host,
      seats: arenaSeats,
      buyers,
      tries: triesABuyer,
      exponent: zipfExponent,
      seed: round + 1
    })
})

export const counter = ({ seconds }: WorkloadOptions): Workload => ({
  name: "counter",
  about: "one general-admission counter, one place a hold",
  seats: 0,
  capacity: Math.ceil(seconds * placesASecond),
  quantity: 1,
  compares: "won",
  seconds,
  plan: (eventId, host) => Plan.cases.Counter.make({ eventId, host, quantity: 1 })
})

export const workloads = { distinct, rush, counter } as const
