/** Contract B: an event with its seat map and all its tickets, encoded once a version of its availability. */
import { Catalog } from "@onsale/catalog/Catalog"
import type { EventDetail, EventSeatMap } from "@onsale/contracts/catalog/Event"
import type { ManagedEvent } from "@onsale/contracts/http/CompatApi"
import { EventId, indexIn } from "@onsale/contracts/Ids"
import { Effect, Schema, Semaphore } from "effect"
import { HttpServerResponse } from "effect/http"
import { AvailabilityBoard, type Board } from "../AvailabilityBoard.ts"
import * as CompatAnswer from "./CompatAnswer.ts"

/** Events whose answer is kept: 3 MB each of a venue of 20,000 seats. */
const kept = 16

const notFound = CompatAnswer.refused(404, "not found", "Event not found")

const decodeId = Schema.decodeUnknownOption(EventId)

/** As the older systems write it: without fractions of a second. */
export const dateOf = (instant: string): string => instant.replace(/\.\d+Z$/, "Z")

/** `A1`; where a row's label ends in a digit `1-2`, and with the section where there are several. */
const labelOf = (section: string | null, row: string, seat: string): string =>
  `${section === null ? "" : `${section} `}${row}${/\d$/.test(row) ? "-" : ""}${seat}`

export const render = (event: EventDetail, map: EventSeatMap, board: Board | null): ManagedEvent => {
  const prices = new Map(event.tiers.map(({ id, price }) => [id, price.amount] as const))
  const held = new Set(board?.view.held)
  const sold = new Set(board?.view.sold)
  const seatMap: Record<string, boolean> = {}
  const tickets: Array<ManagedEvent["tickets"][number]> = []
  for (const section of map.sections) {
    const name = map.sections.length === 1 ? null : section.name
    for (const row of section.rows) {
      for (const seat of row.seats) {
        const label = labelOf(name, row.label, seat.label)
        seatMap[label] = seat.tier !== null
        if (seat.tier === null) continue
        const index = indexIn(event.id, "seat", seat.id)
        const status = sold.has(index) ? "booked" : held.has(index) ? "reserved" : "available"
        tickets.push({ uuid: seat.id, price: prices.get(seat.tier) ?? 0, seat: label, status })
      }
    }
  }
  return {
    uuid: event.id,
    name: event.name,
    description: event.description,
    date: dateOf(event.startsAt),
    venue: { uuid: event.venue.id, location: event.venue.location, seat_map: seatMap },
    performers: event.performers.map(({ description, id, name }) => ({
      uuid: id,
      name,
      age: 0,
      description
    })),
    tickets
  }
}

export const make = Effect.gen(function* () {
  const catalog = yield* Catalog
  const boards = yield* AvailabilityBoard
  // One at a time: an event of a hundred thousand seats takes tens of megabytes while it is encoded.
  const one = yield* Semaphore.make(1)
  const answers = new Map<EventId, { readonly of: string; readonly body: Uint8Array }>()

  const encode = Effect.fnUntraced(function* (event: EventDetail, board: Board | null, of: string) {
    const before = answers.get(event.id)
    if (before?.of === of) return before.body
    const map = yield* Effect.mapError(catalog.seatMap(event.id), () => notFound)
    const body = Buffer.from(JSON.stringify(render(event, map, board)))
    answers.delete(event.id)
    answers.set(event.id, { of, body })
    for (const first of answers.keys()) {
      if (answers.size <= kept) break
      answers.delete(first)
    }
    return body
  })

  return Effect.fn("ManagedEvents.get")(function* (uuid: string) {
    const id = decodeId(uuid.toLowerCase())
    if (id._tag === "None") return yield* notFound
    const event = yield* Effect.mapError(catalog.get(id.value), () => notFound)
    const board = yield* Effect.mapError(boards.get(id.value), CompatAnswer.unavailable)
    const of = `${board?.body.tag} ${JSON.stringify(event)}`
    const known = answers.get(id.value)
    const body = known?.of === of ? known.body : yield* one.withPermits(1)(encode(event, board, of))
    return HttpServerResponse.uint8Array(body, { contentType: "application/json" })
  })
})
