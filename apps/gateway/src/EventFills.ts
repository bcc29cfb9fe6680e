/**
 * How full events are, for who sees many of them at once: from the read model of the inventory. It is good to know, and
 * nobody waits long for it; holds and boards never go by it.
 */
import type { EventSummary } from "@onsale/contracts/catalog/Event"
import type { EventFill } from "@onsale/contracts/http/OrganiserApi"
import type { EventId } from "@onsale/contracts/Ids"
import { type Counted, EventAvailability } from "@onsale/inventory/EventAvailability"
import { Context, Duration, Effect, Layer } from "effect"

/** A list without it is better than none. */
const patience = Duration.millis(250)

const nothing: ReadonlyArray<Counted> = []

const fillOf = ({ available, held, places, placesAvailable, sold, total }: Counted): EventFill => ({
  seats: { total, available, held, sold },
  places: { total: places, available: placesAvailable }
})

export class EventFills extends Context.Service<
  EventFills,
  {
    /** Undefined where it is not known. */
    readonly of: (eventId: EventId) => Effect.Effect<EventFill | undefined>
    /** The same events, with what is known. */
    readonly add: (events: ReadonlyArray<EventSummary>) => Effect.Effect<ReadonlyArray<EventSummary>>
  }
>()("@onsale/gateway/EventFills") {
  static readonly layer = Layer.effect(
    EventFills,
    Effect.gen(function* () {
      const model = yield* EventAvailability
      const counts = (eventIds: ReadonlyArray<EventId>) =>
        eventIds.length === 0
          ? Effect.succeed(nothing)
          : model.counts(eventIds).pipe(
              Effect.timeoutOrElse({ duration: patience, orElse: () => Effect.succeed(nothing) }),
              Effect.catchDefect((cause) =>
                Effect.as(Effect.logWarning("how full events are could not be read", cause), nothing)
              )
            )
      return EventFills.of({
        of: Effect.fnUntraced(function* (eventId: EventId) {
          const [found] = yield* counts([eventId])
          return found === undefined ? undefined : fillOf(found)
        }),
        add: Effect.fnUntraced(function* (events: ReadonlyArray<EventSummary>) {
          const found = new Map(
            (yield* counts(events.map(({ id }) => id))).map((counted) => [counted.eventId, counted])
          )
          if (found.size === 0) return events
          return events.map((event): EventSummary => {
            const counted = found.get(event.id)
            if (counted === undefined) return event
            const { available, places, placesAvailable, total } = counted
            return {
              ...event,
              availability: { total: total + places, available: available + placesAvailable }
            }
          })
        })
      })
    })
  ).pipe(Layer.provide(EventAvailability.layer))
}
