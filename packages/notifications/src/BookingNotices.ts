/** Follows the bookings: keeps confirmed orders, and has their buyers, and whom they gave tickets to, told what became of them. */
import { OrderEvent, OrderTicket } from "@onsale/contracts/booking/Order"
import { type EventId, OrderId, type TicketId } from "@onsale/contracts/Ids"
import { Notice, noticeId } from "@onsale/contracts/notifications/Notice"
import * as Journal from "@onsale/platform/Journal"
import * as Projection from "@onsale/platform/Projection"
import { Clock, Duration, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { lockOrders } from "./EventChange.ts"
import { MessageStore } from "./MessageStore.ts"
import { NoticeJobs } from "./NoticeJobs.ts"
import * as NoticeTimes from "./NoticeTimes.ts"
import * as TicketHolders from "./TicketHolders.ts"

const tickets = Schema.toCodecJson(Schema.Array(OrderTicket))
const encodeTickets = Schema.encodeUnknownEffect(Schema.fromJsonString(tickets))
const decodeTickets = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ tickets })))

/** What a fan-out has told without them: of a change, or a reminder. */
const decodeMissed = Schema.decodeUnknownEffect(
  Schema.Array(
    Schema.Struct({
      orderId: OrderId,
      change: Schema.NullOr(Schema.Int),
      startsAt: Schema.NullOr(Schema.String)
    })
  )
)

/** Nobody stands and waits for a mail; a transaction for each few orders of a busy sale is most of what following them costs. */
const gatherFor = Duration.millis(200)

type Row = Journal.JournalRow<OrderEvent>

/** A row of `notifications.orders`, as text. */
interface Confirmed {
  readonly orderId: OrderId
  readonly eventId: EventId
  readonly correlation: string | null
  readonly customer: string
  readonly total: string
  readonly tickets: string
  /** Milliseconds since 1970, as the next one. */
  readonly placedAt: string
  readonly confirmedAt: string
}

/** What is gathered of the rows that are handled together: a statement an order would fall behind a busy sale. */
interface Batch {
  /** The first row of each order. */
  readonly placed: ReadonlyMap<string, Row>
  /** Not written yet. */
  readonly confirmed: Array<Confirmed>
  readonly offered: Array<{
    readonly id: string
    readonly payload: Notice
    readonly correlation: string | null
    readonly delay: Duration.Duration
  }>
}

/** What is told of these needs to know what was ordered. */
const ofPlaced: ReadonlySet<OrderEvent["_tag"]> = new Set(["PaymentPending", "Confirmed", "RefundRequested"])

/** An order is placed by the first event of its stream. */
const placedOf = ({ placed }: Batch, { stream }: Row) => {
  const row = placed.get(stream)
  const first = row?.events[0]
  return row !== undefined && first?._tag === "Placed"
    ? Effect.succeed({ ...first, placedAtMs: row.atMs })
    : Effect.die(new Error(`order ${stream} does not begin with Placed`))
}

