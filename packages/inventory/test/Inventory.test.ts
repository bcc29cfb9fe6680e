/** Any list of commands, against an inventory that is kept the naive way. */
import { assert, describe, it } from "@effect/vitest"
import { CommandId, HoldId, makeUuidV7, OrderId } from "@onsale/contracts/Ids"
import type { InventoryAnswer, InventoryCommand } from "@onsale/contracts/inventory/InventoryCommand"
import type { InventoryEvent } from "@onsale/contracts/inventory/InventoryEvent"
import type { SaleLayout } from "@onsale/contracts/inventory/SaleLayout"
import { ticketsOf } from "@onsale/testing/simulation/NaiveBooks"
import { NaiveInventory } from "@onsale/testing/simulation/NaiveInventory"
import { simulatedLayouts } from "@onsale/testing/simulation/SimulatedLayouts"
import { Dice } from "@onsale/testing/simulation/World"
import { Effect, Schema } from "effect"
import { decide, recall, sweep } from "../src/Inventory.ts"
import { answerOf, availability } from "../src/InventoryAnswers.ts"
import { apply, restore, snapshotOf } from "../src/InventorySnapshot.ts"
import { empty, evolve, relayout, relayoutProblem, type State } from "../src/InventoryState.ts"
import { compile, type Layout } from "../src/Layout.ts"

const Int = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

/** A command as small numbers, so that shrinking works and ids collide often. */
const Step = Schema.Struct({
  kind: Schema.Literals([
    "Hold",
    "Best",
    "Area",
    "Change",
    "Extend",
    "Release",
    "Freeze",
    "Unfreeze",
    "Confirm",
    "Return",
    "Open"
  ]),
  /** Which of the holds that were made: the newest is 0. */
  hold: Int(0, 4),
  seats: Schema.Array(Int(0, 20)).check(Schema.isMaxLength(4)),
  quantity: Int(1, 4),
  area: Int(0, 2),
  /** 0 is nobody. */
  customer: Int(0, 3),
  /** 0 and 1 are none, the last there is not. */
  voucher: Int(0, 4),
  accessible: Int(0, 2),
  /** Another order than the one that was begun with the hold. */
  other: Int(0, 5),
  /** Milliseconds that pass before it. */
  waitMs: Int(0, 9_000),
  /** Sends the command before this one once more instead. */
  repeat: Int(0, 9)
})
type Step = typeof Step.Type
/** A house and its rules, by the seed that they are made of, and what is asked of it. */
const Story = Schema.Struct({ house: Int(0, 5_000), steps: Schema.Array(Step).check(Schema.isMaxLength(60)) })
type Story = typeof Story.Type

interface Made {
  readonly id: HoldId
  readonly order: OrderId
  readonly customer: { readonly customer?: string }
}

const startMs = 1_800_000_000_000

const customerOf = ({ customer }: Step): { readonly customer?: string } =>
  customer === 0 ? {} : { customer: ["ann", "bob", "eve"][customer - 1]! }

const commandOf = (
  model: NaiveInventory,
  held: ReadonlyMap<HoldId, Extract<InventoryEvent, { readonly _tag: "Held" }>>,
  made: ReadonlyArray<Made>,
  step: Step,
  index: number
): InventoryCommand | undefined => {
  const ids = { commandId: CommandId.make(`c${index}`), fingerprint: "f" }
  const hold = made[made.length - 1 - (step.hold % Math.max(1, made.length))]
  const wish = {
    _tag: "Hold" as const,
    ...ids,
    holdId: HoldId.make(makeUuidV7(1_000 + index)),
    seats: [] as ReadonlyArray<number>,
    areas: [] as ReadonlyArray<{ area: number; quantity: number }>,
    best: null,
    ...customerOf(step),
    ...(step.voucher < 2 ? {} : { voucherKey: `voucher ${step.voucher - 1}` }),
    ...(step.accessible > 0 ? { accessible: true } : {})
  }
  const best = { quantity: step.quantity, tier: null, section: null, accessible: step.accessible }
  const { area, quantity, seats } = step
  switch (step.kind) {
    case "Open":
      return undefined
    case "Hold":
      return { ...wish, seats: seats.length > 0 ? seats : [0] }
    case "Best":
      return {
        ...wish,
        seats: seats.slice(0, seats.length > 3 ? 1 : 0),
        best: { ...best, tier: step.other === 0 ? "Front" : null }
      }
    case "Area":
      return { ...wish, seats, areas: [{ area, quantity }] }
    case "Change": {
      if (hold === undefined) return undefined
      const before = held.get(hold.id)
      return {
        ...wish,
        replaces: hold.id,
        seats: [...new Set([...(before?.seats.slice(0, quantity - 1) ?? []), ...seats.slice(0, 2)])],
        areas: step.other < 2 ? [{ area, quantity }] : (before?.areas ?? []),
        best: step.other === 2 ? best : null
      }
    }
    case "Return": {
      if (hold === undefined) return undefined
      const bought = model.sold.filter(({ order }) => order === hold.order)
      const areas = [...new Set(bought.flatMap((ticket) => (ticket.area === null ? [] : [ticket.area])))]
      return {
        _tag: "Return",
        ...ids,
        orderId: hold.order,
        seats: bought.flatMap(({ seat }) => (seat === null ? [] : [seat])).slice(0, quantity),
        areas: areas.map((one) => ({ area: one, quantity: step.other === 0 ? 9 : 1 }))
      }
    }
    default: {
      if (hold === undefined) return undefined
      const orderId = step.other === 0 ? OrderId.make(makeUuidV7(9_000 + index)) : hold.order
      const { id: holdId, customer } = hold
      if (step.kind === "Extend" || step.kind === "Release") return { _tag: step.kind, ...ids, holdId }
      if (step.kind === "Unfreeze") return { _tag: step.kind, ...ids, holdId, orderId }
      // Of another order it is somebody else's; one order says the same each time.
      const whose = step.other === 0 ? customerOf(step) : customer
      if (step.kind === "Freeze") return { _tag: step.kind, ...ids, holdId, orderId, ...whose }
      const event = held.get(holdId)
      return {
        _tag: "Confirm",
        ...ids,
        holdId,
        orderId,
        seats: event?.seats ?? [],
        areas: event?.areas ?? [],
        ...whose,
        ...(event?.voucher === undefined ? {} : { voucher: event.voucher })
      }
    }
  }
}

