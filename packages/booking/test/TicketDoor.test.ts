import { assert, describe, it } from "@effect/vitest"
import type { Scan, ScanAnswer } from "@onsale/contracts/booking/CheckIn"
import type { OrderEvent } from "@onsale/contracts/booking/Order"
import { makeUuidV7, RefundId, TicketId } from "@onsale/contracts/Ids"
import { Result, Schema } from "effect"
import { requestRefund } from "../src/Order.ts"
import { claims, evolve, type Order, OrderEventMisfit } from "../src/OrderState.ts"
import * as TicketDoor from "../src/TicketDoor.ts"
import { orderId, placed } from "./OrderWorld.ts"

const confirmedMs = 1_000

const ids = claims(evolve(undefined, placed, { orderId, atMs: 0 })).map((_, i) =>
  TicketId.make(makeUuidV7(i))
)
const [ticketId = TicketId.make(makeUuidV7(0))] = ids

const confirmed: Order = (() => {
  const events: ReadonlyArray<OrderEvent> = [
    { _tag: "PaymentAuthorised", provider: "sandbox" },
    { _tag: "SeatsSold", reclaimed: false }
  ]
  const start = evolve(undefined, placed, { orderId, atMs: 0 })
  const sold = events.reduce((order, event) => evolve(order, event, { orderId, atMs: 1 }), start)
  const tickets = claims(sold).map((claim, i) => ({
    ...claim,
    id: ids[i] ?? ticketId,
    status: "valid" as const,
    codeVersion: 1
  }))
  return evolve(sold, { _tag: "Confirmed", tickets }, { orderId, atMs: confirmedMs })
})()

const doorOf = (order: Order) => {
  const door = order.doors.get(ticketId)
  assert.isDefined(door)
  return door
}

/** An order with the journal behind it, so that the journal's own rules hold for all that is written. */
class World {
  order = confirmed
  nowMs = confirmedMs
  readonly events: Array<OrderEvent> = []

  write(event: OrderEvent | null) {
    if (event === null) return
    this.events.push(event)
    this.order = evolve(this.order, event, { orderId, atMs: this.nowMs })
  }

  checkIn(scan: Omit<Scan, "atMs">) {
    const asked = TicketDoor.checkIn(doorOf(this.order), { ...scan, atMs: this.nowMs })
    this.write(asked.event)
    return asked.refusal
  }

  record(scan: Scan): ScanAnswer {
    const { answer, event } = TicketDoor.record(doorOf(this.order), scan)
    this.write(event)
    return answer
  }

  reissue() {
    const next = TicketDoor.reissue(doorOf(this.order), { ticketId, holder: null })
    if (Result.isSuccess(next)) this.write(next.success)
  }

  refund(cause: "customer" | "organiser") {
    const refundId = RefundId.make(makeUuidV7(this.nowMs))
    const request = { refundId, tickets: [ticketId], reason: "", cause }
    const requested = requestRefund(this.order, request, this.nowMs)
    if (Result.isSuccess(requested)) this.write(requested.success)
    return requested
  }
}

const scan = (scanId: string, atMs: number, codeVersion = 1, gate = "A"): Scan => ({
  scanId,
  ticketId,
  codeVersion,
  gate,
  atMs
})

const nameOf = ({ gate, scanId }: Scan) => `${scanId} at ${gate}`

/** The scan that counts, told from the journal alone. */
const winner = (events: ReadonlyArray<OrderEvent>) =>
  events.filter((event) => event._tag === "TicketAdmitted").at(-1)?.scanId ?? null

const Tick = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 30 }))
const Uploads = Schema.Array(
  Schema.Struct({ at: Tick, version: Schema.Literals([1, 2, 3]), rank: Schema.Int })
).check(Schema.isMaxLength(8))
const Moves = Schema.Array(
  Schema.Union([
    Schema.Struct({ move: Schema.Literals(["ask", "reissue", "refund", "payBack"]) }),
    Schema.Struct({ move: Schema.Literal("upload"), at: Tick, version: Schema.Literals([1, 2, 3]) })
  ])
).check(Schema.isMaxLength(24))

