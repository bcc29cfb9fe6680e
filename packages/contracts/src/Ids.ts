/**
 * Ids: UUIDv7 strings (RFC 9562) with a brand each.
 *
 * An event's id ends in 24 zero bits. A seat, area, section or row of the event is the event's id
 * with those bits set to its ordinal, so that an id tells its event and its place without a lookup,
 * and a seat of another event is recognised as such before anything is asked of the inventory.
 *
 * A hold's id is its only secret. It carries the number of its event (24 bits), the rest is random.
 */
import { Schema } from "effect"

const uuidV7 = Schema.String.check(Schema.isUUID(7))

export const VenueId = uuidV7.pipe(Schema.brand("VenueId"))
export type VenueId = typeof VenueId.Type
export const PerformerId = uuidV7.pipe(Schema.brand("PerformerId"))
export type PerformerId = typeof PerformerId.Type
export const EventId = uuidV7.pipe(Schema.brand("EventId"))
export type EventId = typeof EventId.Type
export const TierId = uuidV7.pipe(Schema.brand("TierId"))
export type TierId = typeof TierId.Type
export const SectionId = uuidV7.pipe(Schema.brand("SectionId"))
export type SectionId = typeof SectionId.Type
export const RowId = uuidV7.pipe(Schema.brand("RowId"))
export type RowId = typeof RowId.Type
export const SeatId = uuidV7.pipe(Schema.brand("SeatId"))
export type SeatId = typeof SeatId.Type
export const AreaId = uuidV7.pipe(Schema.brand("AreaId"))
export type AreaId = typeof AreaId.Type
export const HoldId = uuidV7.pipe(Schema.brand("HoldId"))
export type HoldId = typeof HoldId.Type
export const OrderId = uuidV7.pipe(Schema.brand("OrderId"))
export type OrderId = typeof OrderId.Type
export const PaymentIntentId = uuidV7.pipe(Schema.brand("PaymentIntentId"))
export type PaymentIntentId = typeof PaymentIntentId.Type
export const RefundId = uuidV7.pipe(Schema.brand("RefundId"))
export type RefundId = typeof RefundId.Type
export const TicketId = uuidV7.pipe(Schema.brand("TicketId"))
export type TicketId = typeof TicketId.Type
export const BlockId = uuidV7.pipe(Schema.brand("BlockId"))
export type BlockId = typeof BlockId.Type
export const VoucherId = uuidV7.pipe(Schema.brand("VoucherId"))
export type VoucherId = typeof VoucherId.Type

/** Characters of a customer's id. */
const customerIdLength = 128

/** The subject of a customer's token: a UUID, or whatever the issuer calls its customers; printable ASCII. */
export const CustomerId = Schema.String.check(
  Schema.isPattern(new RegExp(`^[\\x21-\\x7e]{1,${customerIdLength}}$`), {
    expected: `1 to ${customerIdLength} printable ASCII characters without spaces`
  })
).pipe(Schema.brand("CustomerId"))
export type CustomerId = typeof CustomerId.Type

/** Names one command for ever: a repeat carries the same one. Any string of 1 to 128 characters. */
export const CommandId = Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(128)).pipe(
  Schema.brand("CommandId")
)
export type CommandId = typeof CommandId.Type

/** What the last 24 bits of an id of an event count. */
export type Kind = "seat" | "area" | "section" | "row"

// Seats have most of the room; 4 Mi areas, 2 Mi sections and rows are beyond any venue.
const bases: { readonly [K in Kind]: number } = {
  seat: 0x000001,
  area: 0x800000,
  section: 0xc00000,
  row: 0xe00000
}
const limits: { readonly [K in Kind]: number } = {
  seat: 0x7fffff,
  area: 0x400000,
  section: 0x200000,
  row: 0x200000
}

const hex6 = (value: number): string => value.toString(16).padStart(6, "0")

