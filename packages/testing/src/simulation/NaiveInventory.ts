/**
 * The inventory's domain events carried out the naive way: what was granted must have been allowed, and what
 * was refused must have had its reason.
 */
import type { CommandId, HoldId } from "@onsale/contracts/Ids"
import type { InventoryCommand } from "@onsale/contracts/inventory/InventoryCommand"
import type { InventoryEvent } from "@onsale/contracts/inventory/InventoryEvent"
import type { SaleLayout } from "@onsale/contracts/inventory/SaleLayout"
import {
  type Claims,
  list,
  merged,
  NaiveBooks,
  type NaiveHold,
  seatsIn,
  show,
  ticketsOf,
  total
} from "./NaiveBooks.ts"
import {
  against,
  type Asker,
  askerOf,
  eligible,
  fullQuotas,
  type HoldCommand,
  type Objection,
  overCustomer,
  overVoucher,
  sameObjection,
  someOf,
  takenFor
} from "./Objections.ts"

export type CommandEvent = Extract<InventoryEvent, { readonly cmd: CommandId }>
type Event<Tag extends CommandEvent["_tag"]> = Extract<CommandEvent, { readonly _tag: Tag }>
type Of<Tag extends InventoryCommand["_tag"]> = Extract<InventoryCommand, { readonly _tag: Tag }>

/** The rule that each objection to a hold that was granted is about. */
const ruleOf = ({ code, scope }: Objection): string =>
  code === "seats_taken" || code === "quota_full"
    ? "INV-01"
    : code === "voucher_used" || code === "limit_passed" || scope !== undefined
      ? "INV-08"
      : "a rule of the sale"

export class NaiveInventory extends NaiveBooks {
  private readonly breach: (what: string) => never

  constructor(layout: SaleLayout, breach: (what: string) => never) {
    super(layout)
    this.breach = breach
  }

  /** Holds are let go of, whose time must have come. */
  expire(holds: ReadonlyArray<HoldId>, nowMs: number): void {
    for (const id of holds) {
      if (this.live(id, nowMs) !== undefined) this.breach(`INV-03: hold ${id} was swept before its time`)
      const hold = this.holds.find((one) => one.id === id)
      if (hold !== undefined) this.drop(hold)
    }
  }

  decide(event: CommandEvent, command: InventoryCommand, nowMs: number): void {
    switch (event._tag) {
      case "Held":
        return this.grant(event, command, nowMs)
      case "Extended":
      case "Frozen":
      case "Unfrozen":
        return this.change(event, command, nowMs)
      case "Released": {
        const hold = this.mustLive(event.hold, nowMs)
        if (hold.order !== null) this.breach("a hold was released during checkout")
        return this.drop(hold)
      }
      case "Sold":
        return this.sell(event, command, nowMs)
      case "SoldBefore":
        if (command._tag !== "Confirm" || !this.isSoldTo(command))
          this.breach(`order ${event.order} was told to have seats that it has not`)
        return
      case "Returned":
        return this.giveBack(event)
      case "Refused": {
        const reason = this.reason(event, command, nowMs)
        if (reason !== true)
          this.breach(`${command._tag} ${command.commandId} was refused as ${event.code}: ${reason}`)
      }
    }
  }

  private mustLive(id: HoldId, nowMs: number): NaiveHold {
    return this.live(id, nowMs) ?? this.breach(`INV-03: hold ${id} was honoured after its time`)
  }

  private drop(hold: NaiveHold): void {
    this.holds.splice(this.holds.indexOf(hold), 1)
  }

  private isSoldTo({ areas, orderId, seats }: Of<"Confirm">): boolean {
    return (
      seats.every((seat) => this.soldTo(orderId, { seat }) === 1) &&
      merged(areas).every(({ area, quantity }) => this.soldTo(orderId, { area }) >= quantity)
    )
  }

  // --- what was granted

