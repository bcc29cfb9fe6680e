/**
 * The availability of events as this process serves it: asked of the inventory a few times a second,
 * encoded once for everyone who reads it meanwhile.
 *
 * A read that begins after a hold was answered here shows that hold, and one after a refusal the seats that
 * were taken: it waits for a board that is asked for after it.
 */
import { Catalog } from "@onsale/catalog/Catalog"
import type { Availability } from "@onsale/contracts/http/EventsApi"
import { areaId, type EventId, seatId } from "@onsale/contracts/Ids"
import { InventoryClient, InventoryUnavailable } from "@onsale/contracts/inventory/InventoryClient"
import type { AvailabilityView } from "@onsale/contracts/inventory/InventoryCommand"
import { Clock, Context, DateTime, Duration, Effect, Layer } from "effect"
import { AvailabilityNews, newest } from "./AvailabilityNews.ts"
import { Compressor, turns } from "./Compressor.ts"
import { EncodedBody, tagOf } from "./EncodedBody.ts"
import * as FreshCopies from "./FreshCopies.ts"

/** The encoded answer, and what it was made of. */
export interface Board {
  readonly view: AvailabilityView
  readonly body: EncodedBody
  /** The event's, as the board shows it. */
  readonly version: number
  /** When the catalog was asked last whether there is the event, by the clock that only goes forward. */
  askedAtMs: number
}

/** Events whose board is kept. */
const capacity = 1_000
/** Of the encoded boards that are kept: one of 10,000 seats that are sold has half a megabyte. */
const maxBytes = 128 * 1024 * 1024
/** Of the lists that a board was made of. */
const bytesASeat = 8
/** Changes that come from elsewhere (an expiry, another gateway whose news did not come) show after this time. */
const freshForMs = 250
/** To who follows an event rather than looks at it once, of whom there is one for all who watch. */
const followedForMs = 100
/** So that readers of a hot event do not wait for it four times a second. */
const renewAfterMs = 200
/** However many holds are made and boards read: an event's board is not made more often than this. */
const pauseMs = 50
/** An event that was deleted, also by SQL, is not found after this time and what the catalog keeps of it. */
const lookAgainMs = 1_000
/** A catalog that is away, or slow, does not hide an event whose inventory answers. */
export const lookLimit = Duration.millis(250)
/** Longer than an inventory takes, or its stand-in: who reads it waits for all who ask for it at a time. */
const askLimit = Duration.seconds(10)
/**
 * Browsers ask each time: whoever has held a seat sees it. A shared cache may answer for a second, which is within
 * what we promise of staleness; it may not answer with what is older (RFC 9111 §5.2.2.10), as that would add up.
 */
export const cacheControl = "public, max-age=0, s-maxage=1"

/** Events whose newest version that was answered here is remembered. */
const maxAnswered = 10_000
/** Its owner is away, and the read model has not seen yet what was answered here. */
const notSeenYet = new InventoryUnavailable({ reason: "deadline", retryAfterMs: 1_000 })

/** The availability as every API shows it. */
export const render = (eventId: EventId, view: AvailabilityView): Availability => ({
  version: view.version,
  seats: {
    total: view.total,
    available: view.total - view.held.length - view.sold.length,
    held: view.held.length,
    sold: view.sold.length
  },
  unavailable: Object.fromEntries([
    ...view.held.map((seat) => [seatId(eventId, seat), "held"] as const),
    ...view.sold.map((seat) => [seatId(eventId, seat), "sold"] as const)
  ]),
  areas: Object.fromEntries(view.areas.map((area, index) => [areaId(eventId, index), area] as const)),
  tiers: Object.fromEntries(view.tiers.map(({ available, tier }) => [tier, { available }] as const)),
  ...(view.asOfMs === undefined ? {} : { asOf: DateTime.formatIso(DateTime.makeUnsafe(view.asOfMs)) })
})

const sameNumbers = (a: ReadonlyArray<number>, b: ReadonlyArray<number>): boolean =>
  a.length === b.length && a.every((value, index) => value === b[index])

/** Nothing else has changed where the version has not, but what has expired meanwhile. */
const sameView = (a: AvailabilityView, b: AvailabilityView): boolean =>
  a === b ||
  (a.version === b.version &&
    a.asOfMs === b.asOfMs &&
    a.total === b.total &&
    sameNumbers(a.held, b.held) &&
    sameNumbers(a.sold, b.sold) &&
    JSON.stringify([a.areas, a.tiers]) === JSON.stringify([b.areas, b.tiers]))

