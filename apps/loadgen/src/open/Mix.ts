/** Who comes on a day: how many only look, how many buy, how many are bots. */
import { randomAt, zipf } from "../load/Traffic.ts"

export const mixNames = ["normal", "onsale"] as const
export type MixName = (typeof mixNames)[number]

export type Visitor = "reader" | "buyer" | "bot"

interface Shares {
  /** Of all requests: 0.90 to 0.95 on a normal day, 0.85 to 0.90 during an on-sale. */
  readonly reads: number
  /** Of all who arrive. */
  readonly bots: number
}

const shares: Readonly<Record<MixName, Shares>> = {
  normal: { reads: 0.925, bots: 0 },
  onsale: { reads: 0.875, bots: 0.003 }
}

/** Of what is read by those who only look; together 1. */
const readWeights = [
  ["event", 0.3],
  ["availability", 0.3],
  ["events", 0.15],
  ["seatmap", 0.15],
  ["search", 0.1]
] as const
export type ReadKind = (typeof readWeights)[number][0]

/** Holds that a bot asks for, one behind the other. */
export const botHolds = 5
/** What buyers are, by their habits. */
export const abandoning = 0.2
export const releasing = 0.1
export const declined = 0.03
export const challenged = 0.04

/** What a buyer asks on average, as those habits make it: the reads and the writes. */
export const buyerReads = 1 + (1 - abandoning - releasing) * challenged
export const buyerWrites = 1.05 + releasing + (1 - abandoning - releasing) * (1 + declined + challenged)

export interface Mix {
  /** Requests that one arrival makes, on average. */
  readonly requests: number
  readonly visitor: (random: number) => Visitor
}

/** The share of buyers follows from the share of reads. */
export const make = (name: MixName): Mix => {
  const { bots, reads } = shares[name]
  const writes = 1 - reads
  const buyerMore = buyerReads + buyerWrites - 1
  const buyers = (writes * (1 + (botHolds - 1) * bots) - botHolds * bots) / (buyerWrites - writes * buyerMore)
  return {
    requests: 1 + buyers * buyerMore + bots * (botHolds - 1),
    visitor: (random) => (random < bots ? "bot" : random < bots + buyers ? "buyer" : "reader")
  }
}

export const readKind = (random: number): ReadKind => {
  let sum = 0
  for (const [kind, weight] of readWeights) if (random < (sum += weight)) return kind
  return "event"
}

/** Steady numbers from 0 to below 1, by the seed. */
export const randoms = (seed: number): (() => number) => {
  let count = 0
  return () => randomAt(seed, count++)
}

/** How much the first of the events are wanted more than the others. */
const eventExponent = 0.9
/** How close to the front people want to sit, among the best seats that they think free. */
const seatExponent = 0.6
const wantedSeats = 400

export const eventRanks = (events: number) => zipf(events, eventExponent)
export const seatRanks = zipf(wantedSeats, seatExponent)
