/** What changed between two views of an event's availability, and what is told of it. Pure. */
import type { AvailabilityDelta } from "@onsale/contracts/http/AvailabilityUpdate"
import { areaId, type EventId, seatId } from "@onsale/contracts/Ids"
import type { AvailabilityView } from "@onsale/contracts/inventory/InventoryCommand"
import { createHash } from "node:crypto"

const statuses = ["available", "held", "sold"] as const

/** 60 bits: of two availabilities of one event. */
const markLength = 10

/** A view with the status of each seat by its index. */
export interface Known {
  readonly view: AvailabilityView
  readonly seats: Uint8Array
  /**
   * A digest of all that is shown, without the version: that stays while a hold expires, and rises where nothing
   * changes. Every process makes the same mark of the same availability.
   */
  readonly mark: string
}

/** Indices of what changed: of seats, and of areas and tiers in the view. */
export interface Change {
  /** Before the change. */
  readonly from: number
  readonly fromMark: string
  readonly seats: ReadonlyArray<number>
  readonly areas: ReadonlyArray<number>
  readonly tiers: ReadonlyArray<number>
}

export const known = (view: AvailabilityView): Known => {
  // Indices count seats that are not for sale too; `total` does not.
  let length = view.total
  for (const seat of view.held) length = Math.max(length, seat + 1)
  for (const seat of view.sold) length = Math.max(length, seat + 1)
  const seats = new Uint8Array(length)
  for (const seat of view.held) seats[seat] = 1
  for (const seat of view.sold) seats[seat] = 2
  const mark = createHash("sha1")
    .update(
      JSON.stringify([
        view.total,
        view.areas.map(({ available, capacity }) => [capacity, available]),
        view.tiers.map(({ available, tier }) => [tier, available])
      ])
    )
    .update(seats)
    .digest("base64url")
    .slice(0, markLength)
  return { view, seats, mark }
}

const indicesWhere = (length: number, differs: (index: number) => boolean): ReadonlyArray<number> => {
  const found: Array<number> = []
  for (let index = 0; index < length; index++) if (differs(index)) found.push(index)
  return found
}

/** Null where the two are of another layout: then only a snapshot tells. */
export const changeOf = (before: Known, after: Known): Change | null => {
  const { view } = before
  const next = after.view
  if (
    view.total !== next.total ||
    view.areas.length > next.areas.length ||
    view.tiers.length !== next.tiers.length ||
    view.tiers.some(({ tier }, index) => next.tiers[index]!.tier !== tier)
  ) {
    return null
  }
  return {
    from: view.version,
    fromMark: before.mark,
    seats: indicesWhere(
      Math.max(before.seats.length, after.seats.length),
      (seat) => (before.seats[seat] ?? 0) !== (after.seats[seat] ?? 0)
    ),
    areas: indicesWhere(next.areas.length, (area) => {
      const [old, now] = [view.areas[area], next.areas[area]!]
      return old?.available !== now.available || old.capacity !== now.capacity
    }),
    tiers: indicesWhere(
      next.tiers.length,
      (tier) => view.tiers[tier]!.available !== next.tiers[tier]!.available
    )
  }
}

export const isNothing = ({ areas, seats, tiers }: Change): boolean =>
  seats.length + areas.length + tiers.length === 0

/** Several changes as one message: what they name, as it is now. */
export const deltaOf = (
  eventId: EventId,
  { seats, view }: Known,
  changes: ReadonlyArray<Change>
): AvailabilityDelta => ({
  _tag: "Delta",
  version: view.version,
  totals: {
    total: view.total,
    available: view.total - view.held.length - view.sold.length,
    held: view.held.length,
    sold: view.sold.length
  },
  seats: Object.fromEntries(
    changes.flatMap((change) =>
      change.seats.map((seat) => [seatId(eventId, seat), statuses[seats[seat] ?? 0]!] as const)
    )
  ),
  areas: Object.fromEntries(
    changes.flatMap((change) =>
      change.areas.map((area) => [areaId(eventId, area), view.areas[area]!] as const)
    )
  ),
  tiers: Object.fromEntries(
    changes.flatMap((change) =>
      change.tiers.map((index) => {
        const { available, tier } = view.tiers[index]!
        return [tier, { available }] as const
      })
    )
  )
})
