/**
 * Thousands of purchases at once while providers fail, webhooks are lost, doubled and late, and our process is
 * killed now and then. In the end everything must come to rest, and all books must agree.
 *
 * What each buyer does, what strikes the n-th call of a provider and the n-th webhook follows from the seed. In which
 * order they meet does not: that is left to the machine.
 */
import type { EventId, HoldId } from "@onsale/contracts/Ids"
import type { OrderView } from "@onsale/contracts/booking/Order"
import { type SandboxFaults, SandboxFaultKind } from "@onsale/contracts/payments/Sandbox"
import { Clock, Effect, type Redacted } from "effect"
import { pollUntil } from "../Poll.ts"
import { grid } from "../SaleLayouts.ts"
import { Dice } from "../simulation/World.ts"
import * as Agreement from "./MoneyAgreement.ts"
import * as MoneyBuyer from "./MoneyBuyer.ts"
import * as MoneyWorld from "./MoneyWorld.ts"
import { plan, type PurchasePlan } from "./PurchasePlan.ts"

export interface PurchasesOptions {
  readonly database: Redacted.Redacted<string>
  readonly providers: readonly [string, ...ReadonlyArray<string>]
  readonly purchases: number
  /** The part of the providers' money calls that is struck. */
  readonly faultRate: number
  /** Instead of all that, the part of the calls to the first provider that fails, while buyers do nothing odd. */
  readonly failFirst: number | null
  readonly seed: number
  /** Purchases that are made at the same time. */
  readonly concurrency: number
  /** How often our process is killed. */
  readonly crashes: number
  readonly progress?: (done: number) => Effect.Effect<void>
}

/** Seats of a row, rows of an event: nobody is turned away for want of seats alone. */
const seatsARow = 50
const ticketsAPurchase = 2.5
const purchasesAnEvent = 2_500

/** Whoever has not paid by then loses the seats. */
const timeToPayMs = 60_000

/** Longer than we wait for a call. */
const slowMs = 12_000

/** It only ends a run in which something never comes to rest. Of the world's time. */
const restLimit = "60 minutes"

/** Of the world's time, a buyer's. */
const patience = "2 minutes"

const rowsFor = (purchases: number): number =>
  Math.max(4, Math.ceil((purchases * ticketsAPurchase * 1.3) / seatsARow))

/** What was counted on the way, by name. */
class Tally {
  readonly counts = new Map<string, number>()

  add(name: string, times = 1): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + times)
  }

  get(name: string): number {
    return this.counts.get(name) ?? 0
  }
}

