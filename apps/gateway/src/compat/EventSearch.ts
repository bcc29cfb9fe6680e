/** Contract B: events from now on, by what was typed; all of them, by their date, where nothing was. */
import { EventSearch } from "@onsale/contracts/catalog/EventSearch"
import type { FoundEvents } from "@onsale/contracts/http/CompatApi"
import { Effect, Schema } from "effect"
import type * as SearchOperations from "../SearchOperations.ts"
import * as CompatAnswer from "./CompatAnswer.ts"
import { dateOf } from "./ManagedEvents.ts"

const maxSize = 100
/** No page beyond has anything on it. */
const maxPage = 1_000

const invalid = (error: string) => CompatAnswer.refused(400, error, "Invalid request payload")

const Digits = Schema.String.check(Schema.isPattern(/^\d{1,9}$/))
const whole = (maximum: number) =>
  Digits.pipe(Schema.decodeTo(Schema.FiniteFromString)).check(
    Schema.isInt(),
    Schema.isBetween({ minimum: 1, maximum })
  )

const Query = Schema.Struct({
  q: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(200))),
  page: Schema.optionalKey(whole(maxPage)),
  size: Schema.optionalKey(whole(maxSize))
})

const decodeWords = Schema.decodeUnknownEffect(EventSearch)

export const make = (searches: Effect.Success<typeof SearchOperations.make>) =>
  Effect.fn("EventSearch.search")(function* (query: unknown) {
    const {
      page = 1,
      q = "",
      size = 10
    } = yield* Effect.mapError(Schema.decodeUnknownEffect(Query)(query), () =>
      invalid("q, page or size is not what it should be")
    )
    const { events, total } =
      q.trim() === ""
        ? yield* searches.upcoming({ page, size })
        : yield* decodeWords({ q, page, size }).pipe(
            Effect.mapError(() => invalid("q is not what can be searched for")),
            Effect.flatMap((words) => Effect.mapError(searches.events(words), CompatAnswer.overloaded))
          )
    const descriptions = yield* searches.descriptions(events.map(({ id }) => id))
    const shown = events.map((event) => ({
      uuid: event.id,
      name: event.name,
      description: descriptions.get(event.id) ?? "",
      date: dateOf(event.startsAt),
      location: event.venue.location
    }))
    const answer: FoundEvents = { events: shown, total, page, size }
    return CompatAnswer.json(200, answer)
  })