const breach = (what: string): never => assert.fail(what)

const compileAll = (sources: ReadonlyArray<SaleLayout>) => sources.map((source, i) => compile(i + 1, source))

const run = ({ house, steps }: Story) => {
  const layouts = compileAll(simulatedLayouts(new Dice(house), startMs))
  const state: State = empty(layouts[0]!)
  const model = new NaiveInventory(layouts[0]!.source, breach)
  const rows: Array<{ version: number; atMs: number; events: Array<InventoryEvent> }> = []
  const made: Array<Made> = []
  const held = new Map<HoldId, Extract<InventoryEvent, { readonly _tag: "Held" }>>()
  let nowMs = startMs
  let previous: { command: InventoryCommand; answer: InventoryAnswer } | undefined
  let granted = 0
  steps.forEach((step, index) => {
    nowMs += step.waitMs
    const events: Array<InventoryEvent> = []
    const version = state.version + 1
    const expired = sweep(state, nowMs)
    if (expired?._tag === "Expired") {
      evolve(state, expired, version, nowMs)
      model.expire(expired.holds, nowMs)
      events.push(expired)
    }
    const command = commandOf(model, held, made, step, index)
    if (step.repeat === 0 && previous !== undefined) {
      assert.deepStrictEqual(
        recall(state, previous.command),
        previous.answer,
        "INV-07: the same answer to the same command"
      )
      assert.strictEqual(
        (recall(state, { ...previous.command, fingerprint: "other" }) as { code?: string }).code,
        "key_reused"
      )
    } else if (step.kind === "Open") {
      const next = layouts[step.quantity % layouts.length]!
      if (relayoutProblem(state, next) === undefined) {
        relayout(state, next)
        const opened = { _tag: "Opened" as const, layout: next.version }
        evolve(state, opened, version, nowMs)
        model.layout = next.source
        events.push(opened)
      }
    } else if (command !== undefined) {
      const event = decide(state, command, nowMs)
      const answer = answerOf(state.layout, event, version)
      model.decide(event, command, nowMs)
      evolve(state, event, version, nowMs)
      events.push(event)
      previous = { command, answer }
      if (event._tag !== "Refused") granted++
      if (event._tag === "Held") {
        held.set(event.hold, event)
        const order = OrderId.make(makeUuidV7(5_000 + index))
        made.push({ id: event.hold, order, customer: customerOf(step) })
      }
    }
    if (events.length > 0) rows.push({ version, atMs: nowMs, events })
  })
  return { layouts, state, model, rows, nowMs, granted }
}

/** What the rows make of a state, a snapshot's or none. */
const replay = (
  layouts: ReadonlyArray<Layout>,
  from: State,
  rows: ReturnType<typeof run>["rows"],
  covered: number
) => {
  for (const row of rows) {
    for (const event of row.events)
      if (event._tag === "Opened" && row.version > covered) relayout(from, layouts[event.layout - 1]!)
    apply(from, row, row.version <= covered)
  }
  return from
}

