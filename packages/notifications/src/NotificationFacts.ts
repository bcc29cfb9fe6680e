/**
 * What the notifications know of events and confirmed orders: read models of their own, made from the
 * journals of the catalog and the bookings, so that nobody has to be asked when a mail is written.
 */
import { Customer, OrderEvent, OrderTicket } from "@onsale/contracts/booking/Order"
import { CatalogEvent, EventFacts } from "@onsale/contracts/catalog/CatalogEvent"
import { EventId, OrderId, type TicketId } from "@onsale/contracts/Ids"
import { Money } from "@onsale/contracts/Money"
import { SentMail } from "@onsale/contracts/notifications/Mail"
import * as Journal from "@onsale/platform/Journal"
import * as Projection from "@onsale/platform/Projection"
import { Context, Effect, Layer, Option, Schedule, Schema } from "effect"
import { SqlClient, SqlError } from "effect/sql"
import { jobId, MailJob, MailJobs } from "./MailJob.ts"

const schema = "notifications"

/** A confirmed order, as far as documents and mails need it. */
export const ConfirmedOrder = Schema.Struct({
  orderId: OrderId,
  eventId: EventId,
  customer: Customer,
  total: Money,
  tickets: Schema.Array(OrderTicket),
  /** Milliseconds since 1970, as `OrderView.createdAt`: its documents bear this time. */
  placedAtMs: Schema.Int
})
export type ConfirmedOrder = typeof ConfirmedOrder.Type

const tickets = Schema.toCodecJson(Schema.Array(OrderTicket))
const encodeTickets = Schema.encodeUnknownEffect(Schema.fromJsonString(tickets))
const decodeTickets = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ tickets })))
const decodeOrders = Schema.decodeUnknownEffect(Schema.Array(Schema.toCodecJson(ConfirmedOrder)))
const decodeFacts = Schema.decodeUnknownEffect(
  Schema.Array(Schema.Struct({ facts: Schema.toCodecJson(EventFacts) }))
)
const encodeFacts = Schema.encodeUnknownEffect(Schema.fromJsonString(Schema.toCodecJson(EventFacts)))
const decodeMails = Schema.decodeUnknownEffect(Schema.Array(SentMail))

/** Mails of one order that are listed at most. */
const maxMails = 100

/** What passes by itself is tried again; all else is a defect of ours. */
const settled = <A, E, R>(effect: Effect.Effect<A, E | SqlError.SqlError, R>) =>
  effect.pipe(
    Effect.retry({
      schedule: Schedule.exponential("20 millis"),
      times: 4,
      while: (error) => SqlError.isSqlError(error) && error.isRetryable
    }),
    Effect.orDie
  )

export class NotificationFacts extends Context.Service<
  NotificationFacts,
  {
    /** Of a confirmed order; none where its confirmation has not come here (yet). */
    readonly order: (orderId: OrderId) => Effect.Effect<Option.Option<ConfirmedOrder>>
    readonly event: (eventId: EventId) => Effect.Effect<Option.Option<EventFacts>>
    /** The mails that were sent about an order, oldest first. */
    readonly mails: (orderId: OrderId) => Effect.Effect<ReadonlyArray<SentMail>>
    /** Whether the mail of that job is on record as sent. */
    readonly isSent: (mailId: string) => Effect.Effect<boolean>
    /** Puts a sent mail on record; a second time changes nothing. */
    readonly recordSent: (mail: SentMail) => Effect.Effect<void>
  }
