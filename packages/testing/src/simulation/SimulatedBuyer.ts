/**
 * Somebody who buys, and whose messages get lost, doubled, delayed and overtaken. What is not answered is
 * asked again under the same id, at whichever owner the way leads to.
 */
import type { CommandId, HoldId, OrderId, VoucherId } from "@onsale/contracts/Ids"
import type {
  AreaClaim,
  InventoryAnswer,
  InventoryCommand
} from "@onsale/contracts/inventory/InventoryCommand"
import type { World } from "./World.ts"

/** What buyers know of the rest of the world. */
export interface Market {
  readonly world: World
  readonly newCommandId: () => CommandId
  readonly newHoldId: () => HoldId
  readonly newOrderId: () => OrderId
  /** Sends a message to some owner. The answer may come, or come twice, or not. */
  readonly send: (
    commands: ReadonlyArray<InventoryCommand>,
    reply: (answers: ReadonlyArray<InventoryAnswer>) => void
  ) => void
  /** Writes down a command that is given for the first time. */
  readonly give: (command: InventoryCommand) => void
  /** Every answer that anybody hears. */
  readonly heard: (command: InventoryCommand, answer: InventoryAnswer) => void
  readonly seatCount: number
  readonly areaCount: number
  readonly customers: ReadonlyArray<string>
  readonly voucherKeys: ReadonlyArray<string>
}

interface Claims {
  readonly seats: ReadonlyArray<number>
  readonly areas: ReadonlyArray<AreaClaim>
}

interface BuyersHold extends Claims {
  readonly id: HoldId
  readonly voucher: VoucherId | undefined
  /** Who buys it with which order: an order says the same of its buyer each time. */
  order: { readonly id: OrderId; readonly customer: string | undefined } | null
}

type Kind = "Hold" | "Change" | "Extend" | "Release" | "Freeze" | "Unfreeze" | "Confirm" | "Return"

/** By chance alone, these would be rare within the life of a hold. */
const plans: ReadonlyArray<ReadonlyArray<Kind>> = [
  ["Freeze", "Unfreeze", "Change", "Freeze", "Confirm"],
  ["Freeze", "Hold", "Freeze", "Hold", "Freeze"],
  ["Change", "Change", "Extend", "Change"],
  ["Confirm", "Return", "Confirm", "Hold"]
]

/** How often each is done without a plan. */
const often: ReadonlyArray<readonly [kind: Kind, times: number]> = [
  ["Extend", 3],
  ["Release", 1],
  ["Unfreeze", 1],
  ["Freeze", 3],
  ["Confirm", 5]
]
const usual = often.flatMap(([kind, times]) => Array.from({ length: times }, () => kind))

/** A buyer gives up on a command after so many tries; then nobody knows. */
const tries = 8

export class SimulatedBuyer {
  readonly name: string
  /** Commands that this buyer still gives. */
  left: number
  private readonly market: Market
  private readonly holds: Array<BuyersHold> = []
  private readonly sales: Array<Claims & { readonly order: OrderId }> = []
  private readonly answered: Array<InventoryCommand> = []
  /** What comes next, of the newest hold. */
  private plan: Array<Kind> = []
  /** Undefined for who is not known. */
  private readonly customer: string | undefined

  constructor(market: Market, name: string, commands: number) {
    this.market = market
    this.name = name
    this.left = commands
    const { dice } = market.world
    this.customer = dice.chance(0.8) ? dice.pick(market.customers) : undefined
    this.later()
  }

  private later(): void {
    if (this.left-- <= 0) return
    const { dice } = this.market.world
    // Mostly busy; at times long enough for a hold to run out.
    const pause = dice.chance(0.15) ? dice.between(3_000, 15_000) : dice.between(0, 400)
    this.market.world.after(pause, () => this.act())
  }

  private act(): void {
    const { dice } = this.market.world
    const old = this.answered.length > 0 && dice.chance(0.12) ? dice.pick(this.answered) : undefined
    if (old !== undefined) {
      // The same once more, or something else under its id.
      return this.ask(
        [dice.chance(0.3) && old._tag !== "Return" ? { ...old, fingerprint: `not ${old.fingerprint}` } : old],
        1
      )
    }
    const commands = [this.command()]
    while (dice.chance(0.15)) commands.push(this.command())
    for (const command of commands) this.market.give(command)
    this.ask(commands, 1)
  }

  /** Asks until it is answered, and then does the next thing. */
  private ask(commands: ReadonlyArray<InventoryCommand>, attempt: number): void {
    const { world } = this.market
    const { dice } = world
    let done = false
    const copies = dice.chance(0.1) ? 2 : 1
    for (let copy = 0; copy < copies; copy++) {
      this.market.send(commands, (answers) => {
        answers.forEach((answer, i) => this.market.heard(commands[i]!, answer))
        if (done) return
        done = true
        cancel()
        answers.forEach((answer, i) => this.learn(commands[i]!, answer))
        this.later()
      })
    }
    const cancel = world.after(dice.between(200, 6_000), () => {
      if (done) return
      // An answer that comes later than this is heard, and no more.
      done = true
      if (attempt < tries) this.ask(commands, attempt + 1)
      else this.later()
    })
  }

  private learn(command: InventoryCommand, answer: InventoryAnswer): void {
    if (answer._tag !== "Refused" || answer.code !== "key_reused") this.answered.push(command)
    if (command._tag === "Hold" && answer._tag === "Held") {
      const { areas, holdId, seats } = answer.hold
      if (this.holds.some(({ id }) => id === holdId)) return
      this.holds.push({
        id: holdId,
        seats: seats.map(({ seat }) => seat),
        areas: areas.map(({ area, quantity }) => ({ area, quantity })),
        voucher: answer.hold.voucher,
        order: null
      })
    }
    if (command._tag === "Confirm" && answer._tag === "Sold") {
      this.sales.push({ order: command.orderId, seats: command.seats, areas: command.areas })
    }
  }

