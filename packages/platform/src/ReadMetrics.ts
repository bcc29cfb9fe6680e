/** Metrics whose value is read from a number that is there anyway, whenever somebody asks; shown while the scope is open. */
import { Effect, Metric } from "effect"

const shown = Effect.fnUntraced(function* <Input, State>(
  metric: Metric.Metric<Input, State>,
  get: () => State
) {
  const context = yield* Effect.context<never>()
  yield* Effect.acquireRelease(
    Effect.sync(() => Metric.registerUnsafe(metric, context, { get, update: () => {}, modify: () => {} })),
    (registration) => Effect.sync(registration.remove)
  )
})

export const gauge = (metric: Metric.Gauge<number>, read: () => number) =>
  shown(metric, () => ({ value: read() }))

/** Of a number that only goes up. */
export const counter = (metric: Metric.Counter<number>, read: () => number) =>
  shown(metric, () => ({ count: read(), incremental: true }))
