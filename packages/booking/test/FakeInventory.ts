/** An inventory of one event in memory, after the contract of `InventoryClient`: it outlives the runners of a test. */
import { Clock, DateTime, Effect } from "effect"
import {
  type EventId,
  type HoldId,
  makeEventId,
  makeHoldId,
  makeUuidV7,
  type OrderId,
  TierId
} from "@onsale/contracts/Ids"
import { type InventoryClient, InventoryUnavailable } from "@onsale/contracts/inventory/InventoryClient"
import type {
  AreaClaim,
  HoldView,
  InventoryAnswer,
  InventoryCommand,
  RefusalCode
} from "@onsale/contracts/inventory/InventoryCommand"
import { Faults } from "./Faults.ts"

interface Hold {
  readonly id: HoldId
  readonly seats: ReadonlyArray<number>
  readonly areas: ReadonlyArray<AreaClaim>
  ownExpiryMs: number
  expiresAtMs: number
  order: OrderId | null
}

const seatPrice = 2_500
const placePrice = 1_000
const tier = TierId.make(makeUuidV7(1))

export class FakeInventory {
  readonly eventId: EventId = makeEventId(1_767_225_600_000)
  readonly faults = new Faults()
  checkoutMaxMs = 120_000
  price = seatPrice
  /** Said to every command, of which none is carried out. */
  refuses: InventoryUnavailable | undefined
  /** Nothing is sold any more. */
  cancelled = false
  readonly holds = new Map<HoldId, Hold>()
  readonly soldSeats = new Map<number, OrderId>()
  readonly soldPlaces = new Map<string, number>()
  readonly #answers = new Map<string, InventoryAnswer>()
  #version = 0

  /** A new hold; what is taken already is not looked at. */
  makeHold(seats: ReadonlyArray<number>, places = 0): HoldId {
    const now = DateTime.toEpochMillis(DateTime.nowUnsafe())
    const id = makeHoldId(now, 1)
    const expiresAtMs = now + 60_000
    this.holds.set(id, {
      id,
      seats,
      areas: places === 0 ? [] : [{ area: 0, quantity: places }],
      ownExpiryMs: expiresAtMs,
      expiresAtMs,
      order: null
    })
    return id
  }

  /** Its time is over, and the seats are free again. */
  expire(id: HoldId): void {
    this.holds.delete(id)
  }

  places(orderId: OrderId): number {
    return this.soldPlaces.get(orderId) ?? 0
  }

  readonly client: InventoryClient["Service"] = {
    open: () => Effect.void,
    execute: (_eventId, command) =>
      this.faults.strike(
        command._tag,
        Effect.suspend(() =>
          this.refuses === undefined
            ? Effect.map(Clock.currentTimeMillis, (nowMs) => this.#answer(command, nowMs))
            : Effect.fail(this.refuses)
        ),
        Effect.fail(new InventoryUnavailable({ reason: "deadline", retryAfterMs: 100 }))
      ),
    holdOf: () => Effect.succeed(null),
    hold: (_eventId, holdId) =>
      Effect.sync(() => {
        const hold = this.holds.get(holdId)
        return hold === undefined ? refused("hold_not_found") : this.#view(hold)
      }),
    availability: () => Effect.succeed(null)
  }

  #answer(command: InventoryCommand, nowMs: number): InventoryAnswer {
    const given = this.#answers.get(command.commandId)
    if (given !== undefined) return given
    this.#version++
    const answer = this.#decide(command, nowMs)
    this.#answers.set(command.commandId, answer)
    return answer
  }

  #live(id: HoldId, nowMs: number): Hold | undefined {
    const hold = this.holds.get(id)
    return hold !== undefined && hold.expiresAtMs > nowMs ? hold : undefined
  }

  #decide(command: InventoryCommand, nowMs: number): InventoryAnswer {
    switch (command._tag) {
      case "Freeze": {
        if (this.cancelled) return refused("event_cancelled")
        const hold = this.#live(command.holdId, nowMs)
        if (hold === undefined) return refused("hold_not_found")
        if (hold.order !== null && hold.order !== command.orderId) return refused("in_checkout")
        hold.order = command.orderId
        hold.expiresAtMs = Math.max(hold.ownExpiryMs, nowMs + this.checkoutMaxMs)
        if (this.checkoutMaxMs < 60_000) hold.expiresAtMs = nowMs + this.checkoutMaxMs
        return { _tag: "Held", hold: this.#view(hold) }
      }
      case "Unfreeze": {
        const hold = this.#live(command.holdId, nowMs)
        if (hold === undefined || hold.order !== command.orderId) return refused("hold_not_found")
        hold.order = null
        hold.expiresAtMs = hold.ownExpiryMs
        return { _tag: "Held", hold: this.#view(hold) }
      }
      case "Confirm": {
        const hold = this.#live(command.holdId, nowMs)
        const mine = command.seats.every((seat) => this.soldSeats.get(seat) === command.orderId)
        if (hold === undefined && command.seats.length > 0 && mine) return this.#sold(false)
        if (this.cancelled) return refused("event_cancelled")
        if (hold !== undefined && hold.order !== null && hold.order !== command.orderId)
          return refused("in_checkout")
        const others = [...this.holds.values()].filter(
          ({ expiresAtMs, id }) => id !== command.holdId && expiresAtMs > nowMs
        )
        const taken = command.seats.filter(
          (seat) => this.soldSeats.has(seat) || others.some(({ seats }) => seats.includes(seat))
        )
        if (taken.length > 0) return { ...refused("seats_taken"), seats: taken }
        this.holds.delete(command.holdId)
        for (const seat of command.seats) this.soldSeats.set(seat, command.orderId)
        const places = command.areas.reduce((sum, { quantity }) => sum + quantity, 0)
        if (places > 0) this.soldPlaces.set(command.orderId, this.places(command.orderId) + places)
        return this.#sold(hold === undefined)
      }
      case "Return": {
        const places = command.areas.reduce((sum, { quantity }) => sum + quantity, 0)
        const foreign = command.seats.filter((seat) => this.soldSeats.get(seat) !== command.orderId)
        if (foreign.length > 0 || this.places(command.orderId) < places) return refused("not_sold")
        for (const seat of command.seats) this.soldSeats.delete(seat)
        this.soldPlaces.set(command.orderId, this.places(command.orderId) - places)
        return { _tag: "Returned", version: this.#version }
      }
      default:
        throw new Error(`booking has no use for ${command._tag}`)
    }
  }

  #sold(reclaimed: boolean): InventoryAnswer {
    return { _tag: "Sold", version: this.#version, reclaimed }
  }

  #view(hold: Hold): HoldView {
    const seats = hold.seats.map((seat) => ({ seat, label: `A 1-${seat}`, tier, price: this.price }))
    const areas = hold.areas.map(({ area, quantity }) => ({
      area,
      name: "Floor",
      quantity,
      tier,
      price: placePrice
    }))
    return {
      holdId: hold.id,
      seats,
      areas,
      amount:
        seats.reduce((sum, { price }) => sum + price, 0) +
        areas.reduce((sum, { price, quantity }) => sum + price * quantity, 0),
      currency: "EUR",
      expiresAtMs: hold.expiresAtMs,
      version: this.#version,
      orderId: hold.order
    }
  }
}

const refused = (code: RefusalCode) => ({ _tag: "Refused" as const, code, seats: [], areas: [], limit: null })