  private grant(event: Event<"Held">, command: InventoryCommand, nowMs: number): void {
    if (command._tag !== "Hold") return void this.breach(`${command._tag} was answered with a hold`)
    const { layout } = this
    const asker = askerOf(this, command, nowMs)
    const { replaced } = asker
    if (command.replaces !== undefined) {
      if (replaced === undefined) return void this.breach("INV-03: a hold was changed after its time")
      if (replaced.order !== null) this.breach("a hold was changed during checkout")
    }
    const asked = new Set(command.seats)
    const chosen = event.seats.filter((seat) => !asked.has(seat))
    if (event.seats.length - chosen.length !== asked.size || chosen.length !== (command.best?.quantity ?? 0))
      this.breach("INV-02: a hold has not all of the seats that were asked")
    if (show(event.areas) !== show(command.areas)) this.breach("INV-02: a hold has not all of its places")
    if (new Set(event.seats).size !== event.seats.length) this.breach("INV-01: a seat is named twice")
    const [objection] = against(this, command, event, asker, nowMs)
    if (objection !== undefined)
      this.breach(`${ruleOf(objection)}: hold ${event.hold} was granted against ${JSON.stringify(objection)}`)
    this.checkChosen(command, chosen, eligible(this, command, asker, nowMs))
    const lifeMs = command.lifeMs ?? layout.holdTtlMs
    const exp = replaced === undefined ? nowMs + lifeMs : replaced.ownMs
    const cap = replaced === undefined ? nowMs + Math.max(layout.holdMaxMs, lifeMs) : replaced.capMs
    if (event.exp !== exp || event.cap !== cap) this.breach("INV-03: a hold has another life than it should")
    if ((event.customer ?? null) !== asker.customer || event.voucher !== asker.voucher?.id)
      this.breach(`INV-08: hold ${event.hold} counts for others than it should`)
    if (event.replaces !== command.replaces)
      this.breach("a hold takes the place of another one than it should")
    if (replaced !== undefined) this.drop(replaced)
    this.holds.push({
      id: event.hold,
      seats: event.seats,
      areas: event.areas,
      capMs: event.cap,
      expMs: event.exp,
      ownMs: event.exp,
      order: null,
      frozen: replaced?.frozen ?? false,
      customer: event.customer ?? null,
      voucher: event.voucher ?? null
    })
  }

  private checkChosen(
    { best }: HoldCommand,
    chosen: ReadonlyArray<number>,
    could: ReadonlyArray<number>
  ): void {
    const wrong = chosen.find((seat) => !could.includes(seat))
    if (wrong !== undefined) this.breach(`seat ${wrong} was chosen, which is not for this wish`)
    const chairs = chosen.filter((seat) => (seatsIn(this.layout)[seat]!.flags & 1) !== 0)
    if (best !== null && chairs.length < Math.min(best.accessible, best.quantity))
      this.breach("fewer accessible seats were chosen than are needed")
  }

  private change(
    event: Event<"Extended" | "Frozen" | "Unfrozen">,
    command: InventoryCommand,
    nowMs: number
  ): void {
    const { layout } = this
    const hold = this.mustLive(event.hold, nowMs)
    if (list(event.seats) !== list(hold.seats) || show(event.areas) !== show(hold.areas))
      this.breach(`something else was told of hold ${hold.id} than it has`)
    if (event._tag === "Frozen") {
      if (hold.order !== null && hold.order !== event.order) this.breach("two orders are at one checkout")
      const customer = (command._tag === "Freeze" ? command.customer : undefined) ?? hold.customer
      if ((event.customer ?? null) !== customer)
        this.breach(`INV-08: hold ${hold.id} counts for others than it should`)
      this.checkCustomer(hold, customer, nowMs)
      const most = hold.frozen ? hold.expMs : Math.max(nowMs + layout.checkoutMaxMs, hold.ownMs)
      if (event.until !== most) this.breach("a clock was stopped for longer than it may, or shorter")
      hold.frozen = true
      hold.order = event.order
      hold.expMs = event.until
      hold.customer = customer
      return
    }
    if (event._tag === "Unfrozen") {
      if (hold.order !== event.order) this.breach("a checkout was ended by another order")
      hold.order = null
      hold.expMs = hold.ownMs
    } else {
      if (hold.order !== null) this.breach("a hold was extended during checkout")
      hold.ownMs = Math.min(nowMs + layout.holdTtlMs, hold.capMs)
      hold.expMs = hold.ownMs
    }
    if (event.exp !== hold.ownMs) this.breach("INV-03: a hold has another expiry than it should")
    // A checkout may end after its hold's own time.
    if (hold.expMs <= nowMs) this.drop(hold)
  }

