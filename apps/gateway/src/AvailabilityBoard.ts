/**
 * The availability of events as this process serves it: asked of the inventory a few times a second,
 * encoded once for everyone who reads it meanwhile.
 *
 * A read that begins after a hold was answered here shows that hold, and one after a refusal the seats that
 * were taken: it waits for a board that is asked for after it.
 */
import type { Availability } from "@onsale/contracts/http/EventsApi"
import { areaId, type EventId, seatId } from "@onsale/contracts/Ids"
import { InventoryClient, type InventoryUnavailable } from "@onsale/contracts/inventory/InventoryClient"
import type { AvailabilityView } from "@onsale/contracts/inventory/InventoryCommand"
import { Clock, Context, Deferred, Duration, Effect, Exit, Layer } from "effect"
import { createHash } from "node:crypto"
import { AvailabilityNews, newest } from "./AvailabilityNews.ts"

/** The encoded answer, its validator, and what it was made of. */
export interface Board {
  readonly view: AvailabilityView
  readonly json: string
  readonly etag: string
  /** The event's, as the board shows it. */
  readonly version: number
}

/** Events whose board is kept; the one that was read longest ago makes room. */
const capacity = 1_000
/** Changes that come from elsewhere (an expiry, another gateway whose news did not come) show after this time. */
const freshForMs = 100
/** However many holds are made and boards read: an event's board is not made more often than this. */
const pauseMs = 50

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
  tiers: Object.fromEntries(view.tiers.map(({ available, tier }) => [tier, { available }] as const))
})

interface Asking {
  readonly deferred: Deferred.Deferred<Board | null, InventoryUnavailable>
  /** How many changes there had been when it was asked for. */
  readonly asOf: number
}

interface Entry {
  board: Board | null
  /** How many changes there had been when the board was asked for. */
  asOf: number
  /** By the clock that only goes forward: the wall clock may be set back by an hour. */
  askedAtMs: number
  /** Counts what was changed through this process. */
  changes: number
  /** What was asked for and has not come. */
  current: Asking | undefined
  /** What will be asked for as soon as the pause is over. */
  next: Deferred.Deferred<Board | null, InventoryUnavailable> | undefined
}

export class AvailabilityBoard extends Context.Service<
  AvailabilityBoard,
  {
    /** Null for an event whose sale was never opened. */
    readonly get: (eventId: EventId) => Effect.Effect<Board | null, InventoryUnavailable>
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
      const news = yield* AvailabilityNews
      const clock = yield* Clock.Clock
      const scope = yield* Effect.scope
      const entries = new Map<EventId, Entry>()
      const nowMs = () => Number(clock.monotonicTimeNanosUnsafe()) / 1e6

      const ask = Effect.fnUntraced(function* (eventId: EventId) {
        const view = yield* inventory.availability(eventId)
        if (view === null) return null
        const json = JSON.stringify(render(eventId, view))
        return {
          view,
          json,
          version: view.version,
          etag: `"${view.version}-${createHash("sha1").update(json).digest("base64url").slice(0, 10)}"`
        }
      })

      const refresh = Effect.fnUntraced(function* (
        eventId: EventId,
        entry: Entry,
        deferred: Asking["deferred"]
      ) {
        yield* Effect.sleep(Duration.millis(Math.max(0, entry.askedAtMs + pauseMs - nowMs())))
        const asking: Asking = { deferred, asOf: entry.changes }
        entry.next = undefined
        entry.current = asking
        entry.askedAtMs = nowMs()
        const exit = yield* Effect.exit(ask(eventId))
        // A later one may have been faster.
        if (Exit.isSuccess(exit) && asking.asOf >= entry.asOf) {
          entry.board = exit.value
          entry.asOf = asking.asOf
        }
        if (entry.current === asking) entry.current = undefined
        yield* Deferred.done(deferred, exit)
      })

      const entryOf = (eventId: EventId): Entry => {
        const found = entries.get(eventId) ?? {
          board: null,
          asOf: -1,
          askedAtMs: -Infinity,
          changes: 0,
          current: undefined,
          next: undefined
        }
        // To the end of the map, whose first is the one to go.
        entries.delete(eventId)
        entries.set(eventId, found)
        if (entries.size > capacity) {
          for (const oldest of entries.keys()) {
            entries.delete(oldest)
            break
          }
        }
        return found
      }

      const met = (eventId: EventId): void => {
        const entry = entries.get(eventId)
        if (entry !== undefined) entry.changes++
      }
      news.listen((eventId, version) => {
        if ((entries.get(eventId)?.board?.version ?? -1) < version) met(eventId)
      })

      return AvailabilityBoard.of({
        met,
        get: (eventId) =>
          Effect.suspend(() => {
            const entry = entryOf(eventId)
            const age = nowMs() - entry.askedAtMs
            if (entry.board !== null && entry.asOf === entry.changes && age < freshForMs) {
              return Effect.succeed(entry.board)
            }
            if (entry.current?.asOf === entry.changes) return Deferred.await(entry.current.deferred)
            if (entry.next !== undefined) return Deferred.await(entry.next)
            const next = Deferred.makeUnsafe<Board | null, InventoryUnavailable>()
            entry.next = next
            return Effect.andThen(Effect.forkIn(refresh(eventId, entry, next), scope), Deferred.await(next))
          }),
        changed: (eventId, version = newest) => {
          met(eventId)
          news.tell(eventId, version)
        }
      })
    })
  )
}
