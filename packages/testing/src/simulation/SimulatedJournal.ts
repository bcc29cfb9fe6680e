/**
 * The journal as owners meet it: far away, slow at times, and not always heard of again. What it has
 * committed, it keeps; of one version it takes one row.
 */
import type { EventId } from "@onsale/contracts/Ids"
import type { InventoryEvent } from "@onsale/contracts/inventory/InventoryEvent"
import type { SaleLayout } from "@onsale/contracts/inventory/SaleLayout"
import { apply, restore, type Snapshot, snapshotOf } from "@onsale/inventory/InventorySnapshot"
import { empty, relayout, type State } from "@onsale/inventory/InventoryState"
import type { InventoryStore } from "@onsale/inventory/InventoryStore"
import * as Layout from "@onsale/inventory/Layout"
import { JournalConflict, UniqueBroken } from "@onsale/platform/Journal"
import { Effect, Exit, Schema } from "effect"
import type { History, Row } from "./History.ts"
import type { World } from "./World.ts"

/** Nobody knows whether what was sent has arrived. */
export class ConnectionLost extends Schema.TaggedError<ConnectionLost>()("ConnectionLost", {}) {}

/** Who asks the journal: hears of it as long as it is alive and not frozen. */
export interface Asker {
  readonly name: string
  readonly deliver: (what: () => void) => void
}

/** Only the first keeps its word. */
export type JournalKind = "fenced" | "without a fence" | "answers before it commits"

export class SimulatedJournal {
  readonly layouts: Array<SaleLayout>
  private readonly stored: Array<Row> = []
  private readonly snapshots: Array<{ readonly version: number; readonly json: string }> = []
  private readonly sales = new Map<number, string>()
  private readonly compiledLayouts = new Map<SaleLayout, Layout.Layout>()
  private readonly world: World
  private readonly history: History
  private readonly kind: JournalKind
  /** Set at the end: then nothing gets lost any more. */
  calm = false
  /** How often the fence was run into. */
  conflicts = 0

  constructor(
    world: World,
    history: History,
    options: { readonly kind: JournalKind; readonly layouts: Array<SaleLayout> }
  ) {
    this.world = world
    this.history = history
    this.kind = options.kind
    this.layouts = options.layouts
  }

  get version(): number {
    return this.stored.length
  }

  private latency(): number {
    const { dice } = this.world
    return !this.calm && dice.chance(0.03) ? dice.between(500, 20_000) : dice.between(1, 20)
  }

  /** Sends something to the journal, and the outcome back, if that arrives. */
  private ask<A, E>(asker: Asker, what: string, carryOut: () => Exit.Exit<A, E>): Effect.Effect<A, E> {
    const { world } = this
    return Effect.callback<A, E>((resume) => {
      const fate = this.calm ? 1 : world.dice.next()
      const answer = (exit: Exit.Exit<A, E>) =>
        world.after(this.latency(), () => asker.deliver(() => resume(exit)))
      const lost = Exit.die(new ConnectionLost())
      world.after(this.latency(), () => {
        if (fate < 0.02) {
          world.tell(() => `journal: ${what} of ${asker.name} never arrives`)
          return answer(lost)
        }
        const exit = carryOut()
        if (fate < 0.05) {
          world.tell(() => `journal: the outcome of ${what} of ${asker.name} is lost`)
          return answer(lost)
        }
        return answer(exit)
      })
    })
  }

  private commit(asker: Asker, row: Row): Exit.Exit<void, JournalConflict | UniqueBroken> {
    const { world } = this
    if (this.kind !== "without a fence" && row.version !== this.stored.length + 1) {
      this.conflicts++
      world.tell(() => `journal: version ${row.version} of ${asker.name} is refused`)
      return Exit.fail(new JournalConflict({ stream: "event", version: row.version }))
    }
    const twice = row.events
      .flatMap((event) => (event._tag === "Sold" ? event.seats : []))
      .find(
        (seat) =>
          this.sales.has(seat) && !row.events.some((e) => e._tag === "Returned" && e.seats.includes(seat))
      )
    if (twice !== undefined) return Exit.fail(new UniqueBroken({ constraint: `sale of seat ${twice}` }))
    for (const event of row.events) {
      if (event._tag === "Sold") for (const seat of event.seats) this.sales.set(seat, event.order)
      if (event._tag === "Returned") for (const seat of event.seats) this.sales.delete(seat)
    }
    world.tell(
      () =>
        `journal: version ${row.version} by ${asker.name}: ${row.events.map((event) => JSON.stringify(event)).join(" ")}`
    )
    this.stored.push(row)
    this.history.apply(row)
    return Exit.void
  }

