import { assert, layer } from "@effect/vitest"
import { Clock, Effect } from "effect"
import type { OrderView } from "@onsale/contracts/booking/Order"
import { makeUuidV7, TicketId } from "@onsale/contracts/Ids"
import { layerDatabase } from "@onsale/testing/PostgresFixture"
import { pollUntil } from "@onsale/testing/Poll"
import { makeHarness } from "./BookingHarness.ts"

/** The last eight bytes of an id, as the lists have it. */
const last8 = (id: string) => id.replaceAll("-", "").slice(16)
const entries = (base64: string, bytes: number) => {
  const hex = Buffer.from(base64, "base64").toString("hex")
  return hex.match(new RegExp(`.{${bytes * 2}}`, "g")) ?? []
}

const ticketOf = ({ tickets }: OrderView, place: number) => {
  const ticket = tickets[place]
  assert.isDefined(ticket)
  return ticket
}

const askOf = (ticketId: TicketId, scanId: string, gate = "North", codeVersion = 1) => ({
  ticketId,
  scanId,
  gate,
  codeVersion
})

layer(layerDatabase, { excludeTestServices: true })("CheckIns", (it) => {
  it.effect("of two gates that ask at once one admits, and another process answers as the first", () =>
    Effect.gen(function* () {
      const h = yield* makeHarness
      const first = yield* h.start()
      const { order } = yield* first.orders.place(h.request(h.inventory.makeHold([1, 2])))
      const { id, label } = ticketOf(order, 0)
      const answers = yield* Effect.all(
        Array.from({ length: 8 }, (_, i) => first.checkIns.checkIn(askOf(id, `s${i}`, `gate ${i}`))),
        { concurrency: "unbounded" }
      )
      const admitted = answers.filter((answer) => answer?._tag === "Admitted")
      assert.strictEqual(admitted.length, 1)
      assert.deepInclude(admitted[0], { label, holder: "Ada" })
      assert.strictEqual(answers.filter((answer) => answer?._tag === "Used").length, 7)
      yield* first.kill
      const second = yield* h.start()
      const again = yield* second.checkIns.checkIn(askOf(id, "other"))
      assert.deepStrictEqual(again?._tag === "Used" ? again.checkIn : null, admitted[0]?.checkIn)
      assert.deepStrictEqual(
        ticketOf((yield* second.orders.get(order.id)) ?? order, 0).checkIn,
        admitted[0]?.checkIn
      )
      assert.isNull(yield* second.checkIns.checkIn(askOf(TicketId.make(makeUuidV7(0)), "s")))
      assert.deepStrictEqual(yield* h.breaches, [])
    })
  )

  it.effect("a used ticket is paid back by the organiser alone, and a refunded one admits nobody", () =>
    Effect.gen(function* () {
      const h = yield* makeHarness
      const { checkIns, orders } = yield* h.start()
      const { order } = yield* orders.place(h.request(h.inventory.makeHold([1, 2, 3])))
      const used = ticketOf(order, 0).id
      yield* checkIns.checkIn(askOf(used, "s"))
      const refund = (cause: "customer" | "organiser", tickets: ReadonlyArray<TicketId> | null) =>
        orders.refund(order.id, { key: makeUuidV7(0), fingerprint: "f", tickets, reason: "", cause })
      const refused = yield* Effect.flip(refund("customer", [used]))
      assert.deepInclude(refused, { _tag: "NotRefundable", used: true, tickets: [used] })
      const { tickets } = yield* refund("customer", null)
      assert.deepStrictEqual(
        tickets.map(({ status }) => status),
        ["valid", "refunded", "refunded"]
      )
      assert.deepInclude(yield* checkIns.checkIn(askOf(ticketOf(order, 1).id, "t")), { _tag: "Refunded" })
      const all = yield* refund("organiser", [used])
      assert.strictEqual(all.status, "refunded")
      assert.strictEqual(ticketOf(all, 0).checkIn?.gate, "North")
      assert.deepStrictEqual(yield* h.breaches, [])
    })
  )

  it.effect(
    "a ticket that is given to another has a new code, the same seat, and one answer to one key",
    () =>
      Effect.gen(function* () {
        const h = yield* makeHarness
        const { checkIns, orders } = yield* h.start()
        const { order } = yield* orders.place(h.request(h.inventory.makeHold([1, 2])))
        const { id } = ticketOf(order, 0)
        const holder = { name: "Grace", email: "grace@example.org" }
        const request = { key: makeUuidV7(0), fingerprint: "f", ticketId: id, holder }
        const given = yield* orders.reissue(order.id, request)
        assert.deepInclude(ticketOf(given, 0), { codeVersion: 2, holder, status: "valid" })
        assert.deepStrictEqual(yield* orders.reissue(order.id, request), given)
        const reused = yield* Effect.flip(orders.reissue(order.id, { ...request, fingerprint: "g" }))
        assert.strictEqual(reused._tag, "KeyReused")
        assert.strictEqual((yield* orders.ticket(id))?.ticket.codeVersion, 2)
        assert.strictEqual(h.inventory.soldSeats.get(1), order.id)

        assert.deepInclude(yield* checkIns.checkIn(askOf(id, "s")), { _tag: "Replaced" })
        const admitted = yield* checkIns.checkIn(askOf(id, "t", "North", 2))
        assert.deepInclude(admitted, { _tag: "Admitted", holder: "Grace" })
        const lost = { ...request, key: makeUuidV7(0), holder: null }
        const late = yield* Effect.flip(orders.reissue(order.id, lost))
        assert.deepInclude(late, { _tag: "NotReissuable", reason: "used" })
        assert.deepStrictEqual(yield* h.breaches, [])
      })
  )

  it.effect("scans that come later settle by the gates' times, are told once, and show in the lists", () =>
    Effect.gen(function* () {
      const h = yield* makeHarness
      const { checkIns, orders } = yield* h.start()
      const { order } = yield* orders.place(h.request(h.inventory.makeHold([1, 2, 3, 4])))
      const other = (yield* orders.place(h.request(h.inventory.makeHold([9])))).order
      const [a, b, c, d] = order.tickets.map(({ id }) => id)
      if (a === undefined || b === undefined || c === undefined || d === undefined) {
        return assert.fail("four tickets")
      }
      const issuedMs = yield* Clock.currentTimeMillis
      // The door's clock goes on: whoever asks from now on asks later than the scans below.
      yield* pollUntil(Clock.currentTimeMillis, (nowMs) => nowMs > issuedMs + 20)
      yield* checkIns.checkIn(askOf(a, "online"))
      const scan = (ticketId: TicketId, scanId: string, gate: string, atMs: number) => ({
        ...askOf(ticketId, scanId, gate),
        atMs
      })
      const scans = [
        scan(a, "s1", "South", issuedMs + 3),
        scan(a, "s2", "West", issuedMs + 2),
        scan(b, "s3", "South", issuedMs + 5),
        scan(b, "s4", "West", issuedMs + 4),
        scan(ticketOf(other, 0).id, "s5", "South", issuedMs + 6),
        scan(TicketId.make(makeUuidV7(0)), "s6", "South", issuedMs + 7)
      ]
      const answers = yield* checkIns.record(scans)
      assert.deepStrictEqual(
        answers.map(({ result, scanId }) => [scanId, result]),
        [
          ["s1", "admitted"],
          ["s2", "admitted"],
          ["s3", "admitted"],
          ["s4", "admitted"],
          ["s5", "admitted"],
          ["s6", "unknown"]
        ]
      )
      const rows = yield* h.rows
      const repeated = yield* checkIns.record(scans)
      assert.deepStrictEqual(
        repeated.map(({ result }) => result),
        ["used", "admitted", "used", "admitted", "admitted", "unknown"]
      )
      assert.strictEqual(yield* h.rows, rows)

      // A refund, a new code, and a scan by the old one.
      yield* orders.refund(order.id, { key: makeUuidV7(0), fingerprint: "f", tickets: [c], reason: "" })
      yield* orders.reissue(order.id, { key: makeUuidV7(0), fingerprint: "f", ticketId: d, holder: null })
      const nowMs = yield* Clock.currentTimeMillis
      const [late] = yield* checkIns.record([scan(d, "s7", "South", nowMs)])
      assert.deepInclude(late, { result: "cancelled", checkIn: null })
      const before = yield* checkIns.sequence(order.eventId)
      const [paidBack] = yield* checkIns.record([scan(c, "s8", "South", issuedMs + 1)])
      assert.deepInclude(paidBack, { result: "admitted" })

      const conflicts = yield* checkIns.conflicts(order.eventId, null, 100)
      assert.sameDeepMembers(
        conflicts.map(({ checkIn, reason, scanId }) => [scanId, reason, checkIn?.gate]),
        [
          ["s8", "paid_back", "South"],
          ["s1", "used", "West"],
          ["s3", "used", "West"],
          ["online", "used", "West"],
          ["s7", "cancelled", undefined]
        ]
      )
      const paged: Array<string> = []
      for (let page = yield* checkIns.conflicts(order.eventId, null, 2); page.length > 0; ) {
        paged.push(...page.map(({ scanId }) => scanId))
        page = yield* checkIns.conflicts(order.eventId, page.at(-1) ?? null, 2)
      }
      assert.deepStrictEqual(
        paged,
        conflicts.map(({ scanId }) => scanId)
      )
      assert.deepStrictEqual(
        (yield* checkIns.gates(order.eventId)).map(({ admitted, conflicts, gate }) => [
          gate,
          admitted,
          conflicts
        ]),
        [
          ["North", 0, 1],
          ["South", 2, 3],
          ["West", 2, 0]
        ]
      )

      const lists = yield* checkIns.lists(order.eventId)
      assert.isAbove(lists.sequence, before)
      assert.strictEqual(lists.sequence, yield* checkIns.sequence(order.eventId))
      assert.deepStrictEqual(entries(lists.refunded, 8), [last8(c)])
      assert.deepStrictEqual(entries(lists.reissued, 10), [`${last8(d)}0002`])
      assert.deepStrictEqual(lists.gates, ["South", "West"])
      assert.deepStrictEqual(
        entries(lists.admitted, 16),
        (
          [
            [a, issuedMs + 2, 1],
            [b, issuedMs + 4, 1],
            [c, issuedMs + 1, 0],
            [ticketOf(other, 0).id, issuedMs + 6, 0]
          ] as const
        )
          .map(([id, atMs, gate]) => `${last8(id)}${atMs.toString(16).padStart(12, "0")}000${gate}`)
          .sort()
      )
      const total = (key: "valid" | "refunded" | "admitted") =>
        lists.tiers.reduce((sum, tier) => sum + tier[key], 0)
      assert.deepStrictEqual([total("valid"), total("refunded"), total("admitted")], [4, 1, 4])
      assert.deepStrictEqual(yield* h.breaches, [])
    })
  )

  it.effect(
    "gates that number their scans are told apart, and all but the earliest are conflicts, page by page",
    () =>
      Effect.gen(function* () {
        const h = yield* makeHarness
        const { checkIns, orders } = yield* h.start()
        const { order } = yield* orders.place(h.request(h.inventory.makeHold([1])))
        const { id } = ticketOf(order, 0)
        const atMs = (yield* Clock.currentTimeMillis) + 1_000
        const at = (gate: string, ms: number) => ({ ...askOf(id, "1", gate), atMs: ms })
        const result = (scan: ReturnType<typeof at>) =>
          Effect.map(checkIns.record([scan]), ([answer]) => answer?.result)
        assert.strictEqual(yield* result(at("North", atMs)), "admitted")
        assert.strictEqual(yield* result(at("South", atMs)), "used")
        assert.strictEqual(yield* result(at("West", atMs)), "used")
        // Takes over: what was refused with the same id stands in the table already.
        assert.strictEqual(yield* result(at("East", atMs - 1)), "admitted")
        assert.strictEqual(yield* result(at("South", atMs)), "used")
        const [first, ...others] = yield* checkIns.conflicts(order.eventId, null, 100)
        assert.deepStrictEqual(
          [first, ...others].map((conflict) => [conflict?.gate, conflict?.checkIn?.gate]),
          [
            ["North", "East"],
            ["South", "East"],
            ["West", "East"]
          ]
        )
        assert.deepStrictEqual(yield* checkIns.conflicts(order.eventId, first ?? null, 100), others)
        assert.deepStrictEqual(yield* h.breaches, [])
      })
  )

  it.effect("the audit tells of a check-in that the journal does not know, and of one after the refund", () =>
    Effect.gen(function* () {
      const h = yield* makeHarness
      const { checkIns, orders } = yield* h.start()
      const { order } = yield* orders.place(h.request(h.inventory.makeHold([1, 2])))
      yield* checkIns.checkIn(askOf(ticketOf(order, 0).id, "s"))
      assert.deepStrictEqual(yield* h.breaches, [])
      yield* h.sql`UPDATE booking.check_ins SET scan_id = 'another'`
      assert.deepStrictEqual(
        (yield* h.breaches).map(({ invariant }) => invariant),
        ["INV-06"]
      )
      yield* h.sql`DELETE FROM booking.check_ins`
      assert.strictEqual((yield* h.breaches).length, 1)
      yield* h.sql`INSERT INTO booking.check_ins SELECT id, order_id, event_id, 's', 'North', 1, now(), now()
        FROM booking.tickets WHERE id = ${ticketOf(order, 0).id}::uuid`
      assert.deepStrictEqual(yield* h.breaches, [])
      yield* h.sql`UPDATE booking.check_ins SET event_id = order_id`
      assert.strictEqual((yield* h.breaches).length, 1)
      yield* h.sql`UPDATE booking.check_ins SET event_id = ${order.eventId}::uuid`
      yield* orders.refund(order.id, {
        key: makeUuidV7(0),
        fingerprint: "f",
        tickets: [ticketOf(order, 0).id],
        reason: "",
        cause: "organiser"
      })
      yield* h.sql`UPDATE booking.check_ins SET scanned_at = now() + interval '1 hour'`
      assert.strictEqual((yield* h.breaches).length, 1)
    })
  )
})
