/**
 * Changes of what an event sells after its draft was made: house seats, vouchers, the accessible pool.
 *
 * A change is one transaction under the lock of the event: what it changes, the next revision, and, of a published
 * event, a `SaleChanged` in the journal. Then the inventory is given the layout of the newest revision, made from
 * the tables. Where that fails, or the process dies before, the supervisor does it later: an event whose
 * `opened_revision` is behind is due. Layouts carry their revision, so that a late one changes nothing.
 */
import type { CatalogEvent } from "@onsale/contracts/catalog/CatalogEvent"
import { EventCancelled, EventNotFound, EventNotPublished } from "@onsale/contracts/catalog/CatalogErrors"
import { type EventId, makeUuidV7 } from "@onsale/contracts/Ids"
import { InventoryClient, type InventoryUnavailable } from "@onsale/contracts/inventory/InventoryClient"
import type { SaleLayout } from "@onsale/contracts/inventory/SaleLayout"
import { Cause, Clock, Context, Duration, Effect, Layer, Option, Schedule, Schema } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { CatalogJournal } from "./CatalogJournal.ts"
import { settled } from "./CatalogSql.ts"
import { saleLayout } from "./EventLayout.ts"
import * as EventRow from "./EventRow.ts"
import { EventStore } from "./EventStore.ts"
import * as SaleRows from "./SaleRows.ts"
import type { StoredEvent } from "./StoredEvent.ts"
import { VenueStore } from "./VenueStore.ts"

/** How long a layout that was left behind may wait to be noticed. */
const lookEvery = Duration.seconds(1)
/** Events that are read at a time, and opened at the same time. */
const pageSize = 64
const concurrency = 4
const firstId = "00000000-0000-0000-0000-000000000000"

/** Layouts that could not be opened, each of which was logged. */
class NotOpened extends Schema.TaggedError<NotOpened>()("NotOpened", { count: Schema.Int }) {}

const Locked = Schema.Array(Schema.Struct({ changeId: Schema.NullOr(Schema.String) }))
const Versions = Schema.Array(Schema.Struct({ version: Schema.Int }))

/** What a change of the database may fail with, and is tried again or a defect. */
type StoreError = SqlError.SqlError | Schema.SchemaError

export class SaleChanges extends Context.Service<
  SaleChanges,
  {
    /**
     * Changes an event in any state but cancelled. `write` checks and writes within the transaction, and answers
     * whether anything is other than before. It may be carried out again after a lost connection; once it was committed
     * only where somebody else has changed the event in between, and then what it writes is there already. The change is in force when this returns, or soon after if the inventory has no time now.
     */
    readonly change: <E>(
      eventId: EventId,
      write: (event: StoredEvent, atMs: number) => Effect.Effect<boolean, E>
    ) => Effect.Effect<void, Exclude<E, StoreError> | EventNotFound | EventCancelled>
    /**
     * Cancels a published event for good, closes its sale and then tells so in the journal. Once more changes
     * nothing. It is stored also where the inventory has no time now: then the supervisor closes the sale.
     */
    readonly cancel: (
      eventId: EventId,
      reason: string
    ) => Effect.Effect<void, EventNotFound | EventNotPublished | InventoryUnavailable>
    /** What the inventory has to sell of an event that was read before. */
    readonly layoutOf: (event: StoredEvent) => Effect.Effect<SaleLayout>
    /** Gives the inventory what it has not got of all published and cancelled events, and answers of how many it could not. */
    readonly openDue: Effect.Effect<number>
  }
