/**
 * What the bus does for followers of a journal: they look at once, rather than at their next poll.
 *
 * They follow the journal as before, from a cursor of their own; an event only says that there is something to
 * read. So a bus that is away, or late, or says everything twice, changes nothing but the time. Of the processes of
 * a group one is woken, which is enough: they share the cursor.
 */
import { Effect, Layer } from "effect"
import { EventBus } from "./EventBus.ts"
import * as Journal from "./Journal.ts"

export interface Options {
  readonly group: string
  readonly topic: string
  /** The schema of the journal that the topic tells of. */
  readonly journal: string
  /** The types of event worth waking up for; all when left out. */
  readonly types?: ReadonlyArray<string>
}

export const layer = ({ group, journal, topic, types }: Options) =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const bus = yield* EventBus
      // Who appends in this process wakes them already.
      if (bus.reach === "process") return
      const wake = yield* Journal.wake(journal)
      yield* bus.consume({
        group,
        topics: [topic],
        ...(types === undefined ? {} : { types }),
        handle: () => wake
      })
    })
  )
