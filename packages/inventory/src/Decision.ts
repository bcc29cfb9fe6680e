/** What decisions on commands have in common. Pure. */
import type { HoldId } from "@onsale/contracts/Ids"
import type {
  AreaClaim,
  InventoryCommand,
  LimitScope,
  Refused
} from "@onsale/contracts/inventory/InventoryCommand"
import type { TierId } from "@onsale/contracts/Ids"
import type { CommandEvent, Hold, State } from "./InventoryState.ts"

export interface Claims {
  readonly seats: ReadonlyArray<number>
  readonly areas: ReadonlyArray<AreaClaim>
}

/** What a command claims, each seat and each area once: a claim that is counted twice would not be checked. */
export const claimsOf = ({ seats, areas }: Claims): Claims => {
  const each = new Set(seats)
  const places = new Map<number, number>()
  for (const { area, quantity } of areas) places.set(area, (places.get(area) ?? 0) + quantity)
  return {
    seats: each.size === seats.length ? seats : Array.from(each),
    areas:
      places.size === areas.length ? areas : Array.from(places, ([area, quantity]) => ({ area, quantity }))
  }
}

export const isSeat = (seatCount: number, seat: number): boolean =>
  Number.isInteger(seat) && seat >= 0 && seat < seatCount

export const positive = (areas: ReadonlyArray<AreaClaim>): boolean =>
  areas.every(({ quantity }) => Number.isInteger(quantity) && quantity >= 1)

export const ids = (command: InventoryCommand) => ({ cmd: command.commandId, fp: command.fingerprint })

/** What of a refusal is said; the rest is empty. */
interface Detail {
  readonly seats?: ReadonlyArray<number>
  readonly areas?: ReadonlyArray<number>
  readonly limit?: number
  readonly scope?: LimitScope
  readonly tier?: TierId
}

export const refused = (
  command: InventoryCommand,
  code: Refused["code"],
  { areas = [], limit, seats = [], ...rest }: Detail = {}
): CommandEvent => ({ _tag: "Refused", ...ids(command), code, seats, areas, limit: limit ?? null, ...rest })

/** A hold that counts at `nowMs`. */
export const live = (state: State, holdId: HoldId, nowMs: number): Hold | undefined => {
  const hold = state.holds.get(holdId)
  return hold !== undefined && hold.expiresAtMs > nowMs ? hold : undefined
}

/** The refusal of a command about a hold that does not count. */
export const missing = (
  state: State,
  command: InventoryCommand,
  holdId: HoldId,
  nowMs: number
): CommandEvent => {
  const hold = state.holds.get(holdId)
  return refused(command, hold !== undefined && hold.expiresAtMs <= nowMs ? "hold_expired" : "hold_not_found")
}
