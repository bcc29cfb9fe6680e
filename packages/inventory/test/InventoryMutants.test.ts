/** The simulation has teeth: each rule is broken once, and it must be noticed. */
import { assert, describe, it } from "@effect/vitest"
import * as InventorySimulation from "@onsale/testing/InventorySimulation"
import { vi } from "vitest"
import type * as Inventory from "../src/Inventory.ts"
import type * as InventoryState from "../src/InventoryState.ts"

type Rules = Pick<typeof Inventory, "decide" | "recall" | "sweep"> & Pick<typeof InventoryState, "evolve">
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
    /was refused as seats_taken: other areas were full/
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
  ]
}

describe("the simulation notices", () => {
  it("nothing, while nothing is broken", () => {
    assert.isUndefined(InventorySimulation.search({ seed: 1, seeds: 20 }))
  })

  for (const [name, [mutant, breach]] of Object.entries(mutants)) {
    it(name, () => {
      current.mutant = (real) => mutant(real as Rules)
      let said = ""
      for (let seed = 1; seed <= 500 && !breach.test(said); seed++) {
        said = InventorySimulation.run({ seed }).breach ?? said
      }
      current.mutant = () => ({})
      assert.match(said, breach)
    }, 30_000)
  }
})
