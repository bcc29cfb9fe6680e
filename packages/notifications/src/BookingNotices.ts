/** Follows the bookings: keeps confirmed orders, and has their buyers, and whom they gave tickets to, told what became of them. */
import { OrderEvent, OrderTicket } from "@onsale/contracts/booking/Order"
import { OrderId, type TicketId } from "@onsale/contracts/Ids"
import { Notice, noticeId } from "@onsale/contracts/notifications/Notice"
import * as Journal from "@onsale/platform/Journal"
import * as Projection from "@onsale/platform/Projection"
import { Clock, Duration, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { MessageStore } from "./MessageStore.ts"
import { NoticeJobs } from "./NoticeJobs.ts"
import * as NoticeTimes from "./NoticeTimes.ts"
import * as TicketHolders from "./TicketHolders.ts"

const tickets = Schema.toCodecJson(Schema.Array(OrderTicket))
const encodeTickets = Schema.encodeUnknownEffect(Schema.fromJsonString(tickets))
const decodeTickets = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ tickets })))

type Row = Journal.JournalRow<OrderEvent>

export const layer = Layer.unwrap(
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const { notices } = yield* NoticeJobs
    const messages = yield* MessageStore
    const { horizon, pendingAfter, warnBefore } = yield* NoticeTimes.config
    const journal = yield* Journal.make({ schema: "booking", event: OrderEvent })

    /** An order is placed by the first event of its stream. */
    const placedOf = Effect.fnUntraced(function* (stream: string) {
      const [row] = yield* journal.read(stream, 1, 1)
      const first = row?.events[0]
      return row !== undefined && first?._tag === "Placed"
        ? { ...first, placedAtMs: row.atMs }
        : yield* Effect.die(new Error(`order ${stream} does not begin with Placed`))
    })

    /** At once, or at a time; not at all where the fact is older than anybody wants to hear. */
    const tell = Effect.fnUntraced(function* (row: Row, notice: Notice, atMs = 0) {
      const nowMs = yield* Clock.currentTimeMillis
      if (nowMs - row.atMs > Duration.toMillis(horizon)) {
        return yield* messages.skip(notice, `it happened more than ${Duration.format(horizon)} ago`)
      }
      yield* notices.offer(noticeId(notice), notice, {
        correlation: row.correlation,
        delay: Duration.millis(Math.max(0, atMs - nowMs))
      })
    })

    const pending = Effect.fnUntraced(function* (row: Row, orderId: OrderId) {
      const { payUntilMs } = yield* placedOf(orderId)
      const warnAtMs = payUntilMs - Duration.toMillis(warnBefore)
      const tellAtMs = row.atMs + Duration.toMillis(pendingAfter)
      yield* tell(row, Notice.cases.PaymentPending.make({ orderId }), tellAtMs)
      // Who has just been told that it is pending is not told in the next breath that it ends.
      if (warnAtMs > tellAtMs) {
        yield* tell(row, Notice.cases.PaymentExpiring.make({ orderId }), warnAtMs)
      }
    })

    const confirm = Effect.fnUntraced(function* (
      row: Row,
      orderId: OrderId,
      confirmed: ReadonlyArray<OrderTicket>
    ) {
      const { customer, customerId, eventId, placedAtMs, total } = yield* placedOf(row.stream)
      yield* sql`INSERT INTO notifications.orders (order_id, event_id, customer, total, tickets, placed_at, confirmed_at)
        VALUES (${orderId}::uuid, ${eventId}::uuid, ${JSON.stringify(customerId === undefined ? customer : { ...customer, customerId })}::json, ${JSON.stringify(total)}::json,
          ${yield* encodeTickets(confirmed)}::json, to_timestamp(${placedAtMs}::float8 / 1000),
          to_timestamp(${row.atMs}::float8 / 1000))
        ON CONFLICT DO NOTHING`
      yield* tell(row, Notice.cases.OrderConfirmed.make({ orderId }))
    })

    /** From then on they are not printed any more, whenever the money arrives. Answers with who else had some of them. */
    const refund = Effect.fnUntraced(function* (
      row: Row,
      orderId: OrderId,
      refunded: ReadonlyArray<TicketId>
    ) {
      const rows = yield* sql`SELECT tickets FROM notifications.orders WHERE order_id = ${orderId}::uuid`
      const [order] = yield* decodeTickets(rows)
      if (order === undefined) return []
      const left = order.tickets.map((ticket) =>
        refunded.includes(ticket.id) ? { ...ticket, status: "refunded" as const } : ticket
      )
      yield* sql`UPDATE notifications.orders SET tickets = ${yield* encodeTickets(left)}::json
        WHERE order_id = ${orderId}::uuid`
      const gone = order.tickets.filter(({ id }) => refunded.includes(id))
      if (gone.every(({ holder }) => holder === undefined)) return []
      return TicketHolders.of({ ...(yield* placedOf(row.stream)), orderId, tickets: gone }, gone)
    })

    const reissue = Effect.fnUntraced(function* (
      orderId: OrderId,
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

    const handle = Effect.fnUntraced(function* (row: Row, event: OrderEvent) {
      const orderId = OrderId.make(row.stream)
      switch (event._tag) {
        case "PaymentPending":
          return yield* pending(row, orderId)
        case "PaymentDeclined":
          return yield* tell(row, Notice.cases.PaymentDeclined.make({ orderId }))
        case "Cancelled":
          return yield* tell(row, Notice.cases.OrderCancelled.make({ orderId }))
        case "Confirmed":
          return yield* confirm(row, orderId, event.tickets)
        case "RefundRequested": {
          const holders = yield* refund(row, orderId, event.tickets)
          if (event.cause !== "event_cancelled") {
            for (const { key: holder } of holders) {
              const { refundId } = event
              yield* tell(row, Notice.cases.TicketReturned.make({ orderId, refundId, holder }))
            }
            return
          }
          const { eventId } = yield* placedOf(row.stream)
          yield* tell(row, Notice.cases.EventCancelled.make({ orderId, eventId }))
          for (const { key: holder } of holders)
            yield* tell(row, Notice.cases.EventCancelled.make({ orderId, eventId, holder }))
          return
        }
        case "TicketReissued": {
          yield* reissue(orderId, event)
          const about = { orderId, ticketId: event.ticketId, codeVersion: event.codeVersion }
          yield* tell(row, Notice.cases.TicketReissued.make(about))
          if (event.holder === undefined) return
          return yield* tell(row, Notice.cases.TicketGiven.make(about))
        }
        case "Refunded":
          return yield* tell(row, Notice.cases.Refunded.make({ orderId, refundId: event.refundId }))
      }
    })

    return Projection.layer({
      schema: "notifications",
      name: "booking",
      journal,
      handle: Effect.fnUntraced(function* (rows) {
        for (const row of rows) {
          for (const event of row.events) yield* handle(row, event)
        }
      })
    })
  })
)
