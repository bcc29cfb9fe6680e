/**
 * All that was committed, kept the naive way, with lists and loops, and told apart from the inventory's own
 * rules: what was granted must have been free, and what was refused must have had a reason.
 */
import type { CommandId, HoldId, OrderId } from "@onsale/contracts/Ids"
import type { AreaClaim, InventoryCommand } from "@onsale/contracts/inventory/InventoryCommand"
import type { InventoryEvent } from "@onsale/contracts/inventory/InventoryEvent"
import type { SaleLayout } from "@onsale/contracts/inventory/SaleLayout"
import type { World } from "./World.ts"

export type CommandEvent = Extract<InventoryEvent, { readonly cmd: CommandId }>

export interface Row {
  readonly version: number
  readonly atMs: number
  readonly events: ReadonlyArray<InventoryEvent>
}

interface NaiveHold {
  readonly seats: ReadonlyArray<number>
  readonly areas: ReadonlyArray<AreaClaim>
  readonly capMs: number
  expMs: number
  ownMs: number
  order: OrderId | null
  frozen: boolean
}

interface SoldPlaces {
  readonly area: number
  readonly order: OrderId
  quantity: number
}

const total = (areas: ReadonlyArray<AreaClaim>) => areas.reduce((sum, { quantity }) => sum + quantity, 0)
const list = (seats: ReadonlyArray<number>) => [...new Set(seats)].sort((a, b) => a - b).join(",")
/** Each area once, with all that is asked of it. */
const merged = (areas: ReadonlyArray<AreaClaim>): ReadonlyArray<AreaClaim> =>
  [...new Set(areas.map(({ area }) => area))].map((area) => ({
    area,
    quantity: total(areas.filter((claim) => claim.area === area))
  }))
const show = (areas: ReadonlyArray<AreaClaim>) =>
  merged(areas)
    .map(({ area, quantity }) => `${area}:${quantity}`)
    .sort()
    .join(",")

