/**
 * A seeded simulation of an event's inventory: the real writer and rules, on owners that crash, freeze, come
 * back and overlap, with clocks that differ, over a journal that is slow and forgets to answer, for buyers
 * whose messages are lost, doubled, delayed and overtaken. All that is committed is checked against a naive
 * history, and all that anybody hears against what is committed.
 *
 * Nothing depends on anything but the seed: a seed that fails, fails again.
 */
import { CommandId, EventId, HoldId, OrderId } from "@onsale/contracts/Ids"
import type { InventoryAnswer, InventoryCommand } from "@onsale/contracts/inventory/InventoryCommand"
import type { SaleLayout } from "@onsale/contracts/inventory/SaleLayout"
import { answerOf } from "@onsale/inventory/InventoryAnswers"
import { snapshotOf } from "@onsale/inventory/InventorySnapshot"
import type { State } from "@onsale/inventory/InventoryState"
import * as Layout from "@onsale/inventory/Layout"
import { isDeepStrictEqual } from "node:util"
import { History } from "./simulation/History.ts"
import { type Market, SimulatedBuyer } from "./simulation/SimulatedBuyer.ts"
import { SimulatedJournal } from "./simulation/SimulatedJournal.ts"
import { simulatedLayouts, voucherNumbers } from "./simulation/SimulatedLayouts.ts"
import { SimulatedOwner } from "./simulation/SimulatedOwner.ts"
import { World } from "./simulation/World.ts"

export interface Options {
  readonly seed: number
  /** Keeps a line for everything that happens. */
  readonly traced?: boolean
  /** A journal that breaks its word, to see that it is noticed: it takes every row, or says so too early. */
  readonly journal?: "fenced" | "without a fence" | "answers before it commits"
}

export interface Outcome {
  readonly seed: number
  /** The rule that was broken, or undefined. */
  readonly breach: string | undefined
  readonly trace: ReadonlyArray<string>
  /** How much there was of it, to see that the simulation reaches what it is for. */
  readonly counts: Readonly<
    Record<"rows" | "commands" | "refusals" | "owners" | "crashes" | "conflicts", number>
  >
}

/** A run that does not come to rest by then does not come to rest. */
const stepLimit = 100_000
const eventId = EventId.make("00000000-0000-7000-8000-000000000000")
const uuid = (kind: number, n: number) => `00000000-000${kind}-7000-8000-${n.toString(16).padStart(12, "0")}`

