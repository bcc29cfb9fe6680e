/**
 * Buyers of a cluster at a steady rate, who write down every call and answer. They are patient: what fails is asked
 * again, with the same key, at the other gateway, so a call here lasts from the first try to the answer.
 */
import { Effect, Schema } from "effect"
import { pollUntil } from "../Poll.ts"
import type { ClusterWorld } from "./ClusterWorld.ts"
import { brokenSeats, type SeatCall } from "./History.ts"
import * as PatientClient from "./PatientClient.ts"
import { type Answered, BuyersError, type Notes, type Reply } from "./PatientClient.ts"

export interface Sale {
  readonly eventId: string
  readonly seats: ReadonlyArray<string>
  /** Its holds expire while the buyers buy. */
  readonly isShort: boolean
}

/** Of the events whose holds last an hour, and of the others. */
const holdSeconds = { long: 3_600, short: 4 }
const settledWithin = "90 seconds"

const Taken = Schema.Struct({ seats: Schema.Array(Schema.Struct({ seatId: Schema.String })) })
const Held = Schema.Struct({
  id: Schema.String,
  seats: Schema.Array(Schema.Struct({ seatId: Schema.String })),
  expiresAt: Schema.String
})
const Placed = Schema.Struct({ id: Schema.String, status: Schema.String })
const Created = Schema.Struct({ id: Schema.String })
const SeatMap = Schema.Struct({
  sections: Schema.Array(
    Schema.Struct({
      rows: Schema.Array(Schema.Struct({ seats: Schema.Array(Schema.Struct({ id: Schema.String })) }))
    })
  )
})

interface HeldSeats {
  readonly id: string
  readonly seats: ReadonlyArray<string>
  /** When the hold is over. */
  readonly expiresMs: number
}

const read = <A, I>(schema: Schema.Codec<A, I>, reply: Reply) =>
  Effect.mapError(
    Schema.decodeUnknownEffect(schema)(reply.json),
    () => new BuyersError({ message: `unexpected: ${reply.status} ${JSON.stringify(reply.json)}` })
  )

export interface Options {
  readonly world: ClusterWorld
  /** Between 0 and 1. */
  readonly random: () => number
  /** In every key, so that a second run on the same cluster has its own. */
  readonly run: string
}

