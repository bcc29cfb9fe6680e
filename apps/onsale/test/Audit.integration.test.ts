/** The audit finds what it is there to find: each promise is broken behind the back of the code that keeps it. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { makeEventId, makeUuidV7, OrderId, RefundId, TicketId } from "@onsale/contracts/Ids"
import { InventoryStore } from "@onsale/inventory/InventoryStore"
import { layerDatabase, TestDatabase } from "@onsale/testing/PostgresFixture"
import { Effect, FileSystem, Layer, Option, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import * as Audit from "../src/Audit.ts"
import type { InvariantId } from "../src/audit/Found.ts"
import * as AuditWorld from "./AuditWorld.ts"
import * as OnsaleCommand from "./OnsaleCommand.ts"

const layer = Layer.mergeAll(InventoryStore.layer.pipe(Layer.provideMerge(layerDatabase)), NodeServices.layer)

const audited = (ledger: Option.Option<string> = Option.none()) => Audit.run({ ledger })

type Break = (
  world: AuditWorld.AuditWorld,
  sql: SqlClient.SqlClient
) => Effect.Effect<unknown, unknown, never>

/** Breaks the world, and expects the invariant to be told of, and no other than those that break with it. */
const finds = (
  what: string,
  invariant: InvariantId,
  detail: RegExp,
  breakIt: Break,
  others: ReadonlyArray<InvariantId> = []
) =>
  it.live(`${invariant}: ${what}`, () =>
    Effect.gen(function* () {
      const world = yield* AuditWorld.make
      yield* breakIt(world, yield* SqlClient.SqlClient)
      const findings = yield* audited()
      const broken = findings.filter(({ ok }) => !ok)
      assert.deepStrictEqual(
        broken.map(({ invariant }) => invariant),
        [invariant, ...others].sort(),
        JSON.stringify(broken, null, 2)
      )
      assert.match(
        broken.find((finding) => finding.invariant === invariant)?.breaches.join("\n") ?? "",
        detail
      )
    }).pipe(Effect.provide(layer))
  )

const otherOrder = OrderId.make(makeUuidV7(1))