export class AvailabilityBoard extends Context.Service<
  AvailabilityBoard,
  {
    /**
     * As the owner of the event has it, a tenth of a second ago at most, or not at all. Null for an event whose sale was never opened, or that is there
     * no more.
     */
    readonly get: (eventId: EventId) => Effect.Effect<Board | null, InventoryUnavailable>
    /**
     * As `get`, for who has no fiber: calls back once, at once where the board is fresh. Where the owner is away the
     * board may be the read model's, and says as of when.
     */
    readonly read: (eventId: EventId, done: FreshCopies.Waiter<Board, InventoryUnavailable>) => void
    /**
     * To be called when a command has changed the event, with the version it has now where that is known: reads
     * that begin later show it, and other gateways are told.
     */
    readonly changed: (eventId: EventId, version?: number) => void
    /** To be called when a command has met a change of somebody else: reads that begin later show it. */
    readonly met: (eventId: EventId) => void
  }
>()("@onsale/gateway/AvailabilityBoard") {
  static readonly layer = Layer.effect(
    AvailabilityBoard,
    Effect.gen(function* () {
      const inventory = yield* InventoryClient
      const catalog = yield* Catalog
      const clock = yield* Clock.Clock
      const news = yield* AvailabilityNews
      const compressor = yield* Compressor

      /** The newest version that a command was answered with; who was told so longest ago makes room. */
      const answered = new Map<EventId, number>()
      const wasAnswered = (eventId: EventId, version: number): void => {
        if (version === newest) return
        const known = answered.get(eventId) ?? 0
        answered.delete(eventId)
        answered.set(eventId, Math.max(known, version))
        if (answered.size <= maxAnswered) return
        for (const id of answered.keys()) {
          answered.delete(id)
          return
        }
      }

      /**
       * The inventory keeps what it knows of an event that was deleted. A catalog that is slow or away hides nothing: the
       * next look is a second later.
       */
      const isGone = (eventId: EventId) =>
        catalog.eventNumber(eventId).pipe(
          Effect.as(false),
          Effect.catchTag("EventNotFound", () => Effect.succeed(true)),
          Effect.timeoutOrElse({ duration: lookLimit, orElse: () => Effect.succeed(false) }),
          Effect.catchCause(() => Effect.succeed(false))
        )

      /** As the owner has it; where it is away, as the read model has it, but never less than what was shown or answered here. */
      const viewOf = Effect.fnUntraced(function* (eventId: EventId, before: Board | null) {
        const view = yield* inventory
          .availability(eventId)
          .pipe(Effect.timeoutOrElse({ duration: askLimit, orElse: () => Effect.fail(notSeenYet) }))
        if (view?.asOfMs === undefined) return view
        const least = Math.max(answered.get(eventId) ?? 0, before?.version ?? 0)
        return view.version < least ? yield* notSeenYet : view
      })

      const ask = Effect.fnUntraced(function* (eventId: EventId, before: Board | null) {
        const atMs = Number(clock.monotonicTimeNanosUnsafe()) / 1e6
        if (before === null || atMs - before.askedAtMs >= lookAgainMs) {
          if (yield* isGone(eventId)) return null
          if (before !== null) before.askedAtMs = atMs
        }
        const view = yield* viewOf(eventId, before)
        if (view === null || (before !== null && sameView(before.view, view))) return view && before
        const json = Buffer.from(JSON.stringify(render(eventId, view)))
        const body = new EncodedBody({
          json,
          tag: `${view.version}-${tagOf(json)}`,
          cacheControl,
          compressor,
          turns: before?.body.options.turns ?? turns(false)
        })
        const board: Board = { view, body, version: view.version, askedAtMs: before?.askedAtMs ?? atMs }
        body.onGrown = (bytes) => copies.grown(eventId, board, bytes)
        return board
      })

      const copies = yield* FreshCopies.make<EventId, Board, InventoryUnavailable>({
        name: "boards",
        ask,
        freshForMs,
        renewAfterMs,
        pauseMs,
        capacity,
        maxBytes,
        bytesOf: ({ body, view }) => body.byteLength + bytesASeat * (view.held.length + view.sold.length)
      })
      news.listen((eventId, version) => {
        if ((copies.kept(eventId)?.version ?? -1) < version) copies.changed(eventId)
      })

      return AvailabilityBoard.of({
        met: copies.changed,
        get: (eventId) =>
          Effect.flatMap(copies.get(eventId, followedForMs), (board) =>
            board?.view.asOfMs === undefined ? Effect.succeed(board) : Effect.fail(notSeenYet)
          ),
        read: copies.read,
        changed: (eventId, version = newest) => {
          wasAnswered(eventId, version)
          copies.changed(eventId)
          news.tell(eventId, version)
        }
      })
    })
  ).pipe(Layer.provide(Compressor.layer))
}