export const layer = Layer.unwrap(
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const { fanOuts, notices } = yield* NoticeJobs
    const messages = yield* MessageStore
    const { horizon, pendingAfter, remindBefore, warnBefore } = yield* NoticeTimes.config
    const journal = yield* Journal.make({ schema: "booking", event: OrderEvent })

    /** At once, or at a time; not at all where the fact is older than anybody wants to hear. */
    const tell = Effect.fnUntraced(function* ({ offered }: Batch, row: Row, notice: Notice, atMs = 0) {
      const nowMs = yield* Clock.currentTimeMillis
      if (nowMs - row.atMs > Duration.toMillis(horizon)) {
        return yield* messages.skip(notice, `it happened more than ${Duration.format(horizon)} ago`)
      }
      offered.push({
        id: noticeId(notice),
        payload: notice,
        correlation: row.correlation,
        delay: Duration.millis(Math.max(0, atMs - nowMs))
      })
    })

    const pending = Effect.fnUntraced(function* (batch: Batch, row: Row, orderId: OrderId) {
      const { payUntilMs } = yield* placedOf(batch, row)
      const warnAtMs = payUntilMs - Duration.toMillis(warnBefore)
      const tellAtMs = row.atMs + Duration.toMillis(pendingAfter)
      yield* tell(batch, row, Notice.cases.PaymentPending.make({ orderId }), tellAtMs)
      // Who has just been told that it is pending is not told in the next breath that it ends.
      if (warnAtMs > tellAtMs) {
        yield* tell(batch, row, Notice.cases.PaymentExpiring.make({ orderId }), warnAtMs)
      }
    })

    const confirm = Effect.fnUntraced(function* (
      batch: Batch,
      row: Row,
      orderId: OrderId,
      confirmed: ReadonlyArray<OrderTicket>
    ) {
      const { customer, customerId, eventId, placedAtMs, total } = yield* placedOf(batch, row)
      batch.confirmed.push({
        orderId,
        eventId,
        correlation: row.correlation,
        customer: JSON.stringify(customerId === undefined ? customer : { ...customer, customerId }),
        total: JSON.stringify(total),
        tickets: yield* encodeTickets(confirmed),
        placedAt: String(placedAtMs),
        confirmedAt: String(row.atMs)
      })
      yield* tell(batch, row, Notice.cases.OrderConfirmed.make({ orderId }))
    })

    /** Before somebody looks for one of them, and at the end. */
    const writeConfirmed = Effect.fnUntraced(function* ({ confirmed, offered }: Batch) {
      if (confirmed.length === 0) return
      const column = (name: keyof Omit<Confirmed, "correlation">) => confirmed.map((order) => order[name])
      yield* lockOrders
      yield* sql`INSERT INTO notifications.orders (order_id, event_id, customer, total, tickets, placed_at, confirmed_at)
        SELECT order_id, event_id, customer::json, total::json, tickets::json,
          to_timestamp(placed_at / 1000), to_timestamp(confirmed_at / 1000)
        FROM unnest(${column("orderId")}::uuid[], ${column("eventId")}::uuid[], ${column("customer")}::text[],
          ${column("total")}::text[], ${column("tickets")}::text[], ${column("placedAt")}::float8[],
          ${column("confirmedAt")}::float8[])
          AS made (order_id, event_id, customer, total, tickets, placed_at, confirmed_at)
        ON CONFLICT DO NOTHING`
      const oldestMs = (yield* Clock.currentTimeMillis) - Duration.toMillis(horizon)
      // We may be behind: the fan-out of a change, or of the reminder, found no order of ours.
      const missed = yield* sql`WITH made AS (
          SELECT * FROM unnest(${column("orderId")}::uuid[], ${column("eventId")}::uuid[],
            ${column("placedAt")}::float8[], ${column("confirmedAt")}::float8[])
            AS made (order_id, event_id, placed_at, confirmed_at))
        SELECT made.order_id::text AS "orderId", c.change, NULL AS "startsAt"
        FROM made JOIN notifications.event_changes c ON c.event_id = made.event_id
          AND c.at > to_timestamp(made.placed_at / 1000) AND c.at >= to_timestamp(${oldestMs}::float8 / 1000)
        UNION ALL
        SELECT made.order_id::text, NULL, e.facts ->> 'startsAt'
        FROM made
          JOIN notifications.events e ON e.event_id = made.event_id AND e.cancelled_at IS NULL
            AND e.starts_at > clock_timestamp()
            AND to_timestamp(made.confirmed_at / 1000)
              < e.starts_at - ${Duration.toMillis(remindBefore)}::float8 * interval '1 millisecond'
          JOIN notifications.jobs j ON j.queue = ${fanOuts.queue}::text
            AND j.id = e.event_id || ':reminder:' || (e.facts ->> 'startsAt')
        ORDER BY change NULLS LAST`.pipe(Effect.flatMap(decodeMissed))
      const offer = (orderId: OrderId, noticeOf: (eventId: EventId) => Notice) => {
        const order = confirmed.find((each) => each.orderId === orderId)
        if (order === undefined) return
        const notice = noticeOf(order.eventId)
        offered.push({
          id: noticeId(notice),
          payload: notice,
          correlation: order.correlation,
          delay: Duration.zero
        })
      }
      for (const { change, orderId, startsAt } of missed) {
        if (change !== null)
          offer(orderId, (eventId) => Notice.cases.EventChanged.make({ orderId, eventId, change }))
        if (startsAt !== null)
          offer(orderId, (eventId) => Notice.cases.EventReminder.make({ orderId, eventId, startsAt }))
      }
      confirmed.length = 0
    })

    /** From then on they are not printed any more, whenever the money arrives. Answers with who else had some of them. */
    const refund = Effect.fnUntraced(function* (
      batch: Batch,
      row: Row,
      orderId: OrderId,
      refunded: ReadonlyArray<TicketId>
    ) {
      yield* writeConfirmed(batch)
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
      return TicketHolders.of({ ...(yield* placedOf(batch, row)), orderId, tickets: gone }, gone)
    })

    const reissue = Effect.fnUntraced(function* (
      batch: Batch,
      orderId: OrderId,
      { codeVersion, holder, ticketId }: Extract<OrderEvent, { readonly _tag: "TicketReissued" }>
    ) {
      yield* writeConfirmed(batch)
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

    const handle = Effect.fnUntraced(function* (batch: Batch, row: Row, event: OrderEvent) {
      const orderId = OrderId.make(row.stream)
      switch (event._tag) {
        case "PaymentPending":
          return yield* pending(batch, row, orderId)
        case "PaymentDeclined":
          return yield* tell(batch, row, Notice.cases.PaymentDeclined.make({ orderId }))
        case "Cancelled":
          return yield* tell(batch, row, Notice.cases.OrderCancelled.make({ orderId }))
        case "Confirmed":
          return yield* confirm(batch, row, orderId, event.tickets)
        case "RefundRequested": {
          const holders = yield* refund(batch, row, orderId, event.tickets)
          if (event.cause !== "event_cancelled") {
            for (const { key: holder } of holders) {
              const { refundId } = event
              yield* tell(batch, row, Notice.cases.TicketReturned.make({ orderId, refundId, holder }))
            }
            return
          }
          const { eventId } = yield* placedOf(batch, row)
          yield* tell(batch, row, Notice.cases.EventCancelled.make({ orderId, eventId }))
          for (const { key: holder } of holders)
            yield* tell(batch, row, Notice.cases.EventCancelled.make({ orderId, eventId, holder }))
          return
        }
        case "TicketReissued": {
          yield* reissue(batch, orderId, event)
          const about = { orderId, ticketId: event.ticketId, codeVersion: event.codeVersion }
          yield* tell(batch, row, Notice.cases.TicketReissued.make(about))
          if (event.holder === undefined) return
          return yield* tell(batch, row, Notice.cases.TicketGiven.make(about))
        }
        case "Refunded":
          return yield* tell(batch, row, Notice.cases.Refunded.make({ orderId, refundId: event.refundId }))
      }
    })

    return Projection.layer({
      schema: "notifications",
      name: "booking",
      journal,
      gatherFor,
      handle: Effect.fnUntraced(function* (rows) {
        const asked = rows.filter(({ events }) => events.some(({ _tag }) => ofPlaced.has(_tag)))
        const placed = yield* journal.firsts([...new Set(asked.map(({ stream }) => stream))])
        const batch: Batch = {
          placed: new Map(placed.map((row) => [row.stream, row])),
          confirmed: [],
          offered: []
        }
        for (const row of rows) {
          for (const event of row.events) yield* handle(batch, row, event)
        }
        yield* writeConfirmed(batch)
        yield* notices.offerAll(batch.offered)
      })
    })
  })
)
