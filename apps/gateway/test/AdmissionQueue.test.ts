import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { AdmissionQueue, type Leave } from "../src/AdmissionQueue.ts"

const options = {
  limit: { least: 1, most: 8, first: 2, targetMs: 40 },
  room: 5,
  patienceMs: 1_000
}
const never = Number.POSITIVE_INFINITY

const queueAt = () => {
  const time = { nowMs: 0 }
  const queue = new AdmissionQueue(options, () => time.nowMs)
  const told: Array<string> = []
  const enter = (name: string, untilMs = never): Leave =>
    queue.enter(
      untilMs,
      () => told.push(name),
      (ms) => told.push(`${name} refused for ${ms}`)
    )
  return { time, queue, told, enter }
}

const Step = Schema.Union([
  Schema.Struct({ come: Schema.NullOr(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 400 }))) }),
  Schema.Struct({ leave: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 50 })) }),
  Schema.Struct({
    pass: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 300 })),
    standingMs: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 200 }))
  })
])

describe("the queue of those who are let in", () => {
  it.prop(
    "tells everybody once, keeps its bounds, lets in as they came, and nobody past the end of his patience",
    [Schema.Array(Step).check(Schema.isMaxLength(120))],
    ([steps]) => {
      const time = { nowMs: 0 }
      const queue = new AdmissionQueue(options, () => time.nowMs)
      const told = new Map<number, "in" | "refused">()
      const leaves: Array<Leave> = []
      const gone = new Set<number>()
      let last = -1
      let inside = 0
      const tell = (id: number, what: "in" | "refused") => {
        assert.isFalse(told.has(id), "told twice")
        assert.isFalse(gone.has(id), "told after he left")
        told.set(id, what)
      }
      for (const step of steps) {
        if ("come" in step) {
          const id = leaves.length
          const untilMs = step.come === null ? never : time.nowMs + step.come
          const leave = queue.enter(
            untilMs,
            () => {
              tell(id, "in")
              assert.isAbove(id, last, "somebody was passed")
              assert.isAtMost(time.nowMs, untilMs)
              last = id
              inside++
            },
            () => tell(id, "refused")
          )
          leaves.push(() => {
            if (gone.has(id)) return
            if (told.get(id) === "in") inside--
            gone.add(id)
            leave()
            leave()
          })
        } else if ("leave" in step) leaves[step.leave]?.()
        else {
          time.nowMs += step.pass
          queue.turn(step.standingMs)
        }
        assert.strictEqual(queue.inFlight, inside)
        assert.isAtMost(queue.inFlight, options.limit.most)
        assert.isAtMost(queue.waitingCount, options.room)
      }
      // All who are left are told in the end.
      for (const leave of leaves) leave()
      assert.strictEqual(queue.inFlight, 0)
      assert.strictEqual(queue.waitingCount, 0)
    },
    { arbitrary: { runs: 300 } }
  )

  it("refuses at once who finds no room, and who has no hope to come in while he waits", () => {
    const { enter, queue, time, told } = queueAt()
    const first = [enter("a"), enter("b")]
    const waiting = ["c", "d", "e", "f", "g"].map((name) => enter(name))
    enter("h")
    assert.deepStrictEqual(told, ["a", "b", "h refused for 1000"])
    // One leaves every 600 ms.
    time.nowMs = 300
    first[0]!()
    time.nowMs = 900
    first[1]!()
    assert.deepStrictEqual(told.slice(3), ["c", "d"])
    assert.strictEqual(queue.waitMs, 3 * 600)
    enter("i", time.nowMs + 1_799)
    assert.deepStrictEqual(told.slice(5), ["i refused for 1800"])
    const patient = enter("j", time.nowMs + 1_801)
    assert.lengthOf(told, 6)
    enter("k")
    assert.deepStrictEqual(told.slice(6), ["k refused for 2400"])
    for (const leave of waiting) leave()
    assert.strictEqual(told.at(-1), "j")
    patient()
    assert.strictEqual(queue.inFlight, 0)
  })

  it("refuses who has waited too long, when he is looked after", () => {
    const { enter, queue, time, told } = queueAt()
    enter("a")
    enter("b")
    enter("c", 400)
    enter("d")
    time.nowMs = 400
    queue.turn(1_000)
    assert.deepStrictEqual(told, ["a", "b", "c refused for 1000"])
    time.nowMs = 1_000
    queue.turn(1_000)
    assert.strictEqual(told.at(-1), "d refused for 1000")
    assert.strictEqual(queue.waitingCount, 0)
  })

  it("tells all whose patience ends the same", () => {
    const { enter, queue, time, told } = queueAt()
    const first = [enter("a"), enter("b")]
    for (const name of ["c", "d"]) enter(name)
    for (const name of ["e", "f", "g"]) enter(name, 950)
    // One leaves every 400 ms.
    time.nowMs = 400
    first[0]!()
    time.nowMs = 800
    first[1]!()
    time.nowMs = 960
    queue.turn(1_000)
    assert.deepStrictEqual(
      told.filter((each) => each.includes("refused")),
      ["e refused for 1000", "f refused for 1000", "g refused for 1000"]
    )
  })

  it("lets more in when the thread bears more, without anybody leaving", () => {
    const { enter, queue, told } = queueAt()
    for (const name of ["a", "b", "c", "d"]) enter(name)
    assert.deepStrictEqual(told, ["a", "b"])
    queue.turn(30)
    assert.deepStrictEqual(told, ["a", "b", "c"])
    queue.turn(0)
    assert.deepStrictEqual(told, ["a", "b", "c", "d"])
  })

  it("lets nobody in while it is held, and does not take the pause for how fast it goes", () => {
    const { enter, queue, time, told } = queueAt()
    const leave = enter("a")
    queue.hold(true)
    for (const name of ["b", "c", "d"]) enter(name)
    time.nowMs = 900
    leave()
    assert.deepStrictEqual(told, ["a"])
    assert.strictEqual(queue.waitMs, 0)
    queue.hold(false)
    assert.deepStrictEqual(told, ["a", "b", "c"])
    assert.strictEqual(queue.waitMs, 0)
  })

  it("learns nothing while it is held: then it lets in as many as before", () => {
    const { enter, queue, told } = queueAt()
    queue.hold(true)
    for (const name of ["a", "b", "c", "d", "e"]) {
      enter(name)
      queue.turn(0)
    }
    queue.hold(false)
    assert.deepStrictEqual(told, ["a", "b"])
  })

  it("forgets what it let in at once when that is not used any more", () => {
    const { enter, queue } = queueAt()
    const leaves = Array.from({ length: 5 }, (_, i) => enter(String(i)))
    for (let i = 0; i < 10; i++) queue.turn(0)
    assert.strictEqual(queue.inFlight, 5)
    for (const leave of leaves) leave()
    for (let i = 0; i < 30; i++) queue.turn(0)
    for (let i = 0; i < 5; i++) enter(String(i))
    assert.strictEqual(queue.inFlight, options.limit.first)
  })

  it("refuses those whose patience ends while it is held", () => {
    const { enter, queue, time, told } = queueAt()
    queue.hold(true)
    enter("a")
    time.nowMs = options.patienceMs
    queue.turn(0)
    assert.deepStrictEqual(told, ["a refused for 1000"])
  })
})
