/** The simulation has teeth: each rule is broken once, and it must be noticed. */
import { assert, describe, it } from "@effect/vitest"
import type { HoldId } from "@onsale/contracts/Ids"
import * as InventorySimulation from "@onsale/testing/InventorySimulation"
import { vi } from "vitest"
import type * as Inventory from "../src/Inventory.ts"
import type * as InventoryState from "../src/InventoryState.ts"
import type * as Layout from "../src/Layout.ts"
import type { SaleRules } from "../src/SaleRules.ts"

type Rules = Pick<typeof Inventory, "decide" | "recall" | "sweep"> &
  Pick<typeof InventoryState, "evolve"> &
  Pick<typeof Layout, "compile">
type Mutant = (real: Rules) => Partial<Rules>

const current = vi.hoisted(() => ({ mutant: (_: unknown): object => ({}) }))
// Looked up at every call: the modules are loaded once.
vi.mock("../src/Inventory.ts", async (original) => {
  const real = await original<typeof Inventory & typeof InventoryState>()
  const rule =
    (name: string) =>
    (...args: ReadonlyArray<unknown>) => {
      const rules: Record<string, unknown> = { ...real, ...current.mutant(real) }
      const found = rules[name]
      if (typeof found !== "function") throw new Error(`there is no rule ${name}`)
      return found(...args)
    }
  return { ...real, decide: rule("decide"), recall: rule("recall"), sweep: rule("sweep") }
})
vi.mock("../src/InventoryState.ts", async (original) => {
  const real = await original<typeof Inventory & typeof InventoryState>()
  return {
    ...real,
    evolve: (...args: Parameters<typeof real.evolve>) => {
      const rules: Partial<Rules> = current.mutant(real)
      return (rules.evolve ?? real.evolve)(...args)
    }
  }
})

vi.mock("../src/Layout.ts", async (original) => {
  const real = await original<typeof Layout>()
  return {
    ...real,
    compile: (...args: Parameters<typeof real.compile>) => {
      const rules: Partial<Rules> = current.mutant(real)
      return (rules.compile ?? real.compile)(...args)
    }
  }
})

/** Decides as if the organiser had set other rules. */
const deciding =
  (change: (rules: SaleRules) => Partial<SaleRules>): Mutant =>
  ({ decide }) => ({
    decide: (state, command, nowMs) => {
      const { layout } = state
      state.layout = { ...layout, rules: { ...layout.rules, ...change(layout.rules) } }
      const event = decide(state, command, nowMs)
      state.layout = layout
      return event
    }
  })

/** Forgets something of an event when it is made part of the state. */
const forgetting =
  (forget: (event: Event) => Event): Mutant =>
  ({ evolve }) => ({
    evolve: (state, event, version, atMs) => evolve(state, forget(event), version, atMs)
  })
type Event = Parameters<Rules["evolve"]>[1]

/** Counts somebody or something as before, whatever the event takes out. */
const keeping =
  (of: "customers" | "vouchers", after: ReadonlyArray<Event["_tag"]>): Mutant =>
  ({ evolve }) => ({
    evolve: (state, event, version, atMs) => {
      const before = after.includes(event._tag) ? [...state.counts[of]] : []
      evolve(state, event, version, atMs)
      const totals = state.counts[of] as Map<string, number>
      for (const [key, tickets] of before) totals.set(key, tickets)
    }
  })

const more = <Key, A extends { readonly maxTickets: number }>(vouchers: ReadonlyMap<Key, A>): Map<Key, A> =>
  new Map(Array.from(vouchers, ([key, voucher]) => [key, { ...voucher, maxTickets: voucher.maxTickets + 1 }]))

const lostBy = new WeakMap<Event, HoldId>()

