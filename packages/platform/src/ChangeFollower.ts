/** The work of the one process that consumes a slot. */
import { Clock, Duration, Effect, Exit, Metric, Queue, Schedule, Schema } from "effect"
import * as ChangeMetrics from "./ChangeMetrics.ts"
import type { Received, ReplicationConnection } from "./ReplicationConnection.ts"
import * as ReplicationSlot from "./ReplicationSlot.ts"
import type { RowChange } from "./RowChange.ts"

export interface Options<E, R> {
  readonly name: string
  readonly handle: (changes: ReadonlyArray<RowChange>) => Effect.Effect<void, E, R>
  readonly gatherFor: Duration.Input
  /** Told the time of the oldest commit that is not handled, in milliseconds since 1970, or null. */
  readonly onOldest: (atMs: number | null) => void
}

/** In one call of the handler: this, and once as many that came while it failed. */
const batch = 4096

/** A handler that hangs is asked again. */
const handleLimit = Duration.seconds(30)
const firstPauseMs = 100
/** Those that are fine do not wait longer for one that is not. */
const longestPauseMs = 2_000

class NotVisible extends Schema.TaggedError<NotVisible>()("NotVisible", {}) {}

const lookAgain = Schedule.min([Schedule.exponential("2 millis"), Schedule.spaced("100 millis")])

/** Until the changes can be read by others. */
const visible = (items: ReadonlyArray<Received>) => {
  const xids = new Set(items.flatMap((item) => (item.tag === "begin" ? [item.xid] : [])))
  return xids.size === 0
    ? Effect.void
    : ReplicationSlot.areVisible(xids).pipe(
        Effect.flatMap((all) => (all ? Effect.void : new NotVisible())),
        Effect.retry({ schedule: lookAgain, while: (error) => error instanceof NotVisible })
      )
}

/** Handles what is received for ever; fails when the connection does. */
export const follow = Effect.fnUntraced(function* <E, R>(
  { gatherFor, handle, name, onOldest }: Options<E, R>,
  { handled, received }: ReplicationConnection
) {
  const labelled = <A, B>(metric: Metric.Metric<A, B>) => Metric.withAttributes(metric, { feed: name })
  let pending: Array<Received> = []
  let failed = 0

  while (true) {
    if (pending.length === 0) pending.push(yield* Queue.take(received))
    const oldest = pending.find((item) => item.tag === "begin")
    if (oldest !== undefined) onOldest(oldest.atMs)
    // A large transaction fills the queue: then there is nothing to wait for.
    if (!(yield* Queue.isFull(received))) yield* Effect.sleep(gatherFor)
    // Also where the handler failed before, so that what is new does not wait for what cannot be done.
    if (pending.length < batch) pending = [...pending, ...(yield* Queue.clear(received))]

    const changes = pending.flatMap((item) => (item.tag === "change" ? [item.change] : []))
    const exit = yield* visible(pending).pipe(
      Effect.andThen(changes.length === 0 ? Effect.void : Effect.timeout(handle(changes), handleLimit)),
      // Defects too: a bug in a handler must not end the feed unseen.
      Effect.exit
    )
    if (Exit.isFailure(exit)) {
      yield* Metric.update(labelled(ChangeMetrics.failures), 1)
      const pauseMs = Math.min(firstPauseMs * 2 ** failed, longestPauseMs)
      failed = Math.min(failed + 1, 10)
      yield* Effect.logWarning(
        `${changes.length} changes of ${name} were not taken over; asks again in ${pauseMs} ms`,
        exit.cause
      )
      yield* Effect.sleep(pauseMs)
      continue
    }
    failed = 0
    const last = pending[pending.length - 1]
    const commit = pending.findLast((item) => item.tag === "commit")
    // What follows the last commit belongs to a transaction that is confirmed as a whole, later.
    if (last !== undefined) yield* handled(last, commit?.endLsn ?? null)
    yield* Metric.update(labelled(ChangeMetrics.handled), changes.length)
    const newest = pending.findLast((item) => item.tag === "begin")
    if (newest !== undefined) {
      yield* Metric.update(labelled(ChangeMetrics.lagMs), (yield* Clock.currentTimeMillis) - newest.atMs)
    }
    pending = []
    onOldest(null)
  }
})
