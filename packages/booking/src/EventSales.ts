/** What events have sold: a read model of the booking journal, and the same counted from the journal where it is not there. */
import { OrderEvent } from "@onsale/contracts/booking/Order"
import { EventId, OrderId, TicketId, TierId } from "@onsale/contracts/Ids"
import * as Journal from "@onsale/platform/Journal"
import * as ReadModel from "@onsale/platform/ReadModel"
import { Effect, Schema } from "effect"
import { SqlClient } from "effect/sql"
import * as SalesTally from "./SalesTally.ts"

const schema = "booking"
const name = "sales"

const sums = {
  tickets: Schema.Int,
  amount: Schema.Int,
  returned: Schema.Int,
  refunded: Schema.Int,
  kept: Schema.Int
}
const Day = Schema.Struct({ day: Schema.String, orders: Schema.Int, ...sums })
const Tier = Schema.Struct({ tier: TierId, ...sums })

/** In one currency; amounts in minor units. Days and tiers each sum up to the whole. */
const Sales = Schema.Struct({
  currency: Schema.String,
  orders: Schema.Int,
  tickets: Schema.Int,
  amount: Schema.Int,
  refunded: Schema.Int,
  kept: Schema.Int,
  days: Schema.Array(Day),
  tiers: Schema.Array(Tier)
})
export type Sales = typeof Sales.Type

const Line = Schema.Struct({
  currency: Schema.String,
  days: Schema.Array(Day),
  tiers: Schema.Array(Tier)
})

const SoldRows = Schema.Array(
  Schema.Struct({
    id: OrderId,
    eventId: EventId,
    currency: Schema.String,
    tickets: Schema.Array(Schema.Struct({ id: TicketId, tier: TierId, price: Schema.Int }))
  })
)

const counts = (event: OrderEvent): boolean => event._tag === "Confirmed" || event._tag === "RefundRequested"

/** The sold orders among these rows, and what each has sold. */
const tallyOf = Effect.fnUntraced(function* (rows: ReadonlyArray<Journal.JournalRow<OrderEvent>>) {
  const sql = yield* SqlClient.SqlClient
  const counted = rows.filter(({ events }) => events.some(counts))
  const tally: SalesTally.SalesTally = new Map()
  if (counted.length === 0) return tally
  const ids = [...new Set(counted.map(({ stream }) => stream))]
  // Written with the journal's row; an order's tickets never change but for their status.
  const sold = yield* sql`SELECT o.id::text AS id, o.event_id::text AS "eventId", o.currency,
      (SELECT json_agg(json_build_object('id', t.id, 'tier', t.tier_id, 'price', t.price))
        FROM booking.tickets t WHERE t.order_id = o.id) AS tickets
    FROM booking.orders o WHERE o.id = ANY(${ids}::uuid[])
      AND EXISTS (SELECT 1 FROM booking.tickets t WHERE t.order_id = o.id)`.pipe(
    Effect.flatMap(Schema.decodeUnknownEffect(SoldRows))
  )
  const orders = new Map(sold.map((order) => [String(order.id), order]))
  for (const { atMs, events, stream } of counted) {
    const order = orders.get(stream)
    if (order === undefined) return yield* Effect.die(new Error(`order ${stream} is sold and has no tickets`))
    for (const event of events) SalesTally.add(tally, order, event, atMs)
  }
  return tally
})

export const model = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const journal = yield* Journal.make({ schema, event: OrderEvent })
  const model: ReadModel.Model<OrderEvent> = {
    schema,
    name,
    tables: ["sales_by_day", "sales_by_tier"],
    journal,
    handle: Effect.fnUntraced(function* (rows, generation) {
      const tally = yield* Effect.provideService(tallyOf(rows), SqlClient.SqlClient, sql)
      if (tally.size === 0) return
      const lines = [...tally.values()]
      const days = lines.flatMap(({ currency, days, eventId }) =>
        Array.from(days, ([day, sums]) => ({ eventId, currency, day, ...sums }))
      )
      const tiers = lines.flatMap(({ currency, eventId, tiers }) =>
        Array.from(tiers, ([tier, sums]) => ({ eventId, currency, tier, ...sums }))
      )
      yield* sql`INSERT INTO booking.sales_by_day AS s
          (generation, event_id, currency, day, orders, tickets, amount, returned, refunded, kept)
        SELECT ${generation}::int, "eventId", currency, day, orders, tickets, amount, returned, refunded, kept
        FROM json_to_recordset(${JSON.stringify(days)}::json) AS d ("eventId" uuid, currency text, day date,
          orders bigint, tickets bigint, amount bigint, returned bigint, refunded bigint, kept bigint)
        ON CONFLICT (generation, event_id, currency, day) DO UPDATE SET orders = s.orders + excluded.orders,
          tickets = s.tickets + excluded.tickets, amount = s.amount + excluded.amount,
          returned = s.returned + excluded.returned, refunded = s.refunded + excluded.refunded,
          kept = s.kept + excluded.kept`
      yield* sql`INSERT INTO booking.sales_by_tier AS s
          (generation, event_id, currency, tier_id, tickets, amount, returned, refunded, kept)
        SELECT ${generation}::int, "eventId", currency, tier, tickets, amount, returned, refunded, kept
        FROM json_to_recordset(${JSON.stringify(tiers)}::json) AS t ("eventId" uuid, currency text, tier uuid,
          tickets bigint, amount bigint, returned bigint, refunded bigint, kept bigint)
        ON CONFLICT (generation, event_id, currency, tier_id) DO UPDATE SET
          tickets = s.tickets + excluded.tickets, amount = s.amount + excluded.amount,
          returned = s.returned + excluded.returned, refunded = s.refunded + excluded.refunded,
          kept = s.kept + excluded.kept`
    })
  }
  return model
})