describe("the audit", () => {
  it.live("finds nothing in books that are in order", () =>
    Effect.gen(function* () {
      yield* AuditWorld.make
      const findings = yield* audited()
      assert.deepStrictEqual(
        findings.filter(({ ok }) => !ok),
        []
      )
      assert.deepStrictEqual(
        findings.flatMap(({ inProgress, notes }) => [...inProgress, ...notes]),
        []
      )
      assert.strictEqual(findings.length, 10)
      assert.strictEqual(findings[0]?.checked, "1 event, 11 domain events of the journal")
    }).pipe(Effect.provide(layer))
  )

  it.live("finds nothing where relays have told all, or have nothing to tell yet", () =>
    Effect.gen(function* () {
      yield* AuditWorld.make
      const sql = yield* SqlClient.SqlClient
      for (const schema of ["catalog", "inventory", "booking", "payments"]) {
        yield* sql`INSERT INTO ${sql(`${schema}.cursor`)} (name, txid, position, updated_at)
          SELECT * FROM (SELECT 'bus', txid, position, now() FROM ${sql(`${schema}.journal`)}
            UNION ALL SELECT 'bus', '0'::xid8, 0, now()) AS places ORDER BY 2 DESC, 3 DESC LIMIT 1`
      }
      const findings = yield* audited()
      assert.deepStrictEqual(
        findings.flatMap(({ breaches, inProgress, notes }) => [...breaches, ...inProgress, ...notes]),
        []
      )
    }).pipe(Effect.provide(layer))
  )

  it.live("knows the follower of a shared cache, which rests where none is shared", () =>
    Effect.gen(function* () {
      yield* AuditWorld.make
      const sql = yield* SqlClient.SqlClient
      yield* sql`INSERT INTO catalog.journal OVERRIDING SYSTEM VALUE SELECT * FROM booking.journal ORDER BY txid, position LIMIT 1`
      // The others that follow this journal have not seen the row.
      const told = Effect.map(audited(), (findings) => {
        const ofCache = (said: ReadonlyArray<string>) => said.filter((each) => each.includes("shared_cache"))
        return {
          breaches: ofCache(findings.flatMap(({ breaches }) => breaches)),
          others: ofCache(findings.flatMap(({ inProgress, notes }) => [...inProgress, ...notes]))
        }
      })
      yield* sql`INSERT INTO catalog.cursor (name, txid, position, updated_at)
        SELECT 'shared_cache', txid, position, now() FROM catalog.journal`
      assert.deepStrictEqual(yield* told, { breaches: [], others: [] })
      yield* sql`UPDATE catalog.cursor SET txid = '0'::xid8, position = 0 WHERE name = 'shared_cache'`
      const { breaches, others } = yield* told
      assert.deepStrictEqual(breaches, [])
      assert.match(
        others.join(),
        /^catalog.shared_cache, .* has 1 rows to go, and rests where no cache is shared/
      )
    }).pipe(Effect.provide(layer))
  )

  it.live("finds nothing in an empty database", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(
        (yield* audited()).filter(({ ok }) => !ok),
        []
      )
    }).pipe(Effect.provide(layer))
  )

  finds(
    "a second sale of a seat",
    "INV-01",
    /seat 0 .* is sold to order .*, which is confirmed and has no valid ticket/,
    ({ eventId, ofArea }, sql) =>
      Effect.andThen(
        sql`ALTER TABLE inventory.sale DROP CONSTRAINT sale_pkey`,
        sql`INSERT INTO inventory.sale (event_id, seat, order_id) VALUES (${eventId}::uuid, 0, ${ofArea.orderId}::uuid)`
      ),
    // Which of the two sales a reader sees first is open.
    ["INV-06"]
  )
  finds(
    "a sale without an order",
    "INV-01",
    /seat 7 .* which is unknown/,
    ({ eventId }, sql) =>
      sql`INSERT INTO inventory.sale (event_id, seat, order_id) VALUES (${eventId}::uuid, 7, ${otherOrder}::uuid)`
  )
  finds(
    "a hold of a seat that is sold",
    "INV-01",
    /seat 0 went to hold/,
    ({ atMs, command, hold, inventoryRow }) =>
      inventoryRow([
        { _tag: "Held", ...command(), hold: hold(), seats: [0], areas: [], exp: atMs + 1, cap: atMs + 1 }
      ])
  )
  finds(
    "more places than an area has",
    "INV-01",
    /area 0 has 4 .* for 3 places/,
    ({ atMs, command, hold, inventoryRow }) =>
      inventoryRow([
        {
          _tag: "Held",
          ...command(),
          hold: hold(),
          seats: [],
          areas: [{ area: 0, quantity: 2 }],
          exp: atMs + 1,
          cap: atMs + 1
        }
      ])
  )

  finds(
    "a hold that was sold in part",
    "INV-02",
    /was sold something else/,
    ({ atMs, command, hold, inventoryRow }) => {
      const id = hold()
      return inventoryRow([
        { _tag: "Held", ...command(), hold: id, seats: [5, 6], areas: [], exp: atMs + 1, cap: atMs + 1 },
        { _tag: "Sold", ...command(), hold: id, order: otherOrder, seats: [5], areas: [], reclaimed: false }
      ])
    },
    ["INV-01"]
  )

  finds(
    "a hold that was extended after its time",
    "INV-03",
    /was extended after its time/,
    ({ atMs, command, hold, inventoryRow }) => {
      const id = hold()
      return Effect.andThen(
        inventoryRow([
          { _tag: "Held", ...command(), hold: id, seats: [5], areas: [], exp: atMs + 1, cap: atMs + 1 }
        ]),
        inventoryRow(
          [{ _tag: "Extended", ...command(), hold: id, seats: [5], areas: [], exp: atMs + 9 }],
          atMs + 2
        )
      )
    }
  )

  finds(
    "a payment that was captured twice",
    "INV-04",
    /captured 2 times/,
    ({ atMs, confirmed, payments }, sql) =>
      Effect.andThen(
        payments.append({
          stream: confirmed.intentId,
          version: 2,
          atMs,
          correlation: null,
          events: [{ _tag: "Captured", amount: 9_000 }]
        }),
        sql`UPDATE booking.cursor SET (txid, position) = (
          SELECT txid, position FROM payments.journal ORDER BY txid DESC, position DESC LIMIT 1)`
      ),
    ["INV-05"]
  )
  finds(
    "another amount than the order's",
    "INV-04",
    /is over 9000 EUR, its payment .* over 9000 USD/,
    ({ confirmed }, sql) =>
      sql`UPDATE payments.intents SET currency = 'USD' WHERE id = ${confirmed.intentId}::uuid`
  )

  finds(
    "money without tickets",
    "INV-05",
    /has 9000 captured and valid tickets for 0/,
    ({ confirmed }, sql) =>
      Effect.andThen(
        sql`DELETE FROM inventory.sale WHERE order_id = ${confirmed.orderId}::uuid`,
        sql`DELETE FROM booking.tickets WHERE order_id = ${confirmed.orderId}::uuid`
      ),
    ["INV-01"]
  )
  finds(
    "money of an order that was cancelled",
    "INV-05",
    /\(cancelled\) has 9000 captured/,
    ({ confirmed }, sql) =>
      Effect.all([
        sql`DELETE FROM booking.tickets WHERE order_id = ${confirmed.orderId}::uuid`,
        sql`UPDATE booking.orders SET status = 'cancelled', stage = 'cancelled' WHERE id = ${confirmed.orderId}::uuid`
      ]),
    ["INV-01"]
  )
  finds(
    "an open payment that nobody looks at",
    "INV-05",
    /is processing and nobody looks at it/,
    ({ declined }, sql) =>
      sql`UPDATE payments.intents SET status = 'processing', watch = 'open' WHERE id = ${declined.intentId}::uuid`
  )
  finds(
    "an unfinished order that nobody looks at",
    "INV-05",
    /is sold/,
    ({ declined }, sql) =>
      sql`UPDATE booking.orders SET status = 'payment_pending', stage = 'sold' WHERE id = ${declined.orderId}::uuid`
  )

  finds(
    "a ticket that was deleted",
    "INV-05",
    /has 1 of 2 tickets/,
    ({ tickets: [ticket] }, sql) => sql`DELETE FROM booking.tickets WHERE id = ${ticket?.id ?? ""}::uuid`,
    ["INV-01"]
  )
  finds(
    "a ticket whose seat is sold to nobody",
    "INV-06",
    /valid for seat 1 .* which is not sold/,
    ({ eventId }, sql) => sql`DELETE FROM inventory.sale WHERE event_id = ${eventId}::uuid AND seat = 1`,
    ["INV-01"]
  )
  finds(
    "a second valid ticket of a seat",
    "INV-06",
    /seat 0 .* has 2 valid tickets/,
    ({ ofArea, tickets: [ticket] }, sql) =>
      Effect.andThen(
        sql`DROP INDEX booking.tickets_valid_seat`,
        sql`INSERT INTO booking.tickets SELECT ${TicketId.make(makeUuidV7(2))}::uuid, ${ofArea.orderId}::uuid, event_id, seat, area,
          label, tier_id, price, status, code_version, created_at, updated_at
          FROM booking.tickets WHERE id = ${ticket?.id ?? ""}::uuid`
      ),
    ["INV-05"]
  )
  finds(
    "a ticket of an order that was declined",
    "INV-06",
    /which is declined/,
    ({ declined, ofArea }, sql) =>
      sql`UPDATE booking.tickets SET order_id = ${declined.orderId}::uuid WHERE order_id = ${ofArea.orderId}::uuid`,
    ["INV-01", "INV-05"]
  )
  finds(
    "tickets whose money went back",
    "INV-06",
    /has valid tickets for 9000 and 0 captured/,
    ({ confirmed }, sql) =>
      sql`UPDATE payments.intents SET refunded = captured WHERE id = ${confirmed.intentId}::uuid`,
    ["INV-05"]
  )

  finds(
    "a refund that was asked for a day ago and is not made",
    "INV-05",
    /refund .* of 100 EUR of order .* is not made at sandbox/,
    ({ atMs, confirmed, payments }, sql) =>
      Effect.gen(function* () {
        yield* payments.append({
          stream: confirmed.intentId,
          version: 2,
          atMs: atMs - 25 * 3_600_000,
          correlation: null,
          events: [{ _tag: "RefundRequested", refundId: RefundId.make(makeUuidV7(atMs)), amount: 100 }]
        })
        yield* sql`UPDATE payments.intents SET watch = 'open', next_check_at = now() WHERE id = ${confirmed.intentId}::uuid`
        yield* sql`UPDATE booking.cursor SET (txid, position) = (
          SELECT txid, position FROM payments.journal ORDER BY txid DESC, position DESC LIMIT 1)`
      })
  )
  finds(
    "an entry of the ledger that does not sum to zero",
    "INV-05",
    /entries of its ledger that do not sum to zero: 1/,
    ({ confirmed }, sql) =>
      sql`UPDATE payments.ledger SET amount = amount + 1
        WHERE intent_id = ${confirmed.intentId}::uuid AND account LIKE 'organiser:%'`
  )
  finds(
    "a movement that is not in the ledger",
    "INV-05",
    /the ledger has 0 of it and 0 to pay back, the journal 9000 and 0/,
    ({ confirmed }, sql) => sql`DELETE FROM payments.ledger WHERE intent_id = ${confirmed.intentId}::uuid`
  )
  finds(
    "an order without its key",
    "INV-07",
    /by 0 keys/,
    ({ confirmed }, sql) => sql`DELETE FROM booking.idempotency WHERE order_id = ${confirmed.orderId}::uuid`
  )
  finds(
    "a key that was answered with another order",
    "INV-07",
    /was answered with order/,
    ({ confirmed, ofArea }, sql) =>
      sql`UPDATE booking.idempotency SET answer = ${JSON.stringify({ id: ofArea.orderId })}::json WHERE order_id = ${confirmed.orderId}::uuid`
  )
  finds(
    "a command that was carried out twice",
    "INV-07",
    /has carried out command .* again at version 7/,
    (world) => {
      const same = world.command()
      const held = () => ({
        _tag: "Held" as const,
        ...same,
        hold: world.hold(),
        areas: [],
        exp: world.atMs + 1,
        cap: world.atMs + 1
      })
      return Effect.andThen(
        world.inventoryRow([{ ...held(), seats: [5] }]),
        world.inventoryRow([{ ...held(), seats: [6] }])
      )
    }
  )

  finds(
    "more tickets than an order may have",
    "INV-08",
    /has 2 tickets of at most 1/,
    (_, sql) => sql`UPDATE inventory.layout SET layout = jsonb_set(layout::jsonb, '{maxPerOrder}', '1')::json`
  )

  finds(
    "a gap in a journal",
    "INV-09",
    /of booking.journal has 1 rows up to version 2/,
    ({ confirmed }, sql) =>
      sql`DELETE FROM booking.journal WHERE stream = ${confirmed.orderId}::uuid AND version = 1`
  )
  finds(
    "a follower that lost its place",
    "INV-09",
    /notifications.booking.* has no cursor, and has not seen/,
    (_, sql) => sql`DELETE FROM notifications.cursor WHERE name = 'booking'`
  )
  finds(
    "a follower that stands beyond the journal",
    "INV-09",
    /stands at a row that the journal does not have/,
    (_, sql) => sql`UPDATE booking.cursor SET position = position + 1000`
  )
  finds(
    "a relay that is stuck",
    "INV-09",
    /booking.bus, which follows the booking journal, has not seen [1-9]\d* rows/,
    (_, sql) => sql`INSERT INTO booking.cursor (name, txid, position, updated_at)
      SELECT 'bus', txid, position, now() FROM booking.journal ORDER BY txid, position LIMIT 1`
  )
  finds(
    "a confirmed order that a follower passed over",
    "INV-09",
    /the notifications know nothing of it/,
    ({ confirmed }, sql) => sql`DELETE FROM notifications.orders WHERE order_id = ${confirmed.orderId}::uuid`
  )

  it.live("an order that is being driven is in progress, and no breach", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const { confirmed } = yield* AuditWorld.make
      yield* sql`DELETE FROM booking.tickets WHERE order_id = ${confirmed.orderId}::uuid`
      yield* sql`UPDATE booking.orders SET status = 'payment_pending', stage = 'sold', updated_at = now(),
        next_check_at = now() + interval '2 seconds' WHERE id = ${confirmed.orderId}::uuid`
      const findings = yield* audited()
      assert.deepStrictEqual(
        findings.filter(({ ok }) => !ok),
        []
      )
      const unfinished = findings.filter(({ inProgressCount }) => inProgressCount > 0)
      assert.deepStrictEqual(
        unfinished.map(({ invariant, inProgressCount }) => [invariant, inProgressCount]),
        [
          ["INV-01", 2],
          ["INV-05", 1]
        ]
      )
    }).pipe(Effect.provide(layer))
  )

  it.live("counts all of many breaches and shows the first 20", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* AuditWorld.make
      yield* sql`INSERT INTO inventory.sale (event_id, seat, order_id)
        SELECT ${makeEventId(5)}::uuid, n, ${otherOrder}::uuid FROM generate_series(1, 50) AS n`
      const [first] = yield* audited()
      assert.strictEqual(first?.breachCount, 50)
      assert.strictEqual(first?.breaches.length, 20)
    }).pipe(Effect.provide(layer))
  )

  it.live("changes nothing, and holds nobody up", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const { confirmed } = yield* AuditWorld.make
      // An audit that waited for this writer would never end, as the writer waits for the audit.
      yield* sql.withTransaction(
        Effect.gen(function* () {
          yield* sql`UPDATE booking.orders SET checks = 7 WHERE id = ${confirmed.orderId}::uuid`
          const findings = yield* OnsaleCommand.auditOf(yield* TestDatabase)
          assert.strictEqual(findings.code, 0, findings.stderr)
        })
      )
    }).pipe(Effect.provide(layer))
  )

  it.live("on the command line: a line an invariant, exit code 0, and 1 with the line that is broken", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const { confirmed } = yield* AuditWorld.make
      const database = yield* TestDatabase
      const clean = yield* OnsaleCommand.auditOf(database)
      assert.strictEqual(clean.code, 0, clean.stderr)
      assert.strictEqual(clean.stdout.split("\n").filter((line) => /^INV-\d\d  ok  /.test(line)).length, 10)
      yield* sql`UPDATE booking.orders SET status = 'declined' WHERE id = ${confirmed.orderId}::uuid`
      const broken = yield* OnsaleCommand.auditOf(database)
      assert.strictEqual(broken.code, 1)
      assert.match(
        broken.stdout,
        /^INV-06  BREACH {2}a ticket belongs to exactly one paid order.*\n {8}- .*which is declined/m
      )
      const json = yield* OnsaleCommand.auditOf(database, "--json")
      assert.strictEqual(json.code, 1)
      const findings: ReadonlyArray<{ readonly invariant: string; readonly ok: boolean }> = JSON.parse(
        json.stdout
      )
      assert.deepStrictEqual(
        findings.filter(({ ok }) => !ok).map(({ invariant }) => invariant),
        ["INV-06"]
      )
    }).pipe(Effect.provide(layer))
  )

  it.live("a database without tables is refused, not audited", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* sql`DROP SCHEMA notifications CASCADE`
      const { message } = yield* Effect.flip(audited())
      assert.match(message, /onsale migrate/)
      const { url } = yield* TestDatabase
      assert.isFalse(message.includes(Redacted.value(url)))
    }).pipe(Effect.provide(layer))
  )
})

