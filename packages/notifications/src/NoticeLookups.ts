/** What the contents of notices are made of: orders, their stories, and events. */
import { OrderEvent } from "@onsale/contracts/booking/Order"
import { EventId, OrderId } from "@onsale/contracts/Ids"
import * as Journal from "@onsale/platform/Journal"
import { Effect, Option, Schedule, Schema } from "effect"
import { NotificationFacts } from "./NotificationFacts.ts"
import * as OrderStory from "./OrderStory.ts"
import { settled } from "./SettledSql.ts"

/** The order came here before its event. That passes by itself. */
export class EventNotKnownYet extends Schema.TaggedError<EventNotKnownYet>()("EventNotKnownYet", {
  eventId: EventId,
  orderId: OrderId
}) {
  override get message(): string {
    return `event ${this.eventId} is not known here yet, what is said of order ${this.orderId} waits for it`
  }
}

/** The catalog's journal is followed beside that of the bookings, and is usually no further behind than this. */
const eventPatience = { schedule: Schedule.spaced("100 millis"), times: 5 }

export const make = Effect.gen(function* () {
  const facts = yield* NotificationFacts
  const journal = yield* Journal.make({ schema: "booking", event: OrderEvent })
  const eventOf = (eventId: EventId, orderId: OrderId) =>
    Effect.flatMap(
      facts.known(eventId),
      Option.match({
        onNone: () => Effect.fail(new EventNotKnownYet({ eventId, orderId })),
        onSome: Effect.succeed
      })
    ).pipe(Effect.retry(eventPatience))
  return {
    eventOf,

    /**
     * With its event. An order is on record before what is told of it, so that it is not is a mistake of ours.
     */
    orderOf: Effect.fnUntraced(function* (orderId: OrderId) {
      const found = yield* facts.orderWithEvent(orderId)
      if (Option.isNone(found)) {
        return yield* Effect.die(new Error(`order ${orderId} is not known to the notifications`))
      }
      const { event, order } = found.value
      return { order, known: event ?? (yield* eventOf(order.eventId, orderId)) }
    }),

    /** To its end: an order of a thousand tickets has a row for each scan and each new code, and what is told of may be the last. */
    storyOf: Effect.fnUntraced(function* (orderId: OrderId) {
      const story = yield* settled(
        journal.fold<OrderStory.OrderStory | undefined>(orderId, 1, undefined, (story, row) =>
          OrderStory.of([row], story)
        )
      )
      return story ?? (yield* Effect.die(new Error(`order ${orderId} does not begin with Placed`)))
    })
  }
})

export type NoticeLookups = Effect.Success<typeof make>
