/**
 * What is read of events over HTTP, encoded once for all who read it: availability, seat maps, details, lists and
 * searches.
 * Who reads has no fiber of his own: each is given to a callback, at once where it is in memory.
 */
import { EventDetail, EventPage, EventQuery, EventSeatMap } from "@onsale/contracts/catalog/Event"
import { EventSearch, EventSearchPage } from "@onsale/contracts/catalog/EventSearch"
import {
  type CursorInvalid,
  EventNotFound,
  Overloaded,
  SeatMapNotFound
} from "@onsale/contracts/http/Problems"
import type { EventId } from "@onsale/contracts/Ids"
import { Context, Duration, Effect, Exit, Layer, Schema } from "effect"
import { AvailabilityBoard, type Board, cacheControl, lookLimit } from "./AvailabilityBoard.ts"
import { Compressor, turns } from "./Compressor.ts"
import { EncodedBody, tagOf } from "./EncodedBody.ts"
import * as EventOperations from "./EventOperations.ts"
import * as FreshCopies from "./FreshCopies.ts"
import { unanswered } from "./InventoryProblems.ts"
import * as SearchOperations from "./SearchOperations.ts"

export type ReadProblem = CursorInvalid | EventNotFound | Overloaded | SeatMapNotFound

/**
 * Calls back once, at once where the body is in memory. Where `admit` is given, what is cold (`RequestClass.ts`) and has to
 * be asked for waits for it, and may never call back.
 */
export type Source<E extends ReadProblem> = (
  done: (exit: Exit.Exit<EncodedBody, E>) => void,
  admit?: FreshCopies.Admit
) => void

/** Details and lists are read from the catalog once in this time, however many ask. */
const freshForMs = 1_000
/** After a change through this process they are read again at once, but not more often than this. */
const pauseMs = 50
/** Longer than a database that works takes for any of it. Who reads it waits for all who ask for it at a time. */
const askLimit = Duration.seconds(5)
/** A description may have ten kilobytes, and a page a hundred events. */
const pages = { capacity: 2_000, maxBytes: 32 * 1024 * 1024 }
const inTime = Effect.timeoutOrElse({
  duration: askLimit,
  orElse: () => Effect.fail(new Overloaded({ retryAfterSeconds: 1, reason: "unavailable" }))
})
/** A search's answer has ten events or so: some kilobytes. */
const searched = { capacity: 2_000, maxBytes: 16 * 1024 * 1024 }
/** Six of the largest, hundreds of the usual. */
const seatMaps = { capacity: 1_000, maxBytes: 128 * 1024 * 1024 }

/** For ever, for who names the version. */
export const immutable = "public, max-age=31536000, immutable"
/** Who does not name it asks again after a minute, and is told in 304s that it is the same. */
const revalidated = "public, max-age=60"

export const seatMapPath = (eventId: EventId, version: number): string =>
  `/api/v1/events/${eventId}/seatmap?version=${version}`

/** A seat map under both of its addresses: the bytes are the same. */
interface SeatMaps {
  readonly version: number
  readonly newest: EncodedBody
  readonly named: EncodedBody
}

const notFound = Exit.fail(new EventNotFound({}))
const noSuchMap = Exit.fail(new SeatMapNotFound({}))

/** The same page for two queries that ask for the same. */
const keyOf = ({ cursor, from, limit, to, venue }: EventQuery): string =>
  JSON.stringify({ from, to, venue, cursor, limit })
const queryOf = Schema.decodeUnknownSync(Schema.fromJsonString(EventQuery))

/** The same search for two queries that ask for the same, in whatever order. */
const searchKeyOf = ({ city, currency, from, maxPrice, minPrice, page, q, size, to }: EventSearch): string =>
  JSON.stringify({ q, from, to, city, minPrice, maxPrice, currency, page, size })
const searchOf = Schema.decodeUnknownSync(Schema.fromJsonString(EventSearch))

/** The body of what was found. */
const found = <A, E>(
  exit: Exit.Exit<A | null, E>,
  bodyOf: (copy: A) => EncodedBody
): Exit.Exit<EncodedBody, E | EventNotFound> => {
  if (Exit.isFailure(exit)) return Exit.failCause(exit.cause)
  return exit.value === null ? notFound : bodyOf(exit.value).found
}

const itself = (body: EncodedBody): EncodedBody => body
const ofBoard = ({ body }: Board): EncodedBody => body

export class EventReads extends Context.Service<
  EventReads,
  {
    /** Of an event that is published. */
    readonly availability: (eventId: EventId) => Source<EventNotFound | Overloaded>
    /** Of this version, or the newest. */
    readonly seatMap: (
      eventId: EventId,
      version: number | undefined
    ) => Source<EventNotFound | Overloaded | SeatMapNotFound>
    readonly detail: (eventId: EventId) => Source<EventNotFound | Overloaded>
    readonly list: (query: EventQuery) => Source<CursorInvalid | Overloaded>
    readonly search: (query: EventSearch) => Source<Overloaded>
    /** To be called when an organiser has changed an event, or made one: reads that begin later show it. */
    readonly changed: (eventId: EventId) => void
  }
