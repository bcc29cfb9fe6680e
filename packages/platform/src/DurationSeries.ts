/**
 * Counts and durations of what happens too often for a metric's own update: a series is two arrays of numbers, which
 * become the state of its metrics when somebody asks for them. The last traced one of each bucket is kept as its exemplar.
 */
import { type Context, Metric } from "effect"

/** What an observer has seen of one bucket: a trace that somebody can look at. */
export interface Exemplar {
  readonly traceId: string
  readonly value: number
  readonly atMs: number
}

export interface Family {
  readonly count: { readonly name: string; readonly description: string }
  readonly duration: { readonly name: string; readonly description: string }
  /** Seconds, ascending. */
  readonly boundaries: ReadonlyArray<number>
}

/** Exemplars of histograms by their series, for who renders them. The same for all who share the registry. */
const exemplarsOf = new WeakMap<Metric.MetricRegistry, Map<string, ReadonlyArray<Exemplar | undefined>>>()

const seriesKey = (name: string, attributes: Readonly<Record<string, string>>): string =>
  JSON.stringify([name, ...Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1))])

/** Those of a series, by the index of the bucket; the last is of what is over all boundaries. */
export const exemplars = (
  registry: Metric.MetricRegistry,
  name: string,
  attributes: Readonly<Record<string, string>>
): ReadonlyArray<Exemplar | undefined> => exemplarsOf.get(registry)?.get(seriesKey(name, attributes)) ?? []

const nothing = { update: () => {}, modify: () => {} }

/** Series of a family, made when they are first used. `labels` must be of a bounded set: nothing takes them away. */
export const make = (context: Context.Context<never>, registry: Metric.MetricRegistry, family: Family) => {
  const count = Metric.counter(family.count.name, {
    description: family.count.description,
    incremental: true
  })
  const duration = Metric.histogram(family.duration.name, {
    description: family.duration.description,
    boundaries: family.boundaries
  })
  const { boundaries } = family
  const size = boundaries.length
  const known = exemplarsOf.get(registry) ?? new Map<string, ReadonlyArray<Exemplar | undefined>>()
  exemplarsOf.set(registry, known)
  const registrations: Array<Metric.Registration> = []
  const own: Array<string> = []

  /** A number that goes up, shown with these labels. */
  const counter = (labels: Readonly<Record<string, string>>): { value: number } => {
    const own = { value: 0 }
    registrations.push(
      Metric.registerUnsafe(Metric.withAttributes(count, labels), context, {
        get: () => ({ count: own.value, incremental: true }),
        ...nothing
      })
    )
    return own
  }

  const histogram = (labels: Readonly<Record<string, string>>) => {
    const buckets = new Float64Array(size + 1)
    const seen: Array<Exemplar | undefined> = Array.from({ length: size + 1 }, () => undefined)
    let sum = 0
    let min = Number.POSITIVE_INFINITY
    let max = Number.NEGATIVE_INFINITY
    registrations.push(
      Metric.registerUnsafe(Metric.withAttributes(duration, labels), context, {
        get: () => {
          let total = 0
          const cumulated = boundaries.map((boundary, i): [number, number] => {
            total += buckets[i]!
            return [boundary, total]
          })
          return { buckets: cumulated, count: total + buckets[size]!, min, max, sum }
        },
        ...nothing
      })
    )
    const key = seriesKey(family.duration.name, labels)
    known.set(key, seen)
    own.push(key)
    return (seconds: number, traceId: string | undefined): void => {
      let i = 0
      // Most are in the first few.
      while (i < size && seconds > boundaries[i]!) i++
      buckets[i]!++
      sum += seconds
      if (seconds < min) min = seconds
      if (seconds > max) max = seconds
      if (traceId !== undefined)
        seen[i] = { traceId, value: seconds, atMs: performance.timeOrigin + performance.now() }
    }
  }

  return {
    counter,
    histogram,
    /** Takes all of them away again. */
    remove: (): void => {
      for (const registration of registrations) registration.remove()
      for (const key of own) known.delete(key)
    }
  }
}
