/** The house seats that an organiser asked for, as indices, checked against the event. Pure. */
import type { NewBlock } from "@onsale/contracts/catalog/Block"
import {
  EventInvalid,
  type InvalidField,
  PlacesUnknown,
  SeatsBlocked
} from "@onsale/contracts/catalog/CatalogErrors"
import type { SeatMap } from "@onsale/contracts/catalog/SeatMap"
import { indexIn, seatId } from "@onsale/contracts/Ids"
import { Result } from "effect"
import { keptTooMuch, limitsOf } from "./BlockRules.ts"
import { tierAreas } from "./SaleAreas.ts"
import type { StoredBlock, StoredEvent } from "./StoredEvent.ts"

/** A layout and each availability have them all; house seats are a small part of a house. */
const maxBlocks = 200
const maxAreas = 1_000
const maxSeats = 50_000

export interface BlockDraft {
  readonly name: string
  readonly seats: ReadonlyArray<number>
  readonly areas: StoredBlock["areas"]
}

/** The index of the first seat of each row and each section, and of the one behind the last. */
const firstSeats = (map: SeatMap) => {
  const rows: Array<number> = []
  const sections: Array<number> = []
  let seat = 0
  for (const section of map.sections) {
    sections.push(seat)
    for (const row of section.rows) {
      rows.push(seat)
      seat += row.seats.length
    }
  }
  return { rows: [...rows, seat], sections: [...sections, seat], count: seat }
}

/** The draft, or why there is none: problems with their place in the body. */
export const check = (
  event: StoredEvent,
  map: SeatMap,
  blocks: ReadonlyArray<StoredBlock>,
  request: NewBlock
): Result.Result<BlockDraft, PlacesUnknown | SeatsBlocked | EventInvalid> => {
  const problems: Array<InvalidField> = []
  const tell = (path: string, message: string) => {
    problems.push({ path, message })
  }
  const first = firstSeats(map)
  const seats = new Set<number>()

  const unknownSeats = (request.seats ?? []).filter((id) => {
    const index = indexIn(event.id, "seat", id)
    if (index === -1 || index >= first.count) return true
    seats.add(index)
    return false
  })
  const addRange = (kind: "row" | "section", ids: ReadonlyArray<string>, starts: ReadonlyArray<number>) =>
    ids.forEach((id, i) => {
      const index = indexIn(event.id, kind, id)
      const from = starts[index]
      const to = starts[index + 1]
      if (from === undefined || to === undefined)
        return tell(`/${kind}s/${i}`, `the event has no such ${kind}`)
      for (let seat = from; seat < to; seat++) seats.add(seat)
    })
  addRange("row", request.rows ?? [], first.rows)
  addRange("section", request.sections ?? [], first.sections)

  const sold = tierAreas(map, event.tiers)
  const unknownAreas: Array<string> = []
  const areas = (request.areas ?? []).flatMap(({ areaId, quantity }, i) => {
    const found = sold[indexIn(event.id, "area", areaId)]
    if (found === undefined) {
      unknownAreas.push(areaId)
      return []
    }
    const tier = event.tiers[found.tier]?.id
    if (tier === undefined) {
      tell(`/areas/${i}/areaId`, "the area is on no tier, so it is not for sale")
      return []
    }
    return [{ area: found.area, tier, quantity, kept: quantity }]
  })
  if (unknownSeats.length + unknownAreas.length > 0)
    return Result.fail(new PlacesUnknown({ seats: unknownSeats, areas: unknownAreas }))

  for (const message of keptTooMuch(map, limitsOf(event), [...blocks, { areas }])) tell("/areas", message)
  if (blocks.length >= maxBlocks) tell("", `an event has at most ${maxBlocks} blocks`)
  if (blocks.reduce((sum, block) => sum + block.areas.length, areas.length) > maxAreas)
    tell("/areas", `the blocks of an event have at most ${maxAreas} areas`)
  if (blocks.reduce((sum, block) => sum + block.seats.length, seats.size) > maxSeats)
    tell("/seats", `the blocks of an event keep at most ${maxSeats} seats`)
  if (problems.length === 0 && seats.size + areas.length === 0) tell("", "there is no seat in what is named")
  if (problems.length > 0) return Result.fail(new EventInvalid({ problems }))

  const taken = blocks.flatMap((block) => block.seats.filter((seat) => seats.has(seat)))
  if (taken.length > 0)
    return Result.fail(
      new SeatsBlocked({ seats: taken.sort((a, b) => a - b).map((seat) => seatId(event.id, seat)) })
    )
  return Result.succeed({ name: request.name, seats: [...seats].sort((a, b) => a - b), areas })
}