describe("TicketDoor", () => {
  it.prop(
    "the same scan counts in whatever order the scans are uploaded, and the ticket is used once",
    [
      Uploads,
      Schema.Array(Schema.Literals(["reissue", "refund"])).check(Schema.isMaxLength(3)),
      Schema.Boolean
    ],
    ([uploads, changes, online]) => {
      // What booking knows when the first gate comes back: reissues and a refund at times of their own.
      const before = new World()
      for (const [i, change] of changes.entries()) {
        before.nowMs = confirmedMs + 7 * (i + 1)
        if (change === "reissue") before.reissue()
        else before.refund("customer")
      }
      before.nowMs = confirmedMs + 25
      if (online) before.checkIn(scan("online", 0, doorOf(before.order).issuedMs.length))
      const scans = uploads.map(({ at, version }, i) =>
        // Gates that number their scans: each number comes from both.
        scan(`s${i >> 1}`, confirmedMs + at, version, i % 2 === 0 ? "A" : "B")
      )
      const play = (order: ReadonlyArray<Scan>) => {
        const world = new World()
        world.order = before.order
        world.nowMs = confirmedMs + 100
        for (const each of order) world.record(each)
        // The network lost an answer: all of it comes again, and nothing is written.
        const written = world.events.length
        for (const each of order) world.record(each)
        assert.strictEqual(world.events.length, written)
        return world
      }
      const first = play(scans)
      const ranked = scans
        .map((each, i) => ({ each, rank: uploads[i]?.rank ?? 0 }))
        .sort((a, b) => a.rank - b.rank)
        .map(({ each }) => each)
      for (const order of [ranked, scans.toReversed()]) {
        const other = play(order)
        assert.deepStrictEqual(doorOf(other.order).admitted, doorOf(first.order).admitted)
        assert.sameMembers(
          doorOf(other.order).refused.map((each) => `${nameOf(each)} ${each.reason}`),
          doorOf(first.order).refused.map((each) => `${nameOf(each)} ${each.reason}`)
        )
      }
      // Everybody who was let in is told of: as the check-in, or as a conflict.
      const door = doorOf(first.order)
      const told = [door.admitted, ...door.refused].flatMap((known) => (known === null ? [] : [known]))
      assert.includeMembers(told.map(nameOf), scans.map(nameOf))
      assert.strictEqual(told.length, new Set(told).size)
    },
    { arbitrary: { runs: 1_000 } }
  )

  it.prop(
    "whatever happens, a ticket is used once, never after its refund, and never by an older code",
    [Moves],
    ([moves]) => {
      const world = new World()
      let refundedMs: number | null = null
      for (const [i, move] of moves.entries()) {
        world.nowMs = confirmedMs + i + 1
        const door = doorOf(world.order)
        switch (move.move) {
          case "ask":
            world.checkIn(scan(`ask${i}`, 0, door.issuedMs.length))
            break
          case "reissue":
            world.reissue()
            break
          case "refund":
          case "payBack": {
            const used = door.admitted !== null
            const cause = move.move === "refund" ? "customer" : "organiser"
            const refunded = world.refund(cause)
            if (used && cause === "customer") assert.isTrue(Result.isFailure(refunded))
            if (Result.isSuccess(refunded)) refundedMs = world.nowMs
            break
          }
          case "upload":
            world.record(scan(`up${i}`, Math.min(world.nowMs, confirmedMs + move.at), move.version))
        }
      }
      const { admitted, issuedMs } = doorOf(world.order)
      assert.strictEqual(winner(world.events), admitted?.scanId ?? null)
      if (admitted !== null) {
        if (refundedMs !== null) assert.isBelow(admitted.atMs, refundedMs)
        const until = issuedMs[admitted.codeVersion]
        if (until !== undefined) assert.isBelow(admitted.atMs, until)
      }
      // Each check-in takes over from the one before it: the chain has one end.
      let last: string | undefined
      for (const event of world.events) {
        if (event._tag !== "TicketAdmitted") continue
        assert.strictEqual(event.replaces, last)
        last = event.scanId
      }
    },
    { arbitrary: { runs: 1_000 } }
  )

  it("an earlier scan takes over from one that was made online, which is a conflict then", () => {
    const world = new World()
    world.nowMs = confirmedMs + 50
    assert.isNull(world.checkIn(scan("online", 0, 1, "North")))
    assert.deepStrictEqual(world.record(scan("offline", confirmedMs + 40, 1, "South")), {
      scanId: "offline",
      result: "admitted",
      checkIn: { gate: "South", atMs: confirmedMs + 40 }
    })
    assert.deepStrictEqual(
      doorOf(world.order).refused.map(({ reason, scanId }) => [scanId, reason]),
      [["online", "used"]]
    )
  })

  it("a question that is repeated at once has the same answer; later, or elsewhere, the ticket is used", () => {
    const world = new World()
    assert.isNull(world.checkIn(scan("s", 0)))
    world.nowMs += TicketDoor.repeatMs
    assert.isNull(world.checkIn(scan("s", 0)))
    assert.strictEqual(world.checkIn(scan("s", 0, 1, "B"))?._tag, "Used")
    assert.strictEqual(world.checkIn(scan("t", 0))?._tag, "Used")
    world.nowMs++
    assert.strictEqual(world.checkIn(scan("s", 0))?._tag, "Used")
    assert.strictEqual(world.events.length, 1)
  })

  it("the same id from two gates is two scans: the earlier counts, the other is a conflict", () => {
    const world = new World()
    const late = scan("1", confirmedMs + 5, 1, "A")
    const early = scan("1", confirmedMs + 4, 1, "B")
    assert.deepInclude(world.record(late), { result: "admitted" })
    assert.deepInclude(world.record({ ...late, gate: "C" }), {
      result: "used",
      checkIn: { gate: "A", atMs: late.atMs }
    })
    assert.deepInclude(world.record(early), { result: "admitted", checkIn: { gate: "B", atMs: early.atMs } })
    const repeated = [late, { ...late, gate: "C" }, early].map((each) => world.record(each).result)
    assert.deepStrictEqual(repeated, ["used", "used", "admitted"])
    assert.deepStrictEqual(
      doorOf(world.order).refused.map(({ gate }) => gate),
      ["C", "A"]
    )
  })

  it("a refund is told from an older code", () => {
    const world = new World()
    world.reissue()
    assert.strictEqual(world.checkIn(scan("s", 0, 1))?._tag, "Replaced")
    world.refund("customer")
    assert.strictEqual(world.checkIn(scan("s", 0, 2))?._tag, "Refunded")
  })

  it("an old code that was shown before it was replaced counts; after it, it is a conflict", () => {
    const world = new World()
    world.nowMs = confirmedMs + 10
    world.reissue()
    assert.strictEqual(world.record(scan("late", confirmedMs + 10)).result, "cancelled")
    assert.strictEqual(world.record(scan("early", confirmedMs + 9)).result, "admitted")
  })

  it("who names no tickets gives back those that were not used", () => {
    const world = new World()
    world.checkIn(scan("s", 0))
    const request = {
      refundId: RefundId.make(makeUuidV7(1)),
      tickets: null,
      reason: "",
      cause: "customer"
    } as const
    const refund = requestRefund(world.order, request, world.nowMs)
    assert.isTrue(Result.isSuccess(refund))
    assert.notInclude(Result.getOrThrow(refund).tickets, ticketId)
    const named = requestRefund(world.order, { ...request, tickets: [ticketId] }, world.nowMs)
    assert.deepInclude(Result.isFailure(named) ? named.failure : {}, { used: true, tickets: [ticketId] })
  })

  it("a ticket has a hundred codes at most, and what was refused of it is kept a hundred times", () => {
    const world = new World()
    for (let i = 0; i < TicketDoor.maxCodes + 10; i++) world.reissue()
    assert.strictEqual(doorOf(world.order).issuedMs.length, TicketDoor.maxCodes)
    for (let i = 0; i < TicketDoor.maxRefused + 10; i++) world.record(scan(`s${i}`, confirmedMs - 1, 1))
    assert.isAtMost(doorOf(world.order).refused.length, TicketDoor.maxRefused)
  })

  it("a gate whose clock runs backwards takes over as often as it likes, and the newest hundred are kept", () => {
    const world = new World()
    const scans = TicketDoor.maxRefused + 10
    for (let i = 0; i <= scans; i++) world.record(scan(`s${i}`, confirmedMs + scans - i, 1))
    const { admitted, refused } = doorOf(world.order)
    assert.strictEqual(admitted?.scanId, `s${scans}`)
    assert.strictEqual(refused.length, TicketDoor.maxRefused)
    assert.strictEqual(refused.at(-1)?.scanId, `s${scans - 1}`)
  })

  it("the journal refuses what does not fit: a second check-in, one after the refund, a version left out", () => {
    const world = new World()
    world.checkIn(scan("s", 0))
    const misfits = (order: Order, event: OrderEvent) =>
      assert.throws(() => evolve(order, event, { orderId, atMs: confirmedMs }), OrderEventMisfit)
    misfits(world.order, { _tag: "TicketAdmitted", ...scan("t", confirmedMs) })
    misfits(world.order, { _tag: "TicketAdmitted", ...scan("t", confirmedMs + 5), replaces: "s" })
    misfits(world.order, { _tag: "ScanRefused", ...scan("s", confirmedMs), reason: "used" })
    misfits(world.order, { _tag: "TicketReissued", ticketId, codeVersion: 2 })
    misfits(confirmed, { _tag: "TicketReissued", ticketId, codeVersion: 3 })
    const refunded = new World()
    refunded.refund("organiser")
    misfits(refunded.order, { _tag: "TicketAdmitted", ...scan("t", confirmedMs) })
  })
})
