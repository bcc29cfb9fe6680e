/**
 * Who asks for what: the requests of each connection in turn, and the claims that were won. Made from
 * plain data, because the load runs in a process of its own.
 */
import { areaId, EventId, seatId } from "@onsale/contracts/Ids"
import { Schema } from "effect"
import { randomBytes } from "node:crypto"
import { type Answer, bodiless, post } from "../Connection.ts"

const common = { eventId: EventId, host: Schema.String }

export const Plan = Schema.TaggedUnion({
  /** Seats 2n and 2n+1 for ever rising n: nobody wants what another wants. */
  Pairs: { ...common, seats: Schema.Int },
  /**
   * Buyers, one after another on each connection, who want two neighbouring seats, the front ones most
   * (Zipf), and try up to `tries` times, each time anew.
   */
  Rush: {
    ...common,
    seats: Schema.Int,
    buyers: Schema.Int,
    tries: Schema.Int,
    exponent: Schema.Finite,
    seed: Schema.Int
  },
  /** Places of the first area, for ever. */
  Counter: { ...common, quantity: Schema.Int },
  /** Seats to take and keep, so many a hold. */
  Fill: { ...common, seats: Schema.instanceOf(Int32Array), aHold: Schema.Int },
  /** Pairs of seats that are held and released in turn; each connection has its own. `free` lists seat after seat. */
  Cycles: { ...common, free: Schema.instanceOf(Int32Array), connections: Schema.Int },
  /** The same GET, for ever; `headers` are lines with their ends, `status` is what a right answer has. */
  Read: { path: Schema.String, host: Schema.String, headers: Schema.String, status: Schema.Int },
  /** Buys holds, each once. */
  Buy: { ...common, holds: Schema.Array(Schema.String), method: Schema.String }
})
export type Plan = typeof Plan.Type

/** Holds that were answered with 201; `seats` has the seats of each, one after another, as many for all. */
export interface Wins {
  readonly holds: Array<string>
  readonly seats: Array<number>
}

export interface Traffic {
  /** The next request of a connection, or undefined where it has nothing more to ask. */
  readonly next: (connection: number) => Buffer | undefined
  readonly answered: (connection: number, answer: Answer) => void
  /** What a connection still has to send when the time is over, uncounted. */
  readonly finish: (connection: number) => Buffer | undefined
  readonly wins: Wins
}

const created = 201
const idOf = (body: string | undefined): string => {
  const at = body?.indexOf('"id":"') ?? -1
  return body === undefined || at === -1 ? "" : body.slice(at + 6, at + 42)
}

/** Numbers from 0 to below 1 that depend on the seed and the count alone (splitmix32). */
export const randomAt = (seed: number, count: number): number => {
  let z = (seed + Math.imul(count + 1, 0x9e3779b9)) | 0
  z = Math.imul(z ^ (z >>> 16), 0x85ebca6b)
  z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35)
  return ((z ^ (z >>> 16)) >>> 0) / 2 ** 32
}

/** Draws ranks from 0: rank k with a weight of 1 / (k + 1) ^ exponent. */
export const zipf = (ranks: number, exponent: number): ((random: number) => number) => {
  const sums = new Float64Array(ranks)
  let sum = 0
  for (let k = 0; k < ranks; k++) sums[k] = sum += (k + 1) ** -exponent
  return (random) => {
    const target = random * sum
    let low = 0
    let high = ranks - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if (sums[middle]! > target) high = middle
      else low = middle + 1
    }
    return low
  }
}

type OfAnEvent = Extract<Plan, { readonly eventId: EventId }>

/** Requests of one event; the keys are never used twice, not even by two runs on the same event. */
const requests = (plan: OfAnEvent) => {
  const path = `/api/v1/events/${plan.eventId}/holds`
  const run = randomBytes(6).toString("base64url")
  let count = 0
  const hold = (body: string) => post(path, plan.host, `idempotency-key: ${run}-${count++}\r\n`, body)
  return {
    seats: (seats: ReadonlyArray<number>) =>
      hold(`{"seats":[${seats.map((seat) => `"${seatId(plan.eventId, seat)}"`).join(",")}]}`),
    places: (quantity: number) =>
      hold(`{"areas":[{"areaId":"${areaId(plan.eventId, 0)}","quantity":${quantity}}]}`),
    release: (holdId: string) => bodiless("DELETE", `/api/v1/holds/${holdId}`, plan.host)
  }
}

