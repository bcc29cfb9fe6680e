/**
 * Somebody who buys, and whose messages get lost, doubled, delayed and overtaken. What is not answered is
 * asked again under the same id, at whichever owner the way leads to.
 */
import type { CommandId, HoldId, OrderId } from "@onsale/contracts/Ids"
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
}

interface Claims {
  readonly seats: ReadonlyArray<number>
  readonly areas: ReadonlyArray<AreaClaim>
}

/** A buyer gives up on a command after so many tries; then nobody knows. */
const tries = 8

export class SimulatedBuyer {
  readonly name: string
  /** Commands that this buyer still gives. */
  left: number
  private readonly market: Market
  private readonly holds: Array<Claims & { readonly id: HoldId; order: OrderId | null }> = []
  private readonly sales: Array<Claims & { readonly order: OrderId }> = []
  private readonly answered: Array<InventoryCommand> = []

  constructor(market: Market, name: string, commands: number) {
    this.market = market
    this.name = name
    this.left = commands
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

  private command(): InventoryCommand {
    const { market } = this
    const { dice } = market.world
    const envelope = { commandId: market.newCommandId(), fingerprint: "f" }
    const area = (): AreaClaim => ({
      area: dice.chance(0.8) ? 0 : dice.between(0, market.areaCount - 1),
      quantity: dice.chance(0.03) ? dice.between(-2, 0) : dice.between(1, 4)
    })
    const hold = this.holds.length > 0 && dice.chance(0.6) ? dice.pick(this.recent()) : undefined
    if (hold === undefined) {
      const kind = dice.next()
      const wantsSeats = kind < 0.55
      const seats = wantsSeats ? this.seats(4) : []
      return {
        _tag: "Hold",
        ...envelope,
        holdId: this.holds.length > 0 && dice.chance(0.03) ? dice.pick(this.holds).id : market.newHoldId(),
        // Named twice, now and then.
        seats: dice.chance(0.04) ? seats : [...new Set(seats)],
        areas: !wantsSeats && kind < 0.75 ? [area()] : dice.chance(0.15) ? [area(), area()] : [],
        best:
          kind >= 0.75
            ? {
                quantity: dice.between(1, 4),
                tier: null,
                section: dice.chance(0.2) ? 0 : null,
                accessible: dice.chance(0.1) ? 1 : 0
              }
            : null
      }
    }
    const { areas, id: holdId, seats } = hold
    const sale = this.sales.length > 0 && dice.chance(0.3) ? dice.pick(this.sales) : undefined
    if (sale !== undefined) {
      const part = dice.chance(0.5)
      return {
        _tag: "Return",
        ...envelope,
        orderId: sale.order,
        seats: part ? sale.seats.slice(0, 1) : sale.seats,
        areas: part ? sale.areas.map((claim) => ({ ...claim, quantity: 1 })) : sale.areas
      }
    }
    switch (dice.between(0, 12)) {
      case 0:
      case 1:
      case 2:
        return { _tag: "Extend", ...envelope, holdId }
      case 3:
        return { _tag: "Release", ...envelope, holdId }
      case 4:
        return { _tag: "Unfreeze", ...envelope, holdId, orderId: hold.order ?? market.newOrderId() }
      case 5:
      case 6:
      case 7: {
        const orderId = hold.order !== null && dice.chance(0.7) ? hold.order : market.newOrderId()
        hold.order ??= orderId
        return { _tag: "Freeze", ...envelope, holdId, orderId }
      }
      default: {
        const orderId = hold.order !== null && dice.chance(0.9) ? hold.order : market.newOrderId()
        hold.order ??= orderId
        const wrong = dice.chance(0.05)
        return { _tag: "Confirm", ...envelope, holdId, orderId, seats: wrong ? [...seats, 0] : seats, areas }
      }
    }
  }
}
