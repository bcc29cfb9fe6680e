/** What a notice says, looked up at the moment, and whether there is still anything to say. */
import type { OrderTicket } from "@onsale/contracts/booking/Order"
import * as ChangeLetters from "./ChangeLetters.ts"
import { mattersToBuyers } from "./EventChange.ts"
import type { Notice } from "@onsale/contracts/notifications/Notice"
import { Clock, Context, Effect, Layer, Option } from "effect"
import type { GiftLetterUnderWay } from "./GiftLetters.ts"
import type { EventNotKnownYet } from "./NoticeLookups.ts"
import * as NoticeLookups from "./NoticeLookups.ts"
import { type ConfirmedOrder, NotificationFacts } from "./NotificationFacts.ts"
import * as OrderStory from "./OrderStory.ts"
import { PushSubscriptions } from "./push/PushSubscriptions.ts"
import * as TicketContents from "./TicketContents.ts"
import * as TicketHolders from "./TicketHolders.ts"
import { revisionOf, type Told, told, type Untold, untold } from "./Told.ts"

/** What a confirmation is of. Whatever was given to others, by whichever address, is in their letters: who paid hears where it is. */
const confirmedContent = (order: ConfirmedOrder) => {
  const isKept = ({ holder, status }: OrderTicket) => status === "valid" && holder === undefined
  return {
    order: TicketHolders.buyersContent({ ...order, tickets: order.tickets.filter(isKept) }),
    gone: order.tickets
      .filter((ticket) => !isKept(ticket))
      .map(({ holder, label, price, status }) => ({
        label,
        price: { amount: price, currency: order.total.currency },
        to: status === "valid" && holder !== undefined ? holder.name : null
      }))
  }
}

export class NoticeContents extends Context.Service<
  NoticeContents,
  {
    readonly of: (
      notice: Notice
    ) => Effect.Effect<
      Told | Untold,
      EventNotKnownYet | GiftLetterUnderWay | ChangeLetters.ChangeLetterUnderWay
    >
  }
>()("@onsale/notifications/NoticeContents") {
  static readonly layer = Layer.effect(
    NoticeContents,
    Effect.gen(function* () {
      const facts = yield* NotificationFacts
      const subscriptions = yield* PushSubscriptions
      const lookups = yield* NoticeLookups.make
      const changeLetters = yield* ChangeLetters.make
      const { eventOf, orderOf, storyOf } = lookups
      const ofTicket = yield* TicketContents.make(lookups)

      /** Of an order with tickets, to its buyer or to somebody who was given some. */
      const ofConfirmed = Effect.fnUntraced(function* (
        notice: Extract<Notice, { readonly _tag: "OrderConfirmed" | "EventChanged" | "EventReminder" }>
      ) {
        const { known, order: found } = yield* orderOf(notice.orderId)
        const { cancelled, facts: event } = known
        if (found.tickets.every(({ status }) => status !== "valid"))
          return untold("all of its tickets were refunded")
        if (notice._tag === "OrderConfirmed") {
          return {
            ...told({ _tag: "OrderConfirmed", ...confirmedContent(found), event }, found.customer, found),
            revision: revisionOf(known, found.tickets, found.placedAtMs)
          }
        }
        const holder = TicketHolders.of(found).find(({ key }) => key === notice.holder)
        if (notice.holder !== undefined && holder === undefined)
          return untold("they have no valid ticket of it any more")
        if (cancelled) return untold("the event is cancelled")
        const reader = holder?.reader ?? found.customer
        const order =
          holder === undefined
            ? TicketHolders.buyersContent(found)
            : TicketHolders.holdersContent(found, holder)
        switch (notice._tag) {
          // Who gave all tickets away hears of it too, as they alone can return them.
          case "EventChanged": {
            const changedAtMs = yield* facts.changedAtMs(notice.eventId, notice.change)
            let sinceMs = found.placedAtMs
            if (holder !== undefined && changedAtMs !== null) {
              const { gifts } = yield* storyOf(notice.orderId)
              // Others may have had it before.
              const theirs = gifts.filter(
                (gift) =>
                  gift.atMs < changedAtMs &&
                  holder.tickets.some(({ id }) => id === gift.ticketId) &&
                  TicketHolders.isSameAddress(gift.holder.email, holder.reader.email)
              )
              if (theirs.length === 0) return untold("they were given the ticket after it")
              sinceMs = Math.min(...theirs.map(({ atMs }) => atMs))
            }
            const { before, isOld } = yield* changeLetters.of(notice, sinceMs)
            if (isOld) return untold("the event was changed again, and that is told")
            // Moved and moved back before it was told: there would be nothing to say.
            if (before !== null && !mattersToBuyers(before, event))
              return untold("the event is again as it was")
            return {
              ...told({ _tag: "EventChanged", order, event, before }, reader, found),
              revision: revisionOf(known, found.tickets, Math.max(found.placedAtMs, changedAtMs ?? 0))
            }
          }
          case "EventReminder": {
            if (order.tickets.length === 0) return untold("its valid tickets were given to others")
            if (event.startsAt !== notice.startsAt) return untold("the event was moved")
            if (Date.parse(event.startsAt) <= (yield* Clock.currentTimeMillis)) {
              return untold("the event has begun")
            }
            return told({ _tag: "EventReminder", order, event }, reader, found)
          }
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
        const known = yield* eventOf(story.eventId, notice.orderId)
        const { cancelled, facts: event } = known
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
                whole: refund.whole,
                isEventCancelled: cancelled || refund.cause === "event_cancelled"
              },
              customer
            )
          }
          case "EventCancelled": {
            const refunds = [...story.refunds.values()].filter(({ cause }) => cause === "event_cancelled")
            const reason = refunds[0]?.reason ?? ""
            // The order may have come here before the event: it is cancelled all the same.
            const nowMs = yield* Clock.currentTimeMillis
            const entry = revisionOf(
              { ...known, cancelled: true },
              story.tickets,
              known.cancelledAtMs ?? nowMs
            )
            if (notice.holder !== undefined) {
              const whose = { ...story, orderId: notice.orderId }
              const gone = story.tickets.filter(({ id }) =>
                refunds.some(({ tickets }) => tickets.includes(id))
              )
              const holder = TicketHolders.of(whose, gone).find(({ key }) => key === notice.holder)
              if (holder === undefined) {
                return yield* Effect.die(
                  new Error(`no ticket of order ${notice.orderId} is ${notice.holder}'s`)
                )
              }
              const given = TicketHolders.holdersContent(whose, holder)
              return {
                ...told(
                  { _tag: "EventCancelled", order: given, event, reason, amount: money(0) },
                  holder.reader
                ),
                revision: entry
              }
            }
            const amount = money(refunds.reduce((sum, refund) => sum + refund.amount, 0))
            return {
              ...told({ _tag: "EventCancelled", order, event, reason, amount }, customer),
              revision: entry
            }
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
              return yield* ofTicket.reissued(notice)
            case "TicketGiven":
              return yield* ofTicket.given(notice)
            case "TicketReturned":
              return yield* ofTicket.returned(notice)
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
