/**
 * Buyers of a cluster at a steady rate, who write down every call and answer. They are patient: what fails is asked
 * again, with the same key, at the other gateway, so a call here lasts from the first try to the answer.
 */
import { Clock, Effect, Schema } from "effect"
import { pollUntil } from "../Poll.ts"
import { type ClusterWorld, urlOf } from "./ClusterWorld.ts"
import { brokenSeats, type SeatCall } from "./History.ts"

export interface Sale {
  readonly eventId: string
  readonly seats: ReadonlyArray<string>
}

export class BuyersError extends Schema.TaggedError<BuyersError>()("BuyersError", {
  message: Schema.String
}) {}

/** One try must not outlast a machine that is cut off: the other gateway may answer. */
const tryLimit = "8 seconds"
const pauseMs = 150
/** Who has no answer then goes away. Longer than any fault lasts. */
const patienceMs = 45_000
const settledWithin = "90 seconds"

interface Reply {
  readonly status: number
  readonly json: unknown
}

interface Answered {
  /** Undefined where it was never answered. */
  readonly reply: Reply | undefined
  readonly startMs: number
  readonly endMs: number
  /** Tries that failed before. */
  readonly failures: number
}

const Taken = Schema.Struct({ seats: Schema.Array(Schema.Struct({ seatId: Schema.String })) })
const Held = Schema.Struct({
  id: Schema.String,
  seats: Schema.Array(Schema.Struct({ seatId: Schema.String }))
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

/** What was seen; filled while the buyers buy. */
export interface Notes {
  /** By event: when a call of it was answered. */
  readonly answered: Map<string, Array<number>>
  /** Tries that failed: when, and how. */
  readonly failed: Array<{ readonly atMs: number; readonly eventId: string; readonly how: string }>
  readonly breaches: Array<string>
  readonly counts: { calls: number; holds: number; orders: number; releases: number; unanswered: number }
}

/** Buyers, their notes, and what is left to check when they have gone. */
export const make = Effect.fn("Buyers.make")(function* ({ random, run, world }: Options) {
  const clock = yield* Clock.Clock
  const nowMs = () => clock.currentTimeMillisUnsafe()
  const notes: Notes = {
    answered: new Map(),
    failed: [],
    breaches: [],
    counts: { calls: 0, holds: 0, orders: 0, releases: 0, unanswered: 0 }
  }
  const seatCalls = new Map<string, Array<SeatCall>>()
  const liveHolds = new Map<string, { readonly eventId: string; readonly seats: ReadonlyArray<string> }>()
  const orders = new Map<string, { readonly expected: string; readonly eventId: string }>()
  /** Gateways that a balancer would have taken out; one try in five still goes there. */
  const hurt = new Set<string>()
  let nextKey = 0

  const note = (seats: ReadonlyArray<string>, call: SeatCall) => {
    for (const seat of seats) {
      const calls = seatCalls.get(seat)
      if (calls === undefined) seatCalls.set(seat, [call])
      else calls.push(call)
    }
  }

  const gatewayFor = (turn: number) => {
    const well = world.gateways.filter(({ name }) => !hurt.has(name))
    const among = well.length === 0 || random() < 0.2 ? world.gateways : well
    return among[turn % among.length]!
  }

  const once = (method: string, path: string, key: string | undefined, body: unknown, turn: number) =>
    urlOf(gatewayFor(turn)).pipe(
      Effect.flatMap((url) =>
        Effect.tryPromise({
          try: async (signal): Promise<Reply> => {
            const response = await fetch(`${url}/api/v1${path}`, {
              method,
              signal,
              headers: {
                "content-type": "application/json",
                ...(path.startsWith("/organiser") ? { authorization: `Bearer ${world.organiserKey}` } : {}),
                ...(key === undefined ? {} : { "idempotency-key": key })
              },
              ...(body === undefined ? {} : { body: JSON.stringify(body) })
            })
            const text = await response.text()
            return { status: response.status, json: text === "" ? null : JSON.parse(text) }
          },
          catch: (cause) =>
            new BuyersError({
              message:
                cause instanceof Error
                  ? `${cause.name} ${String(cause.cause ?? cause.message)}`
                  : String(cause)
            })
        })
      ),
      Effect.timeoutOrElse({
        duration: tryLimit,
        orElse: () => Effect.fail(new BuyersError({ message: "no answer" }))
      })
    )

  /** Asks until it is answered, at one gateway after the other. */
  const ask = Effect.fnUntraced(function* (
    eventId: string,
    method: string,
    path: string,
    body?: unknown,
    key?: string
  ): Effect.fn.Return<Answered> {
    const startMs = nowMs()
    notes.counts.calls++
    let failures = 0
    for (let turn = Math.floor(random() * 8); ; turn++) {
      const exit = yield* once(method, path, key, body, turn).pipe(
        Effect.map((reply) => ({ reply, how: reply.status >= 500 ? String(reply.status) : undefined })),
        Effect.catch((error) => Effect.succeed({ reply: undefined, how: error.message.slice(0, 60) }))
      )
      const endMs = nowMs()
      // The first try may still be at work: its key is in use.
      const busy = exit.reply?.status === 409 && failures > 0 && isKeyInUse(exit.reply)
      if (exit.reply !== undefined && exit.how === undefined && !busy) {
        const times = notes.answered.get(eventId)
        if (times === undefined) notes.answered.set(eventId, [endMs])
        else times.push(endMs)
        return { reply: exit.reply, startMs, endMs, failures }
      }
      if (exit.how !== undefined) notes.failed.push({ atMs: endMs, eventId, how: exit.how })
      failures++
      if (endMs - startMs > patienceMs) {
        notes.counts.unanswered++
        return { reply: undefined, startMs, endMs, failures }
      }
      yield* Effect.sleep(pauseMs)
    }
  })

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
    const { id } = yield* read(Held, reply)
    note(seats, { kind: "hold", hold: id, startMs, endMs })
    notes.counts.holds++
    liveHolds.set(id, { eventId: sale.eventId, seats })
    return { id, seats }
  })

  const look = Effect.fnUntraced(function* (eventId: string, id: string, seats: ReadonlyArray<string>) {
    const call = yield* ask(eventId, "GET", `/holds/${id}`)
    if (call.reply === undefined) return
    if (call.reply.status !== 200)
      return breach(`hold ${id} was answered with success and is lost: ${call.reply.status}`)
    note(seats, { kind: "kept", hold: id, startMs: call.startMs, endMs: call.endMs })
  })

  const release = Effect.fnUntraced(function* (eventId: string, id: string, seats: ReadonlyArray<string>) {
    liveHolds.delete(id)
    const { endMs, failures, reply, startMs } = yield* ask(eventId, "DELETE", `/holds/${id}`)
    const seen = { kind: "release", hold: id, startMs } as const
    if (reply === undefined) return note(seats, { ...seen, endMs: undefined })
    // A try whose answer was lost has let it go already.
    if (reply.status === 204 || (reply.status === 404 && failures > 0)) {
      notes.counts.releases++
      return note(seats, { ...seen, endMs })
    }
    breach(`the release of hold ${id} was answered ${reply.status}`)
  })

  /** A hold that was let go must not be shown as one that lives, by whoever answers. */
  const lookForGone = Effect.fnUntraced(function* (eventId: string, id: string) {
    const { reply } = yield* ask(eventId, "GET", `/holds/${id}`)
    if (reply?.status === 200) breach(`hold ${id} was released and is shown as live`)
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
          if (dice < 0.3) yield* look(sale.eventId, held.id, held.seats)
          // Most go back, or the house would be sold out, and nothing would happen any more.
          if (dice < 0.9) yield* release(sale.eventId, held.id, held.seats)
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

    /** Makes events on sale, each of so many seats. */
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
          const event = yield* organise(
            "/events",
            { venueId: venue.id, name: `Evening ${i + 1}`, startsAt, currency: "EUR", holdSeconds: 3_600 },
            Created
          )
          yield* organise(`/events/${event.id}/publish`, {}, Schema.Unknown)
          const { reply } = yield* ask(event.id, "GET", `/events/${event.id}/seatmap`)
          const { sections } = yield* read(SeatMap, reply ?? { status: 0, json: null })
          return {
            eventId: event.id,
            seats: sections.flatMap(({ rows }) => rows.flatMap(({ seats }) => seats.map(({ id }) => id)))
          } satisfies Sale
        })
      )
    }),

    buyer,

    /** When all buyers have gone and all faults are mended: writes the rest of the breaches into the notes. */
    settle: Effect.fn("Buyers.settle")(function* () {
      const before = notes.counts.unanswered
      yield* Effect.forEach(liveHolds, ([id, { eventId, seats }]) => look(eventId, id, seats), {
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

const isKeyInUse = ({ json }: Reply): boolean =>
  typeof json === "object" && json !== null && "type" in json && String(json.type).endsWith("key-in-use")

export type Buyers = Effect.Success<ReturnType<typeof make>>
