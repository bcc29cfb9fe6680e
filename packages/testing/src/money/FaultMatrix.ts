/**
 * The fault matrix: every step of a payment, struck by every fault, with one provider and with two. Each cell is a
 * purchase of its own at an event of its own, which is taken to its rest; then all books must agree.
 */
import type { EventId, HoldId } from "@onsale/contracts/Ids"
import type { OrderView } from "@onsale/contracts/booking/Order"
import type { SaleLayout } from "@onsale/contracts/inventory/SaleLayout"
import type { SandboxWebhook } from "@onsale/contracts/payments/Sandbox"
import { Clock, Effect, type Redacted } from "effect"
import { pollUntil } from "../Poll.ts"
import { grid } from "../SaleLayouts.ts"
import * as Agreement from "./MoneyAgreement.ts"
import * as MoneyBuyer from "./MoneyBuyer.ts"
import type { MoneyCall, MoneyStep, Strike } from "./MoneyCall.ts"
import * as MoneyWorld from "./MoneyWorld.ts"

/** A void is the one of an order whose seats went to somebody else while its payment was under way. */
export const steps = ["authorise", "capture", "void", "refund", "refund of a ticket"] as const
export type Step = (typeof steps)[number]

/** What each does to a step is told in `strikes`. */
export const faults = [
  "declined",
  "500 before charge",
  "500 after charge",
  "timeout before charge",
  "timeout after charge",
  "reset before charge",
  "reset after charge",
  "duplicate webhook",
  "webhook first",
  "webhook lost",
  "slow 30 s",
  "crash before the call",
  "crash after the call"
] as const
export type Fault = (typeof faults)[number]

export interface Cell {
  readonly step: Step
  readonly fault: Fault
  readonly providers: number
}

export interface Outcome extends Cell {
  /** What became of it, in words. */
  readonly text: string
  /** Nothing where it ended as it must and all books agree. */
  readonly wrong: ReadonlyArray<string>
}

export interface MatrixOptions {
  readonly database: Redacted.Redacted<string>
  readonly providers: readonly [string, ...ReadonlyArray<string>]
  /** How much faster than the true one the world's clock runs; a slow request waits in true time. */
  readonly speed: number
  /** Cells of a world that are at work at once. */
  readonly concurrency: number
  /** Which to run; all when left out. */
  readonly cells?: (cell: Cell) => boolean
}

/** The faults hit this provider alone. */
const struckProvider = "sandbox"

const moneyStep = (step: Step): MoneyStep => (step === "refund of a ticket" ? "refund" : step)

const webhookOf = {
  authorise: "payment.authorised",
  capture: "payment.captured",
  void: "payment.voided",
  refund: "payment.refunded"
} satisfies Record<MoneyStep, SandboxWebhook["type"]>

/** Long enough for a busy machine; it only ends a cell that has failed. Of the world's time. */
const restLimit = "20 minutes"

/** A hold that a checkout has frozen is over after this time, where the seats have to be lost. */
const shortCheckoutMs = 8_000

const slowMs = 30_000

/** How the order must stand in the end. */
const ends = (cell: Cell): OrderView["status"] => {
  switch (cell.step) {
    case "authorise":
      return cell.fault === "declined" ? "declined" : "confirmed"
    case "capture":
      return cell.fault === "declined" ? "cancelled" : "confirmed"
    case "void":
      return "cancelled"
    case "refund":
      return "refunded"
    case "refund of a ticket":
      return cell.fault === "declined" ? "refunded" : "partially_refunded"
  }
}

/**
 * An authorisation is declined by its method, and told by webhook where it succeeds late; in all else nothing
 * depends on the method.
 */
const methodOf = ({ fault, step }: Cell): string => {
  if (step !== "authorise") return "tok_ok"
  if (fault === "declined") return "tok_declined"
  return fault === "duplicate webhook" || fault === "webhook lost" ? "tok_late_3" : "tok_ok"
}

const isCrash = (fault: Fault): boolean =>
  fault === "crash before the call" || fault === "crash after the call"

