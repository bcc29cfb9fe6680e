import { assert, describe, it } from "@effect/vitest"
import { type EventId, makeEventId } from "@onsale/contracts/Ids"
import { Effect, Metric } from "effect"
import * as LaneMetrics from "../src/LaneMetrics.ts"

const events = Array.from({ length: 200 }, (_, n) => makeEventId(n + 1))

const withLanes = Effect.gen(function* () {
  const lanes = new Map<EventId, LaneMetrics.Lane>()
  const all = { held: 0 }
  const metrics = yield* LaneMetrics.make(lanes, all)
  const laneOf = (eventId: EventId): LaneMetrics.Lane => {
    const lane = lanes.get(eventId) ?? { held: 0, heat: 0, series: metrics.series(eventId) }
    lanes.set(eventId, lane)
    return lane
  }
  const shown = (id: string) =>
    Effect.map(
      Metric.snapshot,
      (all) =>
        new Map(all.flatMap((one) => (one.id === id ? [[one.attributes?.["event"] ?? "", one.state]] : [])))
    )
  return { lanes, all, metrics, laneOf, shown }
})

/** Each test over series of its own. */
const alone = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.suspend(() => Effect.provideService(effect, Metric.MetricRegistry, new Map()))

describe("the series of lanes", () => {
  it.effect("are those of the hottest events, however many there are, and one of all others", () =>
    Effect.gen(function* () {
      const { all, laneOf, metrics, shown } = yield* withLanes
      const sendAll = () =>
        events.forEach((eventId, n) => {
          metrics.sent(laneOf(eventId), n + 1)
        })
      sendAll()
      metrics.look()
      sendAll()
      events.forEach((eventId) => {
        laneOf(eventId).held = 10
        all.held += 10
      })
      const waiting = yield* shown("onsale_lane_waiting_commands")
      assert.deepStrictEqual(new Set(waiting.keys()), new Set<string>([...events.slice(-16), "other"]))
      assert.deepStrictEqual(waiting.get("other"), { value: (200 - 16) * 10 })
      const commands = yield* shown("onsale_lane_commands_total")
      assert.deepInclude(commands.get(events[199]!), { count: 200 })
      assert.deepInclude(commands.get("other"), {
        count: 2 * ((184 * 185) / 2) + (200 * 201 - 184 * 185) / 2
      })
    }).pipe(alone)
  )

  it.effect("go to whoever becomes hotter, and are not kept of who has cooled down", () =>
    Effect.gen(function* () {
      const { laneOf, lanes, metrics, shown } = yield* withLanes
      for (const eventId of events) {
        for (let i = 0; i < 10; i++) {
          metrics.sent(laneOf(eventId), 1_000)
          metrics.refused(laneOf(eventId))
          metrics.tookMs(laneOf(eventId), 20)
          metrics.look()
        }
      }
      assert.isAtMost((yield* shown("onsale_lane_commands_total")).size, 17)
      assert.isTrue((yield* shown("onsale_lane_commands_total")).has(events[199]!))
      laneOf(events[199]!).held = 1
      for (let i = 0; i < 200; i++) metrics.look()
      assert.deepStrictEqual(Array.from((yield* shown("onsale_lane_message_ms")).keys()), ["other"])
      // Who waits for an answer has a lane, however long it takes.
      assert.deepStrictEqual(Array.from(lanes.keys()), [events[199]!])
    }).pipe(alone)
  )

  it.effect("keep an event that is nearly as hot as a new one", () =>
    Effect.gen(function* () {
      const { laneOf, metrics, shown } = yield* withLanes
      for (const eventId of events.slice(0, 16)) metrics.sent(laneOf(eventId), 100)
      metrics.look()
      for (const eventId of events.slice(0, 16)) metrics.sent(laneOf(eventId), 100)
      metrics.sent(laneOf(events[16]!), 220)
      metrics.look()
      assert.isFalse((yield* shown("onsale_lane_waiting_commands")).has(events[16]!))
      metrics.sent(laneOf(events[16]!), 200)
      metrics.look()
      assert.isTrue((yield* shown("onsale_lane_waiting_commands")).has(events[16]!))
      assert.lengthOf(Array.from((yield* shown("onsale_lane_waiting_commands")).keys()), 17)
    }).pipe(alone)
  )
})
