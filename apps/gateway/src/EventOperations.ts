/** What is read of events, whoever carries the request. */
import { Catalog } from "@onsale/catalog/Catalog"
import type * as Errors from "@onsale/contracts/catalog/CatalogErrors"
import type { EventQuery } from "@onsale/contracts/catalog/Event"
import { CursorInvalid, EventNotFound } from "@onsale/contracts/http/Problems"
import type { EventId } from "@onsale/contracts/Ids"
import { Effect } from "effect"
import { AvailabilityBoard } from "./AvailabilityBoard.ts"
import { EventFills } from "./EventFills.ts"
import { unanswered } from "./InventoryProblems.ts"

const notFound = <A, R>(effect: Effect.Effect<A, Errors.EventNotFound, R>) =>
  Effect.mapError(effect, () => new EventNotFound({}))

export const make = Effect.gen(function* () {
  const catalog = yield* Catalog
  const boards = yield* AvailabilityBoard
  const fills = yield* EventFills

  return {
    list: (query: EventQuery) =>
      catalog.list(query).pipe(
        Effect.catchTag("CursorInvalid", () => Effect.fail(new CursorInvalid({}))),
        Effect.flatMap((page) => Effect.map(fills.add(page.events), (events) => ({ ...page, events })))
      ),
    get: (eventId: EventId) => notFound(catalog.get(eventId)),
    seatMap: (eventId: EventId) => notFound(catalog.seatMap(eventId)),
    seatMapVersion: (eventId: EventId) => notFound(catalog.seatMapVersion(eventId)),
    /** Fails for an event that there is not. */
    exists: (eventId: EventId) => Effect.asVoid(notFound(catalog.eventNumber(eventId))),
    /** Of an event that is, or was, on sale. */
    board: Effect.fnUntraced(function* (eventId: EventId) {
      yield* notFound(catalog.eventNumber(eventId))
      const board = yield* boards.get(eventId).pipe(Effect.mapError(unanswered))
      return board ?? (yield* new EventNotFound({}))
    })
  }
})
