/**
 * Where orders are kept: their journal, and what is written in the same statement with each append:
 * `booking.orders`, `booking.tickets` and `booking.idempotency`.
 */
import { Context, Effect, Layer, Schedule, Schema } from "effect"
import { SqlClient, SqlError, type Statement } from "effect/sql"
import * as Ids from "@onsale/contracts/Ids"
import { type EventId, OrderId } from "@onsale/contracts/Ids"
import { OrderEvent, type OrderTicket, OrderView } from "@onsale/contracts/booking/Order"
import * as Journal from "@onsale/platform/Journal"
import * as OrderCorrelation from "./OrderCorrelation.ts"
import * as DoorRows from "./DoorRows.ts"
import { claimCount, evolve, keptAmount, type Order, refundedAmount, statusOf, toView } from "./OrderState.ts"

/** An order, and the version of its stream that it was folded from. */
export interface Stored {
  readonly order: Order
  readonly version: number
}

export type Operation = "place" | "refund" | "cancellation" | "reissue"

/** A request that is known by its idempotency key; `answer` is null until it was answered first. */
export interface KnownRequest {
  readonly orderId: OrderId
  readonly fingerprint: string
  readonly answer: OrderView | null
}

export interface Key {
  readonly operation: Operation
  readonly key: string
}

/** What goes on with the order after an append. */
export type Plan =
  /** Its steps are being taken; should they be cut off, it is looked after at `checkAtMs`. */
  | { readonly _tag: "Running"; readonly checkAtMs: number }
  /** It waits, for its payment or for a service to come back. */
  | { readonly _tag: "Waiting"; readonly checkAtMs: number }
  | { readonly _tag: "Finished" }

export interface Append {
  readonly events: ReadonlyArray<OrderEvent>
  /** The order after the events. */
  readonly order: Order
  /** The version that the row becomes. */
  readonly version: number
  readonly atMs: number
  readonly plan: Plan
  /** A new request, to be known from now on. */
  readonly request: (Key & { readonly fingerprint: string }) | null
  /** A request that is answered with the order as it is after the events. */
  readonly answers: Key | null
}

/** Rows of one stream read at once; few orders have more than three. */
const pageSize = 200

const retry = {
  schedule: Schedule.upTo(Schedule.jittered(Schedule.exponential("50 millis")), { times: 4 }),
  while: (error: unknown) => SqlError.isSqlError(error) && error.isRetryable
}

const answerJson = Schema.fromJsonString(Schema.toCodecJson(OrderView))
const encodeAnswer = Schema.encodeSync(answerJson)

