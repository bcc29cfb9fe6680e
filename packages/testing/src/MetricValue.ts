/** What a metric of the registry says now. */
import { Effect, Metric } from "effect"

/** Of a counter or gauge; of a histogram, how many it has seen. Undefined where there is no such series. */
export const valueOf = (
  name: string,
  labels: Readonly<Record<string, string>> = {}
): Effect.Effect<number | undefined> =>
  Effect.map(Metric.snapshot, (all) => {
    const found = all.find(
      ({ attributes, id }) =>
        id === name && Object.entries(labels).every(([label, value]) => attributes?.[label] === value)
    )
    if (found === undefined) return undefined
    const { state } = found as {
      readonly state: { readonly count?: number | bigint; readonly value?: number | bigint }
    }
    return Number(state.count ?? state.value)
  })
