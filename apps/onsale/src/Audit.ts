/**
 * `onsale audit`: checks from the tables, read-only and on a live database, that nothing which must
 * never happen has happened. Each context's audit checks its own tables; what needs the tables of
 * several is checked here. Every check sees one moment of the database.
 */
import * as BookingAudit from "@onsale/booking/BookingAudit"
import * as InventoryAudit from "@onsale/inventory/InventoryAudit"
import { InventoryStore } from "@onsale/inventory/InventoryStore"
import * as RowsAudit from "@onsale/inventory/rows/RowsAudit"
import { PaymentAudit } from "@onsale/payments/PaymentAudit"
import { ReconciliationTable } from "@onsale/payments/ReconciliationTable"
import { Clock, Effect, Layer, Option, Schema } from "effect"
import { SqlClient, SqlSchema } from "effect/sql"
import * as CrossChecks from "./audit/CrossChecks.ts"
import { Books, type InvariantId, invariantIds } from "./audit/Found.ts"
import * as JournalChecks from "./audit/JournalChecks.ts"
import * as LedgerChecks from "./audit/LedgerChecks.ts"
import * as PaymentChecks from "./audit/PaymentChecks.ts"
import { count, plural } from "./Wording.ts"

/** There is nothing to audit, or it cannot be read; nothing is said of the invariants. */
export class AuditError extends Schema.TaggedError<AuditError>()("AuditError", { message: Schema.String }) {}

const sandboxProvider = "sandbox"

const Counts = Schema.Struct({
  events: Schema.Int,
  domainEvents: Schema.Int,
  holds: Schema.Int,
  orders: Schema.Int,
  captured: Schema.Int,
  tickets: Schema.Int,
  keys: Schema.Int
})

const countAll = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  return yield* SqlSchema.findOne({
    Request: Schema.Void,
    Result: Counts,
    execute: () => sql`SELECT
      (SELECT count(DISTINCT stream) FROM inventory.journal)::int AS events,
      (SELECT coalesce(sum(json_array_length(events)), 0) FROM inventory.journal)::int AS "domainEvents",
      (SELECT count(*) FROM inventory.journal j CROSS JOIN LATERAL json_array_elements(j.events) e
        WHERE e.value->>'_tag' = 'Held')::int AS holds,
      (SELECT count(*) FROM booking.orders)::int AS orders,
      (SELECT count(*) FROM payments.intents WHERE captured > 0)::int AS captured,
      (SELECT count(*) FROM booking.tickets WHERE status = 'valid')::int AS tickets,
      (SELECT count(*) FROM booking.idempotency)::int AS keys`
  })()
})

/** The intents of the provider whose ledger is at hand. */
const sandboxIntents = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* SqlSchema.findAll({
    Request: Schema.Void,
    Result: Schema.Struct({ id: Schema.String }),
    execute: () =>
      sql`SELECT id::text AS id FROM payments.intents WHERE provider = ${sandboxProvider} AND captured > 0`
  })()
  return new Set(rows.map(({ id }) => id))
})

/** One moment of the database for all that is read; a writer is neither held up nor seen. */
const inSnapshot = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    sql.withTransaction(
      Effect.andThen(sql`SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY`, effect)
    )
  )

/**
 * For checks that read whole tables: hashes in memory, never row by row, which is what the planner may
 * take to be cheaper for tables that were filled a moment ago and not analysed yet.
 */
const overWholeTables = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    yield* sql`SELECT set_config('enable_nestloop', 'off', true), set_config('work_mem', '64MB', true), set_config('jit', 'off', true)`
    const result = yield* effect
    yield* sql`SELECT set_config('enable_nestloop', 'on', true)`
    return result
  })

const refuseUnmigrated = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  // Of the first version, and of the newest.
  const rows = yield* sql`SELECT 1 AS one WHERE to_regclass('notifications.jobs') IS NOT NULL
    AND EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('booking.orders') AND attname = 'late_money')`
  if (rows.length === 0) {
    return yield* new AuditError({
      message: 'The database has no tables of this version yet: "onsale migrate" makes them'
    })
  }
})

const isInvariant = (text: string): text is InvariantId => invariantIds.some((id) => id === text)

export interface AuditOptions {
  /** The ledger file of the sandbox provider, to compare our payments with. */
  readonly ledger: Option.Option<string>
}

/** A finding for each invariant, in their order. Reads everything; 100,000 orders take seconds. */
export const run = Effect.fn("Audit.run")(
  function* (options: AuditOptions) {
    yield* refuseUnmigrated
    const nowMs = yield* Clock.currentTimeMillis
    const books = new Books()

    // In transactions of its own: it replays one event at a time.
    for (const { detail, invariant } of [...(yield* InventoryAudit.run()), ...(yield* RowsAudit.run())]) {
      books.add({ invariant, kind: "breach", what: detail })
    }

    const { booked, counts, journals, provider } = yield* inSnapshot(
      Effect.gen(function* () {
        const tables = yield* overWholeTables(
          Effect.gen(function* () {
            for (const { detail, invariant, ok } of yield* BookingAudit.run) {
              if (!isInvariant(invariant)) return yield* Effect.die(new Error(`${invariant} is no invariant`))
              if (!ok) books.add({ invariant, kind: "breach", what: detail })
            }
            for (const { row, times } of yield* CrossChecks.run(nowMs)) books.add(row, times)
            const journals = yield* JournalChecks.run(nowMs)
            for (const found of journals.found) books.add(found)
            return { journals, counts: yield* countAll, provider: yield* sandboxIntents }
          })
        )
        // Page by page, by their index.
        return { ...tables, booked: yield* PaymentChecks.run(nowMs, (found) => books.add(found)) }
      })
    )

    // After our books: the provider's must then have all that is in ours.
    const ledger = yield* Effect.transposeOption(
      Option.map(options.ledger, (file) => LedgerChecks.run(file, booked, provider, nowMs))
    )
    if (Option.isSome(ledger)) for (const found of ledger.value.found) books.add(found)

    const orders = plural(counts.orders, "order")
    const holds = plural(counts.holds, "hold")
    const atProvider = Option.match(ledger, {
      onNone: () => "",
      onSome: ({ captured }) => `, ${count(captured)} captured in the provider's ledger`
    })
    return books.close({
      "INV-01": `${plural(counts.events, "event")}, ${plural(counts.domainEvents, "domain event")} of the journal`,
      "INV-02": holds,
      "INV-03": holds,
      "INV-04": `${orders}, ${plural(booked.size, "payment")}${atProvider}`,
      "INV-05": `${plural(counts.captured, "captured payment")}${atProvider}`,
      "INV-06": plural(counts.tickets, "valid ticket"),
      "INV-07": `${plural(counts.keys, "key")} of orders and refunds, ${plural(counts.domainEvents, "domain event")} of holds`,
      "INV-08": `${holds}, ${orders}`,
      "INV-09": `${plural(journals.rows, "row")} of journals, the slowest follower ${count(Math.round(journals.lagMs))} ms behind`,
      "INV-10": "all of this was read from Postgres alone: nothing outside of it decides"
    })
  },
  Effect.catchTags({
    SqlError: (error) =>
      Effect.fail(new AuditError({ message: `The database cannot be read: ${error.message}` })),
    SchemaError: (error) => Effect.die(error),
    NoSuchElementError: (error) => Effect.die(error)
  }),
  Effect.provide(Layer.mergeAll(InventoryStore.layer, PaymentAudit.layer, ReconciliationTable.layer))
)
