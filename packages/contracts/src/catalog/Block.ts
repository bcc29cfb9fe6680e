/** House seats: seats and places that the organiser keeps from everybody whose voucher does not unlock them. */
import { Schema } from "effect"
import { AreaId, BlockId, RowId, SeatId, SectionId } from "../Ids.ts"
import { DisplayName } from "./Event.ts"

/** Named one by one in one request. */
const maxNamed = 1000
/** Areas in one request. */
const maxAreas = 100
const places = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 10_000_000 }))

const AreaPlaces = Schema.Struct({ areaId: AreaId, quantity: places })
const areaPlaces = Schema.Array(AreaPlaces).check(
  Schema.isMaxLength(maxAreas),
  Schema.makeFilter((areas: ReadonlyArray<{ readonly areaId: AreaId }>) =>
    new Set(areas.map(({ areaId }) => areaId)).size === areas.length ? undefined : "Expected each area once"
  )
)

export const NewBlock = Schema.Struct({
  name: DisplayName,
  /** A seat that is named twice, by itself and with its row, is in the block once. */
  seats: Schema.optionalKey(Schema.Array(SeatId).check(Schema.isMaxLength(maxNamed))),
  /** All seats of these rows. */
  rows: Schema.optionalKey(Schema.Array(RowId).check(Schema.isMaxLength(maxNamed))),
  /** All seats of these sections. */
  sections: Schema.optionalKey(Schema.Array(SectionId).check(Schema.isMaxLength(maxNamed))),
  /** So many places of an area, on the tier that it has in the event's seat map. */
  areas: Schema.optionalKey(areaPlaces)
}).check(
  Schema.makeFilter(({ seats = [], rows = [], sections = [], areas = [] }) =>
    seats.length + rows.length + sections.length + areas.length > 0
      ? undefined
      : "Expected at least one of seats, rows, sections and areas"
  )
)
export type NewBlock = typeof NewBlock.Type

/** What is given to everybody; the whole block when nothing is named. */
export const BlockRelease = Schema.Struct({
  seats: Schema.optionalKey(Schema.Array(SeatId).check(Schema.isMaxLength(maxNamed))),
  /** By the block's own area ids. */
  areas: Schema.optionalKey(areaPlaces)
})
export type BlockRelease = typeof BlockRelease.Type

export const Block = Schema.Struct({
  id: BlockId,
  name: Schema.String,
  /** The seats that it keeps; a seat that is held or sold is kept from when it is free again. */
  seats: Schema.Array(SeatId),
  areas: Schema.Array(
    Schema.Struct({
      /** Names the block's places in a hold with a voucher that unlocks the block. */
      areaId: AreaId,
      name: Schema.String,
      /** The area of the seat map that the places are of. */
      of: AreaId,
      /** Places when it was made. */
      quantity: Schema.Int,
      /** Places that it still keeps from the other buyers of the area. */
      kept: Schema.Int
    })
  )
})
export type Block = typeof Block.Type