const KnownRows = Schema.Array(
  Schema.Struct({
    orderId: OrderId,
    fingerprint: Schema.String,
    answer: Schema.NullOr(Schema.toCodecJson(OrderView))
  })
)

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const journal = yield* Journal.make({ schema: "booking", event: OrderEvent })

  const instant = (ms: number | null) => sql`to_timestamp(${ms}::float8 / 1000)`
  const planned = (plan: Plan) => ({
    waiting: plan._tag === "Waiting",
    checkAt: instant(plan._tag === "Finished" ? null : plan.checkAtMs)
  })

  /** The row of the order, by INSERT with its first version. */
  const orderRow = ({ atMs, order, plan, version }: Append): Statement.Fragment => {
    const { checkAt, waiting } = planned(plan)
    const { placed } = order
    return version === 1
      ? sql`INSERT INTO booking.orders (id, event_id, hold_id, intent_id, status, stage, tickets, total_amount, currency,
            pay_until, version, waiting, next_check_at, created_at, updated_at)
          VALUES (${order.id}::uuid, ${placed.eventId}::uuid, ${placed.holdId}::uuid, ${placed.intentId}::uuid,
            ${statusOf(order)}::text, ${order.stage}::text, ${claimCount(placed)}::int, ${placed.total.amount}::bigint,
            ${placed.total.currency}::text, ${instant(placed.payUntilMs)}, ${version}::bigint, ${waiting}::boolean,
            ${checkAt}, ${instant(atMs)}, ${instant(atMs)})`
      : sql`UPDATE booking.orders SET status = ${statusOf(order)}::text, stage = ${order.stage}::text,
            refunded_amount = ${refundedAmount(order)}::bigint, kept_amount = ${keptAmount(order)}::bigint,
            version = ${version}::bigint, waiting = ${waiting}::boolean,
            next_check_at = ${checkAt}, checks = 0, late_money = ${order.lateMoney}::text, updated_at = ${instant(atMs)}
          WHERE id = ${order.id}::uuid`
  }

  const ticketRows = ({ atMs, events, order }: Append): ReadonlyArray<Statement.Fragment> =>
    events.flatMap((event) => {
      switch (event._tag) {
        case "Confirmed": {
          const rows = JSON.stringify(event.tickets.map((ticket) => ticketRow(order.placed.eventId, ticket)))
          return [
            sql`INSERT INTO booking.tickets (id, order_id, event_id, seat, area, label, tier_id, price, status,
                code_version, created_at, updated_at)
              SELECT id, ${order.id}::uuid, ${order.placed.eventId}::uuid, seat, area, label, tier_id, price, status,
                code_version, ${instant(atMs)}, ${instant(atMs)}
              FROM json_to_recordset(${rows}::json) AS ticket (id uuid, seat int, area int, label text, tier_id uuid,
                price bigint, status text, code_version int)`
          ]
        }
        case "RefundRequested":
          return [
            sql`UPDATE booking.tickets SET status = 'refunded', updated_at = ${instant(atMs)}
              WHERE order_id = ${order.id}::uuid AND status = 'valid'
                AND id IN (SELECT json_array_elements_text(${JSON.stringify(event.tickets)}::json)::uuid)`
          ]
        case "TicketReissued":
          return [
            sql`UPDATE booking.tickets SET code_version = ${event.codeVersion}::int, updated_at = ${instant(atMs)}
              WHERE id = ${event.ticketId}::uuid AND order_id = ${order.id}::uuid`
          ]
        default:
          return []
      }
    })

  /** As they are after all events, since a statement may not write a row twice. */
  const scanRows = (append: Append): ReadonlyArray<Statement.Fragment> => {
    const { atMs, order } = append
    const { admitted, refused } = DoorRows.of(append)
    const scan = sql.literal(
      "scan (ticket_id uuid, scan_id text, gate text, code_version int, at_ms float8, reason text)"
    )
    const columns = sql`order_id, event_id, ticket_id, scan_id, gate, code_version, scanned_at, received_at`
    const values = sql`${order.id}::uuid, ${order.placed.eventId}::uuid, ticket_id, scan_id, gate, code_version,
      to_timestamp(at_ms / 1000), ${instant(atMs)}`
    return [
      ...(admitted.length === 0
        ? []
        : [
            sql`INSERT INTO booking.check_ins (${columns})
              SELECT ${values} FROM json_to_recordset(${JSON.stringify(admitted)}::json) AS ${scan}
              ON CONFLICT (ticket_id) DO UPDATE SET scan_id = excluded.scan_id, gate = excluded.gate,
                code_version = excluded.code_version, scanned_at = excluded.scanned_at, received_at = excluded.received_at`
          ]),
      ...(refused.length === 0
        ? []
        : [
            // One that is there already stands beside a new one of the same id, from another gate.
            sql`INSERT INTO booking.scan_conflicts (${columns}, reason)
              SELECT ${values}, reason FROM json_to_recordset(${JSON.stringify(refused)}::json) AS ${scan}
              ON CONFLICT (ticket_id, scan_id, gate) DO NOTHING`
          ])
    ]
  }

  const requestRow = ({ atMs, order, request }: Append): ReadonlyArray<Statement.Fragment> =>
    request === null
      ? []
      : [
          sql`INSERT INTO booking.idempotency (operation, key, fingerprint, order_id, created_at)
            VALUES (${request.operation}::text, ${request.key}::text, ${request.fingerprint}::text, ${order.id}::uuid,
              ${instant(atMs)})`
        ]

  const answerRow = ({ key, operation }: Key, order: Order) =>
    sql`UPDATE booking.idempotency SET answer = ${encodeAnswer(toView(order))}::json
      WHERE operation = ${operation}::text AND key = ${key}::text AND order_id = ${order.id}::uuid AND answer IS NULL`

  const load = Effect.fnUntraced(function* (orderId: OrderId) {
    let order: Order | undefined
    let version = 0
    while (true) {
      const rows = yield* journal.read(orderId, version + 1, pageSize).pipe(Effect.retry(retry), Effect.orDie)
      for (const row of rows) {
        const at = { orderId, atMs: row.atMs }
        for (const event of row.events) order = evolve(order, event, at)
        version = row.version
      }
      if (rows.length < pageSize) return order === undefined ? null : { order, version }
    }
  })

  return OrderStore.of({
    load: Effect.fn("OrderStore.load")(load),

    append: Effect.fn("OrderStore.append")(function* (append: Append) {
      yield* journal
        .append(
          {
            stream: append.order.id,
            version: append.version,
            atMs: append.atMs,
            correlation: OrderCorrelation.ofRow(append.order, append.events) ?? null,
            events: append.events
          },
          [
            orderRow(append),
            ...ticketRows(append),
            ...scanRows(append),
            ...requestRow(append),
            ...(append.answers === null ? [] : [answerRow(append.answers, append.order)])
          ]
        )
        .pipe(
          // After a connection broke it is not known whether this was written: then the retry is told of a conflict.
          Effect.retry(retry),
          Effect.catchTag("SqlError", Effect.die)
        )
    }),

    answer: Effect.fn("OrderStore.answer")(function* (key: Key, order: Order) {
      yield* answerRow(key, order).pipe(Effect.retry(retry), Effect.orDie)
    }),

    findRequest: Effect.fn("OrderStore.findRequest")(function* ({ key, operation }: Key) {
      const rows = yield* sql`SELECT order_id::text AS "orderId", fingerprint, answer FROM booking.idempotency
        WHERE operation = ${operation}::text AND key = ${key}::text`.pipe(
        Effect.retry(retry),
        Effect.flatMap(Schema.decodeUnknownEffect(KnownRows)),
        Effect.orDie
      )
      return rows[0] ?? null
    }),

    plan: Effect.fn("OrderStore.plan")(function* ({ order, version }: Stored, plan: Plan) {
      const { checkAt, waiting } = planned(plan)
      yield* sql`UPDATE booking.orders SET next_check_at = ${checkAt}, waiting = ${waiting}::boolean
        WHERE id = ${order.id}::uuid AND version = ${version}::bigint AND next_check_at IS NOT NULL`.pipe(
        Effect.retry(retry),
        Effect.orDie
      )
    })
  })
})

