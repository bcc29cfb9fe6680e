/** What a notice says, looked up at the moment, and whether there is still anything to say. */
import type { Customer } from "@onsale/contracts/booking/Order"
import { OrderEvent } from "@onsale/contracts/booking/Order"
import { type CustomerId, EventId, OrderId, type TicketId } from "@onsale/contracts/Ids"
import type { Notice } from "@onsale/contracts/notifications/Notice"
import * as Journal from "@onsale/platform/Journal"
import { Clock, Context, Effect, Layer, Option, Schedule, Schema } from "effect"
import { type ConfirmedOrder, NotificationFacts } from "./NotificationFacts.ts"
import * as OrderStory from "./OrderStory.ts"
import { PushSubscriptions } from "./push/PushSubscriptions.ts"
import { settled } from "./SettledSql.ts"
import type { NoticeContent, OrderContent } from "./templates/NoticeContent.ts"

/** The order came here before its event. That passes by itself. */
export class EventNotKnownYet extends Schema.TaggedError<EventNotKnownYet>()("EventNotKnownYet", {
  eventId: EventId,
  orderId: OrderId
}) {
  override get message(): string {
    return `event ${this.eventId} is not known here yet, what is said of order ${this.orderId} waits for it`
  }
}

export interface Told {
  readonly _tag: "Told"
  readonly content: NoticeContent
  /** To whom; null where nobody has said who they are yet: of a hold. */
  readonly customer: Customer | null
  /** Whom a token has named; left out where nobody proved who it is. */
  readonly customerId?: CustomerId | undefined
  /** The order as it is known here; null where it has no tickets (yet), or none are told of. */
  readonly confirmed: ConfirmedOrder | null
  /** The one ticket that goes with it, where not all of the buyer's do. */
  readonly ticketId?: TicketId
}

/** There is nothing to say (any more). */
export interface Untold {
  readonly _tag: "Untold"
  readonly reason: string
}

const told = (
  content: NoticeContent,
  customer: (Customer & { readonly customerId?: CustomerId | undefined }) | null,
  confirmed: ConfirmedOrder | null = null
): Told => ({ _tag: "Told", content, customer, customerId: customer?.customerId, confirmed })
const untold = (reason: string): Untold => ({ _tag: "Untold", reason })

/** The catalog's journal is followed beside that of the bookings, and is usually no further behind than this. */
const eventPatience = { schedule: Schedule.spaced("100 millis"), times: 5 }

/** Rows of an order that are read at most: one with more refunds than this was not made by a person. */
const maxRows = 1000

const confirmedContent = (order: ConfirmedOrder): OrderContent => ({
  orderId: order.orderId,
  holder: order.customer.name,
  total: order.total,
  tickets: order.tickets
    .filter(({ status }) => status === "valid")
    .map(({ label, price }) => ({ label, price: { amount: price, currency: order.total.currency } }))
})

export class NoticeContents extends Context.Service<
  NoticeContents,
  {
    readonly of: (notice: Notice) => Effect.Effect<Told | Untold, EventNotKnownYet>
  }
