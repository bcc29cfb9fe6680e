/** What those who arrive do: look, buy, give up, hammer. Each follows what he began to its end. */
import { HoldId, OrderId, seatId } from "@onsale/contracts/Ids"
import { Option, Schema } from "effect"
import type { Answer } from "../Connection.ts"
import type { Assignment } from "./Assignment.ts"
import { type Client, nowMs } from "./Client.ts"
import * as Latencies from "./Latencies.ts"
import * as Mix from "./Mix.ts"
import * as SearchQueries from "./SearchQueries.ts"
import type { Told } from "./SeatLedger.ts"

const Hold = Schema.fromJsonString(
  Schema.Struct({
    id: HoldId,
    eventId: Schema.String,
    seats: Schema.Array(Schema.Struct({ seatId: Schema.String })),
    expiresAt: Schema.String
  })
)
const Order = Schema.fromJsonString(
  Schema.Struct({
    id: OrderId,
    eventId: Schema.String,
    status: Schema.String,
    tickets: Schema.Array(Schema.Unknown),
    nextAction: Schema.optionalKey(Schema.Struct({ url: Schema.String }))
  })
)
type Hold = typeof Hold.Type
type Order = typeof Order.Type
const decodeHold = Schema.decodeUnknownOption(Hold)
const decodeOrder = Schema.decodeUnknownOption(Order)

/** On average; milliseconds. */
const thinkMs = { seats: 800, payment: 1_500, again: 300 }
const seatTries = 3
const pollMs = 500
/** Longer than any payment is left open while a buyer looks. */
const settleMs = 60_000
/** Between two tries of somebody in a crowd who was told that it is full. */
const crowdAgainMs = 500

/** What a buyer is told whose hold has ended: who waited for long comes with one. */
const over: ReadonlyArray<number> = [404, 409]
const whenOver = ({ expiresAt }: Hold) => ({ afterMs: Date.parse(expiresAt), right: over })

interface Buyer {
  readonly event: Assignment["events"][number]
  dueMs: number
}

export interface Visitors {
  readonly reader: (dueMs: number) => Promise<void>
  readonly buyer: (dueMs: number) => Promise<void>
  readonly bot: (dueMs: number) => Promise<void>
  /** Wants one seat of the first event, whichever, and pays for it. */
  readonly crowd: (dueMs: number) => Promise<void>
  readonly told: Array<Told>
  readonly orders: Record<string, number>
  readonly flash: {
    readonly held: Latencies.Latencies
    readonly bought: Latencies.Latencies
    readonly refused: Latencies.Latencies
    unanswered: number
  }
}

const waitUntil = (ms: number) => new Promise<void>((resume) => setTimeout(resume, Math.max(0, ms - nowMs())))