/** Traffic in which a connection asks for some seats and remembers them until the answer. */
const ofSeats = (
  plan: OfAnEvent,
  choose: (connection: number, lastWon: boolean) => ReadonlyArray<number> | undefined
): Traffic => {
  const request = requests(plan)
  const asked: Array<ReadonlyArray<number>> = []
  const won: Array<boolean> = []
  const wins: Wins = { holds: [], seats: [] }
  return {
    next: (connection) => {
      const seats = choose(connection, won[connection] ?? false)
      if (seats === undefined) return undefined
      asked[connection] = seats
      return request.seats(seats)
    },
    answered: (connection, { status, body }) => {
      won[connection] = status === created
      if (status !== created) return
      wins.holds.push(idOf(body))
      wins.seats.push(...(asked[connection] ?? []))
    },
    finish: () => undefined,
    wins
  }
}

const pairs = (plan: Extract<Plan, { _tag: "Pairs" }>): Traffic => {
  let n = 0
  return ofSeats(plan, () => {
    const first = 2 * n++
    return first + 1 < plan.seats ? [first, first + 1] : undefined
  })
}

const rush = (plan: Extract<Plan, { _tag: "Rush" }>): Traffic => {
  const draw = zipf(plan.seats, plan.exponent)
  let buyers = 0
  const at: Array<{ readonly buyer: number; tried: number }> = []
  return ofSeats(plan, (connection, lastWon) => {
    let now = at[connection]
    if (now === undefined || lastWon || now.tried === plan.tries) {
      if (buyers === plan.buyers) return undefined
      now = { buyer: buyers++, tried: 0 }
      at[connection] = now
    }
    const rank = draw(randomAt(plan.seed, now.buyer * plan.tries + now.tried++))
    const first = Math.min(rank, plan.seats - 2)
    return [first, first + 1]
  })
}

const fill = (plan: Extract<Plan, { _tag: "Fill" }>): Traffic => {
  let taken = 0
  return ofSeats(plan, () => {
    if (taken >= plan.seats.length) return undefined
    const seats = Array.from(plan.seats.subarray(taken, taken + plan.aHold))
    taken += plan.aHold
    return seats
  })
}

const counter = (plan: Extract<Plan, { _tag: "Counter" }>): Traffic => {
  const request = requests(plan)
  const wins: Wins = { holds: [], seats: [] }
  return {
    next: () => request.places(plan.quantity),
    answered: (_, { status, body }) => {
      if (status === created) wins.holds.push(idOf(body))
    },
    finish: () => undefined,
    wins
  }
}

const cycles = (plan: Extract<Plan, { _tag: "Cycles" }>): Traffic => {
  const request = requests(plan)
  const held: Array<string | undefined> = []
  const turns: Array<number> = []
  const pairCount = plan.free.length >> 1
  const release = (connection: number) => {
    const id = held[connection]
    held[connection] = undefined
    return id === undefined ? undefined : request.release(id)
  }
  return {
    next: (connection) => {
      const releasing = release(connection)
      if (releasing !== undefined) return releasing
      // Of `connections` this one has every so-manieth pair.
      const own = Math.floor((pairCount - connection - 1) / plan.connections) + 1
      if (own < 1) return undefined
      const turn = (turns[connection] ?? 0) % own
      turns[connection] = turn + 1
      const pair = connection + turn * plan.connections
      return request.seats([plan.free[2 * pair]!, plan.free[2 * pair + 1]!])
    },
    answered: (connection, { status, body }) => {
      if (status === created) held[connection] = idOf(body)
    },
    finish: release,
    wins: { holds: [], seats: [] }
  }
}

const read = ({ headers, host, path }: Extract<Plan, { _tag: "Read" }>): Traffic => {
  const request = bodiless("GET", path, host, headers)
  return {
    next: () => request,
    answered: () => {},
    finish: () => undefined,
    wins: { holds: [], seats: [] }
  }
}

const buy = (plan: Extract<Plan, { _tag: "Buy" }>): Traffic => {
  const run = randomBytes(6).toString("base64url")
  const wins: Wins = { holds: [], seats: [] }
  let n = 0
  return {
    next: () => {
      const holdId = plan.holds[n]
      if (holdId === undefined) return undefined
      const key = `${run}-${n++}`
      return post(
        "/api/v1/orders",
        plan.host,
        `idempotency-key: ${key}\r\n`,
        `{"holdId":"${holdId}","customer":{"name":"Ada Lovelace","email":"${key}@example.org"},"payment":{"method":"${plan.method}"}}`
      )
    },
    answered: (_, { status, body }) => {
      if (status === created) wins.holds.push(idOf(body))
    },
    finish: () => undefined,
    wins
  }
}

/** The traffic of a plan. */
export const make = (plan: Plan): Traffic => {
  switch (plan._tag) {
    case "Pairs":
      return pairs(plan)
    case "Rush":
      return rush(plan)
    case "Counter":
      return counter(plan)
    case "Fill":
      return fill(plan)
    case "Cycles":
      return cycles(plan)
    case "Read":
      return read(plan)
    case "Buy":
      return buy(plan)
  }
}
