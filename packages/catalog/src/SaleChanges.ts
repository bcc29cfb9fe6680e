/**
 * Changes of what an event sells after its draft was made: house seats, vouchers, the accessible pool.
 *
 * A change is one transaction under the lock of the event: what it changes, the next revision, and, of a published
 * event, a `SaleChanged` in the journal, or what else is to be told of it (`EventChanges`). Then the inventory is given the layout of the newest revision, made from
 * the tables. Where that fails, or the process dies before, the supervisor does it later: an event whose
 * `opened_revision` is behind is due. Layouts carry their revision, so that a late one changes nothing.
 *
 * A cancellation is one too, the last. Its `EventCancelled` stands in the journal once the inventory has the closed
 * layout, and not before: who reads it and counts what was sold misses nothing.
 */
import { EventCancelled, EventNotFound, EventNotPublished } from "@onsale/contracts/catalog/CatalogErrors"
import type { EventId } from "@onsale/contracts/Ids"
import type { CatalogEvent, EventFacts } from "@onsale/contracts/catalog/CatalogEvent"
import { InventoryClient, type InventoryUnavailable } from "@onsale/contracts/inventory/InventoryClient"
import type { SaleLayout } from "@onsale/contracts/inventory/SaleLayout"
import { Cause, Clock, Context, Duration, Effect, Layer, Option, Schedule, Schema } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { CatalogJournal } from "./CatalogJournal.ts"
import { instant, settled } from "./CatalogSql.ts"
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

const Locked = Schema.Array(Schema.Struct({ transaction: Schema.String }))
const Ended = Schema.Tuple([Schema.Struct({ committed: Schema.Boolean })])
const Versions = Schema.Array(Schema.Struct({ version: Schema.Int }))

/** What a change of the database may fail with, and is tried again or a defect. */
type StoreError = SqlError.SqlError | Schema.SchemaError

