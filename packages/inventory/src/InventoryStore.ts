/**
 * Where an event's inventory is kept: its journal, its layouts, its snapshots, its sales.
 */
import { EventId, HoldId, OrderId, VoucherId } from "@onsale/contracts/Ids"
import { AreaClaim } from "@onsale/contracts/inventory/InventoryCommand"
import { InventoryEvent } from "@onsale/contracts/inventory/InventoryEvent"
import { SaleLayout } from "@onsale/contracts/inventory/SaleLayout"
import * as Journal from "@onsale/platform/Journal"
import { Context, Effect, Layer, Option, Schema } from "effect"
import { SqlClient, SqlSchema } from "effect/sql"
import * as Layout from "./Layout.ts"
import { apply, restore, type Snapshot } from "./InventorySnapshot.ts"
import { empty, relayout, rememberCount, rememberMs, type State } from "./InventoryState.ts"

/** Journal rows read at once when an inventory is loaded. */
const pageSize = 2_000

// Snapshots from before customers and vouchers were counted name none.
const counted = {
  customer: Schema.NullOr(Schema.String).pipe(Schema.withDecodingDefaultKey(Effect.succeed(null))),
  voucher: Schema.NullOr(VoucherId).pipe(Schema.withDecodingDefaultKey(Effect.succeed(null)))
}

const Stored = Schema.Struct({
  version: Schema.Int,
  atMs: Schema.Int,
  layout: Schema.Int,
  holds: Schema.Array(
    Schema.Struct({
      id: HoldId,
      seats: Schema.Array(Schema.Int),
      areas: Schema.Array(AreaClaim),
      expiresAtMs: Schema.Int,
      ownExpiryMs: Schema.Int,
      capMs: Schema.Int,
      order: Schema.NullOr(OrderId),
      frozenOnce: Schema.Boolean,
      ...counted
    })
  ),
  /** By order: its seats. */
  sold: Schema.Array(
    Schema.Struct({
      order: OrderId,
      seats: Schema.Array(Schema.Int),
      areas: Schema.Array(AreaClaim),
      ...counted
    })
  ),
  returns: Schema.Array(Schema.String)
})

export class InventoryStore extends Context.Service<
  InventoryStore,
  {
    /**
     * The state as it was committed last, or null for an event that was never opened. `answers: false` is for who only
     * looks: a command that comes again would not be recognised by it.
     */
    readonly load: (eventId: EventId, options?: { readonly answers: boolean }) => Effect.Effect<State | null>
    /**
     * Writes a batch as the next row of the journal, with its sales. Fails where another owner was
     * faster, and with `UniqueBroken` where a seat is sold already: nothing was written then. A defect
     * leaves open whether it was.
     */
    readonly append: (batch: {
      readonly eventId: EventId
      readonly version: number
      readonly atMs: number
      readonly events: ReadonlyArray<InventoryEvent>
      /** Of those who are traced of all that have asked for it (`Tracing.carriedByMany`); left out where none is. */
      readonly correlation?: string
    }) => Effect.Effect<void, Journal.JournalConflict | Journal.UniqueBroken>
    /** Writes a layout and the row that opens it. */
    readonly open: (options: {
      readonly eventId: EventId
      readonly version: number
      readonly atMs: number
      readonly layoutVersion: number
      readonly layout: SaleLayout
    }) => Effect.Effect<void, Journal.JournalConflict>
    readonly snapshot: (eventId: EventId, snapshot: Snapshot) => Effect.Effect<void>
    /** The version that was committed last; 0 for an event that was never opened. */
    readonly versionOf: (eventId: EventId) => Effect.Effect<number>
    readonly journal: Journal.Journal<InventoryEvent>
  }