export const make = (client: Client, { events, seed }: Assignment): Visitors => {
  const random = Mix.randoms(seed)
  const eventRank = Mix.eventRanks(events.length)
  const someEvent = () => events[eventRank(random())]!
  let keys = 0
  const key = () => `idempotency-key: slo-${seed}-${keys++}\r\n`
  const told: Array<Told> = []
  const orders: Record<string, number> = {}
  const flash = {
    held: Latencies.make(),
    bought: Latencies.make(),
    refused: Latencies.make(),
    unanswered: 0
  }
  /** Where each event's front is that this worker knows to be taken. */
  const fronts = new Map<string, number>()

  /** Exponential, so that many do not come back together. */
  const think = async (buyer: { dueMs: number }, meanMs: number) => {
    buyer.dueMs = nowMs() - Math.log(1 - random()) * meanMs
    await waitUntil(buyer.dueMs)
  }

  const readPaths: Readonly<Record<Mix.ReadKind, () => string>> = {
    event: () => `/api/v1/events/${someEvent().id}`,
    availability: () => `/api/v1/events/${someEvent().id}/availability`,
    events: () => "/api/v1/events?limit=20",
    seatmap: () => `/api/v1/events/${someEvent().id}/seatmap`,
    search: () => SearchQueries.path(random())
  }
  const reader = async (dueMs: number) => {
    const what = Mix.readKind(random())
    const kind = what === "search" ? "search" : "read"
    await client.ask({ kind, method: "GET", path: readPaths[what](), right: [200] }, dueMs)
  }

  const askHold = async (buyer: Buyer, body: string) => {
    const askedMs = nowMs()
    const answer = await client.ask(
      {
        kind: "hold",
        method: "POST",
        path: `/api/v1/events/${buyer.event.id}/holds`,
        headers: key(),
        body,
        right: [201, 409],
        keepBody: true
      },
      buyer.dueMs
    )
    return { answer, askedMs }
  }

  /** The hold of an answer, noted; undefined where it was refused. */
  const note = (
    { answer, askedMs }: { answer: Answer | undefined; askedMs: number },
    buyer: Buyer,
    wanted: ReadonlyArray<string> | number
  ): { hold: Hold; index: number } | undefined => {
    if (answer?.status !== 201) return undefined
    const hold = Option.getOrUndefined(decodeHold(answer.body))
    const seats = hold?.seats.map(({ seatId }) => seatId) ?? []
    const asWanted =
      typeof wanted === "number"
        ? seats.length === wanted
        : seats.length === wanted.length && wanted.every((seat) => seats.includes(seat))
    if (hold === undefined || hold.eventId !== buyer.event.id || !asWanted) {
      client.refute(`a hold that was not asked for: ${answer.body?.slice(0, 200)}`)
      return undefined
    }
    told.push({
      holdId: hold.id,
      seats: seats.map((seat) => `${hold.eventId}/${seat}`),
      askedMs,
      answeredMs: nowMs(),
      untilMs: Date.parse(hold.expiresAt)
    })
    return { hold, index: told.length - 1 }
  }
  const until = (index: number, untilMs: number) => {
    const entry = told[index]
    if (entry !== undefined) told[index] = { ...entry, untilMs }
  }

  /** Two seats near the front, of those that this worker thinks free; or, one in four, the best. */
  const takeSeats = async (buyer: Buyer) => {
    const { id, seats } = buyer.event
    if (random() < 0.25) return note(await askHold(buyer, `{"bestAvailable":{"quantity":2}}`), buyer, 2)
    const front = fronts.get(id) ?? 0
    const first = Math.min(front + 2 * Mix.seatRanks(random()), seats - 2)
    const wanted = [seatId(id, first), seatId(id, first + 1)]
    const asked = await askHold(buyer, JSON.stringify({ seats: wanted }))
    const held = note(asked, buyer, wanted)
    if (asked.answer !== undefined && first - front < 40) fronts.set(id, (front + 2) % (seats - 2))
    return held
  }

  const buy = async (buyer: Buyer, hold: Hold, method: string): Promise<Order | "too late" | undefined> => {
    const answer = await client.ask(
      {
        kind: "order",
        method: "POST",
        path: "/api/v1/orders",
        headers: key(),
        body: JSON.stringify({
          holdId: hold.id,
          customer: { name: "Ada Lovelace", email: `buyer-${seed}-${keys}@example.org` },
          payment: { method }
        }),
        right: method === "tok_declined" ? [402] : [201, 202],
        late: whenOver(hold),
        keepBody: true
      },
      buyer.dueMs
    )
    if (answer === undefined || answer.status === 402) return undefined
    if (over.includes(answer.status)) return "too late"
    const order = Option.getOrUndefined(decodeOrder(answer.body))
    if (order === undefined || order.eventId !== hold.eventId)
      client.refute(`an order that was not asked for: ${answer.body?.slice(0, 200)}`)
    return order
  }

  /** Looks at an order until nothing more happens with it, or the time is over. */
  const follow = async (buyer: Buyer, first: Order): Promise<Order> => {
    let order = first
    const endMs = nowMs() + settleMs
    while (order.status === "payment_pending" && nowMs() < endMs) {
      buyer.dueMs = nowMs() + pollMs
      await waitUntil(buyer.dueMs)
      const answer = await client.ask(
        { kind: "read", method: "GET", path: `/api/v1/orders/${order.id}`, right: [200], keepBody: true },
        buyer.dueMs
      )
      if (answer === undefined) continue
      const now = Option.getOrUndefined(decodeOrder(answer.body))
      if (now?.id === order.id) order = now
      else client.refute(`not the order that was asked for: ${answer.body?.slice(0, 200)}`)
    }
    return order
  }

  /** The order's status at the end; a purchase makes the seats his for ever. */
  const settle = async (buyer: Buyer, hold: Hold, index: number, method: string): Promise<string> => {
    const first = await buy(buyer, hold, method)
    if (first === undefined) return method === "tok_declined" ? "declined" : "unknown"
    if (first === "too late") return first
    const url = first.nextAction?.url
    if (url !== undefined) {
      await think(buyer, thinkMs.again)
      // Not one of our requests: it goes to the provider.
      await fetch(url, {
        method: "POST",
        redirect: "manual",
        headers: { "content-type": "application/x-www-form-urlencoded" },
        body: "approve=true"
      }).catch((cause: Error) => client.refute(`the provider's page: ${cause.message}`))
    }
    const { status, tickets } = await follow(buyer, first)
    if (status !== "confirmed") return status
    until(index, Infinity)
    if (tickets.length !== hold.seats.length)
      client.refute(`order ${first.id} has ${tickets.length} tickets for ${hold.seats.length} seats`)
    return status
  }
  const ended = (status: string) => {
    orders[status] = (orders[status] ?? 0) + 1
  }

  const buyer = async (dueMs: number) => {
    const self: Buyer = { event: someEvent(), dueMs }
    await client.ask(
      { kind: "read", method: "GET", path: `/api/v1/events/${self.event.id}/availability`, right: [200] },
      dueMs
    )
    let held: { hold: Hold; index: number } | undefined
    for (let tries = 0; held === undefined && tries < seatTries; tries++) {
      await think(self, tries === 0 ? thinkMs.seats : thinkMs.again)
      held = await takeSeats(self)
    }
    if (held === undefined) return
    const { hold, index } = held
    await think(self, thinkMs.payment)
    const habit = random()
    if (habit < Mix.abandoning) return
    if (habit < Mix.abandoning + Mix.releasing) {
      until(index, nowMs())
      await client.ask(
        {
          kind: "hold",
          method: "DELETE",
          path: `/api/v1/holds/${hold.id}`,
          right: [204],
          late: whenOver(hold)
        },
        self.dueMs
      )
      return
    }
    const luck = random()
    if (luck < Mix.declined) {
      ended(await settle(self, hold, index, "tok_declined"))
      await think(self, thinkMs.again)
    }
    const method = luck > 1 - Mix.challenged ? "tok_3ds" : "tok_ok"
    ended(await settle(self, hold, index, method))
  }

  const bot = async (dueMs: number) => {
    const self: Buyer = { event: events[0]!, dueMs }
    for (let i = 0; i < Mix.botHolds; i++) {
      const seat = seatId(self.event.id, Math.min(self.event.seats - 1, Math.floor(random() * 50)))
      note(await askHold(self, JSON.stringify({ seats: [seat] })), self, [seat])
      self.dueMs = nowMs()
    }
  }

  const crowd = async (dueMs: number) => {
    const self: Buyer = { event: events[0]!, dueMs }
    const giveUpMs = dueMs + settleMs
    let held: { hold: Hold; index: number } | undefined
    let refused = false
    while (held === undefined && !refused && nowMs() < giveUpMs) {
      const asked = await askHold(self, `{"bestAvailable":{"quantity":1}}`)
      held = note(asked, self, 1)
      refused = asked.answer?.status === 409
      if (asked.answer === undefined) await think(self, crowdAgainMs)
    }
    if (refused) return flash.refused.record(nowMs() - dueMs)
    if (held === undefined) return void flash.unanswered++
    flash.held.record(nowMs() - dueMs)
    self.dueMs = nowMs()
    let status = await settle(self, held.hold, held.index, "tok_ok")
    while (status === "unknown" && nowMs() < giveUpMs) {
      await think(self, crowdAgainMs)
      status = await settle(self, held.hold, held.index, "tok_ok")
    }
    ended(status)
    if (status === "confirmed") flash.bought.record(nowMs() - dueMs)
    else flash.unanswered++
  }

  return { reader, buyer, bot, crowd, told, orders, flash }
}