/** Buyers, their notes, and what is left to check when they have gone. */
export const make = Effect.fn("Buyers.make")(function* ({ random, run, world }: Options) {
  const notes: Notes = {
    answered: new Map(),
    failed: [],
    breaches: [],
    counts: { calls: 0, holds: 0, orders: 0, releases: 0, expired: 0, unanswered: 0 }
  }
  const { ask, hurt, nowMs } = yield* PatientClient.make({ world, random, notes })
  const seatCalls = new Map<string, Array<SeatCall>>()
  const liveHolds = new Map<string, { readonly eventId: string; readonly seats: ReadonlyArray<string> }>()
  const orders = new Map<string, { readonly expected: string; readonly eventId: string }>()
  let nextKey = 0

  const note = (seats: ReadonlyArray<string>, call: SeatCall) => {
    for (const seat of seats) {
      const calls = seatCalls.get(seat)
      if (calls === undefined) seatCalls.set(seat, [call])
      else calls.push(call)
    }
  }

  const breach = (text: string) => {
    notes.breaches.push(text)
  }
  const strange = (what: string, { reply }: Answered) =>
    breach(`${what} was answered ${reply?.status} ${JSON.stringify(reply?.json)}`)

  const newKey = () => `${run}-${nextKey++}`

  const hold = Effect.fnUntraced(function* (sale: Sale) {
    const first = Math.floor(random() * sale.seats.length)
    const seats =
      random() < 0.5
        ? [sale.seats[first]!]
        : [sale.seats[first]!, sale.seats[(first + 1) % sale.seats.length]!]
    const key = newKey()
    const call = yield* ask(sale.eventId, "POST", `/events/${sale.eventId}/holds`, { seats }, key)
    const { endMs, reply, startMs } = call
    if (reply === undefined) {
      note(seats, { kind: "hold", hold: key, startMs, endMs: undefined })
      if (sale.isShort) note(seats, { kind: "release", hold: key, startMs, endMs: undefined })
      return undefined
    }
    if (reply.status === 409) {
      const { seats: taken } = yield* read(Taken, reply)
      note(
        taken.map(({ seatId }) => seatId),
        { kind: "taken", hold: "", startMs, endMs }
      )
      return undefined
    }
    if (reply.status !== 201) return strange("a hold", call)
    const { expiresAt, id } = yield* read(Held, reply)
    const expiresMs = Date.parse(expiresAt)
    note(seats, { kind: "hold", hold: id, startMs, endMs })
    // The seats are free from then on; whoever asks later may have them, and nobody before.
    if (sale.isShort) note(seats, { kind: "release", hold: id, startMs: expiresMs, endMs: undefined })
    else liveHolds.set(id, { eventId: sale.eventId, seats })
    notes.counts.holds++
    return { id, seats, expiresMs }
  })

  const look = Effect.fnUntraced(function* (
    eventId: string,
    { expiresMs, id, seats }: Pick<HeldSeats, "id" | "seats"> & Partial<HeldSeats>
  ) {
    const call = yield* ask(eventId, "GET", `/holds/${id}`)
    if (call.reply === undefined) return
    if (expiresMs !== undefined && call.startMs >= expiresMs && call.reply.status === 200)
      return breach(`hold ${id} has expired and is shown as live`)
    if (expiresMs !== undefined && call.endMs >= expiresMs) return
    if (call.reply.status !== 200)
      return breach(`hold ${id} was answered with success and is lost: ${call.reply.status}`)
    note(seats, { kind: "kept", hold: id, startMs: call.startMs, endMs: call.endMs })
  })

  const release = Effect.fnUntraced(function* (eventId: string, { expiresMs, id, seats }: HeldSeats) {
    liveHolds.delete(id)
    const { endMs, failures, reply, startMs } = yield* ask(eventId, "DELETE", `/holds/${id}`)
    const seen = { kind: "release", hold: id, startMs } as const
    if (reply === undefined) return note(seats, { ...seen, endMs: undefined })
    // A try whose answer was lost has let it go already; or it has expired, and may have gone to others.
    const isOver = endMs >= expiresMs
    if (reply.status === 204 || (reply.status === 404 && (failures > 0 || isOver))) {
      notes.counts.releases++
      return note(seats, { ...seen, endMs: reply.status === 404 && isOver ? undefined : endMs })
    }
    breach(`the release of hold ${id} was answered ${reply.status}`)
  })

  /** A hold that was let go must not be shown as one that lives, by whoever answers. */
  const lookForGone = Effect.fnUntraced(function* (eventId: string, id: string) {
    const { reply } = yield* ask(eventId, "GET", `/holds/${id}`)
    if (reply?.status === 200) breach(`hold ${id} was released and is shown as live`)
  })

  /** Until it is over, or a little longer. */
  const waitForExpiry = Effect.fnUntraced(function* (eventId: string, held: HeldSeats) {
    yield* Effect.sleep(Math.max(0, held.expiresMs - nowMs()) + random() * 300)
    yield* look(eventId, held)
    notes.counts.expired++
  })

  const buy = Effect.fnUntraced(function* (eventId: string, id: string) {
    const dice = random()
    const method = dice < 0.1 ? "tok_declined" : dice < 0.15 ? "tok_timeout" : "tok_ok"
    const body = { holdId: id, customer: { name: "Ada", email: "ada@example.org" }, payment: { method } }
    liveHolds.delete(id)
    const call = yield* ask(eventId, "POST", "/orders", body, newKey())
    const { reply } = call
    if (reply === undefined) return
    // The hold lives on.
    if (reply.status === 402) return method === "tok_declined" ? undefined : strange("a payment", call)
    if (reply.status !== 201 && reply.status !== 202) return strange("an order", call)
    const order = yield* read(Placed, reply)
    notes.counts.orders++
    orders.set(order.id, { eventId, expected: method === "tok_declined" ? "declined" : "confirmed" })
  })

  /** One buyer, until interrupted; then the call under way is the last. */
  const buyer = (sales: ReadonlyArray<Sale>, isOver: () => boolean) =>
    Effect.gen(function* () {
      while (!isOver()) {
        const sale = sales[Math.floor(random() * sales.length)]!
        const held = yield* hold(sale)
        if (held !== undefined) {
          const dice = random()
          if (dice < 0.3) yield* look(sale.eventId, held)
          // Most go back, or the house would be sold out, and nothing would happen any more.
          if (dice < 0.9) yield* release(sale.eventId, held)
          else if (sale.isShort) yield* waitForExpiry(sale.eventId, held)
          else if (dice < 0.97) yield* buy(sale.eventId, held.id)
          if (dice < 0.1) yield* lookForGone(sale.eventId, held.id)
        }
        yield* Effect.sleep(20 + random() * 60)
      }
    })

  const statusOf = (id: string, eventId: string) =>
    Effect.map(ask(eventId, "GET", `/orders/${id}`), ({ reply }) =>
      String((reply?.json as { status?: unknown })?.status)
    )

  return {
    notes,
    hurt,

    /** Makes events on sale, each of so many seats; the holds of every third one expire soon. */
    open: Effect.fn("Buyers.open")(function* (count: number, seats: number) {
      const organise = Effect.fnUntraced(function* <A, I>(
        path: string,
        body: unknown,
        schema: Schema.Codec<A, I>
      ) {
        const { reply } = yield* ask("", "POST", `/organiser${path}`, body)
        return yield* read(schema, reply ?? { status: 0, json: `${path} was not answered` })
      })
      const venue = yield* organise(
        "/venues",
        {
          name: "Hall",
          timeZone: "UTC",
          seatMap: {
            format: "csv",
            content: `section,row,seat_from,seat_to,quantity,price\nStalls,1,1,${seats},,45.00`
          }
        },
        Created
      )
      const startsAt = new Date(nowMs() + 30 * 86_400_000).toISOString()
      return yield* Effect.forEach(Array.from({ length: count }), (_, i) =>
        Effect.gen(function* () {
          const isShort = i % 3 === 2
          const event = yield* organise(
            "/events",
            {
              venueId: venue.id,
              name: `Evening ${i + 1}`,
              startsAt,
              currency: "EUR",
              holdSeconds: isShort ? holdSeconds.short : holdSeconds.long
            },
            Created
          )
          yield* organise(`/events/${event.id}/publish`, {}, Schema.Unknown)
          const { reply } = yield* ask(event.id, "GET", `/events/${event.id}/seatmap`)
          const { sections } = yield* read(SeatMap, reply ?? { status: 0, json: null })
          return {
            eventId: event.id,
            isShort,
            seats: sections.flatMap(({ rows }) => rows.flatMap(({ seats }) => seats.map(({ id }) => id)))
          } satisfies Sale
        })
      )
    }),

    buyer,

    /** When all buyers have gone and all faults are mended: writes the rest of the breaches into the notes. */
    settle: Effect.fn("Buyers.settle")(function* () {
      const before = notes.counts.unanswered
      yield* Effect.forEach(liveHolds, ([id, { eventId, seats }]) => look(eventId, { id, seats }), {
        concurrency: 8
      })
      yield* Effect.forEach(
        orders,
        ([id, { eventId, expected }]) =>
          pollUntil(statusOf(id, eventId), (status) => status !== "payment_pending", {
            deadline: settledWithin,
            every: "250 millis"
          }).pipe(
            Effect.catch(() => Effect.succeed("payment_pending")),
            Effect.map((status) => {
              if (status !== expected) breach(`order ${id} is ${status}, not ${expected}`)
            })
          ),
        { concurrency: 8 }
      )
      // All is mended: whoever gets no answer now would never get one.
      const unanswered = notes.counts.unanswered - before
      if (unanswered > 0) breach(`${unanswered} calls were not answered when all was mended`)
      const { holds, orders: placed, releases } = notes.counts
      if (holds === 0 || placed === 0 || releases === 0) breach("nothing was held, sold or let go")
      for (const seat of brokenSeats(seatCalls)) {
        breach(`the answers about seat ${seat} contradict each other: ${JSON.stringify(seatCalls.get(seat))}`)
      }
    })
  }
})

export type Buyers = Effect.Success<ReturnType<typeof make>>