/** Two seats at a price that no other cell has: by it a payment is known at the first call. */
const layoutOf = (price: number, cell: Cell): SaleLayout => {
  const layout = grid(1, 2)
  return {
    ...layout,
    tiers: layout.tiers.map((tier) => ({ ...tier, price })),
    // Checkout never shortens the life of a hold.
    holdTtlMs: cell.step === "void" ? shortCheckoutMs : 600_000,
    holdMaxMs: 900_000,
    checkoutMaxMs: cell.step === "void" ? shortCheckoutMs : 900_000
  }
}

/** A cell at work. */
interface Play {
  readonly cell: Cell
  readonly price: number
  eventId: EventId | null
  /** Calls of its step that were made to the provider that is struck. */
  calls: number
  /** Of the buyer who got the seats of an order that is undone. */
  rival: HoldId | null
  /** When a slow call was begun. */
  slowAtMs: number | null
}

/** Runs all cells of one world, those with a crash after the others. */
export const run = Effect.fn("FaultMatrix.run")(function* (options: MatrixOptions) {
  const byAmount = new Map<number, Play>()
  const byIntent = new Map<string, Play>()
  const plays = steps
    .flatMap((step, i) =>
      faults.map((fault, j): Play => {
        const cell = { step, fault, providers: options.providers.length }
        return { cell, price: 1_000 + 100 * i + j, eventId: null, calls: 0, rival: null, slowAtMs: null }
      })
    )
    .filter(({ cell }) => options.cells?.(cell) ?? true)
  for (const play of plays) byAmount.set(2 * play.price, play)

  /** Those that stand at the call at which they are to be killed. */
  const atTheBrink = new Set<Play>()
  const standStill = (play: Play) =>
    Effect.suspend(() => {
      atTheBrink.add(play)
      return Effect.never
    })

  const struck = (call: MoneyCall): Strike | null => {
    const play =
      byIntent.get(call.intentId) ?? (call.step === "authorise" ? byAmount.get(call.amount ?? 0) : undefined)
    if (play === undefined || call.provider !== struckProvider) return null
    byIntent.set(call.intentId, play)
    if (play.cell.step === "void" && call.step === "authorise" && play.rival === null)
      return { before: loseSeats(play) }
    if (call.step !== moneyStep(play.cell.step) || play.calls++ > 0) return null
    return strikes(play, call)
  }

  const strikes = (play: Play, call: MoneyCall): Strike | null => {
    switch (play.cell.fault) {
      case "declined":
        return call.step === "authorise" ? null : { before: preempt(call) }
      case "500 before charge":
        return { fault: "error_before" }
      case "500 after charge":
        return { fault: "error_after" }
      case "timeout before charge":
        return { fault: "timeout_before" }
      case "timeout after charge":
        return { fault: "timeout_after" }
      case "reset before charge":
        return { fault: "reset_before" }
      case "reset after charge":
        return { fault: "reset_after" }
      case "duplicate webhook":
        return null
      case "webhook first":
        return { after: untilHeard(call) }
      case "webhook lost":
        // Where the answer is lost as well, nobody tells us anything.
        return call.step === "authorise" ? null : { fault: "timeout_after" }
      case "slow 30 s":
        return {
          before: Effect.map(Clock.currentTimeMillis, (nowMs) => {
            play.slowAtMs = nowMs
          }),
          fault: `slow:${Math.ceil(slowMs / options.speed)}`
        }
      case "crash before the call":
        return { before: standStill(play) }
      case "crash after the call":
        return { after: standStill(play) }
    }
  }

  const world = yield* MoneyWorld.make({
    database: options.database,
    providers: options.providers,
    proxied: true,
    strike: struck,
    fateOf: (provider, webhook) => {
      const play = byIntent.get(webhook.data.reference)
      if (provider !== struckProvider || play === undefined) return "delivered"
      if (webhook.type !== webhookOf[moneyStep(play.cell.step)]) return "delivered"
      switch (play.cell.fault) {
        case "duplicate webhook":
          return "twice"
        case "webhook lost":
          return "lost"
        default:
          return "delivered"
      }
    }
  })
  const buyer = MoneyBuyer.make(world)
  const desk = world.desks.find(({ name }) => name === struckProvider)

  /** The hold of the order at work is over, and somebody else has the seats. */
  const loseSeats = (play: Play) =>
    play.eventId === null
      ? Effect.void
      : pollUntil(
          buyer.hold(play.eventId, { seats: [0, 1], areas: [] }),
          (hold) => typeof hold !== "string",
          { deadline: restLimit }
        ).pipe(
          Effect.orDie,
          Effect.map((hold) => {
            if (typeof hold !== "string") play.rival = hold.holdId
          })
        )

  /**
   * Somebody does at the provider, by hand, what makes it say no to the call: voids what we capture, captures what
   * we void, pays back all of what we refund.
   */
  const preempt = (call: MoneyCall) => {
    const path = `/v1/payments/${call.reference}`
    const key = `by-hand-${call.intentId}`
    if (desk === undefined) return Effect.void
    switch (call.step) {
      case "authorise":
        return Effect.void
      case "capture":
        return desk.call("POST", `${path}/void`, {})
      case "void":
        return desk.call("POST", `${path}/capture`, {}, key)
      case "refund":
        return desk.call(
          "POST",
          `${path}/refunds`,
          { amount: 2 * (byIntent.get(call.intentId)?.price ?? 0) },
          key
        )
    }
  }

  const untilHeard = (call: MoneyCall) =>
    Effect.ignore(
      pollUntil(
        Effect.sync(() => world.hasHeard(call.intentId, webhookOf[call.step])),
        (is) => is,
        { deadline: restLimit }
      )
    )

  const atRest = (eventId: EventId) =>
    pollUntil(Agreement.isAtRest(world, eventId, Agreement.asked(world)), (is) => is, {
      deadline: restLimit,
      every: "100 millis"
    })

  const agreement = (eventId: EventId) =>
    Agreement.disagreements(world, buyer, eventId, Agreement.asked(world))

  /** News of a payment may make an order that was at rest be looked at once more. */
  const settledAgreement = (eventId: EventId) =>
    pollUntil(agreement(eventId), ({ isSettled }) => isSettled, { deadline: restLimit }).pipe(
      Effect.catchTag("PollTimeout", () => agreement(eventId))
    )

  const play = Effect.fnUntraced(function* (play: Play) {
    const { cell } = play
    const eventId = yield* world.open(layoutOf(play.price, cell))
    play.eventId = eventId
    const hold = yield* buyer.hold(eventId, { seats: [0, 1], areas: [] })
    if (typeof hold === "string") return { path: [hold], wrong: ["the hold was refused"] }
    const begunMs = yield* Clock.currentTimeMillis
    const method = methodOf(cell)
    const placed = yield* buyer.place(eventId, hold.holdId, { method }, yield* buyer.newKey)
    if (placed._tag === "Refused") return { path: [placed.code], wrong: ["the order was refused"] }
    const orderId = placed.order.id
    const path: Array<string> = [placed.order.status]
    const reach = Effect.gen(function* () {
      yield* atRest(eventId)
      const { status } = yield* buyer.look(orderId)
      if (status !== path[path.length - 1]) path.push(status)
      return status
    })
    let status = yield* reach

    if (moneyStep(cell.step) === "refund") {
      const { tickets } = yield* buyer.look(orderId)
      const some = cell.step === "refund" ? null : tickets.slice(0, 1).map(({ id }) => id)
      yield* buyer.refund(orderId, some, yield* buyer.newKey)
      status = yield* reach
      if (status === "partially_refunded" && cell.fault === "declined") {
        // The other one was paid back too.
        yield* buyer.refund(orderId, null, yield* buyer.newKey)
        status = yield* reach
      }
    }
    const endedMs = yield* Clock.currentTimeMillis
    const wrong: Array<string> = []
    if (status !== ends(cell)) wrong.push(`ended ${status}, not ${ends(cell)}`)
    if (play.calls === 0) wrong.push("its step was never taken at the provider that is struck")

    if (status === "declined" && cell.providers > 1) {
      // The buyer takes the other provider for the same hold.
      const provider = options.providers.find((name) => name !== struckProvider) ?? struckProvider
      const again = yield* buyer.place(
        eventId,
        hold.holdId,
        { method: "tok_ok", provider },
        yield* buyer.newKey
      )
      path.push(again._tag === "Order" ? `${again.order.status} by ${provider}` : again.code)
      if (again._tag !== "Order" || again.order.status !== "confirmed")
        wrong.push("the other provider did not help")
      yield* atRest(eventId)
    }
    yield* buyer.release(eventId, hold.holdId)
    if (play.rival !== null) yield* buyer.release(eventId, play.rival)
    if (play.slowAtMs !== null) {
      // What was slow arrives at last, and must change nothing any more.
      const leftMs = play.slowAtMs + slowMs + 1_000 - (yield* Clock.currentTimeMillis)
      yield* Effect.sleep(Math.max(0, leftMs))
      yield* atRest(eventId)
    }
    const { found, paidAt } = yield* settledAgreement(eventId)
    const by = paidAt.get(orderId)
    if (by !== undefined && by !== struckProvider) path.push(`by ${by}`)
    path.push(`${((endedMs - begunMs) / 1_000).toFixed(1)} s`)
    return { path, wrong: [...wrong, ...found] }
  })

  const outcomeOf = (one: Play) =>
    play(one).pipe(
      Effect.catchCause((cause) => Effect.succeed({ path: ["broke off"], wrong: [String(cause)] })),
      Effect.map(({ path, wrong }) => {
        const outcome: Outcome = { ...one.cell, text: path.join(" → "), wrong }
        return { eventId: one.eventId, outcome }
      })
    )

  const calm = yield* Effect.forEach(
    plays.filter(({ cell }) => !isCrash(cell.fault)),
    outcomeOf,
    { concurrency: options.concurrency }
  )

  const doomed = plays.filter(({ cell }) => isCrash(cell.fault))
  const all = { concurrency: "unbounded" } as const
  const [crashes] = yield* Effect.all(
    [
      Effect.forEach(doomed, outcomeOf, all),
      pollUntil(
        Effect.sync(() => atTheBrink.size),
        (size) => size === doomed.length,
        { deadline: restLimit }
      ).pipe(Effect.ignore, Effect.andThen(world.crash))
    ],
    all
  )

  // Whatever came later has changed nothing.
  const outcomes = yield* Effect.forEach(
    [...calm, ...crashes],
    Effect.fnUntraced(function* ({ eventId, outcome }) {
      if (eventId === null || outcome.wrong.length > 0) return outcome
      const { found } = yield* settledAgreement(eventId)
      return { ...outcome, wrong: found.map((what) => `later, ${what}`) }
    })
  )
  return { world, outcomes }
})

/** The matrix as text: a row a step and a fault, a column for each number of providers. */
export const table = (outcomes: ReadonlyArray<Outcome>): string => {
  const columns = [...new Set(outcomes.map(({ providers }) => providers))].toSorted((a, b) => a - b)
  const rows = steps.flatMap((step) =>
    faults.map((fault) => [
      step,
      fault,
      ...columns.map((providers) => {
        const found = outcomes.find(
          (one) => one.step === step && one.fault === fault && one.providers === providers
        )
        return found === undefined ? "MISSING" : found.wrong.length === 0 ? found.text : `WRONG ${found.text}`
      })
    ])
  )
  const head = ["step", "fault", ...columns.map((n) => (n === 1 ? "one provider" : `${n} providers`))]
  const all = [head, ...rows]
  const widths = head.map((_, i) => Math.max(...all.map((row) => row[i]?.length ?? 0)))
  const line = (row: ReadonlyArray<string>) =>
    row
      .map((text, i) => text.padEnd(widths[i] ?? 0))
      .join("  ")
      .trimEnd()
  return [line(head), widths.map((width) => "-".repeat(width)).join("  "), ...rows.map(line)].join("\n")
}