>()("@onsale/gateway/EventReads") {
  static readonly layer = Layer.effect(
    EventReads,
    Effect.gen(function* () {
      const events = yield* EventOperations.make
      const searches = yield* SearchOperations.make
      const boards = yield* AvailabilityBoard
      const compressor = yield* Compressor
      const encodeDetail = Schema.encodeEffect(Schema.fromJsonString(Schema.toCodecJson(EventDetail)))
      const encodePage = Schema.encodeEffect(Schema.fromJsonString(Schema.toCodecJson(EventPage)))
      const encodeSearch = Schema.encodeEffect(Schema.fromJsonString(Schema.toCodecJson(EventSearchPage)))
      const encodeSeatMap = Schema.encodeEffect(Schema.fromJsonString(Schema.toCodecJson(EventSeatMap)))

      /** The body of a text; the one before where it is the same. */
      const bodyOf = (text: string, before: EncodedBody | null, vary = "accept-encoding"): EncodedBody => {
        const json = Buffer.from(text)
        const tag = tagOf(json)
        if (before?.tag === tag) return before
        return new EncodedBody({
          json,
          tag,
          cacheControl,
          vary,
          compressor,
          turns: before?.options.turns ?? turns(false)
        })
      }

      const pagesOf = <Key, E>(
        name: string,
        encoded: (key: Key) => Effect.Effect<string, E>,
        more: {
          readonly vary?: string
          readonly bounds?: typeof pages
          readonly renewsCheaply?: boolean
        } = {}
      ) =>
        Effect.gen(function* () {
          const copies = yield* FreshCopies.make<Key, EncodedBody, E | Overloaded>({
            name,
            ask: (key, before) =>
              Effect.map(inTime(encoded(key)), (text) => {
                const body = bodyOf(text, before, more.vary)
                body.onGrown = (bytes) => copies.grown(key, body, bytes)
                return body
              }),
            freshForMs,
            pauseMs,
            ...(more.bounds ?? pages),
            renewsCheaply: more.renewsCheaply === true,
            bytesOf: (body) => body.byteLength
          })
          return copies
        })
      const empty = bodyOf(yield* Effect.orDie(encodePage({ events: [], nextCursor: null })), null)
      /** Pages are there, whatever is on them. */
      const some = <E>(exit: Exit.Exit<EncodedBody | null, E>): Exit.Exit<EncodedBody, E> =>
        Exit.isFailure(exit) ? Exit.failCause(exit.cause) : (exit.value ?? empty).found
      // There is linked data at the same address.
      const details = yield* pagesOf(
        "details",
        (eventId: EventId) =>
          Effect.flatMap(events.get(eventId), (detail) => Effect.orDie(encodeDetail(detail))),
        { vary: "accept, accept-encoding" }
      )
      const lists = yield* pagesOf(
        "lists",
        (key: string) => Effect.flatMap(events.list(queryOf(key)), (page) => Effect.orDie(encodePage(page))),
        // What everybody reads is not refused for the load each second; what nobody has asked for lately may be anything.
        { renewsCheaply: true }
      )
      // People type the same names, on the day of a sale nearly all of them: each is searched for once a second.
      const results = yield* pagesOf(
        "searches",
        (key: string) =>
          Effect.flatMap(searches.events(searchOf(key)), (page) => Effect.orDie(encodeSearch(page))),
        { bounds: searched }
      )

      /** Those before where the catalog is away, or slow: who has a map can choose seats. */
      const versionOf = (eventId: EventId, before: SeatMaps) => {
        const kept = () => Effect.succeed(before.version)
        return events
          .seatMapVersion(eventId)
          .pipe(Effect.timeoutOrElse({ duration: lookLimit, orElse: kept }), Effect.catchDefect(kept))
      }

      const maps = yield* FreshCopies.make<EventId, SeatMaps, EventNotFound | Overloaded>({
        name: "seat_maps",
        ask: Effect.fnUntraced(function* (eventId: EventId, before: SeatMaps | null) {
          // By SQL an event on sale may be deleted, and its tiers changed. A map is some milliseconds of the thread.
          if (before !== null && (yield* versionOf(eventId, before)) === before.version) return before
          const map = yield* events.seatMap(eventId)
          const json = Buffer.from(yield* Effect.orDie(encodeSeatMap(map)))
          const { version } = map
          const body = (cacheControl: string) =>
            new EncodedBody({
              json,
              tag: `${version}-${tagOf(json)}`,
              cacheControl,
              headers: ["content-location", seatMapPath(eventId, version)],
              compressor,
              turns: turns(true)
            })
          const copy: SeatMaps = { version, newest: body(revalidated), named: body(immutable) }
          const grown = (bytes: number) => maps.grown(eventId, copy, bytes)
          copy.newest.onGrown = grown
          copy.named.onGrown = grown
          return copy
        }, inTime),
        freshForMs,
        pauseMs,
        ...seatMaps,
        // Its version is asked for.
        renewsCheaply: true,
        // The text is one for both.
        bytesOf: ({ named, newest }) => newest.byteLength + named.byteLength - named.identity.bytes.byteLength
      })

      return EventReads.of({
        availability: (eventId) => (done) =>
          boards.read(eventId, (exit) =>
            done(
              Exit.isSuccess(exit)
                ? found<Board, never>(Exit.succeed(exit.value), ofBoard)
                : Exit.mapError(Exit.failCause(exit.cause), unanswered)
            )
          ),
        seatMap: (eventId, version) => (done, admit) =>
          maps.read(
            eventId,
            (exit) => {
              const isOther =
                version !== undefined &&
                Exit.isSuccess(exit) &&
                exit.value !== null &&
                exit.value.version !== version
              done(
                isOther ? noSuchMap : found(exit, (map) => (version === undefined ? map.newest : map.named))
              )
            },
            admit
          ),
        detail: (eventId) => (done) => details.read(eventId, (exit) => done(found(exit, itself))),
        list: (query) => {
          const key = keyOf(query)
          return (done, admit) => lists.read(key, (exit) => done(some(exit)), admit)
        },
        search: (query) => {
          const key = searchKeyOf(query)
          return (done, admit) => results.read(key, (exit) => done(some(exit)), admit)
        },
        changed: (eventId) => {
          results.allChanged()
          details.changed(eventId)
          lists.allChanged()
        }
      })
    })
  ).pipe(Layer.provide(Compressor.layer))
}
