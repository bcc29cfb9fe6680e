/** Contract B: events from now on, by what was typed; all of them, by their date, where nothing was. */
import { Catalog } from "@onsale/catalog/Catalog"
import type { EventSummary } from "@onsale/contracts/catalog/Event"
import { EventSearch } from "@onsale/contracts/catalog/EventSearch"
import type { FoundEvents } from "@onsale/contracts/http/CompatApi"
import { Clock, DateTime, Effect, Schema } from "effect"
import type * as SearchOperations from "../SearchOperations.ts"
import * as CompatAnswer from "./CompatAnswer.ts"
import { dateOf } from "./ManagedEvents.ts"

const maxSize = 100
/** Results beyond are not shown. */
const maxResults = 1_000
/** Descriptions that are read at once. */
const readAtOnce = 4

const invalid = (error: string) => CompatAnswer.refused(400, error, "Invalid request payload")

const whole = (maximum: number) =>
  Schema.FiniteFromString.check(Schema.isInt(), Schema.isBetween({ minimum: 1, maximum }))

const Query = Schema.Struct({
  q: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(200))),
  page: Schema.optionalKey(whole(maxResults)),
  size: Schema.optionalKey(whole(maxSize))
})

interface Page {
  readonly events: ReadonlyArray<EventSummary>
  readonly total: number
}

const decodeWords = Schema.decodeUnknownEffect(EventSearch)

export const make = Effect.fnUntraced(function* (searches: Effect.Success<typeof SearchOperations.make>) {
  const catalog = yield* Catalog

  /** The events that are to come, the next first; counted as far as the page behind this one. */
  const toCome = Effect.fnUntraced(function* (offset: number, size: number) {
    const from = DateTime.formatIso(DateTime.makeUnsafe(yield* Clock.currentTimeMillis))
    const seen: Array<EventSummary> = []
    let cursor: string | null | undefined
    while (cursor !== null && seen.length <= Math.min(offset + size, maxResults)) {
      const page = yield* Effect.orDie(
        catalog.list({ from, limit: 100, ...(cursor === undefined ? {} : { cursor }) })
      )
      seen.push(...page.events)
      cursor = page.nextCursor
    }
    const found: Page = {
      events: seen.slice(offset, offset + size),
      total: Math.min(seen.length, maxResults)
    }
    return found
  })

  return Effect.fn("EventSearch.search")(function* (query: unknown) {
    const {
      page = 1,
      q = "",
      size = 10
    } = yield* Effect.mapError(Schema.decodeUnknownEffect(Query)(query), () =>
      invalid("q, page or size is not what it should be")
    )
    const { events, total }: Page =
      q.trim() === ""
        ? yield* toCome((page - 1) * size, size)
        : yield* decodeWords({ q, page, size }).pipe(
            Effect.mapError(() => invalid("q is not what can be searched for")),
            Effect.flatMap((words) => Effect.mapError(searches.events(words), CompatAnswer.overloaded))
          )
    const shown = yield* Effect.forEach(
      events,
      (event) =>
        Effect.map(Effect.option(catalog.get(event.id)), (detail) => ({
          uuid: event.id,
          name: event.name,
          description: detail._tag === "Some" ? detail.value.description : "",
          date: dateOf(event.startsAt),
          location: event.venue.location
        })),
      { concurrency: readAtOnce }
    )
    const answer: FoundEvents = { events: shown, total, page, size }
    return CompatAnswer.json(200, answer)
  })
})
