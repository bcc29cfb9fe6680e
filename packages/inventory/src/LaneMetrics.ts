/**
 * What each event costs this process, for whoever has to find the one that floods it. Only the hottest events have
 * series of their own, and lose them when they cool down; the others are one, `other`: a scrape stays small however
 * many events are on sale.
 */
import type { EventId } from "@onsale/contracts/Ids"
import { Effect, Metric } from "effect"

/** Events with series of their own. */
const labels = 16
/** What is left of the heat a second later: half after seven seconds. */
const cooling = 0.9
/** Who has a series keeps it until somebody is this much hotter: each change breaks two lines of a chart. */
const staying = 1.5
/** Colder than this an event is forgotten. */
const cold = 0.5

const commands = Metric.counter("onsale_lane_commands_total", {
  description: "Commands for an event's inventory, by whether they were sent to it or refused here",
  incremental: true
})
const waiting = Metric.gauge("onsale_lane_waiting_commands", {
  description: "Commands for an event's inventory that have no answer yet"
})
const message = Metric.histogram("onsale_lane_message_ms", {
  description: "From a message to an event's inventory to its answer",
  boundaries: [2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000]
})

const seriesOf = (event: string) => ({
  sent: Metric.withAttributes(commands, { event, outcome: "sent" }),
  refused: Metric.withAttributes(commands, { event, outcome: "refused" }),
  message: Metric.withAttributes(message, { event }),
  waiting: Metric.withAttributes(waiting, { event })
})

/** Where what is counted of an event goes. */
export type Series = ReturnType<typeof seriesOf>

/** What is looked at of an event. */
export interface Lane {
  /** Commands that wait or are on their way. */
  held: number
  /** Commands of the last seconds, the refused ones too; the older the less they count. */
  heat: number
  series: Series
}

/**
 * Over the lanes of a process, while the scope is open. `look` is to be called once a second: it chooses whose
 * series are shown, and takes lanes that are empty and cold out of the map.
 */
export const make = Effect.fnUntraced(function* (lanes: Map<EventId, Lane>, all: { readonly held: number }) {
  const context = yield* Effect.context<never>()
  const hot = new Map<EventId, { readonly series: Series; readonly hide: () => void }>()
  const show = (series: Series, held: () => number) => {
    const gauge = Metric.registerUnsafe(series.waiting, context, {
      get: () => ({ value: held() }),
      update: () => {},
      modify: () => {}
    })
    return () => {
      gauge.remove()
      for (const metric of [series.sent, series.refused]) Metric.removeUnsafe(metric, context)
      Metric.removeUnsafe(series.message, context)
    }
  }
  const heldBy = (eventId: EventId): number => lanes.get(eventId)?.held ?? 0
  const other = seriesOf("other")
  const hideOther = show(other, () => {
    let held = all.held
    for (const eventId of hot.keys()) held -= heldBy(eventId)
    return held
  })
  const hide = (eventId: EventId) => {
    hot.get(eventId)?.hide()
    hot.delete(eventId)
  }
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      for (const eventId of Array.from(hot.keys())) hide(eventId)
      hideOther()
    })
  )

  const look = (): void => {
    for (const [eventId, lane] of lanes) {
      lane.heat *= cooling
      if (lane.held === 0 && lane.heat < cold) lanes.delete(eventId)
    }
    const rank = (eventId: EventId, { heat }: Lane) => (hot.has(eventId) ? heat * staying : heat)
    const hottest = new Map(
      Array.from(lanes)
        .filter(([, { heat }]) => heat >= cold)
        .sort(([a, laneA], [b, laneB]) => rank(b, laneB) - rank(a, laneA))
        .slice(0, labels)
    )
    for (const eventId of Array.from(hot.keys())) {
      if (hottest.has(eventId)) continue
      const lane = lanes.get(eventId)
      if (lane !== undefined) lane.series = other
      hide(eventId)
    }
    for (const [eventId, lane] of hottest) {
      if (hot.has(eventId)) continue
      lane.series = seriesOf(eventId)
      hot.set(eventId, { series: lane.series, hide: show(lane.series, () => heldBy(eventId)) })
    }
  }

  return {
    look,
    /** Of an event whose lane is new. */
    series: (eventId: EventId): Series => hot.get(eventId)?.series ?? other,
    sent: (lane: Lane, count: number): void => {
      lane.heat += count
      lane.series.sent.updateUnsafe(count, context)
    },
    refused: (lane: Lane): void => {
      lane.heat++
      lane.series.refused.updateUnsafe(1, context)
    },
    tookMs: (lane: Lane, ms: number): void => lane.series.message.updateUnsafe(ms, context)
  }
})
