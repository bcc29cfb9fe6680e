/**
 * Events as the public reads them: first from copies in a cache that several processes share (`SharedCache`, where
 * there is one), then from the read model (`EventPages`), and where that is not there from the tables. Copies are of
 * what is stored: what depends on the time is made of them when it is asked for.
 *
 * A change is committed to the tables first, then to the read model, and then the copies are forgotten: who forgets
 * before a commit would have the old row copied again. What changes an event here says so at once; what changes it
 * elsewhere, the journal tells (`follower`), and what is changed past the service, `CatalogTouched`.
 */
import { rowsAtATime } from "@onsale/contracts/catalog/CatalogEvent"
import { EventId, VenueId } from "@onsale/contracts/Ids"
import * as Projection from "@onsale/platform/Projection"
import { SharedCache } from "@onsale/platform/SharedCache"
import { Cache, Context, Duration, Effect, Exit, Layer, Schema } from "effect"
import { CatalogJournal } from "./CatalogJournal.ts"
import { CatalogTouched } from "./CatalogTouched.ts"
import { EventPages } from "./EventPages.ts"
import { EventStore, type ListOptions } from "./EventStore.ts"
import { ListedEvent, StoredEvent } from "./StoredEvent.ts"

/** However a change is not told of: so old may a copy be. */
const eventTtl = Duration.seconds(30)
/** Any change of an event ends all of them, and what is on them changes as events begin. */
const listTtl = Duration.seconds(10)
/** Anybody may ask for ids that there are not. */
const absentTtl = Duration.seconds(5)
/** Numbers that a process remembers of events. An event keeps its own for as long as it is there. */
const maxNumbers = 10_000
const numberTtl = Duration.seconds(30)

const ListKey = Schema.fromJsonString(
  Schema.Struct({
    fromMs: Schema.NullOr(Schema.Int),
    toMs: Schema.NullOr(Schema.Int),
    venue: Schema.NullOr(VenueId),
    after: Schema.NullOr(Schema.Struct({ atMicros: Schema.Int, id: Schema.String })),
    limit: Schema.Int
  })
)
const listKey = Schema.encodeSync(ListKey)
const listOf = Schema.decodeUnknownEffect(ListKey)

/** Nobody asks again for what begins after this very second: only lists by the minute are kept. */
const isOften = ({ fromMs, toMs }: ListOptions): boolean =>
  [fromMs, toMs].every((ms) => ms === null || ms % 60_000 === 0)

const make = Effect.gen(function* () {
  const store = yield* EventStore
  const pages = yield* EventPages
  const cache = yield* SharedCache

  /** One that is not in the read model may be too new, or may have come by SQL. */
  const find = Effect.fnUntraced(function* (eventId: EventId) {
    const event = (yield* pages.find(eventId)) ?? (yield* store.find(eventId))
    // A draft is nobody's business yet.
    return event?.state === "draft" ? null : event
  })
  /** Without the read model the tables themselves are asked. */
  const list = Effect.fnUntraced(function* (options: ListOptions) {
    return (yield* pages.list(options)) ?? (yield* store.list(options))
  })

  const events = yield* cache.keyed({
    name: "events",
    version: 2,
    schema: StoredEvent,
    source: (id) => find(EventId.make(id)),
    ttl: eventTtl,
    absentTtl
  })
  const lists = yield* cache.keyed({
    name: "event_lists",
    version: 1,
    schema: Schema.Array(ListedEvent),
    source: (key) => Effect.flatMap(Effect.orDie(listOf(key)), list),
    ttl: listTtl,
    absentTtl
  })
  // What is not there yet may be there the next time.
  const numbers = yield* Cache.makeWith(
    (eventId: EventId) => Effect.map(events.get(eventId), (event) => event?.number ?? null),
    {
      capacity: maxNumbers,
      timeToLive: (exit) => (Exit.isSuccess(exit) && exit.value !== null ? numberTtl : Duration.zero)
    }
  )
  const forget = Effect.fnUntraced(function* (eventIds: ReadonlyArray<EventId>) {
    yield* events.forget(eventIds)
    yield* lists.forgetAll
    // Last, as they are made of the others.
    for (const eventId of eventIds) yield* Cache.invalidate(numbers, eventId)
  })

  return EventCopies.of({
    find: events.get,
    list: (options) =>
      Effect.map(
        isOften(options) ? lists.get(listKey(options)) : lists.direct(listKey(options)),
        (found) => found ?? []
      ),
    number: (eventId) => Cache.get(numbers, eventId),
    // The read model first: what is copied anew is read from there.
    changed: Effect.fnUntraced(function* (eventIds: ReadonlyArray<EventId>) {
      yield* pages.refresh(eventIds)
      yield* forget(eventIds)
    }),
    forget,
    forgetAll: events.forgetAll.pipe(
      Effect.andThen(lists.forgetAll),
      Effect.andThen(Cache.invalidateAll(numbers))
    )
  })
})

export class EventCopies extends Context.Service<
  EventCopies,
  {
    /** Null for a draft, too. */
    readonly find: (eventId: EventId) => Effect.Effect<StoredEvent | null>
    /** As `EventStore.list`. */
    readonly list: (options: ListOptions) => Effect.Effect<ReadonlyArray<ListedEvent>>
    /** Of an event that the public may see; else null. Where an event is deleted elsewhere, it may be known for 30 s. */
    readonly number: (eventId: EventId) => Effect.Effect<number | null>
    /** To be called after a change: reads that begin once it has returned show it. */
    readonly changed: (eventIds: ReadonlyArray<EventId>) => Effect.Effect<void>
    /** The same where the read model has the change already. */
    readonly forget: (eventIds: ReadonlyArray<EventId>) => Effect.Effect<void>
    /** After changes of nobody knows which events. */
    readonly forgetAll: Effect.Effect<void>
  }
>()("@onsale/catalog/EventCopies") {
  static readonly layer = Layer.effect(EventCopies, make)

  /** Hears of what was changed elsewhere, for as long as it lives. */
  static readonly follower = Layer.unwrap(
    Effect.gen(function* () {
      const copies = yield* EventCopies
      const journal = yield* CatalogJournal
      const touched = yield* CatalogTouched
      yield* touched.onTouched(
        "copies of events",
        (changes) => (changes._tag === "Events" ? copies.forget(changes.eventIds) : copies.forgetAll),
        "copies"
      )
      // What other processes change they forget themselves; their copies are nobody else's, where none are shared.
      if (!(yield* SharedCache).shared) return Layer.empty
      return Projection.layer({
        schema: "catalog",
        name: "shared_cache",
        journal,
        batch: rowsAtATime,
        // In a transaction it would forget before the row that is read instead is committed.
        cursorMoves: "after",
        handle: (rows) => copies.changed([...new Set(rows.map(({ stream }) => EventId.make(stream)))])
      })
    })
  )
}