>()("@onsale/inventory/InventoryStore") {
  static readonly layer = Layer.effect(
    InventoryStore,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const journal = yield* Journal.make({ schema: "inventory", event: InventoryEvent })
      const encodeLayout = Schema.encodeEffect(Schema.fromJsonString(SaleLayout))

      const findLayout = SqlSchema.findOne({
        Request: Schema.Struct({ eventId: EventId, version: Schema.Int }),
        Result: Schema.Struct({ layout: SaleLayout }),
        execute: ({ eventId, version }) =>
          sql`SELECT layout FROM inventory.layout WHERE event_id = ${eventId}::uuid AND version = ${version}::int`
      })
      const loadLayout = (eventId: EventId, version: number) =>
        findLayout({ eventId, version }).pipe(Effect.map(({ layout }) => Layout.compile(version, layout)))

      const findSnapshot = SqlSchema.findOneOption({
        Request: EventId,
        Result: Schema.Struct({ state: Stored }),
        execute: (eventId) =>
          sql`SELECT state FROM inventory.snapshot WHERE stream = ${eventId}::uuid ORDER BY version DESC LIMIT 1`
      })

      const load = Effect.fn("InventoryStore.load")(function* (
        eventId: EventId,
        { answers }: { readonly answers: boolean } = { answers: true }
      ) {
        const snapshot = Option.getOrUndefined(yield* findSnapshot(eventId))?.state
        let state: State | null =
          snapshot === undefined ? null : restore(yield* loadLayout(eventId, snapshot.layout), snapshot)
        // Rows that the snapshot covers are read again only for the answers they gave.
        const covered = snapshot?.version ?? 0
        let from = answers ? yield* answersFrom(sql, eventId, covered) : covered + 1
        for (;;) {
          const rows = yield* journal.read(eventId, from, pageSize)
          for (const row of rows) {
            for (const event of row.events) {
              if (event._tag === "Opened" && row.version > (state?.version ?? 0)) {
                const layout: Layout.Layout = yield* loadLayout(eventId, event.layout)
                if (state === null) state = empty(layout)
                else relayout(state, layout)
              }
            }
            if (state === null) throw new Error(`the journal of ${eventId} does not begin with Opened`)
            apply(state, row, row.version <= covered)
          }
          if (!answers) state?.answers.clear()
          if (rows.length < pageSize) return state
          from = rows[rows.length - 1]!.version + 1
        }
      }, Effect.orDie)

      const insertSales = (
        eventId: EventId,
        sold: ReadonlyArray<{ readonly seat: number; readonly order: OrderId }>
      ) =>
        sql`INSERT INTO inventory.sale (event_id, seat, order_id)
          SELECT ${eventId}::uuid, s.seat, s.order_id
          FROM unnest(${sold.map(({ seat }) => seat)}::int[], ${sold.map(({ order }) => order)}::uuid[]) AS s (seat, order_id)`
      const deleteSales = (eventId: EventId, seats: ReadonlyArray<number>) =>
        sql`DELETE FROM inventory.sale WHERE event_id = ${eventId}::uuid AND seat = ANY (${[...seats]}::int[])`

      const append: InventoryStore["Service"]["append"] = ({
        atMs,
        correlation = null,
        eventId,
        events,
        version
      }) => {
        const sold = soldIn(events)
        const returned = events.flatMap((event) => (event._tag === "Returned" ? event.seats : []))
        const row = { stream: eventId, version, atMs, correlation, json: JSON.stringify(events) }
        const soldSeats = new Set(sold.map(({ seat }) => seat))
        const written = returned.some((seat) => soldSeats.has(seat))
          ? // One statement does not see its own writes: a seat that changes hands twice needs them in order.
            sql.withTransaction(
              Effect.andThen(
                journal.appendEncoded(row),
                Effect.forEach(
                  events,
                  (event) =>
                    event._tag === "Sold"
                      ? Effect.asVoid(insertSales(eventId, soldIn([event])))
                      : event._tag === "Returned"
                        ? Effect.asVoid(deleteSales(eventId, event.seats))
                        : Effect.void,
                  { discard: true }
                )
              )
            )
          : journal.appendEncoded(row, [
              ...(sold.length > 0 ? [insertSales(eventId, sold)] : []),
              ...(returned.length > 0 ? [deleteSales(eventId, returned)] : [])
            ])
        return written.pipe(Effect.catchTag("SqlError", Effect.die))
      }

      const open: InventoryStore["Service"]["open"] = Effect.fn("InventoryStore.open")(function* (options) {
        const json = yield* Effect.orDie(encodeLayout(options.layout))
        yield* journal
          .append(
            {
              stream: options.eventId,
              version: options.version,
              atMs: options.atMs,
              correlation: null,
              events: [{ _tag: "Opened", layout: options.layoutVersion }]
            },
            [
              sql`INSERT INTO inventory.layout (event_id, version, layout)
                VALUES (${options.eventId}::uuid, ${options.layoutVersion}::int, ${json}::json)`
            ]
          )
          .pipe(Effect.catchTag(["SqlError", "UniqueBroken"], Effect.die))
      })

      const writeSnapshot: InventoryStore["Service"]["snapshot"] = Effect.fn("InventoryStore.snapshot")(
        function* (eventId, snapshot) {
          yield* sql`INSERT INTO inventory.snapshot (stream, version, state)
            VALUES (${eventId}::uuid, ${snapshot.version}::int, ${JSON.stringify(snapshot)}::json) ON CONFLICT DO NOTHING`
          // The one before stays, in case somebody is reading it.
          yield* sql`DELETE FROM inventory.snapshot WHERE stream = ${eventId}::uuid AND version < (
            SELECT min(version) FROM (
              SELECT version FROM inventory.snapshot WHERE stream = ${eventId}::uuid ORDER BY version DESC LIMIT 2
            ) AS kept)`
        },
        Effect.orDie
      )

      const findVersion = SqlSchema.findOne({
        Request: EventId,
        Result: Schema.Struct({ version: Schema.Int }),
        execute: (eventId) =>
          sql`SELECT coalesce(max(version), 0)::int AS version FROM inventory.journal WHERE stream = ${eventId}::uuid`
      })
      const versionOf: InventoryStore["Service"]["versionOf"] = (eventId) =>
        Effect.orDie(Effect.map(findVersion(eventId), ({ version }) => version))

      return InventoryStore.of({ load, append, open, snapshot: writeSnapshot, versionOf, journal })
    })
  )
}