  /** A hold goes over to a customer who must have room for it. */
  private checkCustomer(hold: NaiveHold, customer: string | null, nowMs: number): void {
    if (customer === hold.customer) return
    const [over] = overCustomer(this, hold.seats.length + total(hold.areas), customer, nowMs)
    if (over !== undefined) this.breach(`INV-08: ${customer} has more tickets than ${over.limit}`)
  }

  private sell(event: Event<"Sold">, command: InventoryCommand, nowMs: number): void {
    if (command._tag !== "Confirm") return void this.breach(`${command._tag} was answered with a sale`)
    if (list(event.seats) !== list(command.seats) || show(event.areas) !== show(command.areas))
      this.breach("INV-02: something else was sold than asked for")
    const hold = this.live(event.hold, nowMs)
    const customer = command.customer ?? hold?.customer ?? null
    const voucher = (hold === undefined ? command.voucher : hold.voucher) ?? null
    if (hold !== undefined) {
      if (event.reclaimed) this.breach("a live hold was sold as one that is gone")
      if (hold.order !== null && hold.order !== event.order) this.breach("a hold went to another order")
      if (list(hold.seats) !== list(event.seats) || show(hold.areas) !== show(event.areas))
        this.breach("INV-02: a hold was sold in part")
      this.checkCustomer(hold, customer, nowMs)
      this.drop(hold)
    } else {
      if (!event.reclaimed) this.breach(`INV-03: hold ${event.hold} was honoured after its time`)
      const [objection] = this.againstReclaim(command, nowMs)
      if (objection !== undefined)
        this.breach(`${ruleOf(objection)}: it was sold late against ${JSON.stringify(objection)}`)
    }
    if ((event.customer ?? null) !== customer || (event.voucher ?? null) !== voucher)
      this.breach(`INV-08: what order ${event.order} bought counts for others than it should`)
    this.sold.push(
      ...ticketsOf(event, customer, voucher).map((ticket) => ({ ...ticket, order: event.order }))
    )
  }

  /** What stands against a sale of what is not held any more. */
  private againstReclaim(command: Of<"Confirm">, nowMs: number): ReadonlyArray<Objection> {
    const claims = { seats: [...new Set(command.seats)], areas: merged(command.areas) }
    const asker = {
      replaced: undefined,
      customer: command.customer ?? null,
      voucher: this.voucherById(command.voucher)
    }
    const taken = takenFor(this, claims, asker, nowMs)
    const unsold = claims.seats.filter((seat) => this.tierOf({ seat, area: null }) === -1)
    const unsoldAreas = claims.areas.filter(({ area }) => this.tierOf({ seat: null, area }) === -1)
    const seats = [...taken.seats, ...unsold]
    const areas = [...taken.areas, ...unsoldAreas.map(({ area }) => area)]
    const tickets = claims.seats.length + total(claims.areas)
    return [
      ...(seats.length + areas.length > 0
        ? [{ code: "seats_taken" as const, seats, areas, limit: null }]
        : []),
      // A late sale is refused as a whole: it is not said which of its seats the quota is about.
      ...fullQuotas(this, claims, undefined, nowMs).map((full) => ({ ...full, seats: [], areas: [] })),
      ...overCustomer(this, tickets, asker.customer, nowMs),
      ...overVoucher(this, tickets, asker.voucher, nowMs)
    ]
  }

  private giveBack(event: Event<"Returned">): void {
    const take = (what: (ticket: (typeof this.sold)[number]) => boolean, problem: string) => {
      const at = this.sold.findIndex((ticket) => ticket.order === event.order && what(ticket))
      if (at === -1) this.breach(problem)
      this.sold.splice(at, 1)
    }
    for (const seat of event.seats)
      take((ticket) => ticket.seat === seat, `seat ${seat} was returned by who has it not`)
    for (const { area, quantity } of event.areas) {
      if (quantity < 1) this.breach(`${quantity} places of area ${area} were returned`)
      for (let i = 0; i < quantity; i++)
        take((ticket) => ticket.area === area, `more places of area ${area} were returned than were sold`)
    }
  }

  // --- what was refused