/** All of a state, in an order that does not depend on how it came about. */
const comparable = (state: State) => {
  const { holds, sold, ...rest } = snapshotOf(state)
  const { buyers, customers, quotaTaken, vouchers } = state.counts
  return {
    ...rest,
    holds: holds.toSorted((a, b) => (a.id < b.id ? -1 : 1)),
    sold: sold.toSorted((a, b) => (a.order < b.order ? -1 : 1)),
    answers: [...state.answers],
    freeInRow: [...state.freeInRow],
    areaHeld: state.areaHeld,
    areaSold: state.areaSold.map(({ total }) => total),
    quotaTaken,
    customers: [...customers].sort(),
    vouchers: [...vouchers].sort(),
    buyers: [...buyers].sort()
  }
}

const countOf = (keys: ReadonlyArray<string | null>) =>
  [...new Set(keys)]
    .flatMap((key) => (key === null ? [] : [[key, keys.filter((one) => one === key).length] as const]))
    .sort()

describe("Inventory", () => {
  it.effect.prop(
    "INV-01, 02, 03, 07, 08: any commands under any rules: what is granted was allowed, what is refused had its reason",
    [Story],
    ([story]) =>
      Effect.sync(() => {
        const { state, model, nowMs } = run(story)
        const { version: _, ...seen } = availability(state, nowMs)
        assert.deepStrictEqual(seen, model.availability(nowMs))
        // What is counted is what there is, of holds that were not swept yet too.
        const tickets = [
          ...model.sold,
          ...model.holds.flatMap((hold) => ticketsOf(hold, hold.customer, hold.voucher))
        ]
        assert.deepStrictEqual(
          [...state.counts.customers].sort(),
          countOf(tickets.map(({ customer }) => customer))
        )
        assert.deepStrictEqual(
          [...state.counts.vouchers].sort(),
          countOf(tickets.map(({ voucher }) => voucher))
        )
        assert.deepStrictEqual(
          state.counts.quotaTaken,
          (model.layout.quotas ?? []).map(
            (quota) => tickets.filter((ticket) => model.covers(quota, ticket)).length
          )
        )
      }),
    { arbitrary: { runs: 1_000 } }
  )

  it.effect.prop(
    "replaying the journal, with or without a snapshot on the way, gives the live state with all that it counts",
    [Story],
    ([story]) =>
      Effect.sync(() => {
        const { layouts, rows, state } = run(story)
        const expected = comparable(state)
        assert.deepStrictEqual(comparable(replay(layouts, empty(layouts[0]!), rows, 0)), expected)
        const before = replay(layouts, empty(layouts[0]!), rows.slice(0, rows.length >> 1), 0)
        const snapshot = structuredClone(snapshotOf(before))
        // The state of no row at all has the first layout.
        const restored = restore(layouts[Math.max(1, snapshot.layout) - 1]!, snapshot)
        assert.deepStrictEqual(comparable(replay(layouts, restored, rows, before.version)), expected)
      }),
    { arbitrary: { runs: 300 } }
  )

  it("the stories reach what they are for", () => {
    // The same kinds in turn, without a generator: most of them must be granted somewhere.
    const kinds = new Set<string>()
    let granted = 0
    const dice = new Dice(7)
    for (let house = 0; house < 60; house++) {
      const steps = Array.from(
        { length: 40 },
        (): Step => ({
          kind: dice.pick([
            "Hold",
            "Best",
            "Area",
            "Change",
            "Extend",
            "Freeze",
            "Unfreeze",
            "Confirm",
            "Return",
            "Open"
          ]),
          hold: dice.between(0, 2),
          seats: Array.from({ length: dice.between(0, 3) }, () => dice.between(0, 14)),
          quantity: dice.between(1, 3),
          area: dice.between(0, 1),
          customer: dice.between(0, 3),
          voucher: dice.between(0, 3),
          accessible: dice.chance(0.3) ? 1 : 0,
          other: dice.between(0, 5),
          waitMs: dice.between(0, 1_000),
          repeat: dice.between(0, 9)
        })
      )
      const told = run({ house, steps })
      granted += told.granted
      for (const event of told.rows.flatMap(({ events }) => events))
        kinds.add(
          event._tag === "Refused"
            ? event.code
            : event._tag === "Held" && event.replaces
              ? "Changed"
              : event._tag
        )
    }
    assert.isAbove(granted, 400)
    const reached =
      "Held Changed Extended Frozen Unfrozen Sold Returned Opened Expired seats_taken quota_full accessible_only " +
      "voucher_needed voucher_invalid voucher_used limit_passed below_minimum tier_closed in_checkout"
    for (const kind of reached.split(" "))
      assert.isTrue(kinds.has(kind), `no ${kind} among ${[...kinds].join(", ")}`)
  })
})