>()("@onsale/catalog/SaleChanges") {
  static readonly layer = Layer.effect(
    SaleChanges,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const journal = yield* CatalogJournal
      const inventory = yield* InventoryClient
      const events = yield* EventStore
      const venues = yield* VenueStore
      const findEvent = EventRow.find(sql)
      const findBlocks = SaleRows.blocks(sql)
      const findVouchers = SaleRows.vouchers(sql)

      const layoutOf = Effect.fn("SaleChanges.layoutOf")(function* (event: StoredEvent) {
        const map = yield* venues.map(event.venue.id, event.seatMapVersion)
        // Read after the event, so never older than its revision says. If newer, a newer revision follows.
        const blocks = yield* settled(findBlocks(event.id))
        return saleLayout(map, event, blocks, yield* settled(findVouchers(event.id)))
      })

      const openNewest = Effect.fn("SaleChanges.openNewest")(function* (eventId: EventId) {
        const event = yield* events.find(eventId)
        if (event === null || event.state === "draft") return
        if (event.openedRevision < event.revision) {
          yield* inventory.open(eventId, yield* layoutOf(event))
          yield* events.opened(eventId, event.revision)
        }
        if (event.state === "cancelled") yield* tellCancelled(event)
      })

      /** Only now: who hears of it finds that nothing is sold any more, and what was sold is all there is. */
      const tellCancelled = (event: StoredEvent) =>
        settled(
          sql.withTransaction(
            Effect.gen(function* () {
              const told = yield* sql`UPDATE catalog.events SET cancel_told = true
                WHERE id = ${event.id}::uuid AND NOT cancel_told RETURNING 1 AS told`
              if (told.length === 0) return
              const { atMs = 0, reason = "" } = event.cancellation ?? {}
              yield* append(event.id, { _tag: "EventCancelled", eventId: event.id, reason }, atMs)
            })
          )
        )

      const append = Effect.fnUntraced(function* (eventId: EventId, fact: CatalogEvent, atMs: number) {
        // Under the lock of the event nobody else writes its stream any more.
        const rows = yield* sql`SELECT max(version)::int AS version FROM catalog.journal
          WHERE stream = ${eventId}::uuid HAVING max(version) IS NOT NULL`
        const last = (yield* Schema.decodeUnknownEffect(Versions)(rows))[0]?.version ?? 0
        yield* journal
          .append({
            stream: eventId,
            version: last + 1,
            atMs,
            correlation: null,
            events: [fact]
          })
          .pipe(Effect.catchTag(["JournalConflict", "UniqueBroken"], Effect.die))
      })

      const change = Effect.fn("SaleChanges.change")(function* <E>(
        eventId: EventId,
        write: (event: StoredEvent, atMs: number) => Effect.Effect<boolean, E>
      ) {
        const atMs = yield* Clock.currentTimeMillis
        const changeId = makeUuidV7(atMs)
        const step = Effect.gen(function* () {
          const rows = yield* sql`SELECT change_id::text AS "changeId" FROM catalog.events
            WHERE id = ${eventId}::uuid FOR UPDATE`
          const [locked] = yield* Schema.decodeUnknownEffect(Locked)(rows)
          if (locked === undefined) return yield* new EventNotFound({ eventId })
          // It was committed, and the answer was lost.
          if (locked.changeId === changeId) return
          const event = Option.getOrThrow(yield* findEvent(eventId))
          if (event.state === "cancelled") return yield* new EventCancelled({ eventId })
          if (!(yield* write(event, atMs))) return
          const revision = event.revision + 1
          yield* sql`UPDATE catalog.events SET revision = ${revision}::int, change_id = ${changeId}::uuid
            WHERE id = ${eventId}::uuid`
          if (event.state === "published")
            yield* append(eventId, { _tag: "SaleChanged", eventId, revision }, atMs)
        })
        yield* settled(sql.withTransaction(step))
        yield* openNewest(eventId).pipe(
          // It is stored: whoever asked for it has what they wanted, a little later.
          Effect.catchTag("InventoryUnavailable", (error: InventoryUnavailable) =>
            Effect.logWarning(`the change of the sale of ${eventId} is not in force yet`, error)
          )
        )
      })

      const cancel = Effect.fn("SaleChanges.cancel")(function* (eventId: EventId, reason: string) {
        const atMs = yield* Clock.currentTimeMillis
        const step = Effect.gen(function* () {
          const cancelled = yield* sql`UPDATE catalog.events SET state = 'cancelled', revision = revision + 1,
              cancelled_at = to_timestamp(${atMs}::float8 / 1000), cancel_reason = ${reason}::text
            WHERE id = ${eventId}::uuid AND state = 'published' RETURNING 1 AS cancelled`
          if (cancelled.length > 0) return
          const event = yield* findEvent(eventId)
          if (Option.isNone(event)) return yield* new EventNotFound({ eventId })
          // Once more: the first reason stays, and what is left to do is done again.
          if (event.value.state !== "cancelled") return yield* new EventNotPublished({ eventId })
        })
        yield* settled(sql.withTransaction(step))
        yield* openNewest(eventId)
      })

      const openDue = Effect.gen(function* () {
        let failed = 0
        let after = firstId
        for (;;) {
          const due = yield* events.toOpen(after, pageSize)
          const exits = yield* Effect.forEach(due, (eventId) => opening(eventId), { concurrency })
          failed += exits.filter((opened) => !opened).length
          const last = due[pageSize - 1]
          if (last === undefined) return failed
          after = last
        }
      })

      /** One event that cannot be opened does not keep the others from it. */
      const opening = (eventId: EventId): Effect.Effect<boolean> =>
        openNewest(eventId).pipe(
          Effect.as(true),
          Effect.catchCause((cause) =>
            Cause.hasInterruptsOnly(cause)
              ? Effect.interrupt
              : Effect.as(Effect.logError(`the sale of ${eventId} is not as it was changed`, cause), false)
          )
        )

      return SaleChanges.of({ cancel, change, layoutOf, openDue })
    })
  )

  /** Looks for layouts that were left behind as long as it lives; with a growing pause where some cannot be opened. */
  static readonly supervisor = Layer.effectDiscard(
    Effect.gen(function* () {
      const changes = yield* SaleChanges
      const look = Effect.gen(function* () {
        const count = yield* changes.openDue
        if (count > 0) return yield* new NotOpened({ count })
        yield* Effect.sleep(lookEvery)
      })
      yield* Effect.forkScoped(
        look.pipe(
          Effect.sandbox,
          Effect.tapError((cause) =>
            // The events themselves are logged already.
            Cause.hasInterruptsOnly(cause) || !Cause.hasDies(cause)
              ? Effect.void
              : Effect.logError("looking for sales to open failed", cause)
          ),
          Effect.retry(
            Schedule.min([Schedule.exponential("1 second"), Schedule.spaced("30 seconds")]).pipe(
              Schedule.jittered
            )
          ),
          Effect.forever
        )
      )
    })
  )
}