/** By what is broken: how, and what the simulation must say to it. */
const mutants: Readonly<Record<string, readonly [mutant: Mutant, breach: RegExp]>> = {
  "expiry: a hold counts for two seconds more": [
    ({ decide, sweep }) => ({
      sweep: (state, nowMs) => sweep(state, nowMs - 2_000),
      decide: (state, command, nowMs) => {
        const hold = "holdId" in command ? state.holds.get(command.holdId) : undefined
        return decide(state, command, hold === undefined ? nowMs : Math.min(nowMs, hold.expiresAtMs - 1))
      }
    }),
    /INV-03.*honoured after its time/
  ],
  "expiry: a hold is swept two seconds early": [
    ({ sweep }) => ({ sweep: (state, nowMs) => sweep(state, nowMs + 2_000) }),
    /INV-03.*swept before its time/
  ],
  "expiry: nothing is swept": [
    () => ({ sweep: () => undefined }),
    /was refused as (seats_taken|quota_full): what stands against it/
  ],
  "all or nothing: the free part of a hold is granted": [
    ({ decide }) => ({
      decide: (state, command, nowMs) => {
        const event = decide(state, command, nowMs)
        if (command._tag !== "Hold" || event._tag !== "Refused" || event.code !== "seats_taken") return event
        const seats = command.seats.filter((seat) => !event.seats.includes(seat))
        return seats.length === 0 ? event : decide(state, { ...command, seats, areas: [], best: null }, nowMs)
      }
    }),
    /INV-02/
  ],
  "a seat that is held is given to the next, who is caught by the state itself": [
    ({ decide }) => ({
      decide: (state, command, nowMs) => {
        const event = decide(state, command, nowMs)
        return command._tag === "Hold" && event._tag === "Refused" && event.seats.length > 0
          ? {
              _tag: "Held",
              cmd: command.commandId,
              fp: command.fingerprint,
              hold: command.holdId,
              seats: command.seats.filter((seat, i) => command.seats.indexOf(seat) === i),
              areas: command.areas,
              exp: nowMs + state.layout.source.holdTtlMs,
              cap: nowMs + state.layout.source.holdMaxMs
            }
          : event
      }
    }),
    /gives up a batch|died of Error: INV-01/
  ],
  "recall: a command is carried out again": [
    () => ({ recall: () => undefined }),
    /INV-07.*carried out twice/
  ],
  "recall: another command under the same id is answered": [
    ({ recall }) => ({
      recall: (state, command) =>
        recall(state, { ...command, fingerprint: state.answers.get(command.commandId)?.event.fp ?? "" })
    }),
    /INV-07.*not f/
  ],
  "areas: a place of each hold is not counted": [
    ({ evolve }) => ({
      evolve: (state, event, version, atMs) => {
        evolve(state, event, version, atMs)
        if (event._tag === "Held") for (const { area } of event.areas) state.areaHeld[area]! -= 1
      }
    }),
    /INV-01: area|"available"/
  ],
  "areas: sold places are not counted": [
    ({ evolve }) => ({
      evolve: (state, event, version, atMs) => {
        evolve(state, event, version, atMs)
        if (event._tag !== "Sold") return
        for (const { area, quantity } of event.areas) state.areaSold[area]!.total -= quantity
      }
    }),
    /INV-01: area|"available"/
  ],
  "the limit of an order is one more": [
    ({ decide }) => ({
      decide: (state, command, nowMs) => {
        const { layout } = state
        state.layout = { ...layout, source: { ...layout.source, maxPerOrder: layout.source.maxPerOrder + 1 } }
        const event = decide(state, command, nowMs)
        state.layout = layout
        return event
      }
    }),
    /INV-08/
  ],
  "checkout: a second order may have the hold": [
    ({ decide }) => ({
      decide: (state, command, nowMs) => {
        const hold = command._tag === "Freeze" ? state.holds.get(command.holdId) : undefined
        if (hold !== undefined) hold.order = null
        return decide(state, command, nowMs)
      }
    }),
    /two orders are at one checkout/
  ],
  "checkout: the clock is stopped again and again": [
    ({ decide }) => ({
      decide: (state, command, nowMs) => {
        const hold = command._tag === "Freeze" ? state.holds.get(command.holdId) : undefined
        if (hold !== undefined) hold.frozenOnce = false
        return decide(state, command, nowMs)
      }
    }),
    /for longer than it may/
  ],
  "quotas: one ticket more": [
    deciding(({ quotas }) => ({ quotas: quotas.map((capacity) => capacity + 1) })),
    /INV-01.*quota|gives up a batch/
  ],
  "quotas: what is reserved for an area is given to others": [
    deciding(({ quotas }) => ({ reservedOfQuota: quotas.map(() => []) })),
    /INV-01: hold .* against .*quota_full/
  ],
  "quotas: an area does not count": [
    deciding(({ quotasOfArea }) => ({ quotasOfArea: quotasOfArea.map(() => []) })),
    /INV-01.*quota|gives up a batch/
  ],
  "customers: one ticket more": [
    deciding(({ maxPerCustomer }) => ({ maxPerCustomer: maxPerCustomer + 1 })),
    /INV-08: .*limit_passed.*"customer"|INV-08: \w+ has more tickets/
  ],
  "customers: what is returned still counts": [
    keeping("customers", ["Returned"]),
    /was refused as limit_passed/
  ],
  "customers: what is bought does not count": [
    forgetting((event) => {
      if (event._tag !== "Sold") return event
      const { customer: _, ...sale } = event
      return sale
    }),
    /INV-08/
  ],
  "customers: checkout does not count": [
    forgetting((event) => {
      if (event._tag !== "Frozen") return event
      const { customer: _, ...frozen } = event
      return frozen
    }),
    /INV-08/
  ],
  "vouchers: one ticket more": [
    deciding(({ vouchersById, vouchersByKey }) => ({
      vouchersById: more(vouchersById),
      vouchersByKey: more(vouchersByKey)
    })),
    /INV-08: .*voucher_used/
  ],
  "vouchers: what is let go of is not given back": [
    keeping("vouchers", ["Released", "Expired"]),
    /was refused as voucher_used/
  ],
  "blocks: they are free to everybody": [
    deciding(() => ({ seatBlock: undefined })),
    /INV-01: hold .* against .*seats_taken|which is not for this wish/
  ],
  "tiers: their windows and limits do not count": [
    deciding(() => ({ tiers: undefined })),
    /against .*(tier_closed|voucher_needed|below_minimum|limit_passed)/
  ],
  "accessible seats: the pool is drained": [
    deciding(() => ({ keptFlags: 0 })),
    /against .*accessible_only|which is not for this wish/
  ],
  "changes: the clock begins again": [
    ({ decide }) => ({
      decide: (state, command, nowMs) => {
        const event = decide(state, command, nowMs)
        return event._tag === "Held" && event.replaces !== undefined
          ? { ...event, exp: Math.min(event.cap, nowMs + state.layout.source.holdTtlMs) }
          : event
      }
    }),
    /another life/
  ],
  "changes: the hold that was replaced lives on": [
    forgetting((event) => {
      if (event._tag !== "Held") return event
      const { replaces: _, ...hold } = event
      return hold
    }),
    /gives up a batch|was refused as|shows/
  ],
  "changes: the clock may be stopped once more": [
    ({ evolve }) => ({
      evolve: (state, event, version, atMs) => {
        evolve(state, event, version, atMs)
        if (event._tag === "Held") state.holds.get(event.hold)!.frozenOnce = false
      }
    }),
    /for longer than it may/
  ],
  "changes: a hold at checkout is changed": [
    ({ decide }) => ({
      decide: (state, command, nowMs) => {
        const id = command._tag === "Hold" ? command.replaces : undefined
        const hold = id === undefined ? undefined : state.holds.get(id)
        if (hold === undefined) return decide(state, command, nowMs)
        const { order } = hold
        hold.order = null
        const event = decide(state, command, nowMs)
        hold.order = order
        return event
      }
    }),
    /changed during checkout/
  ],
  "changes: a refused one lets go of the old hold": [
    ({ decide, evolve }) => ({
      evolve: (state, event, version, atMs) => {
        evolve(state, event, version, atMs)
        const lost = event._tag === "Refused" ? lostBy.get(event) : undefined
        if (lost !== undefined && state.holds.has(lost)) {
          const { areas, seats } = state.holds.get(lost)!
          for (const seat of seats) state.owner[seat] = undefined
          for (const { area, quantity } of areas) state.areaHeld[area]! -= quantity
          state.holds.delete(lost)
        }
      },
      decide: (state, command, nowMs) => {
        const event = decide(state, command, nowMs)
        if (command._tag === "Hold" && command.replaces !== undefined) lostBy.set(event, command.replaces)
        return event
      }
    }),
    /INV-01|shows|was refused as|gives up a batch/
  ],
  "layouts: an older one takes the place of a newer": [
    ({ compile }) => ({
      compile: (version, { revision: _, ...source }) => compile(version, source)
    }),
    /revision \d of the layout took the place of/
  ]
}

describe("the simulation notices", () => {
  it("nothing, while nothing is broken", () => {
    assert.isUndefined(InventorySimulation.search({ seed: 1, seeds: 20 }))
  }, 30_000)

  for (const [name, [mutant, breach]] of Object.entries(mutants)) {
    it(name, () => {
      current.mutant = (real) => mutant(real as Rules)
      let said = ""
      for (let seed = 1; seed <= 500 && !breach.test(said); seed++) {
        said = InventorySimulation.run({ seed }).breach ?? said
      }
      current.mutant = () => ({})
      assert.match(said, breach)
    }, 60_000)
  }
})
