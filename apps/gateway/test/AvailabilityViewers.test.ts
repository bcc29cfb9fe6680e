import { assert, describe, it } from "@effect/vitest"
import { makeEventId } from "@onsale/contracts/Ids"
import type { AvailabilityView } from "@onsale/contracts/inventory/InventoryCommand"
import { Effect, Schema } from "effect"
import { render } from "../src/AvailabilityBoard.ts"
import * as Pace from "../src/AvailabilityPace.ts"
import * as AvailabilityTopic from "../src/AvailabilityTopic.ts"
import * as AvailabilityViewers from "../src/AvailabilityViewers.ts"
import { shown } from "./EventStreamClient.ts"

const eventId = makeEventId(1_700_000_000_000)
const total = 12

/** A socket whose other side reads only while it is not paused. */
const makeSocket = () => {
  const read: Array<Buffer> = []
  const unread: Array<Buffer> = []
  const socket = {
    paused: false,
    destroyed: false,
    writableLength: 0,
    most: 0,
    write: (bytes: Buffer) => {
      ;(socket.paused ? unread : read).push(bytes)
      if (socket.paused) socket.writableLength += bytes.length
      socket.most = Math.max(socket.most, unread.length)
      return !socket.paused
    },
    destroy: () => {
      socket.destroyed = true
    },
    pause: (paused: boolean) => {
      socket.paused = paused
      if (paused) return
      read.push(...unread.splice(0))
      socket.writableLength = 0
    },
    read: () =>
      read
        .map(String)
        .filter((block) => block.startsWith("event:"))
        .map((block) => {
          const field = (name: string) => new RegExp(`^${name}: (.*)$`, "m").exec(block)?.[1] ?? ""
          return { event: field("event"), id: field("id"), data: field("data") }
        }),
    bytes: read
  }
  return socket
}

interface FakeViewer {
  readonly gzip: boolean
  readonly socket: ReturnType<typeof makeSocket>
  told: number | undefined
  stale: boolean
  wroteAtMs: number
}

const world = () => {
  const topic = AvailabilityTopic.make(eventId)
  let view: AvailabilityView = {
    version: 1,
    total,
    held: [],
    sold: [],
    areas: [{ capacity: 9, available: 9 }],
    tiers: []
  }
  topic.learn(view)
  let nowMs = 0
  let since: string | undefined
  const viewers = AvailabilityViewers.make<FakeViewer>(topic, {
    heartbeatMs: 15_000,
    nowMs: () => nowMs,
    staleSince: () => since
  })
  return {
    topic,
    viewers,
    change: (change: Partial<AvailabilityView>) => {
      view = { ...view, ...change, version: view.version + 1 }
      topic.learn(view)
    },
    away: (away: boolean) => {
      since = away ? `2026-01-01T00:00:00.${nowMs}Z` : undefined
    },
    pass: (ms: number) => {
      nowMs += ms
    },
    join: (id?: string) => {
      const viewer: FakeViewer = {
        socket: makeSocket(),
        gzip: false,
        told: id === undefined ? undefined : topic.toldAtId(id),
        stale: false,
        wroteAtMs: nowMs
      }
      viewers.add(viewer)
      return viewer
    },
    board: () => {
      const { areas, seats, tiers, unavailable } = render(eventId, view)
      return { areas, seats, tiers, unavailable }
    }
  }
}

const Step = Schema.Union([
  Schema.Struct({
    _tag: Schema.Literal("Change"),
    held: Schema.Array(Schema.Literals([0, 1, 2, 3, 4, 5])),
    sold: Schema.Array(Schema.Literals([6, 7, 8, 14])),
    free: Schema.Literals([0, 1, 9])
  }),
  /** Another seat map: what was before says nothing of it. */
  Schema.Struct({ _tag: Schema.Literal("Layout"), total: Schema.Literals([12, 15, 16]) }),
  Schema.Struct({ _tag: Schema.Literal("Many"), changes: Schema.Literals([2, 63, 65, 70]) }),
  Schema.Struct({ _tag: Schema.Literal("Join") }),
  Schema.Struct({ _tag: Schema.Literal("Away"), away: Schema.Boolean }),
  Schema.Struct({
    _tag: Schema.Literal("Pause"),
    viewer: Schema.Literals([0, 1, 2]),
    paused: Schema.Boolean
  }),
  Schema.Struct({ _tag: Schema.Literal("Lose"), viewer: Schema.Literals([0, 1, 2]) }),
  Schema.Struct({ _tag: Schema.Literal("Turn"), passes: Schema.Literals([100, 2_000]) })
])

