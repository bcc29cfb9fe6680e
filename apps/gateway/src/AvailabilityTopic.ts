/**
 * What is known of one event that is watched: its availability now, and the last changes before. Nothing is queued
 * for anyone; who watches remembers how far it has been told, and what it has missed is made of the changes.
 */
import type { AvailabilityUpdate } from "@onsale/contracts/http/AvailabilityUpdate"
import type { EventId } from "@onsale/contracts/Ids"
import type { AvailabilityView } from "@onsale/contracts/inventory/InventoryCommand"
import { render } from "./AvailabilityBoard.ts"
import * as Changes from "./AvailabilityChanges.ts"

/** Changes that are kept for those who come back, or read slowly; the event's seats bound them as well. */
export const maxChanges = 64

export interface AvailabilityTopic {
  readonly eventId: EventId
  /** Undefined before the first view. */
  readonly known: Changes.Known | undefined
  /** Counts the changes. */
  readonly told: number
  /** True where there is more to tell than before. */
  readonly learn: (view: AvailabilityView) => boolean
  /**
   * How far who has this version was told; undefined where that is not known. The oldest of equal versions: all is
   * told.
   */
  readonly toldAtVersion: (version: number) => number | undefined
  /** How far who was told this last (`idOf`) was told; undefined where it is nothing that is known. */
  readonly toldAtId: (id: string) => number | undefined
  /** Whether all that happened since is known. */
  readonly reaches: (from: number) => boolean
  /** All that happened since `from`, as one message: all there is, where `from` is undefined or long ago. */
  readonly since: (from: number | undefined) => AvailabilityUpdate
  /** What a stream is resumed by after the message that `since` makes now. */
  readonly id: () => string
}

/** The version is for people: what shows is told by the mark behind it alone. */
const idOf = ({ mark, view }: Changes.Known): string => `${view.version}-${mark}`
const markOf = (id: string): string | undefined => /^\d{1,16}-([\w-]{10})$/.exec(id)?.[1]

export const make = (eventId: EventId): AvailabilityTopic => {
  let known: Changes.Known | undefined
  let told = 0
  const changes: Array<Changes.Change> = []

  /** Dies before the first view: nobody is told anything then. */
  const now = (): Changes.Known => {
    if (known === undefined) throw new Error("nothing is known of the event yet")
    return known
  }

  const keep = (change: Changes.Change, total: number): void => {
    changes.push(change)
    let seats = changes.reduce((sum, { seats }) => sum + seats.length, 0)
    while (changes.length > maxChanges || (seats > total && changes.length > 1)) {
      seats -= changes.shift()!.seats.length
    }
  }

  const at = (index: number): number | undefined => (index === -1 ? undefined : told - changes.length + index)
  const reaches = (from: number): boolean => told - from <= changes.length

  return {
    eventId,
    get known() {
      return known
    },
    get told() {
      return told
    },
    learn: (view) => {
      const before = known
      if (view === before?.view) return false
      const after = Changes.known(view)
      known = after
      if (before === undefined) return true
      const change = Changes.changeOf(before, after)
      if (change === null) changes.length = 0
      else if (Changes.isNothing(change)) return false
      else keep(change, view.total)
      told++
      return true
    },
    toldAtVersion: (version) =>
      at(changes.findIndex(({ from }) => from === version)) ??
      (known?.view.version === version ? told : undefined),
    toldAtId: (id) => {
      const mark = markOf(id)
      if (mark === undefined) return undefined
      return known?.mark === mark ? told : at(changes.findLastIndex(({ fromMark }) => fromMark === mark))
    },
    reaches,
    since: (from) => {
      if (from === undefined || !reaches(from)) {
        return { _tag: "Snapshot", availability: render(eventId, now().view) }
      }
      return Changes.deltaOf(eventId, now(), from === told ? [] : changes.slice(from - told))
    },
    id: () => idOf(now())
  }
}