>()("@onsale/notifications/NotificationFacts") {
  static readonly layer = Layer.effect(
    NotificationFacts,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      return NotificationFacts.of({
        order: Effect.fn("NotificationFacts.order")(function* (orderId) {
          const rows =
            yield* sql`SELECT order_id::text AS "orderId", event_id::text AS "eventId", customer, total, tickets,
              (extract(epoch FROM placed_at) * 1000)::float8 AS "placedAtMs"
            FROM notifications.orders WHERE order_id = ${orderId}::uuid`
          return Option.fromUndefinedOr((yield* decodeOrders(rows))[0])
        }, settled),

        event: Effect.fn("NotificationFacts.event")(function* (eventId) {
          const rows = yield* sql`SELECT facts FROM notifications.events WHERE event_id = ${eventId}::uuid`
          return Option.fromUndefinedOr((yield* decodeFacts(rows))[0]?.facts)
        }, settled),

        mails: Effect.fn("NotificationFacts.mails")(function* (orderId) {
          const rows = yield* sql`SELECT id, order_id::text AS "orderId", recipient AS "to", subject,
              message_id AS "messageId", attempts,
              to_char(sent_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS "sentAt"
            FROM notifications.mails WHERE order_id = ${orderId}::uuid ORDER BY sent_at, id LIMIT ${maxMails}::int`
          return yield* decodeMails(rows)
        }, settled),

        isSent: Effect.fn("NotificationFacts.isSent")(function* (mailId) {
          const rows = yield* sql`SELECT 1 AS one FROM notifications.mails WHERE id = ${mailId}::text`
          return rows.length > 0
        }, settled),

        recordSent: Effect.fn("NotificationFacts.recordSent")(function* (mail) {
          yield* sql`INSERT INTO notifications.mails (id, order_id, recipient, subject, message_id, attempts, sent_at)
            VALUES (${mail.id}::text, ${mail.orderId}::uuid, ${mail.to}::text, ${mail.subject}::text,
              ${mail.messageId}::text, ${mail.attempts}::int, ${mail.sentAt}::timestamptz)
            ON CONFLICT DO NOTHING`
        }, settled)
      })
    })
  )

  /** Follows the catalog: the newest facts of each event. */
  static readonly layerCatalog = Layer.unwrap(
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const journal = yield* Journal.make({ schema: "catalog", event: CatalogEvent })
      const keep = Effect.fnUntraced(function* (facts: EventFacts) {
        const json = yield* encodeFacts(facts)
        yield* sql`INSERT INTO notifications.events (event_id, facts) VALUES (${facts.eventId}::uuid, ${json}::json)
          ON CONFLICT (event_id) DO UPDATE SET facts = excluded.facts, updated_at = now()`
      })
      return Projection.layer({
        schema,
        name: "catalog",
        journal,
        handle: (rows) =>
          Effect.forEach(
            rows.flatMap(({ events }) => events),
            // A cancelled event keeps its facts: whoever holds tickets of it may still look at them.
            (event) => ("facts" in event ? keep(event.facts) : Effect.void),
            { discard: true }
          )
      })
    })
  )

  /** Follows the bookings: keeps confirmed orders, and has their customers told. */
  static readonly layerBooking = Layer.unwrap(
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const jobs = yield* MailJobs
      const journal = yield* Journal.make({ schema: "booking", event: OrderEvent })

      /** An order is placed by the first event of its stream. */
      const placedOf = Effect.fnUntraced(function* (stream: string) {
        const [row] = yield* journal.read(stream, 1, 1)
        const first = row?.events[0]
        return row !== undefined && first?._tag === "Placed"
          ? { ...first, placedAtMs: row.atMs }
          : yield* Effect.die(new Error(`order ${stream} does not begin with Placed`))
      })

      const confirm = Effect.fnUntraced(function* (
        row: Journal.JournalRow<OrderEvent>,
        confirmed: ReadonlyArray<OrderTicket>
      ) {
        const orderId = OrderId.make(row.stream)
        const { customer, eventId, placedAtMs, total } = yield* placedOf(row.stream)
        yield* sql`INSERT INTO notifications.orders (order_id, event_id, customer, total, tickets, placed_at, confirmed_at)
          VALUES (${orderId}::uuid, ${eventId}::uuid, ${JSON.stringify(customer)}::json, ${JSON.stringify(total)}::json,
            ${yield* encodeTickets(confirmed)}::json, to_timestamp(${placedAtMs}::float8 / 1000),
            to_timestamp(${row.atMs}::float8 / 1000))
          ON CONFLICT DO NOTHING`
        const job = MailJob.cases.OrderConfirmed.make({ orderId })
        yield* jobs.offer(jobId(job), job, { correlation: row.correlation })
      })

      const refund = Effect.fnUntraced(function* (orderId: string, refunded: ReadonlyArray<TicketId>) {
        const rows = yield* sql`SELECT tickets FROM notifications.orders WHERE order_id = ${orderId}::uuid`
        const [order] = yield* decodeTickets(rows)
        if (order === undefined) return
        const left = order.tickets.map((ticket) =>
          refunded.includes(ticket.id) ? { ...ticket, status: "refunded" as const } : ticket
        )
        yield* sql`UPDATE notifications.orders SET tickets = ${yield* encodeTickets(left)}::json
          WHERE order_id = ${orderId}::uuid`
      })

      const reissue = Effect.fnUntraced(function* (
        orderId: string,
        { codeVersion, holder, ticketId }: Extract<OrderEvent, { readonly _tag: "TicketReissued" }>
      ) {
        const rows = yield* sql`SELECT tickets FROM notifications.orders WHERE order_id = ${orderId}::uuid`
        const [order] = yield* decodeTickets(rows)
        if (order === undefined) return
        const now = order.tickets.map((ticket) =>
          ticket.id === ticketId
            ? { ...ticket, codeVersion, ...(holder === undefined ? {} : { holder }) }
            : ticket
        )
        yield* sql`UPDATE notifications.orders SET tickets = ${yield* encodeTickets(now)}::json
          WHERE order_id = ${orderId}::uuid`
      })

      return Projection.layer({
        schema,
        name: "booking",
        journal,
        handle: Effect.fnUntraced(function* (rows) {
          for (const row of rows) {
            for (const event of row.events) {
              if (event._tag === "Confirmed") yield* confirm(row, event.tickets)
              if (event._tag === "TicketReissued") yield* reissue(row.stream, event)
              // From then on they are not printed any more, whenever the money arrives.
              if (event._tag === "RefundRequested") yield* refund(row.stream, event.tickets)
            }
          }
        })
      })
    })
  )
}