describe("AvailabilityViewers", () => {
  it.effect.prop(
    "whatever changes and whoever pauses, breaks off and resumes: what a viewer got makes the board",
    [Schema.Array(Step).check(Schema.isMaxLength(40))],
    Effect.fnUntraced(function* ([steps]) {
      const sale = world()
      /** All that each has read, over all of its connections. */
      const people = [0, 1, 2].map(() => ({
        read: [] as Array<{ event: string; id: string; data: string }>,
        on: sale.join()
      }))
      for (const step of steps) {
        if (step._tag === "Change") {
          sale.change({
            held: [...new Set(step.held)],
            sold: [...new Set(step.sold)],
            areas: [{ capacity: 9, available: step.free }]
          })
        } else if (step._tag === "Layout") {
          sale.change({ total: step.total })
        } else if (step._tag === "Many") {
          for (let i = 0; i < step.changes; i++) sale.change({ held: [i % 6] })
        } else if (step._tag === "Away") {
          sale.away(step.away)
        } else if (step._tag === "Join") {
          people.push({ read: [], on: sale.join() })
        } else if (step._tag === "Pause") {
          people[step.viewer]!.on.socket.pause(step.paused)
        } else if (step._tag === "Lose") {
          const one = people[step.viewer]!
          sale.viewers.remove(one.on)
          one.read.push(...one.on.socket.read())
          one.on = sale.join(one.read.findLast(({ id }) => id !== "")?.id)
        } else {
          sale.pass(step.passes)
          yield* sale.viewers.turn
        }
      }
      sale.away(false)
      for (const { on } of people) on.socket.pause(false)
      sale.pass(2_000)
      yield* sale.viewers.turn
      for (const { on, read } of people) {
        assert.notStrictEqual(on.socket.read().at(-1)?.event, "stale", "it knows that it is told again")
        assert.deepStrictEqual(shown([...read, ...on.socket.read()]), sale.board())
        assert.isAtMost(on.socket.most, 1, "one message waits, never two")
      }
    })
  )

  it.effect("says once that nothing is known, also to who comes then, and that it is known again", () =>
    Effect.gen(function* () {
      const sale = world()
      const [first, sleeper] = [sale.join(), sale.join()]
      const events = ({ socket }: FakeViewer) => socket.read().map(({ event }) => event)
      sale.away(true)
      sleeper.socket.pause(true)
      for (let i = 0; i < 3; i++) yield* sale.viewers.turn
      const late = sale.join()
      yield* sale.viewers.turn
      sale.away(false)
      for (let i = 0; i < 3; i++) yield* sale.viewers.turn
      sleeper.socket.pause(false)
      yield* sale.viewers.turn
      for (const viewer of [first, late, sleeper]) {
        assert.deepStrictEqual(events(viewer), ["snapshot", "stale", "delta"])
        assert.deepStrictEqual(JSON.parse(viewer.socket.read()[2]!.data).seats, {})
        assert.deepStrictEqual(shown(viewer.socket.read()), sale.board())
      }
      assert.strictEqual(first.socket.bytes[2], late.socket.bytes[2], "made once for all")
    })
  )

  it.effect("makes a message once for all who get it", () =>
    Effect.gen(function* () {
      const sale = world()
      const [first, ...others] = Array.from({ length: 1_000 }, () => sale.join())
      sale.change({ held: [1] })
      yield* sale.viewers.turn
      for (const { socket } of others) {
        assert.strictEqual(socket.bytes[0], first!.socket.bytes[0], "the same snapshot")
        assert.strictEqual(socket.bytes[1], first!.socket.bytes[1], "the same delta")
      }
    })
  )

  for (const [changes, last] of [
    [5, "delta"],
    [70, "snapshot"]
  ] as const) {
    it.effect(
      `writes nothing to who has not taken its last message, and a ${last} after ${changes} changes`,
      () =>
        Effect.gen(function* () {
          const sale = world()
          const { socket } = sale.join()
          socket.pause(true)
          for (let seat = 0; seat < changes; seat++) {
            sale.change({ held: [seat % 6] })
            yield* sale.viewers.turn
          }
          assert.strictEqual(socket.most, 1)
          socket.pause(false)
          sale.pass(2_000)
          yield* sale.viewers.turn
          assert.deepStrictEqual(
            socket.read().map(({ event }) => event),
            ["snapshot", "delta", last]
          )
          assert.deepStrictEqual(shown(socket.read()), sale.board())
        })
    )
  }

  it.effect("cuts off who has left a message unread for four heartbeats, and nobody else", () =>
    Effect.gen(function* () {
      const sale = world()
      const [reader, sleeper] = [sale.join(), sale.join()]
      sleeper.socket.pause(true)
      sale.change({ held: [1] })
      yield* sale.viewers.turn
      sale.pass(60_000)
      yield* sale.viewers.turn
      assert.isFalse(sleeper.socket.destroyed)
      sale.pass(1)
      yield* sale.viewers.turn
      assert.isTrue(sleeper.socket.destroyed)
      assert.isFalse(reader.socket.destroyed)
    })
  )
})

describe("AvailabilityPace", () => {
  it("says at most ten messages a second to a viewer, and 20,000 in all", () => {
    for (const viewers of [1, 100, 2_000, 5_000, 10_000, 12_000]) {
      const aSecond = 1_000 / Pace.turnMs(viewers, 1)
      assert.isAtMost(aSecond, 10)
      assert.isAtMost(viewers * aSecond, 20_001)
    }
    assert.strictEqual(Pace.turnMs(10_000, 1), 500)
    assert.strictEqual(Pace.turnMs(1, 1_000), 2_000)
  })

  it("rests for a quarter of what a turn has taken, at least", () => {
    assert.strictEqual(Pace.pauseMs(10_000, 1, 100), 400)
    assert.strictEqual(Pace.pauseMs(10_000, 1, 800), 200)
  })
})
