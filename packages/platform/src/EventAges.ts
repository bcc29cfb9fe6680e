/**
 * How late a group is with the events of a topic, in this process: a fiber looks, so that what is stuck is seen to grow, and
 * nothing is shown where nothing is behind.
 */
import { Clock, Duration, Effect, Metric, type Scope } from "effect"
import type { CloudEvent } from "./CloudEvent.ts"

const age = Metric.gauge("onsale_bus_lag_ms", {
  description:
    "Age of the oldest event that a group has in hand, or has handled since the last look, in milliseconds; 0 where there is none"
})

/** As often as the lag of a projection is looked at. */
const lookEvery = Duration.seconds(2)

/** Events that wait in a partition, the first ones first. */
export type Waiting = () => Iterable<CloudEvent>

export interface EventAges {
  /** Of a partition, for as long as the scope is open. */
  readonly watch: (waiting: Waiting) => Effect.Effect<void, never, Scope.Scope>
  readonly handled: (event: CloudEvent) => Effect.Effect<void>
}

/** Looks until the scope ends; then it says that nothing is behind here. */
export const make = Effect.fnUntraced(function* (topic: string, group: string) {
  const partitions = new Set<Waiting>()
  const show = (ms: number) => Metric.update(Metric.withAttributes(age, { topic, group }), ms)
  let oldestHandledMs = 0

  const look = Effect.flatMap(Clock.currentTimeMillis, (nowMs) => {
    let oldestMs = oldestHandledMs
    oldestHandledMs = 0
    for (const waiting of partitions)
      for (const { time } of waiting()) oldestMs = Math.max(oldestMs, nowMs - Date.parse(time))
    return show(oldestMs)
  })

  yield* Effect.addFinalizer(() => show(0))
  yield* Effect.forkScoped(Effect.forever(Effect.andThen(look, Effect.sleep(lookEvery))))

  return {
    watch: (waiting) =>
      Effect.acquireRelease(
        Effect.sync(() => {
          partitions.add(waiting)
        }),
        () => Effect.sync(() => partitions.delete(waiting))
      ),
    handled: ({ time }) =>
      Effect.map(Clock.currentTimeMillis, (nowMs) => {
        oldestHandledMs = Math.max(oldestHandledMs, nowMs - Date.parse(time))
      })
  } satisfies EventAges
})