  private compiled(version: number): Layout.Layout {
    const source = this.layouts[version - 1]!
    const found = this.compiledLayouts.get(source) ?? Layout.compile(version, source)
    this.compiledLayouts.set(source, found)
    return found
  }

  /** What a reader makes of it, from a snapshot or from the beginning. */
  read(from: Snapshot | undefined, upTo = this.stored.length): State | null {
    let state: State | null = from === undefined ? null : restore(this.compiled(from.layout), from)
    for (const row of this.stored) {
      if (row.version > upTo) break
      const covered = row.version <= (from?.version ?? 0)
      for (const event of row.events) {
        if (event._tag !== "Opened" || covered) continue
        if (state === null) state = empty(this.compiled(event.layout))
        else relayout(state, this.compiled(event.layout))
      }
      if (state !== null) apply(state, row, covered)
    }
    return state
  }

  newestSnapshot(): Snapshot | undefined {
    const newest = this.snapshots.reduce<{ readonly version: number; readonly json: string } | undefined>(
      (best, one) => (best === undefined || one.version > best.version ? one : best),
      undefined
    )
    return newest === undefined ? undefined : (JSON.parse(newest.json) as Snapshot)
  }

  private keep(snapshot: Snapshot): void {
    if (this.snapshots.some(({ version }) => version === snapshot.version)) return
    this.snapshots.push({ version: snapshot.version, json: JSON.stringify(snapshot) })
  }

  /** A snapshot of any version, as somebody may have written one. */
  snapshotSomewhere(): void {
    if (this.stored.length === 0) return
    const version = this.world.dice.between(1, this.stored.length)
    const state = this.read(undefined, version)
    if (state === null) return
    this.world.tell(() => `journal: a snapshot of version ${version}`)
    this.keep(snapshotOf(state))
  }

  /** What an owner knows as its store. */
  storeOf(asker: Asker): InventoryStore["Service"] {
    const { world } = this
    return {
      load: () =>
        this.ask(asker, "the load", () => {
          const state = this.read(this.newestSnapshot())
          world.tell(() => `${asker.name} has read up to version ${state?.version ?? 0}`)
          return Exit.succeed(state)
        }),
      append: ({ atMs, events, version }) => {
        const json = JSON.stringify(events)
        const carryOut = () =>
          this.commit(asker, { version, atMs, events: JSON.parse(json) as ReadonlyArray<InventoryEvent> })
        return this.kind === "answers before it commits"
          ? Effect.sync(() => void world.after(this.latency(), carryOut))
          : this.ask(asker, `version ${version}`, carryOut)
      },
      open: ({ atMs, layout, layoutVersion, version }) =>
        this.ask(asker, `layout ${layoutVersion}`, () => {
          const before = this.layouts[layoutVersion - 1]
          this.layouts[layoutVersion - 1] = layout
          const exit = this.commit(asker, {
            version,
            atMs,
            events: [{ _tag: "Opened", layout: layoutVersion }]
          })
          if (Exit.isFailure(exit) && before !== undefined) this.layouts[layoutVersion - 1] = before
          return Exit.mapError(exit, () => new JournalConflict({ stream: "event", version }))
        }),
      versionOf: () => this.ask(asker, "the version", () => Exit.succeed(this.stored.length)),
      snapshot: (_: EventId, snapshot) => {
        const json = JSON.stringify(snapshot)
        return this.ask(asker, `the snapshot of version ${snapshot.version}`, () => {
          world.tell(() => `journal: a snapshot of version ${snapshot.version} by ${asker.name}`)
          this.keep(JSON.parse(json) as Snapshot)
          return Exit.void
        })
      },
      get journal(): never {
        throw new Error("nobody follows the journal here")
      }
    }
  }
}