>()("@onsale/notifications/NoticeContents") {
  static readonly layer = Layer.effect(
    NoticeContents,
    Effect.gen(function* () {
      const facts = yield* NotificationFacts
      const subscriptions = yield* PushSubscriptions
      const journal = yield* Journal.make({ schema: "booking", event: OrderEvent })

      const eventOf = (eventId: EventId, orderId: OrderId) =>
        Effect.flatMap(
          facts.known(eventId),
          Option.match({
            onNone: () => Effect.fail(new EventNotKnownYet({ eventId, orderId })),
            onSome: Effect.succeed
          })
        ).pipe(Effect.retry(eventPatience))

      /** An order is on record before what is told of it, so that it is not is a mistake of ours. */
      const orderOf = Effect.fnUntraced(function* (orderId: OrderId) {
        const order = yield* facts.order(orderId)
        if (Option.isNone(order)) {
          return yield* Effect.die(new Error(`order ${orderId} is not known to the notifications`))
        }
        return order.value
      })
      const storyOf = Effect.fnUntraced(function* (orderId: OrderId) {
        const rows = yield* settled(journal.read(orderId, 1, maxRows))
        const story = OrderStory.of(rows.flatMap(({ events }) => events))
        return story ?? (yield* Effect.die(new Error(`order ${orderId} does not begin with Placed`)))
      })

      /** Of an order with tickets. */
      const ofConfirmed = Effect.fnUntraced(function* (
        notice: Extract<Notice, { readonly _tag: "OrderConfirmed" | "EventChanged" | "EventReminder" }>
      ) {
        const found = yield* orderOf(notice.orderId)
        const { cancelled, facts: event } = yield* eventOf(found.eventId, notice.orderId)
        const order = confirmedContent(found)
        if (order.tickets.length === 0) return untold("the order has no valid tickets any more")
        switch (notice._tag) {
          case "OrderConfirmed":
            if (found.tickets.every(({ holder, status }) => status !== "valid" || holder !== undefined))
              return untold("its tickets were given to others")
            return told({ _tag: "OrderConfirmed", order, event }, found.customer, found)
          case "EventChanged": {
            if (cancelled) return untold("the event is cancelled")
            const before = yield* facts.before(notice.eventId, notice.change)
            return told({ _tag: "EventChanged", order, event, before }, found.customer, found)
          }
          case "EventReminder": {
            if (cancelled) return untold("the event is cancelled")
            if (event.startsAt !== notice.startsAt) return untold("the event was moved")
            if (Date.parse(event.startsAt) <= (yield* Clock.currentTimeMillis)) {
              return untold("the event has begun")
            }
            return told({ _tag: "EventReminder", order, event }, found.customer, found)
          }
        }
      })

      /** Of a ticket whose code was made anew: whoever has it now gets the code, whoever had it does not. */
      const ofReissue = Effect.fnUntraced(function* (
        notice: Extract<Notice, { readonly _tag: "TicketReissued" | "TicketGiven" }>
      ) {
        const { codeVersion, orderId, ticketId } = notice
        const found = yield* orderOf(orderId)
        const story = yield* storyOf(orderId)
        const { facts: event } = yield* eventOf(found.eventId, orderId)
        const ticket = found.tickets.find(({ id }) => id === ticketId)
        if (ticket === undefined || ticket.status !== "valid")
          return untold("the ticket is not valid any more")
        const after = OrderStory.holderAt(story, ticketId, codeVersion)
        const reader =
          notice._tag === "TicketReissued" ? after : OrderStory.holderAt(story, ticketId, codeVersion - 1)
        const order: OrderContent = {
          ...confirmedContent(found),
          ...(reader === undefined ? {} : { toHolder: true as const })
        }
        const about = { order, event, label: ticket.label }
        if (notice._tag === "TicketGiven") {
          const to = after?.name ?? story.customer.name
          // Nothing of the order's other tickets is of any use here.
          return told({ _tag: "TicketGiven", ...about, to }, reader ?? found.customer)
        }
        if (ticket.codeVersion !== codeVersion) return untold("there is a newer code")
        const transferred = story.gifts.some(
          (gift) => gift.ticketId === ticketId && gift.codeVersion === codeVersion
        )
        return {
          ...told({ _tag: "TicketReissued", ...about, transferred }, reader ?? found.customer, found),
          ticketId
        }
      })

      /** Of an order as its journal tells it now. */
      const ofStory = Effect.fnUntraced(function* (
        notice: Extract<
          Notice,
          {
            readonly _tag:
              | "PaymentPending"
              | "PaymentExpiring"
              | "PaymentDeclined"
              | "OrderCancelled"
              | "Refunded"
              | "EventCancelled"
          }
        >
      ) {
        const story = yield* storyOf(notice.orderId)
        const { facts: event } = yield* eventOf(story.eventId, notice.orderId)
        const order = OrderStory.contentOf(notice.orderId, story)
        const money = (amount: number) => ({ amount, currency: story.total.currency })
        const { actionUrl, payUntilMs } = story
        const customer = { ...story.customer, customerId: story.customerId }
        switch (notice._tag) {
          case "PaymentPending":
          case "PaymentExpiring": {
            if (story.status !== "pending") return untold("the payment is settled")
            if (payUntilMs <= (yield* Clock.currentTimeMillis)) return untold("the time to pay is over")
            return told({ _tag: notice._tag, order, event, payUntilMs, actionUrl }, customer)
          }
          case "PaymentDeclined":
            if (story.status !== "declined") return untold("the order went on")
            return told({ _tag: "PaymentDeclined", order, event }, customer)
          case "OrderCancelled":
            if (story.status !== "cancelled") return untold("the order went on")
            return told({ _tag: "OrderCancelled", order, event, paid: story.paid }, customer)
          case "Refunded": {
            const refund = story.refunds.get(notice.refundId)
            if (refund === undefined) {
              return yield* Effect.die(new Error(`refund ${notice.refundId} was made and never asked for`))
            }
            const labels = story.tickets
              .filter(({ id }) => refund.tickets.includes(id))
              .map(({ label }) => label)
            return told(
              {
                _tag: "Refunded",
                order,
                event,
                amount: money(refund.amount),
                fee: money(refund.fee),
                labels,
                whole: refund.whole
              },
              customer
            )
          }
          case "EventCancelled": {
            const refunds = [...story.refunds.values()].filter(({ cause }) => cause === "event_cancelled")
            const amount = money(refunds.reduce((sum, refund) => sum + refund.amount, 0))
            const reason = refunds[0]?.reason ?? ""
            return told({ _tag: "EventCancelled", order, event, reason, amount }, customer)
          }
        }
      })

      return NoticeContents.of({
        of: Effect.fn("NoticeContents.of")(function* (notice) {
          switch (notice._tag) {
            case "OrderConfirmed":
            case "EventChanged":
            case "EventReminder":
              return yield* ofConfirmed(notice)
            case "TicketReissued":
            case "TicketGiven":
              return yield* ofReissue(notice)
            case "HoldExpiring": {
              const expiresAtMs = yield* subscriptions.expiryOf(notice.holdId)
              if (Option.isNone(expiresAtMs)) return untold("nobody has asked to be told of it")
              if (expiresAtMs.value <= (yield* Clock.currentTimeMillis)) return untold("the hold has expired")
              const event = yield* facts.known(notice.eventId)
              if (Option.isNone(event)) return untold("its event is not known here")
              return told(
                { _tag: "HoldExpiring", event: event.value.facts, expiresAtMs: expiresAtMs.value },
                null
              )
            }
            default:
              return yield* ofStory(notice)
          }
        })
      })
    })
  )
}