/** Runs one seed to its end. */
export const run = ({ journal: kind = "fenced", seed, traced = false }: Options): Outcome => {
  const world = new World(seed, traced)
  const { dice } = world
  const commands = new Map<CommandId, InventoryCommand>()
  const planned = simulatedLayouts(dice, world.nowMs)
  const layouts = [planned[0]!]
  const history = new History(world, layouts, commands)
  const journal = new SimulatedJournal(world, history, { kind, layouts })
  const owners: Array<SimulatedOwner> = []
  const counts = { rows: 0, commands: 0, refusals: 0, owners: 0, crashes: 0, conflicts: 0 }

  const addOwner = (): SimulatedOwner => {
    const skewMs = dice.chance(0.1) ? dice.between(-20_000, 20_000) : dice.between(-500, 500)
    const owner = new SimulatedOwner(world, {
      name: `owner ${++counts.owners}`,
      eventId,
      journal,
      skewMs,
      // The runtime gets nowhere with fewer than three.
      opsATurn: dice.chance(0.3) ? dice.between(3, 20) : 2_048
    })
    owners.push(owner)
    return owner
  }
  const present = () => owners.filter(({ condition }) => condition !== "gone")

  // --- what buyers hear

  const answers = new Map<string, InventoryAnswer>()
  const compiledLayouts = new Map<SaleLayout, Layout.Layout>()
  const compiled = (layout: SaleLayout): Layout.Layout => {
    const found = compiledLayouts.get(layout) ?? Layout.compile(1, layout)
    compiledLayouts.set(layout, found)
    return found
  }
  const heard = (command: InventoryCommand, answer: InventoryAnswer): void => {
    world.tell(() => `${command.commandId} hears ${JSON.stringify(answer)}`)
    const key = `${command.commandId} ${command.fingerprint}`
    const before = answers.get(key)
    if (before !== undefined) {
      if (!isDeepStrictEqual(before, answer))
        world.breach(`INV-07: ${key} was answered ${JSON.stringify(before)}, then ${JSON.stringify(answer)}`)
      return
    }
    answers.set(key, answer)
    const decided = history.decided.get(command.commandId)
    if (decided === undefined) return void world.breach(`${key} was answered and is not committed`)
    const { event, version } = decided
    if (event.fp !== command.fingerprint) {
      if (answer._tag !== "Refused" || answer.code !== "key_reused")
        world.breach(`INV-07: ${key} was answered ${JSON.stringify(answer)} with another command's id`)
      return
    }
    const told = answerOf(compiled(history.layout), event, version)
    if (!isDeepStrictEqual(told, answer))
      world.breach(`${key} was answered ${JSON.stringify(answer)}, but committed was ${JSON.stringify(told)}`)
  }

  /** A message to an owner: it takes its time, and so does the answer, or one of them is lost. */
  const send: Market["send"] = (message, reply) => {
    const lossy = (what: () => void) => {
      if (dice.chance(0.06)) return
      world.after(dice.chance(0.08) ? dice.between(500, 12_000) : dice.between(1, 30), what)
    }
    const all = present()
    if (all.length === 0) return
    // Mostly the newest one has the event; who has not heard of it yet asks another.
    const owner = dice.chance(0.7) ? all[all.length - 1]! : dice.pick(all)
    lossy(() =>
      owner.deliver(() => {
        world.tell(
          () => `${owner.name} is asked ${message.map((command) => JSON.stringify(command)).join(" ")}`
        )
        owner.ask(
          (writer) => writer.execute(message),
          (replies) => {
            if (replies.length !== message.length) world.breach("an answer is missing")
            lossy(() => reply(replies))
          }
        )
      })
    )
  }

  let ids = 0
  const market: Market = {
    world,
    newCommandId: () => CommandId.make(`c${++ids}`),
    newHoldId: () => HoldId.make(uuid(1, ++ids)),
    newOrderId: () => OrderId.make(uuid(2, ++ids)),
    send,
    give: (command) => {
      commands.set(command.commandId, command)
      counts.commands++
    },
    heard,
    // One more than there is, until the layout is a wider one.
    seatCount: 16,
    areaCount: 3,
    customers: ["ann", "bob", "eve"],
    voucherKeys: voucherNumbers.map((number) => `voucher ${number}`)
  }

  // --- looks: nobody sees what is not committed

  const look = (): void => {
    const owner = dice.pick(owners)
    if (owner.condition !== "up") return
    owner.ask(
      (writer) => writer.availability,
      (view) => {
        if (view === null) return
        if (view.version > history.version)
          world.breach(`version ${view.version} was seen and is not committed`)
        const { atMs, books } = history.asOf(view.version)
        const nowMs = Math.max(owner.nowMs, atMs)
        const { version: _, ...seen } = view
        const expected = books.availability(nowMs)
        if (!isDeepStrictEqual(seen, expected))
          world.breach(
            `${owner.name} shows ${JSON.stringify(view)} where ${JSON.stringify(expected)} is at ${nowMs}`
          )
      }
    )
  }

  // --- what befalls the owners

  const befall = (): void => {
    const up = owners.filter(({ condition }) => condition === "up")
    const chosen = up.length === 0 ? undefined : dice.pick(up)
    const kind = dice.next()
    if (kind < 0.2) {
      if (chosen !== undefined) {
        chosen.crash()
        counts.crashes++
        if (dice.chance(0.9)) world.after(dice.between(0, 3_000), () => void addOwner())
      }
    } else if (kind < 0.45) {
      if (chosen !== undefined) {
        chosen.freeze()
        world.after(dice.between(10, 40_000), () => chosen.thaw())
        // Somebody notices, and gives the event to another, while the frozen one still thinks it has it.
        if (dice.chance(0.7)) world.after(dice.between(0, 5_000), () => void addOwner())
      }
    } else if (kind < 0.6) {
      if (present().length < 4) addOwner()
    } else if (kind < 0.7) {
      if (chosen !== undefined && present().length > 1) chosen.stop()
    } else if (kind < 0.8) {
      journal.snapshotSomewhere()
    } else {
      look()
    }
    if (present().length === 0) addOwner()
  }

  /** Lets happen what happens, until nothing is left or it is time for something else. */
  const go = (until: () => boolean): void => {
    for (let step = 0; step < stepLimit; step++) {
      while (owners.reduce((some, owner) => owner.flush() || some, false)) {
        if (world.found !== undefined) throw world.found
      }
      if (world.found !== undefined) throw world.found
      if (until() || !world.step()) return
    }
    world.breach("it does not come to rest")
  }

  const story = (): void => {
    addOwner().open(planned[0]!)
    go(() => history.version > 0)
    const buyers = Array.from(
      { length: dice.between(2, 5) },
      (_, i) => new SimulatedBuyer(market, `buyer ${i + 1}`, dice.between(5, 25))
    )
    for (let i = dice.between(2, 12); i > 0; i--) world.after(dice.between(0, 60_000), befall)
    for (let i = dice.between(0, 6); i > 0; i--) world.after(dice.between(0, 60_000), look)
    planned.forEach((layout, i) => {
      // The first is sent again too, by somebody who has not heard of the others.
      if (i === 0 && planned.length === 1) return
      world.after(dice.between(0, 60_000), () => {
        for (const owner of owners) if (owner.condition === "up") owner.open(layout)
      })
    })
    const endMs = world.nowMs + 120_000
    go(() => world.nowMs > endMs && buyers.every(({ left }) => left < 0))

    // Calm: what is on its way arrives, and one last owner reads it all.
    journal.calm = true
    for (const owner of owners) owner.thaw()
    const last = addOwner()
    const settledMs = world.nowMs + 60_000
    go(() => world.nowMs > settledMs)
    // Whoever asks again now hears the same once more.
    let waiting = history.decided.size
    for (const [cmd, { event }] of history.decided) {
      const command = { ...commands.get(cmd)!, fingerprint: event.fp }
      last.ask(
        (writer) => writer.execute([command]),
        ([answer]) => {
          if (answer !== undefined) heard(command, answer)
          waiting--
        }
      )
    }
    // Nothing is slow any more: whoever is not answered by now was forgotten.
    const endedMs = world.nowMs + 5_000
    go(() => world.nowMs > endedMs)
    if (waiting > 0) world.breach("the last owner does not answer")
    for (const { condition, name, unanswered } of owners) {
      if (condition === "up" && unanswered > 0) world.breach(`${name} leaves ${unanswered} without an answer`)
    }
    readAgain()
  }

  /** The journal says the same whichever way it is read, and what the naive history says. */
  const readAgain = (): void => {
    const replayed = comparable(journal.read(undefined))
    const restored = comparable(journal.read(journal.newestSnapshot()))
    if (!isDeepStrictEqual(replayed, restored))
      world.breach("a snapshot and its rows say something else than all rows")
    if (!isDeepStrictEqual(replayed?.soldSeats, history.inventory.soldSeats()))
      world.breach("other seats are sold")
    const live = replayed?.holds.filter(({ expiresAtMs }) => expiresAtMs > history.atMs) ?? []
    const held = live.flatMap(({ seats }) => seats).sort((a, b) => a - b)
    if (!isDeepStrictEqual(held, history.inventory.heldSeats(history.atMs)))
      world.breach("other seats are held")
  }

  let breach: string | undefined
  try {
    story()
  } catch (error) {
    breach = error instanceof Error ? error.message : String(error)
    if (world.found === undefined && error instanceof Error) breach = error.stack
  }
  counts.rows = history.version
  counts.conflicts = journal.conflicts
  for (const { event } of history.decided.values()) if (event._tag === "Refused") counts.refusals++
  return { seed, breach, trace: world.lines, counts }
}