const soldIn = (events: ReadonlyArray<InventoryEvent>) =>
  events.flatMap((event) =>
    event._tag === "Sold" ? event.seats.map((seat) => ({ seat, order: event.order })) : []
  )

/**
 * The first row to read: the first behind the snapshot, or an older one whose answers are still
 * remembered. Walks back from the snapshot by the key, no further than time and number allow.
 */
const answersFrom = (sql: SqlClient.SqlClient, eventId: EventId, snapshotVersion: number) =>
  snapshotVersion === 0
    ? Effect.succeed(1)
    : SqlSchema.findOne({
        Request: Schema.Void,
        Result: Schema.Struct({ from: Schema.Int }),
        execute: () => sql`WITH newest AS (
            SELECT at FROM inventory.journal WHERE stream = ${eventId}::uuid ORDER BY version DESC LIMIT 1
          ), recent AS (
            SELECT version, at, events FROM inventory.journal
            WHERE stream = ${eventId}::uuid AND version <= ${snapshotVersion}::int
              AND version > ${snapshotVersion}::int - ${rememberCount}::int
            ORDER BY version DESC
          ), counted AS (
            SELECT version, at, sum(json_array_length(events)) OVER (ORDER BY version DESC) AS answers FROM recent
            WHERE at > (SELECT at FROM newest) - ${rememberMs}::int * interval '1 millisecond'
          )
          SELECT coalesce(min(version), ${snapshotVersion}::int + 1)::int AS "from" FROM counted
          WHERE answers <= ${rememberCount}::int`
      })().pipe(Effect.map(({ from }) => from))