/** The id of the `index`-th (from 0) seat, area, section or row of an event. Dies on an index out of range. */
const partId = (eventId: EventId, kind: Kind, index: number): string => {
  if (!(Number.isInteger(index) && index >= 0 && index < limits[kind])) {
    throw new RangeError(`${kind} index ${index} is out of range`)
  }
  return eventId.slice(0, 30) + hex6(bases[kind] + index)
}

export const seatId = (eventId: EventId, index: number): SeatId =>
  SeatId.make(partId(eventId, "seat", index), noCheck)
export const areaId = (eventId: EventId, index: number): AreaId =>
  AreaId.make(partId(eventId, "area", index), noCheck)
export const sectionId = (eventId: EventId, index: number): SectionId =>
  SectionId.make(partId(eventId, "section", index), noCheck)
export const rowId = (eventId: EventId, index: number): RowId =>
  RowId.make(partId(eventId, "row", index), noCheck)

// The parts are made by the thousand from an id that was checked once.
const noCheck = { disableChecks: true } as const

/**
 * The index (from 0) of a seat, area, section or row within its event, or -1 where the id is of
 * another event or of another kind.
 */
export const indexIn = (eventId: EventId, kind: Kind, id: string): number => {
  if (id.length !== 36 || !id.startsWith(eventId.slice(0, 30))) return -1
  const ordinal = Number.parseInt(id.slice(30), 16)
  const index = ordinal - bases[kind]
  return index >= 0 && index < limits[kind] && hex6(ordinal) === id.slice(30) ? index : -1
}

/** The largest number an event can have: what a hold's id has room for. */
export const maxEventNumber = 0xffffff

/** The number of the event that a hold belongs to. */
export const eventNumberOfHold = (holdId: HoldId): number =>
  Number.parseInt(holdId.slice(15, 18) + holdId.slice(20, 23), 16)

// --- making ids ---------------------------------------------------------------------------------

// Web Crypto costs microseconds a call, so random bytes are drawn in blocks.
const blockBytes = 8192
const block = new Uint8Array(blockBytes)
let used = blockBytes
const hexByte = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"))

const randomHex = (bytes: number): string => {
  if (used + bytes > blockBytes) {
    globalThis.crypto.getRandomValues(block)
    used = 0
  }
  let hex = ""
  for (let i = 0; i < bytes; i++) {
    hex += hexByte[block[used]!]
    block[used++] = 0
  }
  return hex
}

const variant = ["8", "9", "a", "b"] as const

/**
 * A UUIDv7 with 74 random bits: unlike a monotonic one it may be used as a secret.
 * `nowMs` is the time in milliseconds since 1970.
 */
export const makeUuidV7 = (nowMs: number): string => {
  const time = Math.max(0, Math.floor(nowMs)).toString(16).padStart(12, "0")
  const random = randomHex(10)
  const v = variant[Number.parseInt(random[3]!, 16) & 3]!
  return `${time.slice(0, 8)}-${time.slice(8, 12)}-7${random.slice(0, 3)}-${v}${random.slice(4, 7)}-${random.slice(7, 19)}`
}

/** When a UUIDv7 was made, in milliseconds since 1970, by the clock of whoever made it. */
export const timeOfUuidV7 = (id: string): number => Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)

/** An id for a new event, whose last 24 bits are left for its seats, areas, sections and rows. */
export const makeEventId = (nowMs: number): EventId => EventId.make(makeUuidV7(nowMs).slice(0, 30) + "000000")

/** An id for a new hold of the event with that number: 50 random bits beside the time in milliseconds. */
export const makeHoldId = (nowMs: number, eventNumber: number): HoldId => {
  const uuid = makeUuidV7(nowMs)
  const number = hex6(eventNumber)
  return HoldId.make(
    `${uuid.slice(0, 15)}${number.slice(0, 3)}-${uuid[19]}${number.slice(3, 6)}${uuid.slice(23)}`,
    noCheck
  )
}
