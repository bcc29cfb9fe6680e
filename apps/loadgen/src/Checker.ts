/**
 * Looks for what was sold twice, from two sides: what the buyers were told, and what the database keeps.
 * A design that overwrites a claim has one winner in its table and two buyers who were told they won.
 */
import type { PlaceClaim, SeatClaim } from "./peers/Peer.ts"

export interface Findings {
  /** Holds that buyers were told they have. */
  readonly answered: number
  /** Holds in the database. */
  readonly stored: number
  /** Seats with two winners, or places beyond the capacity. */
  readonly soldTwice: number
  /** Holds that were answered with success and are not in the database as they were answered. */
  readonly lost: number
}

export const sound = (findings: Findings): boolean => findings.soldTwice === 0 && findings.lost === 0

/** `seats` lists the seats of each of `holds` one after another, as many for all. */
export const seats = (
  holds: ReadonlyArray<string>,
  seats: Int32Array,
  stored: ReadonlyArray<SeatClaim>
): Findings => {
  const aHold = holds.length === 0 ? 0 : seats.length / holds.length
  const owners = new Map<number, string>()
  const twice = new Set<number>()
  const claim = (hold: string, seat: number) => {
    const owner = owners.get(seat)
    if (owner === undefined) owners.set(seat, hold)
    else if (owner !== hold) twice.add(seat)
  }
  holds.forEach((hold, i) => seats.subarray(i * aHold, (i + 1) * aHold).forEach((seat) => claim(hold, seat)))
  const kept = new Map<string, Set<number>>()
  for (const { hold, seat } of stored) {
    claim(hold, seat)
    const known = kept.get(hold)
    if (known === undefined) kept.set(hold, new Set([seat]))
    else known.add(seat)
  }
  const isKept = (hold: string, i: number) =>
    seats.subarray(i * aHold, (i + 1) * aHold).every((seat) => kept.get(hold)?.has(seat) === true)
  return {
    answered: holds.length,
    stored: kept.size,
    soldTwice: twice.size,
    lost: holds.filter((hold, i) => !isKept(hold, i)).length
  }
}

/** As {@link seats}, where the database cannot be read: only what buyers were told is compared. */
export const answersOnly = (holds: ReadonlyArray<string>, told: Int32Array): Findings => {
  const aHold = holds.length === 0 ? 1 : told.length / holds.length
  return seats(
    holds,
    told,
    Array.from(told, (seat, i) => ({ hold: holds[Math.floor(i / aHold)] ?? "", seat }))
  )
}

/** `quantity` is what each of `holds` was told it has. */
export const places = (
  holds: ReadonlyArray<string>,
  quantity: number,
  capacity: number,
  stored: ReadonlyArray<PlaceClaim>
): Findings => {
  const kept = new Map<string, number>()
  for (const claim of stored) kept.set(claim.hold, (kept.get(claim.hold) ?? 0) + claim.quantity)
  const lost = holds.filter((hold) => kept.get(hold) !== quantity)
  let taken = 0
  for (const places of kept.values()) taken += places
  for (const hold of lost) if (!kept.has(hold)) taken += quantity
  return {
    answered: holds.length,
    stored: kept.size,
    soldTwice: Math.max(0, taken - capacity),
    lost: lost.length
  }
}
