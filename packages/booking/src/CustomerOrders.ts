/** Which orders are a customer's: a read model of the booking journal, and what is asked where it is not there. */
import { OrderEvent, OrderStatus } from "@onsale/contracts/booking/Order"
import { type CustomerId, EventId, OrderId } from "@onsale/contracts/Ids"
import { Money } from "@onsale/contracts/Money"
import * as Journal from "@onsale/platform/Journal"
import * as ReadModel from "@onsale/platform/ReadModel"
import { Context, Effect, Layer, Schema, Semaphore } from "effect"
import { SqlClient, type Statement } from "effect/sql"

const schema = "booking"
const name = "customer-orders"

/** Whoever the issuer of a token says it is: a customer's id, and an address that was proved to be this customer's. */
export interface Owner {
  readonly id: CustomerId
  readonly email: string | null
}

/** Where a page ends: its last order. Microseconds since 1970. */
export interface Place {
  readonly atMicros: number
  readonly id: string
}

export const CustomerOrder = Schema.Struct({
  id: OrderId,
  eventId: EventId,
  status: OrderStatus,
  total: Money,
  tickets: Schema.Int,
  atMicros: Schema.Int
})
export type CustomerOrder = typeof CustomerOrder.Type

/** The model is not there, and the journal cannot be asked by one more. */
export class OrdersNotListed extends Schema.TaggedError<OrdersNotListed>()("OrdersNotListed", {
  retryAfterMs: Schema.Int
}) {}

const idKey = (id: string) => `id:${id}`
/** Whoever may read is told by this: two addresses that only count as one for limits are two here. */
const addressOf = (email: string) => email.trim().toLowerCase()
const emailKey = (email: string) => `email:${addressOf(email)}`

export const keysOf = ({ email, id }: Owner): ReadonlyArray<string> => [
  idKey(id),
  ...(email === null ? [] : [emailKey(email)])
]

/** Filled by the journal's `Placed`. An address names the customer only where no token did. */
export const model = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const journal = yield* Journal.make({ schema, event: OrderEvent })
  const model: ReadModel.Model<OrderEvent> = {
    schema,
    name,
    tables: ["customer_orders"],
    journal,
    handle: Effect.fnUntraced(function* (rows, generation) {
      const placed = rows.flatMap(({ atMs, events, stream }) =>
        events.flatMap((event) => {
          if (event._tag !== "Placed") return []
          const { customer, customerId } = event
          return [
            {
              customer: customerId === undefined ? emailKey(customer.email) : idKey(customerId),
              atMs,
              stream
            }
          ]
        })
      )
      if (placed.length === 0) return
      yield* sql`INSERT INTO booking.customer_orders (generation, customer, placed_at, order_id)
        SELECT ${generation}::int, customer, to_timestamp("atMs" / 1000), stream
        FROM json_to_recordset(${JSON.stringify(placed)}::json) AS placed (customer text, "atMs" float8, stream uuid)
        ON CONFLICT DO NOTHING`
    })
  }
  return model
})

/** Without the model the whole journal is read: by one at a time, and not for long. */
const waiting = 4
const scanLimit = "5 seconds"

export class CustomerOrders extends Context.Service<
  CustomerOrders,
  {
    /** Newest first, those behind a place. */
    readonly page: (
      owner: Owner,
      after: Place | null,
      limit: number
    ) => Effect.Effect<ReadonlyArray<CustomerOrder>, OrdersNotListed>
  }
>()("@onsale/booking/CustomerOrders") {
  static readonly layer = Layer.effect(
    CustomerOrders,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const read = ReadModel.read({ schema, name }, CustomerOrder)
      const decode = Schema.decodeUnknownEffect(Schema.Array(Schema.toCodecJson(CustomerOrder)))
      const alone = yield* Semaphore.make(1)
      let scans = 0

      /** Orders of a list of places, which is cut first: an order is looked up for what is shown of it. */
      const orders = (places: Statement.Fragment, after: Place | null, limit: number) =>
        sql`SELECT o.id, o.event_id AS "eventId", o.status,
            json_build_object('amount', o.total_amount, 'currency', o.currency) AS total, o.tickets,
            (extract(epoch FROM p.placed_at) * 1000000)::float8 AS "atMicros"
          FROM (
            SELECT DISTINCT placed_at, order_id FROM (${places}) AS each
            ${
              after === null
                ? sql``
                : sql`WHERE (placed_at, order_id) < (timestamptz 'epoch' + ${after.atMicros}::bigint * interval '1 microsecond', ${after.id}::uuid)`
            }
            ORDER BY placed_at DESC, order_id DESC LIMIT ${limit}::int
          ) AS p JOIN booking.orders o ON o.id = p.order_id
          ORDER BY p.placed_at DESC, p.order_id DESC`

      const scan = Effect.fnUntraced(function* ({ email, id }: Owner, after: Place | null, limit: number) {
        if (scans >= waiting) return yield* new OrdersNotListed({ retryAfterMs: 1_000 })
        scans++
        const places = sql`SELECT at AS placed_at, stream AS order_id FROM booking.journal
          WHERE version = 1 AND (events->0->>'customerId' = ${id}::text
            OR (events->0->>'customerId' IS NULL
              AND lower(trim(events->0->'customer'->>'email')) = ${email === null ? null : addressOf(email)}::text))`
        return yield* alone
          .withPermits(1)(Effect.flatMap(orders(places, after, limit), decode))
          .pipe(
            Effect.orDie,
            Effect.timeoutOrElse({
              duration: scanLimit,
              orElse: () => Effect.fail(new OrdersNotListed({ retryAfterMs: 5_000 }))
            }),
            Effect.ensuring(Effect.sync(() => scans--))
          )
      })

      return CustomerOrders.of({
        page: Effect.fn("CustomerOrders.page")(function* (owner, after, limit) {
          const keys = keysOf(owner)
          const found = yield* read((generation) =>
            orders(
              sql`SELECT placed_at, order_id FROM booking.customer_orders
                WHERE generation = ${generation} AND customer IN ${sql.in(keys)}`,
              after,
              limit
            )
          ).pipe(Effect.provideService(SqlClient.SqlClient, sql), Effect.orDie)
          return found ?? (yield* scan(owner, after, limit))
        })
      })
    })
  )
}