export const run = Effect.fn("RandomPurchases.run")(function* (options: PurchasesOptions) {
  const { failFirst, providers, seed } = options
  const isPlain = failFirst !== null
  const tally = new Tally()
  const webhookDice = new Dice(seed ^ 0x5eed)
  const world = yield* MoneyWorld.make({
    database: options.database,
    providers,
    isRouted: providers.length > 1,
    fateOf: () => {
      const chance = isPlain ? 1 : webhookDice.next()
      const fate =
        chance < 0.1
          ? "lost"
          : chance < 0.2
            ? "twice"
            : chance < 0.3
              ? webhookDice.between(1_000, 15_000)
              : "delivered"
      tally.add(`webhook ${typeof fate === "number" ? "late" : fate}`)
      return fate
    }
  })
  const buyer = MoneyBuyer.make(world)

  const strikeAll = (name: string, faults: SandboxFaults) =>
    Effect.forEach(
      world.desks.filter((desk) => desk.name === name),
      (desk) => desk.call("POST", "/v1/faults", faults),
      { discard: true }
    )
  yield* Effect.forEach(providers, (name, i) =>
    failFirst === null
      ? strikeAll(name, { rate: options.faultRate, kinds: SandboxFaultKind.literals, seed: seed + i, slowMs })
      : i === 0
        ? strikeAll(name, { rate: failFirst, kinds: ["error_before"], seed })
        : Effect.void
  )

  const events = Math.max(1, Math.round(options.purchases / purchasesAnEvent))
  const sales = yield* Effect.forEach(
    Array.from({ length: events }),
    Effect.fnUntraced(function* () {
      const rows = rowsFor(options.purchases / events)
      const layout = grid(rows, seatsARow, {
        holdTtlMs: 600_000,
        holdMaxMs: 900_000,
        checkoutMaxMs: timeToPayMs
      })
      const capacity = Math.ceil((options.purchases / events) * ticketsAPurchase * 0.5)
      const eventId = yield* world.open({
        ...layout,
        // A frozen hold lives for as long as it would have anyway.
        holdTtlMs: timeToPayMs,
        areas: layout.areas.map((area) => ({ ...area, capacity }))
      })
      return { eventId, seats: rows * seatsARow }
    })
  )

  /** A hold of what was wished, somewhere; null where everything was taken, several times. */
  const holdSomething = Effect.fnUntraced(function* (
    sale: (typeof sales)[number],
    { dice, places, seats }: PurchasePlan
  ) {
    for (let tries = 0; tries < 12; tries++) {
      const row = dice.between(0, sale.seats / seatsARow - 1)
      const from = row * seatsARow + dice.between(0, seatsARow - Math.max(1, seats))
      const hold = yield* buyer.hold(sale.eventId, {
        seats: Array.from({ length: seats }, (_, i) => from + i),
        areas: places > 0 ? [{ area: 0, quantity: places }] : []
      })
      if (typeof hold !== "string") return hold.holdId
      tally.add(`hold refused (${hold})`)
    }
    return null
  })

  /** The answer to what the buyer sent, in one of the ways to send it. */
  const send = Effect.fnUntraced(function* (
    eventId: EventId,
    holdId: HoldId,
    payment: { readonly method: string; readonly provider?: string },
    repeat: PurchasePlan["repeat"]
  ) {
    const key = yield* buyer.newKey
    const place = buyer.place(eventId, holdId, payment, key)
    switch (repeat) {
      case "once":
        return yield* place
      case "twice": {
        const [first, second] = yield* Effect.all([place, place], { concurrency: 2 })
        if (
          first._tag !== second._tag ||
          (first._tag === "Order" && second._tag === "Order" && first.order.id !== second.order.id)
        )
          tally.add("BREACH: one key, two answers")
        return first
      }
      case "again": {
        const first = yield* place
        const second = yield* place
        if (first._tag === "Order" && (second._tag !== "Order" || second.order.id !== first.order.id))
          tally.add("BREACH: one key, two answers")
        return first
      }
      case "two keys": {
        const other = buyer.place(eventId, holdId, payment, yield* buyer.newKey)
        const both = yield* Effect.all([place, other], { concurrency: 2 })
        tally.add("races on one hold")
        return both.find(({ _tag }) => _tag === "Order") ?? both[0]
      }
    }
  })

  const actAtBank = Effect.fnUntraced(function* (order: OrderView, at3ds: PurchasePlan["at3ds"]) {
    const desk = world.desks.find(({ name }) => name === order.payment.provider)
    if (order.nextAction === null || desk === undefined || at3ds === "leave") return
    yield* desk.call("POST", new URL(order.nextAction.url).pathname, { approve: at3ds === "approve" })
  })

  const waitFor = (order: OrderView) =>
    order.status !== "payment_pending"
      ? Effect.succeed(order)
      : pollUntil(buyer.look(order.id), ({ status }) => status !== "payment_pending", {
          deadline: patience,
          every: "1 second"
        }).pipe(Effect.catchTag("PollTimeout", () => buyer.look(order.id)))

  const giveBack = Effect.fnUntraced(function* (order: OrderView, refund: PurchasePlan["refund"]) {
    if (refund === "none") return
    tally.add(`refund of ${refund}`)
    const one = order.tickets.slice(0, 1).map(({ id }) => id)
    const ask = (some: typeof one | null) =>
      Effect.flatMap(buyer.newKey, (key) => buyer.refund(order.id, some, key))
    if (refund === "all") yield* ask(null)
    else if (refund === "one") yield* ask(one)
    else yield* Effect.all([ask(null), ask(one)], { concurrency: 2 })
  })

  const answersMs: Array<number> = []

  const purchase = Effect.fnUntraced(function* (number: number) {
    const wish = plan(seed, number, providers, isPlain)
    const sale = sales[number % sales.length]
    if (sale === undefined) return
    const { eventId } = sale
    const holdId = yield* holdSomething(sale, wish)
    if (holdId === null) {
      tally.add("found nothing free")
      return
    }
    const pay = (method: string) => ({
      method,
      ...(wish.provider === null ? {} : { provider: wish.provider })
    })
    const begunMs = yield* Clock.currentTimeMillis
    const placed = yield* send(eventId, holdId, pay(wish.method), wish.repeat)
    answersMs.push((yield* Clock.currentTimeMillis) - begunMs)
    if (placed._tag === "Refused") {
      tally.add(`order refused (${placed.code})`)
      return
    }
    tally.add(`answered ${placed.order.status}`)
    yield* actAtBank(placed.order, wish.at3ds)
    let order = yield* waitFor(placed.order)
    if (placed.order.status === "payment_pending") tally.add(`pending, then ${order.status}`)
    if (order.status === "declined") {
      if (!wish.triesAgain) return yield* buyer.release(eventId, holdId)
      const again = yield* send(eventId, holdId, pay("tok_ok"), "once")
      tally.add("tried again after a decline")
      if (again._tag === "Refused") return
      order = yield* waitFor(again.order)
    }
    if (order.status === "confirmed") yield* giveBack(order, wish.refund)
  })

  let done = 0
  const everyPurchases = Math.max(1, Math.ceil(options.purchases / (options.crashes + 1)))
  const startedMs = yield* Clock.currentTimeMillis
  yield* Effect.forEach(
    Array.from({ length: options.purchases }, (_, number) => number),
    (number) =>
      Effect.gen(function* () {
        // In the middle of all the others.
        if (number > 0 && number % everyPurchases === 0) yield* world.crash
        yield* purchase(number)
        done++
        if (options.progress !== undefined && done % 500 === 0) yield* options.progress(done)
      }),
    { concurrency: options.concurrency, discard: true }
  )
  const boughtMs = yield* Clock.currentTimeMillis

  const owed = Effect.gen(function* () {
    const { sql } = world
    const rows = yield* Effect.orDie(sql<{ readonly orders: number; readonly payments: number }>`SELECT
      (SELECT count(*)::int FROM booking.orders WHERE next_check_at IS NOT NULL) AS orders,
      (SELECT count(*)::int FROM payments.intents WHERE watch = 'open') AS payments`)
    const { orders = 0, payments = 0 } = rows[0] ?? {}
    if (orders + payments > 0) return { orders, payments, open: 0 }
    const ledgers = yield* Agreement.fromLedgers(world)
    const open = [...ledgers.values()].flat().filter(({ status }) => Agreement.isOpen(status)).length
    return { orders, payments, open }
  })
  yield* pollUntil(owed, ({ open, orders, payments }) => open + orders + payments === 0, {
    deadline: restLimit,
    every: "2 seconds"
  })
  // Holds that were left lie there until their own time is over.
  yield* Effect.sleep(timeToPayMs)
  yield* pollUntil(owed, ({ open, orders, payments }) => open + orders + payments === 0, {
    deadline: restLimit
  })
  const restedMs = yield* Clock.currentTimeMillis

  const ledgers = yield* Agreement.fromLedgers(world)
  const wrong: Array<string> = []
  let rerouted = 0
  const ends = new Tally()
  for (const { eventId } of sales) {
    const { found, orders, paidAt } = yield* Agreement.disagreements(world, buyer, eventId, (intentId) =>
      Effect.succeed(ledgers.get(intentId) ?? [])
    )
    wrong.push(...found)
    for (const order of orders) ends.add(order.status)
    for (const provider of paidAt.values()) if (provider !== providers[0]) rerouted++
  }
  for (const [name, times] of tally.counts) if (name.startsWith("BREACH")) wrong.push(`${name}: ${times}`)
  const struck = new Tally()
  for (const desk of world.desks) {
    const report = yield* desk.faults
    struck.add(`calls to ${desk.name}`, report.calls)
    for (const [kind, times] of Object.entries(report.struck)) struck.add(kind, times)
  }
  answersMs.sort((a, b) => a - b)
  const throughRows = yield* Effect.orDie(world.sql<{
    readonly authorised: number
    readonly captured: number
  }>`SELECT
      count(*) FILTER (WHERE tags LIKE '%"Authorised"%')::int AS authorised,
      count(*) FILTER (WHERE tags LIKE '%"Captured"%')::int AS captured
    FROM (SELECT string_agg(events::text, '') AS tags FROM payments.journal GROUP BY stream) AS payments`)
  return {
    world,
    wrong,
    tally: tally.counts,
    /** How the orders ended. */
    ends: ends.counts,
    struck: struck.counts,
    /** Orders whose money another provider than the preferred one has. */
    elsewhere: rerouted,
    lives: yield* world.lives,
    /** Payments that were authorised, and those of them that were captured. */
    through: throughRows[0] ?? { authorised: 0, captured: 0 },
    answerMs: {
      p50: answersMs[Math.floor(answersMs.length * 0.5)] ?? 0,
      p99: answersMs[Math.floor(answersMs.length * 0.99)] ?? 0
    },
    buyingMs: boughtMs - startedMs,
    drainingMs: restedMs - boughtMs
  }
})

export type PurchasesReport = Effect.Success<ReturnType<typeof run>>
