/** House seats of an event: kept by its organiser, and given to everybody later. */
import type { Block, BlockRelease, NewBlock } from "@onsale/contracts/catalog/Block"
import {
  BlockNotFound,
  type EventCancelled,
  EventInvalid,
  EventNotFound,
  type InvalidField,
  PlacesUnknown,
  type SeatsBlocked
} from "@onsale/contracts/catalog/CatalogErrors"
import { areaId, BlockId, type EventId, indexIn, makeUuidV7, seatId } from "@onsale/contracts/Ids"
import type { SeatMap } from "@onsale/contracts/catalog/SeatMap"
import { Clock, Context, Effect, Layer, Result } from "effect"
import { SqlClient } from "effect/sql"
import * as BlockDraft from "./BlockDraft.ts"
import { settled } from "./CatalogSql.ts"
import { EventStore } from "./EventStore.ts"
import { tierAreas } from "./SaleAreas.ts"
import { SaleChanges } from "./SaleChanges.ts"
import * as SaleRows from "./SaleRows.ts"
import type { StoredBlock, StoredEvent } from "./StoredEvent.ts"
import { VenueStore } from "./VenueStore.ts"

/** The index of the first area of each block (see `SaleAreas`). */
const firstAreas = (map: SeatMap, event: StoredEvent, blocks: ReadonlyArray<StoredBlock>) => {
  let next = tierAreas(map, event.tiers).length
  return blocks.map(({ areas }) => {
    const first = next
    next += areas.length
    return first
  })
}

const toBlocks = (
  map: SeatMap,
  event: StoredEvent,
  blocks: ReadonlyArray<StoredBlock>
): ReadonlyArray<Block> => {
  const first = firstAreas(map, event, blocks)
  return blocks.map(({ areas, id, name, seats }, block) => ({
    id,
    name,
    seats: seats.map((seat) => seatId(event.id, seat)),
    areas: areas.map(({ area, kept, quantity }, i) => ({
      areaId: areaId(event.id, first[block]! + i),
      name: map.areas[area]!.name,
      of: areaId(event.id, area),
      quantity,
      kept
    }))
  }))
}

/** What a block keeps after a release, and the seats that it lets go; or why it cannot. */
const released = (
  event: StoredEvent,
  block: StoredBlock,
  firstArea: number,
  request: BlockRelease
): Result.Result<
  { readonly seats: ReadonlyArray<number>; readonly areas: StoredBlock["areas"] },
  PlacesUnknown | EventInvalid
> => {
  // Only a body that names neither means all: a list that somebody's program found nothing for does not.
  if (request.seats === undefined && request.areas === undefined)
    return Result.succeed({ seats: block.seats, areas: block.areas.map((area) => ({ ...area, kept: 0 })) })
  const kept = new Set(block.seats)
  const seats = (request.seats ?? []).map((id) => ({ id, index: indexIn(event.id, "seat", id) }))
  const areas = (request.areas ?? []).map(({ areaId, quantity }) => ({
    id: areaId,
    index: indexIn(event.id, "area", areaId) - firstArea,
    quantity
  }))
  const unknown = {
    seats: seats.filter(({ index }) => !kept.has(index)).map(({ id }) => id),
    areas: areas.filter(({ index }) => block.areas[index] === undefined).map(({ id }) => id)
  }
  if (unknown.seats.length + unknown.areas.length > 0) return Result.fail(new PlacesUnknown(unknown))
  const problems: Array<InvalidField> = []
  const left = block.areas.map((area, index) => {
    const i = areas.findIndex((one) => one.index === index)
    const quantity = areas[i]?.quantity ?? 0
    if (quantity > area.kept)
      problems.push({ path: `/areas/${i}/quantity`, message: `the block keeps ${area.kept} of these places` })
    return { ...area, kept: area.kept - quantity }
  })
  return problems.length > 0
    ? Result.fail(new EventInvalid({ problems }))
    : Result.succeed({ seats: seats.map(({ index }) => index), areas: left })
}

export class Blocks extends Context.Service<
  Blocks,
  {
    /** Keeps seats and places from now on, also those that are held or sold, from when they are free again. */
    readonly create: (
      eventId: EventId,
      block: NewBlock
    ) => Effect.Effect<Block, EventNotFound | EventCancelled | PlacesUnknown | SeatsBlocked | EventInvalid>
    /** In the order of their creation. */
    readonly list: (eventId: EventId) => Effect.Effect<ReadonlyArray<Block>, EventNotFound>
    /** Gives some of a block, or all of it, to everybody; answers what it keeps then. */
    readonly release: (
      eventId: EventId,
      blockId: BlockId,
      request: BlockRelease
    ) => Effect.Effect<Block, EventNotFound | EventCancelled | BlockNotFound | PlacesUnknown | EventInvalid>
  }
>()("@onsale/catalog/Blocks") {
  static readonly layer = Layer.effect(
    Blocks,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const events = yield* EventStore
      const venues = yield* VenueStore
      const changes = yield* SaleChanges
      const findBlocks = SaleRows.blocks(sql)

      const list = Effect.fn("Blocks.list")(function* (eventId: EventId) {
        const event = (yield* events.find(eventId)) ?? (yield* new EventNotFound({ eventId }))
        const map = yield* venues.map(event.venue.id, event.seatMapVersion)
        return toBlocks(map, event, yield* settled(findBlocks(eventId)))
      })

      const one = Effect.fnUntraced(function* (eventId: EventId, blockId: BlockId) {
        const found = (yield* list(eventId)).find(({ id }) => id === blockId)
        // A block is never deleted.
        return found ?? (yield* Effect.die(new Error(`the block ${blockId} is gone`)))
      })

      return Blocks.of({
        list,

        create: Effect.fn("Blocks.create")(function* (eventId, request) {
          const id = BlockId.make(makeUuidV7(yield* Clock.currentTimeMillis))
          yield* changes.change(
            eventId,
            Effect.fnUntraced(function* (event, atMs) {
              const map = yield* venues.map(event.venue.id, event.seatMapVersion)
              const blocks = yield* findBlocks(eventId)
              const draft = yield* Effect.fromResult(BlockDraft.check(event, map, blocks, request))
              yield* SaleRows.insertBlock(sql, eventId, { id, position: blocks.length, ...draft }, atMs)
              return true
            })
          )
          return yield* one(eventId, id)
        }),

        release: Effect.fn("Blocks.release")(function* (eventId, blockId, request) {
          yield* changes.change(
            eventId,
            Effect.fnUntraced(function* (event) {
              const map = yield* venues.map(event.venue.id, event.seatMapVersion)
              const blocks = yield* findBlocks(eventId)
              const index = blocks.findIndex(({ id }) => id === blockId)
              const block = blocks[index]
              if (block === undefined) return yield* new BlockNotFound({ blockId })
              const first = firstAreas(map, event, blocks)[index]!
              const { areas, seats } = yield* Effect.fromResult(released(event, block, first, request))
              const changed = seats.length > 0 || areas.some(({ kept }, i) => kept !== block.areas[i]!.kept)
              if (changed) yield* SaleRows.releaseBlock(sql, { id: blockId, areas }, seats)
              return changed
            })
          )
          return yield* one(eventId, blockId)
        })
      })
    })
  )
}