const whole = ({ currency, days, tiers }: typeof Line.Type): Sales => {
  const sum = (of: (day: typeof Day.Type) => number) => days.reduce((total, day) => total + of(day), 0)
  return {
    currency,
    orders: sum(({ orders }) => orders),
    tickets: sum(({ tickets }) => tickets),
    amount: sum(({ amount }) => amount),
    refunded: sum(({ refunded }) => refunded),
    kept: sum(({ kept }) => kept),
    days,
    tiers
  }
}

/** Orders whose rows are read at once. */
const pageSize = 500
const firstId = "00000000-0000-0000-0000-000000000000"
const Ids = Schema.Array(Schema.Struct({ id: Schema.String }))

const byKey =
  <A>(key: (value: A) => string) =>
  (a: A, b: A) =>
    key(a) < key(b) ? -1 : 1

export const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const journal = yield* Journal.make({ schema, event: OrderEvent })
  const read = ReadModel.read({ schema, name }, Line)

  /** From the journal: slower, and the same. */
  const count = Effect.fnUntraced(function* (eventId: EventId) {
    const tally: SalesTally.SalesTally = new Map()
    let after = firstId
    while (true) {
      const orders = yield* sql`SELECT id::text AS id FROM booking.orders
        WHERE event_id = ${eventId}::uuid AND id > ${after}::uuid ORDER BY id LIMIT ${pageSize}::int`.pipe(
        Effect.flatMap(Schema.decodeUnknownEffect(Ids))
      )
      for (const { id } of orders) {
        yield* journal.fold<SalesTally.SoldOrder | undefined>(
          id,
          1,
          undefined,
          (before, { atMs, events }) => {
            let sold = before
            for (const event of events) {
              if (event._tag === "Placed") sold = { eventId, currency: event.total.currency, tickets: [] }
              if (event._tag === "Confirmed" && sold !== undefined) sold = { ...sold, tickets: event.tickets }
              if (sold !== undefined) SalesTally.add(tally, sold, event, atMs)
            }
            return sold
          }
        )
      }
      const last = orders[pageSize - 1]
      if (last === undefined) break
      after = last.id
    }
    return [...tally.values()]
      .map(({ currency, days, tiers }) => ({
        currency,
        days: Array.from(days, ([day, sums]) => ({ day, ...sums })).sort(byKey(({ day }) => day)),
        tiers: Array.from(tiers, ([tier, sums]) => ({ tier, ...sums })).sort(byKey(({ tier }) => tier))
      }))
      .sort(byKey(({ currency }) => currency))
  })

  /** What an event has sold, an entry a currency. */
  return Effect.fn("EventSales.of")(
    function* (eventId: EventId) {
      const found = yield* read(
        (generation) => sql`SELECT c.currency,
          (SELECT json_agg(json_build_object('day', d.day, 'orders', d.orders, 'tickets', d.tickets, 'amount', d.amount,
              'returned', d.returned, 'refunded', d.refunded, 'kept', d.kept) ORDER BY d.day)
            FROM booking.sales_by_day d
            WHERE d.generation = ${generation} AND d.event_id = ${eventId}::uuid AND d.currency = c.currency) AS days,
          (SELECT json_agg(json_build_object('tier', t.tier_id, 'tickets', t.tickets, 'amount', t.amount,
              'returned', t.returned, 'refunded', t.refunded, 'kept', t.kept) ORDER BY t.tier_id::text COLLATE "C")
            FROM booking.sales_by_tier t
            WHERE t.generation = ${generation} AND t.event_id = ${eventId}::uuid AND t.currency = c.currency) AS tiers
        FROM (SELECT DISTINCT currency FROM booking.sales_by_day
          WHERE generation = ${generation} AND event_id = ${eventId}::uuid) AS c ORDER BY c.currency`
      )
      return (found ?? (yield* count(eventId))).map(whole)
    },
    Effect.provideService(SqlClient.SqlClient, sql),
    Effect.orDie
  )
})