export class SaleChanges extends Context.Service<
  SaleChanges,
  {
    /**
     * Changes an event in any state but cancelled. `write` checks and writes within the transaction, and answers
     * whether anything is other than before, or the facts that are told of it by `EventChanged` in place of `SaleChanged`. It
     * may be carried out again after a lost connection, and is not where it was committed, whoever has changed the event
     * since. The change is in force when this returns, or soon after if the inventory has no time now.
     */
    readonly change: <E>(
      eventId: EventId,
      write: (event: StoredEvent, atMs: number) => Effect.Effect<boolean | EventFacts, E>
    ) => Effect.Effect<void, Exclude<E, StoreError> | EventNotFound | EventCancelled>
    /**
     * Cancels a published event, for ever; once more changes nothing, and the first reason stays. Nothing is sold any
     * more when this returns, or soon after if the inventory has no time now.
     */
    readonly cancel: (
      eventId: EventId,
      reason: string
    ) => Effect.Effect<void, EventNotFound | EventNotPublished>
    /** What the inventory has to sell of an event that was read before. */
    readonly layoutOf: (event: StoredEvent) => Effect.Effect<SaleLayout>
    /** Gives the inventory what it has not got of all events that are no drafts, and answers of how many it could not. */
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
        if (event === null || event.state === "draft" || event.openedRevision >= event.revision) return
        yield* inventory.open(eventId, yield* layoutOf(event))
        yield* event.state === "cancelled" ? closed(event) : events.opened(eventId, event.revision)
      })

      /** Its change is stored: whoever asked for it has what they wanted, a little later where this fails. */
      const openSoon = (eventId: EventId) =>
        openNewest(eventId).pipe(
          Effect.catchTag("InventoryUnavailable", (error: InventoryUnavailable) =>
            Effect.logWarning(`the change of the sale of ${eventId} is not in force yet`, error)
          )
        )

      const lock = Effect.fnUntraced(function* (eventId: EventId) {
        const rows = yield* sql`SELECT pg_current_xact_id()::text AS transaction FROM catalog.events
          WHERE id = ${eventId}::uuid FOR UPDATE`
        const [locked] = yield* Schema.decodeUnknownEffect(Locked)(rows)
        return locked ?? (yield* new EventNotFound({ eventId }))
      })

      /** Of one that had the lock which is ours now, and so has ended. */
      const wasCommitted = Effect.fnUntraced(function* (transaction: string) {
        const rows = yield* sql`SELECT
          coalesce(pg_xact_status(${transaction}::text::xid8) = 'committed', false) AS committed`
        return (yield* Schema.decodeUnknownEffect(Ended)(rows))[0].committed
      })

      const tell = Effect.fnUntraced(function* (eventId: EventId, event: CatalogEvent, atMs: number) {
        // Under the lock of the event nobody else writes its stream any more.
        const rows = yield* sql`SELECT max(version)::int AS version FROM catalog.journal
          WHERE stream = ${eventId}::uuid HAVING max(version) IS NOT NULL`
        const last = (yield* Schema.decodeUnknownEffect(Versions)(rows))[0]?.version ?? 0
        yield* journal
          .append({ stream: eventId, version: last + 1, atMs, correlation: null, events: [event] })
          .pipe(Effect.catchTag(["JournalConflict", "UniqueBroken"], Effect.die))
      })

      /** The sale of a cancelled event is closed: remembered and told in one transaction, so once. */
      const closed = Effect.fn("SaleChanges.closed")(function* ({ cancellation, id, revision }: StoredEvent) {
        const atMs = yield* Clock.currentTimeMillis
        const step = Effect.gen(function* () {
          const found = yield* sql`UPDATE catalog.events SET opened_revision = ${revision}::int
            WHERE id = ${id}::uuid AND opened_revision < ${revision}::int RETURNING 1 AS found`
          if (found.length === 0) return
          const reason = cancellation?.reason ?? ""
          yield* tell(id, { _tag: "EventCancelled", eventId: id, reason, revision }, atMs)
        })
        yield* settled(sql.withTransaction(step))
      })

      const change = Effect.fn("SaleChanges.change")(function* <E>(
        eventId: EventId,
        write: (event: StoredEvent, atMs: number) => Effect.Effect<boolean | EventFacts, E>
      ) {
        const atMs = yield* Clock.currentTimeMillis
        let attempt: { readonly transaction: string; readonly revision: number } | undefined
        const step = Effect.gen(function* () {
          const { transaction } = yield* lock(eventId)
          const event = Option.getOrThrow(yield* findEvent(eventId))
          // The answer was lost, and what it wrote may have been changed by others since. A revision that has not grown says
          // that it was not written: after a crash or on another server the number may be another transaction's.
          if (
            attempt !== undefined &&
            event.revision > attempt.revision &&
            (yield* wasCommitted(attempt.transaction))
          )
            return
          attempt = { transaction, revision: event.revision }
          if (event.state === "cancelled") return yield* new EventCancelled({ eventId })
          const changed = yield* write(event, atMs)
          if (changed === false) return
          const revision = event.revision + 1
          yield* sql`UPDATE catalog.events SET revision = ${revision}::int
            WHERE id = ${eventId}::uuid`
          if (event.state === "draft") return
          yield* tell(
            eventId,
            changed === true
              ? { _tag: "SaleChanged", eventId, revision }
              : { _tag: "EventChanged", facts: changed, revision },
            atMs
          )
        })
        yield* settled(sql.withTransaction(step))
        yield* openSoon(eventId)
      })

      const cancel = Effect.fn("SaleChanges.cancel")(function* (eventId: EventId, reason: string) {
        const atMs = yield* Clock.currentTimeMillis
        const step = Effect.gen(function* () {
          yield* lock(eventId)
          const { state } = Option.getOrThrow(yield* findEvent(eventId))
          if (state === "draft") return yield* new EventNotPublished({ eventId })
          if (state === "cancelled") return
          yield* sql`UPDATE catalog.events SET state = 'cancelled', cancelled_at = ${instant(sql, atMs)},
              cancel_reason = ${reason}::text, revision = revision + 1
            WHERE id = ${eventId}::uuid`
        })
        yield* settled(sql.withTransaction(step))
        yield* openSoon(eventId)
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

      return SaleChanges.of({ change, cancel, layoutOf, openDue })
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