  private reason(event: Event<"Refused">, command: InventoryCommand, nowMs: number): true | string {
    if (command._tag === "Hold") return this.reasonOfHold(event, command, nowMs)
    const hold = "holdId" in command ? this.live(command.holdId, nowMs) : undefined
    switch (event.code) {
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
      case "not_sold":
        return (
          (command._tag === "Return" &&
            (command.seats.some((seat) => this.soldTo(command.orderId, { seat }) === 0) ||
              merged(command.areas).some(
                ({ area, quantity }) => quantity < 1 || quantity > this.soldTo(command.orderId, { area })
              ))) ||
          "it was sold to the order"
        )
      default: {
        if (command._tag !== "Confirm" && command._tag !== "Freeze") return "no such thing was asked"
        const objections =
          hold === undefined
            ? command._tag === "Confirm"
              ? this.againstReclaim(command, nowMs)
              : []
            : command.customer === undefined || command.customer === hold.customer
              ? []
              : overCustomer(this, hold.seats.length + total(hold.areas), command.customer, nowMs)
        return (
          objections.some((objection) => sameObjection(objection, event)) ||
          `what stands against it is ${JSON.stringify(objections)}, not ${JSON.stringify(event)}`
        )
      }
    }
  }

  private reasonOfHold(event: Event<"Refused">, command: HoldCommand, nowMs: number): true | string {
    const asker = askerOf(this, command, nowMs)
    if (command.replaces !== undefined) {
      const missing = event.code === "hold_expired" || event.code === "hold_not_found"
      if (asker.replaced === undefined) return missing || "the hold that it changes is gone"
      if (missing) return "the hold that it changes is live"
      if (event.code === "in_checkout")
        return asker.replaced.order !== null || "no order is at checkout with the hold that it changes"
    }
    const { best } = command
    const asked = { seats: [...new Set(command.seats)], areas: merged(command.areas) }
    const objections = against(this, command, asked, asker, nowMs)
    if (objections.some((objection) => sameObjection(objection, event))) return true
    if (best === null || best.quantity < 1)
      return `what stands against it is ${JSON.stringify(objections)}, not ${JSON.stringify(event)}`
    const could = eligible(this, command, asker, nowMs)
    const some = someOf(this, best, could)
    if (some === undefined)
      return (event.code === "seats_taken" && event.seats.length === 0) || "there are not as many seats"
    // As many as are wished are free. Of any one tier they must all have something against them, and what is
    // said must be against some that are free.
    const choices = [
      some,
      ...this.layout.tiers.flatMap((_, tier) => {
        const ofTier = someOf(
          this,
          best,
          could.filter((seat) => this.tierOf({ seat, area: null }) === tier)
        )
        return ofTier === undefined ? [] : [ofTier]
      })
    ].map((seats) => ({
      seats,
      against: against(this, command, { ...asked, seats: [...asked.seats, ...seats] }, asker, nowMs)
    }))
    // The first may be of several tiers: a choice that rules divide among tiers need not be found.
    const allowed = choices.slice(1).find((choice) => choice.against.length === 0)
    if (allowed !== undefined) return `it could have had [${list(allowed.seats)}]`
    const named = (objection: Objection) => ({
      ...objection,
      seats: objection.seats.filter((seat) => asked.seats.includes(seat))
    })
    return (
      choices.some((choice) => choice.against.some((one) => sameObjection(named(one), event))) ||
      this.ofSome(event, asked, asker, nowMs) ||
      `what stands against it is ${JSON.stringify(choices)}, not ${JSON.stringify(event)}`
    )
  }

  /** Of seats of several tiers: what is said must be so of its tier, or of a quota. */
  private ofSome(
    { code, limit, tier }: Event<"Refused">,
    asked: Claims,
    { replaced }: Asker,
    nowMs: number
  ): boolean {
    const rule = this.layout.tiers.find(({ id }) => id === tier)
    switch (code) {
      case "quota_full": {
        const wanted = ticketsOf(asked, null, null)
        return (this.layout.quotas ?? []).some((quota) => {
          const own = wanted.filter((ticket) => this.covers(quota, ticket)).length
          return limit === Math.max(0, this.quotaLeft(quota, nowMs, wanted, replaced) + own)
        })
      }
      case "voucher_needed":
        return rule?.voucherOnly === true
      case "tier_closed":
        return rule?.opensAtMs === limit ? nowMs < limit! : rule?.closesAtMs === limit && nowMs >= limit!
      case "below_minimum":
        return rule?.minPerOrder === limit
      case "limit_passed":
        return rule?.maxPerOrder === limit
      default:
        return false
    }
  }
}
