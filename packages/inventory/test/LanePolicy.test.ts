import { assert, describe, it } from "@effect/vitest"
import { maxCommandsAMessage } from "@onsale/contracts/inventory/InventoryEntity"
import { Schema } from "effect"
import { cameBack, deadlineMs, idle, type Load, refusal, room, waitMs } from "../src/LanePolicy.ts"

const loadOf = (load: Partial<Load>): Load => ({ ...idle(), ...load })

/** Commands for each event in turn, until none of them finds room. */
const fill = (events: number, beside = 0): ReadonlyArray<Load> => {
  const lanes = Array.from({ length: events }, idle)
  let all = beside
  let taken = true
  while (taken) {
    taken = false
    for (const lane of lanes) {
      if (refusal(lane, all) > 0) continue
      lane.held++
      all++
      taken = true
    }
  }
  return lanes
}

const count = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

describe("the room of a process", () => {
  it.prop(
    "is shared evenly by events that all want more, and is never full for one that comes later",
    [count(1, 40)],
    ([events]) => {
      const lanes = fill(events)
      const held = lanes.reduce((sum, lane) => sum + lane.held, 0)
      const share = room / (events + 1)
      for (const lane of lanes) assert.closeTo(lane.held, share, 1)
      assert.isAtLeast(room - held, Math.floor(share) - events)
      assert.strictEqual(refusal(idle(), held), 0)
    }
  )

  it.prop(
    "gives one event no more than half, in whatever order they come and go",
    [Schema.Array(Schema.Struct({ event: count(0, 4), count: count(-6_000, 6_000) }))],
    ([steps]) => {
      const lanes = Array.from({ length: 5 }, idle)
      let all = 0
      for (const step of steps) {
        const lane = lanes[step.event]!
        for (let i = 0; i < step.count; i++) {
          if (refusal(lane, all) > 0) break
          lane.held++
          all++
        }
        assert.isAtMost(lane.held, room / 2)
        const back = Math.min(lane.held, Math.max(0, -step.count))
        lane.held -= back
        all -= back
        assert.isAtMost(all, room)
      }
    }
  )
})

describe("the wait in a lane", () => {
  /** Full messages, two on their way, that come back one in `everyMs`. */
  const measured = (everyMs: number, messages = 40): Load => {
    const lane = idle()
    for (let i = 1; i <= messages; i++) cameBack(lane, Math.max(0, i - 2) * everyMs, i * everyMs)
    return lane
  }

  it.prop(
    "is what full messages take one after the other",
    [count(1, 2_000), count(0, 10_000)],
    ([everyMs, held]) => {
      const lane = { ...measured(everyMs), held }
      assert.closeTo(waitMs(lane), (Math.floor(held / maxCommandsAMessage) + 1) * everyMs, everyMs / 100)
    }
  )

  it("does not change much when messages come back in pairs", () => {
    const lane = idle()
    for (let i = 1; i <= 40; i++) {
      cameBack(lane, (i - 1) * 200, i * 200)
      cameBack(lane, (i - 1) * 200, i * 200)
    }
    assert.isAbove(lane.messageMs, 80)
    assert.isBelow(lane.messageMs, 120)
  })

  it.prop(
    "refuses early who would not be answered within the deadline, and nobody else who has room",
    [count(1, 5_000), count(0, room / 2 - 1)],
    ([messageMs, held]) => {
      const lane = loadOf({ messageMs, held })
      const late = waitMs(lane) > deadlineMs
      const told = refusal(lane, held)
      assert.strictEqual(told > 0, late)
      // Who comes back then finds what stood before them gone.
      if (late) assert.strictEqual(told, waitMs(lane))
    }
  )

  it("lets a message's worth of commands try an entity that did not answer", () => {
    const lane = idle()
    for (let i = 0; i < 3; i++) cameBack(lane, i * 60_000, i * 60_000 + 60_000)
    assert.strictEqual(lane.messageMs, deadlineMs)
    assert.strictEqual(refusal({ ...lane, held: maxCommandsAMessage - 1 }, maxCommandsAMessage - 1), 0)
    assert.isAbove(refusal({ ...lane, held: maxCommandsAMessage }, maxCommandsAMessage), deadlineMs)
  })

  it("forgets a pause within a second once the entity is back", () => {
    const lane = loadOf({ messageMs: deadlineMs })
    for (let i = 1; i <= 20; i++) cameBack(lane, i * 50, i * 50 + 50)
    assert.isBelow(lane.messageMs, 100)
  })

  it("takes a clock that was set back for no time at all", () => {
    const lane = idle()
    cameBack(lane, 10_000, 4_000)
    assert.strictEqual(lane.messageMs, 0)
  })
})