const comparable = (state: State | null) => {
  if (state === null) return null
  const { holds, returns, sold } = snapshotOf(state)
  const { buyers, customers, quotaTaken, vouchers } = state.counts
  return {
    version: state.version,
    atMs: state.atMs,
    holds: holds.toSorted((a, b) => (a.id < b.id ? -1 : 1)),
    sold: sold.toSorted((a, b) => (a.order < b.order ? -1 : 1)),
    soldSeats: [...state.sold.keys()].filter((seat) => state.sold[seat] !== undefined),
    returns: returns.toSorted(),
    freeInRow: [...state.freeInRow],
    areaHeld: state.areaHeld,
    quotaTaken,
    customers: [...customers].sort(),
    vouchers: [...vouchers].sort(),
    buyers: [...buyers].toSorted(([a], [b]) => (a < b ? -1 : 1)),
    next: state.expiries.nextMs()
  }
}

/** What to print of a seed that failed: it is run again, with a line for everything that happens. */
export const report = (options: Options): string => {
  const { breach, seed, trace } = run({ ...options, traced: true })
  return [`seed ${seed}: ${breach}`, ...trace].join("\n")
}

/** Runs seeds until one fails, and answers that one, or undefined. `each` is told of every outcome. */
export const search = (
  options: Omit<Options, "seed"> & { readonly seed: number; readonly seeds: number },
  each: (outcome: Outcome) => void = () => {}
): Outcome | undefined => {
  for (let seed = options.seed; seed < options.seed + options.seeds; seed++) {
    const outcome = run({ ...options, seed })
    each(outcome)
    if (outcome.breach !== undefined) return outcome
  }
  return undefined
}
