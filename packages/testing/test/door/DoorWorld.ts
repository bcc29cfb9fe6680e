/** What a gate is given and shown, made by those who make it: codes and bundles by the keys of the notifications. */
import type { DoorBundle } from "@onsale/contracts/booking/DoorBundle"
import { EventId, makeEventId, makeUuidV7, TicketId } from "@onsale/contracts/Ids"
import { SigningKeys } from "@onsale/notifications/SigningKeys"
import { TicketCodes } from "@onsale/notifications/TicketCode"
import { Effect, Layer } from "effect"

export const nowMs = Date.UTC(2026, 10, 27, 20)
export const eventId = makeEventId(nowMs)
/** Its id does not end in zeros, so its codes are of format 2. */
export const oddEventId = EventId.make(`${makeUuidV7(nowMs).slice(0, 30)}abcdef`)
export const makeTicketId = () => TicketId.make(makeUuidV7(nowMs))

export const layer = TicketCodes.layer.pipe(Layer.provideMerge(SigningKeys.layerTest))

const bytesOf = (id: TicketId): Buffer => Buffer.from(id.replaceAll("-", ""), "hex").subarray(8)

const list = (entries: ReadonlyArray<Buffer>): string =>
  Buffer.concat(entries.toSorted(Buffer.compare)).toString("base64")

export interface DoorFacts {
  readonly eventId?: EventId
  readonly sequence?: number
  readonly refunded?: ReadonlyArray<TicketId>
  readonly reissued?: ReadonlyArray<readonly [TicketId, version: number]>
  readonly admitted?: ReadonlyArray<readonly [TicketId, atMs: number, gate: number]>
  readonly gates?: ReadonlyArray<string>
}

export const makeBundle = Effect.fnUntraced(function* (facts: DoorFacts) {
  const codes = yield* TicketCodes
  const { admitted = [], gates = [], refunded = [], reissued = [], sequence = 1 } = facts
  const bundle: DoorBundle = {
    format: 1,
    event: {
      id: facts.eventId ?? eventId,
      name: "Midnight Symphony",
      startsAt: "2026-12-24T19:30:00Z",
      timeZone: "Europe/Berlin",
      venue: { name: "Waldbühne", location: "Berlin" }
    },
    keys: yield* codes.doorKeys,
    sequence,
    issuedAtMs: nowMs,
    tiers: [],
    refunded: list(refunded.map(bytesOf)),
    reissued: list(
      reissued.map(([id, version]) => Buffer.concat([bytesOf(id), Buffer.of(version >> 8, version & 0xff)]))
    ),
    gates: [...gates],
    admitted: list(
      admitted.map(([id, atMs, gate]) => {
        const entry = Buffer.alloc(16)
        bytesOf(id).copy(entry)
        entry.writeUIntBE(atMs, 8, 6)
        entry.writeUInt16BE(gate, 14)
        return entry
      })
    )
  }
  return bundle
})

export const makeJws = (facts: DoorFacts) =>
  Effect.gen(function* () {
    const codes = yield* TicketCodes
    return yield* Effect.flatMap(makeBundle(facts), codes.seal)
  })

export const codeOf = (ticketId: TicketId, version = 1, of: EventId = eventId) =>
  Effect.flatMap(TicketCodes, (codes) => codes.sign({ eventId: of, ticketId, version }))
