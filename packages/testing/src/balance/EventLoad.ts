/** Events and how much each is asked for. */
import { type EventId, EventId as EventIdSchema } from "@onsale/contracts/Ids"
import type { Dice } from "../simulation/World.ts"

/** An entity of the cluster, and its part of all load; the parts add up to 1. */
export interface EntityLoad {
  readonly entityId: string
  readonly load: number
}

export interface LoadOptions {
  readonly events: number
  /** The event of rank k has a load of 1 / k ^ exponent. */
  readonly exponent: number
  /** The hottest are left out, until none has more than this part of all load that is left. */
  readonly ceiling?: number
}

const dayMs = 86_400_000
const firstMs = Date.UTC(2026, 0, 1)

const hex = (dice: Dice, digits: number): string => {
  let text = ""
  for (let i = 0; i < digits; i++) text += dice.between(0, 15).toString(16)
  return text
}

/** As `makeEventId` of contracts makes them, from a seed: the last six digits are the parts of the event. */
const seededEventId = (dice: Dice, nowMs: number): EventId => {
  const time = nowMs.toString(16).padStart(12, "0")
  return EventIdSchema.make(
    `${time.slice(0, 8)}-${time.slice(8)}-7${hex(dice, 3)}-${dice.pick(["8", "9", "a", "b"])}${hex(dice, 3)}-${hex(dice, 6)}000000`
  )
}

/** Events made over a year, in no order of load. */
export const eventLoads = (dice: Dice, options: LoadOptions): ReadonlyArray<EntityLoad> => {
  const loads = Array.from({ length: options.events }, (_, i) => (i + 1) ** -options.exponent)
  let sum = loads.reduce((total, load) => total + load, 0)
  let head = 0
  while (options.ceiling !== undefined && (loads[head] ?? 0) > options.ceiling * sum)
    sum -= loads[head++] ?? 0
  return loads.slice(head).map((load) => ({
    entityId: seededEventId(dice, firstMs + dice.between(0, 365 * dayMs)),
    load: load / sum
  }))
}

/** The part of all load that the hottest has. */
export const hottest = (entities: ReadonlyArray<EntityLoad>): number =>
  entities.reduce((most, { load }) => Math.max(most, load), 0)
