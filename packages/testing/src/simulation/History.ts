/**
 * All that was committed, row by row, carried out the naive way and told apart from the inventory's own rules.
 */
import type { CommandId } from "@onsale/contracts/Ids"
import type { InventoryCommand } from "@onsale/contracts/inventory/InventoryCommand"
import type { InventoryEvent } from "@onsale/contracts/inventory/InventoryEvent"
import type { SaleLayout } from "@onsale/contracts/inventory/SaleLayout"
import { NaiveBooks } from "./NaiveBooks.ts"
import { type CommandEvent, NaiveInventory } from "./NaiveInventory.ts"
import type { World } from "./World.ts"

export interface Row {
  readonly version: number
  readonly atMs: number
  readonly events: ReadonlyArray<InventoryEvent>
}

export class History {
  /** What came of each command. */
  readonly decided = new Map<CommandId, { readonly event: CommandEvent; readonly version: number }>()
  version = 0
  atMs = 0
  readonly inventory: NaiveInventory
  /** By version: how it stood then. */
  private readonly stands: Array<{ readonly books: NaiveBooks; readonly atMs: number }> = []
  private readonly world: World
  private readonly layouts: ReadonlyArray<SaleLayout>
  private readonly commands: ReadonlyMap<CommandId, InventoryCommand>

  constructor(
    world: World,
    /** By version, the first is 1. */
    layouts: ReadonlyArray<SaleLayout>,
    commands: ReadonlyMap<CommandId, InventoryCommand>
  ) {
    this.world = world
    this.layouts = layouts
    this.commands = commands
    this.inventory = new NaiveInventory(layouts[0]!, (what) => world.breach(what))
    this.keep()
  }

  get layout(): SaleLayout {
    return this.inventory.layout
  }

  /** How it stood in an older version, and when that was. */
  asOf(version: number): { readonly books: NaiveBooks; readonly atMs: number } {
    return this.stands[version] ?? this.world.breach(`there is no version ${version}`)
  }

  private keep(): void {
    const books = new NaiveBooks(this.layout)
    books.holds.push(...this.inventory.holds.map((hold) => ({ ...hold })))
    books.sold.push(...this.inventory.sold)
    this.stands[this.version] = { books, atMs: this.atMs }
  }

  apply(row: Row): void {
    const { inventory, world } = this
    if (row.version !== this.version + 1)
      world.breach(`the fence: version ${row.version} was written after ${this.version}`)
    if (row.atMs < this.atMs) world.breach(`time went back in version ${row.version}`)
    this.version = row.version
    this.atMs = row.atMs
    for (const event of row.events) {
      if ("cmd" in event) {
        if (this.decided.has(event.cmd)) world.breach(`INV-07: command ${event.cmd} was carried out twice`)
        this.decided.set(event.cmd, { event, version: row.version })
        const command = this.commands.get(event.cmd)
        if (command === undefined) return world.breach(`nobody gave the command ${event.cmd}`)
        inventory.decide(event, command, row.atMs)
      } else if (event._tag === "Expired") {
        inventory.expire(event.holds, row.atMs)
      } else {
        const layout = this.layouts[event.layout - 1]
        if (layout === undefined) return world.breach(`layout ${event.layout} is not there`)
        if ((layout.revision ?? 0) < (this.layout.revision ?? 0))
          world.breach(`revision ${layout.revision} of the layout took the place of ${this.layout.revision}`)
        inventory.layout = layout
      }
    }
    this.keep()
  }
}