export class History {
  readonly rows: Array<Row> = []
  /** What came of each command. */
  readonly decided = new Map<CommandId, { readonly event: CommandEvent; readonly version: number }>()
  layout: SaleLayout
  version = 0
  atMs = 0
  private readonly holds = new Map<HoldId, NaiveHold>()
  private readonly sold = new Map<number, OrderId>()
  private readonly places: Array<SoldPlaces> = []
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
    this.layout = layouts[0]!
  }

  /** The same up to an older version. */
  asOf(version: number): History {
    if (version === this.version) return this
    const older = new History(this.world, this.layouts, this.commands)
    for (const row of this.rows) if (row.version <= version) older.apply(row)
    return older
  }

  // --- the naive view

  heldAt(nowMs: number): Array<number> {
    return [...this.holds.values()]
      .filter(({ expMs }) => expMs > nowMs)
      .flatMap(({ seats }) => seats)
      .sort((a, b) => a - b)
  }

  soldSeats(): Array<number> {
    return [...this.sold.keys()].sort((a, b) => a - b)
  }

  placesLeft(area: number, nowMs: number): number {
    let left = this.layout.areas[area]?.capacity ?? 0
    for (const { areas, expMs } of this.holds.values()) {
      if (expMs > nowMs) for (const claim of areas) if (claim.area === area) left -= claim.quantity
    }
    for (const claim of this.places) if (claim.area === area) left -= claim.quantity
    return left
  }

  private seatFree(seat: number, nowMs: number): boolean {
    if (this.sold.has(seat)) return false
    for (const { expMs, seats } of this.holds.values())
      if (expMs > nowMs && seats.includes(seat)) return false
    return true
  }

  private live(id: HoldId, nowMs: number): NaiveHold | undefined {
    const hold = this.holds.get(id)
    return hold !== undefined && hold.expMs > nowMs ? hold : undefined
  }

  private soldPlaces(order: OrderId, area: number): number {
    return this.places.find((claim) => claim.order === order && claim.area === area)?.quantity ?? 0
  }

  /** Free seats that the wish allows. */
  private eligible(command: Extract<InventoryCommand, { readonly _tag: "Hold" }>, nowMs: number): number {
    const wish = command.best
    if (wish === null) return 0
    let seat = -1
    let count = 0
    for (const row of this.layout.rows) {
      for (const { flags, tier } of row.seats) {
        seat++
        if (tier === -1 || command.seats.includes(seat) || !this.seatFree(seat, nowMs)) continue
        if (wish.section !== null && row.section !== wish.section) continue
        if (wish.accessible ? (flags & 1) === 0 : (flags & 3) !== 0) continue
        count++
      }
    }
    return count
  }

  // --- what is committed

  apply(row: Row): void {
    const { world } = this
    if (row.version !== this.version + 1)
      world.breach(`the fence: version ${row.version} was written after ${this.version}`)
    if (row.atMs < this.atMs) world.breach(`time went back in version ${row.version}`)
    this.rows.push(row)
    this.version = row.version
    this.atMs = row.atMs
    for (const event of row.events) {
      if ("cmd" in event) {
        if (this.decided.has(event.cmd)) world.breach(`INV-07: command ${event.cmd} was carried out twice`)
        this.decided.set(event.cmd, { event, version: row.version })
        const command = this.commands.get(event.cmd)
        if (command === undefined) return world.breach(`nobody gave the command ${event.cmd}`)
        this.decide(event, command, row.atMs)
      } else if (event._tag === "Expired") {
        for (const id of event.holds) {
          const hold = this.holds.get(id)
          if (hold !== undefined && hold.expMs > row.atMs)
            world.breach(`INV-03: hold ${id} was swept before its time`)
        }
      } else {
        const layout = this.layouts[event.layout - 1]
        if (layout === undefined) return world.breach(`layout ${event.layout} is not there`)
        this.layout = layout
      }
    }
  }

  private decide(event: CommandEvent, command: InventoryCommand, nowMs: number): void {
    switch (event._tag) {
      case "Held":
        return this.grant(event, command, nowMs)
      case "Extended":
      case "Frozen":
      case "Unfrozen":
        return this.change(event, nowMs)
      case "Released":
        if (this.mustLive(event.hold, nowMs).order !== null)
          this.world.breach("a hold was released during checkout")
        this.holds.delete(event.hold)
        return
      case "Sold":
        return this.sell(event, command, nowMs)
      case "SoldBefore":
        if (command._tag !== "Confirm" || command.seats.some((seat) => this.sold.get(seat) !== event.order))
          this.world.breach(`order ${event.order} was told to have seats that it has not`)
        return
      case "Returned":
        return this.giveBack(event)
      case "Refused":
        return this.refuse(event, command, nowMs)
    }
  }

  private mustLive(id: HoldId, nowMs: number): NaiveHold {
    return this.live(id, nowMs) ?? this.world.breach(`INV-03: hold ${id} was honoured after its time`)
  }

  private take(seats: ReadonlyArray<number>, areas: ReadonlyArray<AreaClaim>, nowMs: number): void {
    const { world } = this
    if (new Set(seats).size !== seats.length) world.breach("INV-01: a seat is named twice")
    for (const seat of seats)
      if (!this.seatFree(seat, nowMs)) world.breach(`INV-01: seat ${seat} went to two`)
    for (const { area, quantity } of areas) {
      if (quantity < 1) world.breach(`INV-01: ${quantity} places of area ${area}`)
      if (quantity > this.placesLeft(area, nowMs))
        world.breach(`INV-01: area ${area} has more holds and sales than places`)
    }
  }

  private grant(
    event: Extract<CommandEvent, { readonly _tag: "Held" }>,
    command: InventoryCommand,
    nowMs: number
  ): void {
    const { world } = this
    if (command._tag !== "Hold") return void world.breach(`${command._tag} was answered with a hold`)
    const best = command.best?.quantity ?? 0
    const asked = new Set(command.seats)
    const chosen = event.seats.filter((seat) => !asked.has(seat))
    if (event.seats.length - chosen.length !== asked.size || chosen.length !== best)
      world.breach("INV-02: a hold has not all of the seats that were asked")
    if (show(event.areas) !== show(command.areas)) world.breach("INV-02: a hold has not all of its places")
    this.take(event.seats, event.areas, nowMs)
    if (event.seats.length + total(event.areas) > this.layout.maxPerOrder)
      world.breach(`INV-08: hold ${event.hold} has too many tickets`)
    if (event.exp !== nowMs + this.layout.holdTtlMs) world.breach("a hold has another life than it should")
    this.holds.set(event.hold, {
      seats: event.seats,
      areas: event.areas,
      capMs: event.cap,
      expMs: event.exp,
      ownMs: event.exp,
      order: null,
      frozen: false
    })
  }

  private change(
    event: Extract<CommandEvent, { readonly _tag: "Extended" | "Frozen" | "Unfrozen" }>,
    nowMs: number
  ): void {
    const { world } = this
    const hold = this.mustLive(event.hold, nowMs)
    if (event._tag === "Frozen") {
      if (hold.order !== null && hold.order !== event.order) world.breach("two orders are at one checkout")
      const most = hold.frozen
        ? Math.max(hold.expMs, hold.ownMs)
        : Math.max(nowMs + this.layout.checkoutMaxMs, hold.ownMs)
      if (event.until !== most) world.breach("a clock was stopped for longer than it may, or shorter")
      hold.frozen = true
      hold.order = event.order
      hold.expMs = event.until
      return
    }
    if (event._tag === "Unfrozen") {
      if (hold.order !== event.order) world.breach("a checkout was ended by another order")
      hold.order = null
      hold.expMs = hold.ownMs
    } else {
      if (hold.order !== null) world.breach("a hold was extended during checkout")
      hold.ownMs = Math.min(nowMs + this.layout.holdTtlMs, hold.capMs)
      hold.expMs = hold.ownMs
    }
    if (event.exp !== hold.ownMs) world.breach("INV-03: a hold has another expiry than it should")
  }

  private sell(
    event: Extract<CommandEvent, { readonly _tag: "Sold" }>,
    command: InventoryCommand,
    nowMs: number
  ): void {
    const { world } = this
    if (command._tag !== "Confirm") return void world.breach(`${command._tag} was answered with a sale`)
    if (list(event.seats) !== list(command.seats) || show(event.areas) !== show(command.areas))
      world.breach("INV-02: something else was sold than asked for")
    const hold = this.live(event.hold, nowMs)
    if (hold !== undefined) {
      if (event.reclaimed) world.breach("a live hold was sold as one that is gone")
      if (hold.order !== null && hold.order !== event.order) world.breach("a hold went to another order")
      if (list(hold.seats) !== list(event.seats) || show(hold.areas) !== show(event.areas))
        world.breach("INV-02: a hold was sold in part")
    } else if (!event.reclaimed) {
      world.breach(`INV-03: hold ${event.hold} was honoured after its time`)
    }
    this.holds.delete(event.hold)
    this.take(event.seats, event.areas, nowMs)
    for (const seat of event.seats) this.sold.set(seat, event.order)
    for (const { area, quantity } of event.areas) {
      const before = this.places.find((claim) => claim.order === event.order && claim.area === area)
      if (before === undefined) this.places.push({ area, order: event.order, quantity })
      else before.quantity += quantity
    }
  }

  private giveBack(event: Extract<CommandEvent, { readonly _tag: "Returned" }>): void {
    for (const seat of event.seats) {
      if (this.sold.get(seat) !== event.order)
        this.world.breach(`seat ${seat} was returned by who has it not`)
      this.sold.delete(seat)
    }
    for (const { area, quantity } of event.areas) {
      const claim = this.places.find((one) => one.order === event.order && one.area === area)
      if (claim === undefined || quantity < 1 || claim.quantity < quantity)
        this.world.breach(`more places of area ${area} were returned than were sold`)
      else claim.quantity -= quantity
    }
  }

  /** A refusal must have a reason. */
  private refuse(
    event: Extract<CommandEvent, { readonly _tag: "Refused" }>,
    command: InventoryCommand,
    nowMs: number
  ): void {
    const reason = this.reason(event, command, nowMs)
    if (reason !== true)
      this.world.breach(`${command._tag} ${command.commandId} was refused as ${event.code}: ${reason}`)
  }

  private reason(
    event: Extract<CommandEvent, { readonly _tag: "Refused" }>,
    command: InventoryCommand,
    nowMs: number
  ): true | string {
    const hold = "holdId" in command ? this.live(command.holdId, nowMs) : undefined
    switch (event.code) {
      case "seats_taken": {
        if (command._tag !== "Hold" && command._tag !== "Confirm") return "it asks for no seats"
        if (command._tag === "Confirm" && hold !== undefined) return "its hold is live"
        const taken = command.seats.filter((seat) => !this.seatFree(seat, nowMs))
        const short = merged(command.areas).filter(
          ({ area, quantity }) => quantity > this.placesLeft(area, nowMs)
        )
        if (list(event.seats) !== list(taken))
          return `[${list(taken)}] were taken, not [${list(event.seats)}]`
        if (list(event.areas) !== list(short.map(({ area }) => area))) return "other areas were full"
        if (taken.length + short.length > 0) return true
        return command._tag === "Hold" &&
          command.best !== null &&
          this.eligible(command, nowMs) < command.best.quantity
          ? true
          : "all of it was free"
      }
      case "hold_expired":
        return hold === undefined || "the hold is live"
      case "hold_not_found":
        return hold === undefined || command._tag === "Confirm" || command._tag === "Unfreeze"
          ? true
          : "the hold is live"
      case "in_checkout":
        return (hold !== undefined && hold.order !== null) || "no order is at checkout with it"
      case "extension_cap":
        return (
          (hold !== undefined && Math.min(nowMs + this.layout.holdTtlMs, hold.capMs) <= hold.ownMs) ||
          "it could be extended"
        )
      case "key_reused":
        return ("holdId" in command && this.holds.has(command.holdId)) || "the hold's id is new"
      case "not_sold":
        return (
          (command._tag === "Return" &&
            (command.seats.some((seat) => this.sold.get(seat) !== command.orderId) ||
              merged(command.areas).some(
                ({ area, quantity }) => quantity < 1 || quantity > this.soldPlaces(command.orderId, area)
              ))) ||
          "it was sold to the order"
        )
      default:
        // Of the command alone: the unit tests have those.
        return true
    }
  }
}