  /** Holds that may still be worth something, mostly. */
  private recent() {
    return this.market.world.dice.chance(0.8) ? this.holds.slice(-2) : this.holds
  }

  private seats(most: number): Array<number> {
    const { dice } = this.market.world
    // The front is what everybody wants.
    const one = () => Math.floor(dice.next() ** 2 * this.market.seatCount)
    return Array.from({ length: dice.between(1, most) }, one)
  }

  /** An order with the hold, mostly the one that was begun. */
  private orderWith(hold: BuyersHold, sameAs: number): NonNullable<BuyersHold["order"]> {
    const { dice } = this.market.world
    if (hold.order !== null && dice.chance(sameAs)) return hold.order
    // At times it is for somebody else.
    const customer = dice.chance(0.1) ? dice.pick(this.market.customers) : this.customer
    const order = { id: this.market.newOrderId(), customer }
    hold.order ??= order
    return order
  }

  private whose(customer: string | undefined) {
    return customer === undefined ? {} : { customer }
  }

  private hold(changed: BuyersHold | undefined): InventoryCommand {
    const { market } = this
    const { dice } = market.world
    const area = (): AreaClaim => ({
      area: dice.chance(0.6) ? 0 : dice.between(0, market.areaCount - 1),
      quantity: dice.chance(0.03) ? dice.between(-2, 0) : dice.between(1, 4)
    })
    const common = {
      _tag: "Hold" as const,
      commandId: market.newCommandId(),
      fingerprint: "f",
      holdId: this.holds.length > 0 && dice.chance(0.03) ? dice.pick(this.holds).id : market.newHoldId(),
      ...(dice.chance(0.6) ? this.whose(this.customer) : {}),
      ...(dice.chance(0.35) ? { voucherKey: dice.pick(market.voucherKeys) } : {}),
      ...(dice.chance(0.4) ? { accessible: true } : {})
    }
    if (changed !== undefined && dice.chance(0.5)) {
      // What it has, or a part of it, with a seat more at times.
      const { areas, id, seats } = changed
      const also = dice.chance(0.3) ? this.seats(1).filter((seat) => !seats.includes(seat)) : []
      const kept = dice.chance(0.3) ? seats.slice(1) : seats
      return { ...common, seats: [...kept, ...also], areas, best: null, replaces: id }
    }
    const kind = dice.next()
    const wantsSeats = kind < 0.55
    const seats = wantsSeats ? this.seats(4) : []
    return {
      ...common,
      // Named twice, now and then.
      seats: dice.chance(0.04) ? seats : [...new Set(seats)],
      areas: !wantsSeats && kind < 0.75 ? [area()] : dice.chance(0.15) ? [area(), area()] : [],
      best:
        kind >= 0.75
          ? {
              quantity: dice.between(1, 4),
              tier: dice.chance(0.2) ? dice.pick(["Front", "Rear"]) : null,
              section: dice.chance(0.2) ? 0 : null,
              accessible: dice.chance(0.2) ? dice.between(1, 2) : 0
            }
          : null,
      ...(changed === undefined ? {} : { replaces: changed.id })
    }
  }

  private kind(): Kind {
    const { dice } = this.market.world
    if (this.holds.length === 0 || dice.chance(0.4))
      return this.holds.length > 0 && dice.chance(0.3) ? "Change" : "Hold"
    return this.sales.length > 0 && dice.chance(0.3) ? "Return" : dice.pick(usual)
  }

  private command(): InventoryCommand {
    const { market } = this
    const { dice } = market.world
    if (this.plan.length === 0 && dice.chance(0.08)) this.plan.push("Hold", ...dice.pick(plans))
    const planned = this.plan.shift()
    const kind = planned ?? this.kind()
    const hold =
      kind === "Hold" || this.holds.length === 0
        ? undefined
        : planned === undefined
          ? dice.pick(this.recent())
          : this.holds[this.holds.length - 1]
    if (hold === undefined || kind === "Change" || kind === "Hold") return this.hold(hold)
    const envelope = { commandId: market.newCommandId(), fingerprint: "f" }
    const { areas, id: holdId, seats, voucher } = hold
    switch (kind) {
      case "Return": {
        if (this.sales.length === 0) return this.hold(undefined)
        const sale = planned === undefined ? dice.pick(this.sales) : this.sales[this.sales.length - 1]!
        const part = dice.chance(0.5)
        return {
          _tag: "Return",
          ...envelope,
          orderId: sale.order,
          seats: part ? sale.seats.slice(0, 1) : sale.seats,
          areas: part ? sale.areas.map((claim) => ({ ...claim, quantity: 1 })) : sale.areas
        }
      }
      case "Extend":
      case "Release":
        return { _tag: kind, ...envelope, holdId }
      case "Unfreeze":
        return { _tag: kind, ...envelope, holdId, orderId: hold.order?.id ?? market.newOrderId() }
      case "Freeze": {
        const { customer, id: orderId } = this.orderWith(hold, 0.7)
        return { _tag: kind, ...envelope, holdId, orderId, ...this.whose(customer) }
      }
      case "Confirm": {
        const { customer, id: orderId } = this.orderWith(hold, 0.9)
        const wrong = dice.chance(0.05)
        return {
          _tag: kind,
          ...envelope,
          holdId,
          orderId,
          seats: wrong ? [...seats, 0] : seats,
          areas,
          ...this.whose(customer),
          ...(voucher === undefined ? {} : { voucher })
        }
      }
    }
  }
}