const ticketRow = (eventId: EventId, ticket: OrderTicket) => ({
  id: ticket.id,
  seat: ticket.seatId === null ? null : Ids.indexIn(eventId, "seat", ticket.seatId),
  area: ticket.areaId === null ? null : Ids.indexIn(eventId, "area", ticket.areaId),
  label: ticket.label,
  tier_id: ticket.tier,
  price: ticket.price,
  status: ticket.status,
  code_version: ticket.codeVersion
})

export class OrderStore extends Context.Service<
  OrderStore,
  {
    /** The order as the journal tells it; null where there is none. Dies of a journal that makes no sense. */
    readonly load: (orderId: OrderId) => Effect.Effect<Stored | null>
    /** Writes events and all that stands for them elsewhere, in one statement. */
    readonly append: (append: Append) => Effect.Effect<void, Journal.JournalConflict | Journal.UniqueBroken>
    /** Remembers the answer to a request; a first one stays. */
    readonly answer: (key: Key, order: Order) => Effect.Effect<void>
    readonly findRequest: (key: Key) => Effect.Effect<KnownRequest | null>
    /** What goes on with an order that came to rest without anything to write; not where it is finished already. */
    readonly plan: (stored: Stored, plan: Plan) => Effect.Effect<void>
  }
>()("@onsale/booking/OrderStore") {
  static readonly layer: Layer.Layer<OrderStore, never, SqlClient.SqlClient> = Layer.effect(OrderStore, make)
}
