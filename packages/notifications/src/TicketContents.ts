/** What is said of single tickets to whoever has or had them: given, made anew, returned. */
import type { Notice } from "@onsale/contracts/notifications/Notice"
import { Effect } from "effect"
import * as GiftLetters from "./GiftLetters.ts"
import type { NoticeLookups } from "./NoticeLookups.ts"
import * as OrderStory from "./OrderStory.ts"
import * as TicketHolders from "./TicketHolders.ts"
import { revisionOf, type Told, told, type Untold, untold } from "./Told.ts"

type Of<T extends Notice["_tag"]> = Extract<Notice, { readonly _tag: T }>

export const make = Effect.fnUntraced(function* ({ eventOf, orderOf, storyOf }: NoticeLookups) {
  const letters = yield* GiftLetters.make

  return {
    /** Whoever has it gets the new code. */
    reissued: Effect.fnUntraced(function* ({ codeVersion, orderId, ticketId }: Of<"TicketReissued">) {
      const { known, order: found } = yield* orderOf(orderId)
      const story = yield* storyOf(orderId)
      const { cancelled, facts: event } = known
      if (cancelled) return untold("the event is cancelled")
      const revision = revisionOf(known, story.tickets, found.placedAtMs)
      // By the journal, which may be ahead of what is known here: a code that was replaced since is not sent.
      const ticket = story.tickets.find(({ id }) => id === ticketId)
      if (ticket === undefined || ticket.status !== "valid") return untold("the ticket is not valid any more")
      if (ticket.codeVersion !== codeVersion) return untold("there is a newer code")
      const gift = OrderStory.giftAt(story, ticketId, codeVersion)
      const about = { _tag: "TicketReissued", event, label: ticket.label } as const
      if (gift === undefined) {
        const order = TicketHolders.buyersContent(found)
        return { ...told({ ...about, order, transferred: false }, found.customer, found), ticketId, revision }
      }
      // Whoever has not got an older code of it is given the ticket by this one.
      const fate =
        gift.codeVersion === codeVersion
          ? "none"
          : yield* letters.fateOf(orderId, ticketId, gift.codeVersion, codeVersion - 1)
      const reader = TicketHolders.readerOf(gift.holder, found.customer)
      const order = TicketHolders.holdersContent(found, { reader, tickets: [ticket] })
      return { ...told({ ...about, order, transferred: fate !== "sent" }, reader, found), ticketId, revision }
    }),

    /** Whoever had it hears so, if they ever had it in hands; nothing of the order's other tickets is of use here. */
    given: Effect.fnUntraced(function* ({ codeVersion, orderId, ticketId }: Of<"TicketGiven">) {
      const story = yield* storyOf(orderId)
      const { facts: event } = yield* eventOf(story.eventId, orderId)
      const ticket = story.tickets.find(({ id }) => id === ticketId)
      const now = ticket?.holder
      if (ticket === undefined || now === undefined) {
        return yield* Effect.die(new Error(`ticket ${ticketId} was given to somebody and has no holder`))
      }
      const before = OrderStory.giftAt(story, ticketId, codeVersion - 1)
      const had = before?.holder ?? story.customer
      if (TicketHolders.isSameAddress(had.email, now.email))
        return untold("whoever had the ticket has it again")
      const order = { ...story, orderId }
      const about = { _tag: "TicketGiven", event, label: ticket.label, to: now.name } as const
      if (before === undefined) {
        return told(
          { ...about, order: TicketHolders.buyersContent(order) },
          { ...story.customer, customerId: story.customerId }
        )
      }
      const fate = yield* letters.fateOf(orderId, ticketId, before.codeVersion, codeVersion - 1)
      if (fate !== "sent") return untold("it was given on before its holder was told of it")
      const reader = TicketHolders.readerOf(had, story.customer)
      return told(
        { ...about, order: TicketHolders.holdersContent(order, { reader, tickets: [ticket] }) },
        reader
      )
    }),

    /** Whoever was given it hears that it admits nobody any more; of the money hears who paid. */
    returned: Effect.fnUntraced(function* ({ holder: key, orderId, refundId }: Of<"TicketReturned">) {
      const story = yield* storyOf(orderId)
      const { facts: event } = yield* eventOf(story.eventId, orderId)
      const refund = story.refunds.get(refundId)
      const order = { ...story, orderId }
      const gone = story.tickets.filter(({ id }) => refund?.tickets.includes(id) === true)
      const holder = TicketHolders.of(order, gone).find((one) => one.key === key)
      if (holder === undefined) {
        return yield* Effect.die(new Error(`refund ${refundId} has no ticket of the holder ${key}`))
      }
      const fates = yield* Effect.forEach(holder.tickets, ({ codeVersion, id }) =>
        letters.fateOf(
          orderId,
          id,
          OrderStory.giftAt(story, id, codeVersion)?.codeVersion ?? codeVersion,
          codeVersion
        )
      )
      // A letter that was given up may still have been announced by who gave the ticket.
      if (fates.every((fate) => fate === "none"))
        return untold("it was returned before its holder was told of it")
      return told(
        { _tag: "TicketReturned", event, order: TicketHolders.holdersContent(order, holder) },
        holder.reader
      )
    })
  } satisfies {
    readonly [K: string]: (notice: never) => Effect.Effect<Told | Untold, unknown>
  }
})