describe("the provider's ledger", () => {
  const withLedger = (
    change: (lines: ReadonlyArray<object>, world: AuditWorld.AuditWorld) => ReadonlyArray<object | string>
  ) =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const world = yield* AuditWorld.make
      const file = yield* fs.makeTempFileScoped()
      const lines = change(AuditWorld.ledgerLines(world), world)
      const text = lines
        .map((line) => (typeof line === "string" ? line : `${JSON.stringify(line)}\n`))
        .join("")
      yield* fs.writeFileString(file, text)
      const findings = yield* audited(Option.some(file))
      return findings
        .flatMap(({ breaches, invariant }) => breaches.map((breach) => `${invariant} ${breach}`))
        .join("\n")
    }).pipe(Effect.scoped, Effect.provide(layer))

  it.live("agrees with books that are in order, its last line torn or not", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* withLedger((lines) => lines), "")
      assert.strictEqual(yield* withLedger((lines) => [...lines, '{"type":"payment.capt']), "")
    })
  )
  it.live("has captured money that nobody here knows of", () =>
    Effect.gen(function* () {
      const told = yield* withLedger((lines, { atMs }) => [
        ...lines,
        {
          type: "payment.created",
          n: 90,
          at: atMs,
          id: "pay_x",
          amount: 5,
          currency: "EUR",
          reference: "lost"
        },
        { type: "payment.captured", n: 91, at: atMs, id: "pay_x", amount: 5 }
      ])
      assert.strictEqual(
        told,
        "INV-05 the provider has captured 5 EUR (pay_x) for payment lost, which is unknown here"
      )
    })
  )
  it.live("has charged an order twice", () =>
    Effect.gen(function* () {
      const told = yield* withLedger((lines, { atMs, confirmed }) => [
        ...lines,
        {
          type: "payment.created",
          n: 90,
          at: atMs,
          id: "pay_x",
          amount: 9_000,
          currency: "EUR",
          reference: confirmed.intentId
        },
        { type: "payment.captured", n: 91, at: atMs, id: "pay_x", amount: 9_000 }
      ])
      assert.match(told, /^INV-04 the provider has captured pay_.* and pay_x, both for payment/)
    })
  )
  it.live("lacks a capture and a refund that our books have", () =>
    Effect.gen(function* () {
      const told = yield* withLedger((lines) => lines.slice(0, 5))
      assert.match(told, /INV-05 payment .* has 9000 captured, 0 in the provider's ledger/)
      assert.match(
        yield* withLedger((lines) => lines.slice(0, -1)),
        /^INV-05 payment .* has 4500 refunded, 0 in the provider's ledger$/
      )
    })
  )
  it.live("is refused where it is damaged", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(withLedger((lines) => ["nonsense\n", ...lines]))
      assert.match(error.message, /line 1 is no line of a ledger/)
    })
  )
})
