/** The service that wrong input is sent to, and what every answer to it has to be. */
import { assert } from "@effect/vitest"
import type { EventDetail } from "@onsale/contracts/catalog/Event"
import { CompatError } from "@onsale/contracts/http/CompatApi"
import type { Hold } from "@onsale/contracts/http/HoldsApi"
import { Order } from "@onsale/contracts/http/OrdersApi"
import { Context, Effect, Layer, Schema } from "effect"
import type { Call, Reply } from "./HttpCall.ts"
import * as Service from "./Service.ts"
import * as Shop from "./Shop.ts"

export const plan = [
  "section,row,seat_from,seat_to,quantity,price",
  ...Array.from({ length: 20 }, (_, row) => `Stalls,${row + 1},1,40,,45.00`),
  "Lawn,,,,500,20.00"
].join("\n")

export class Wrong extends Context.Service<
  Wrong,
  {
    readonly service: Service.Service
    readonly shop: Shop.Shop
    readonly event: EventDetail
    readonly other: EventDetail
    /** Seats of `event` and of `other`, and the area of `event`. */
    readonly seats: ReadonlyArray<string>
    readonly otherSeats: ReadonlyArray<string>
    readonly area: string
    /** A live hold of `event`. */
    readonly hold: Hold
    readonly order: Order
  }
>()("test/Wrong") {
  static readonly layer = Layer.effect(
    Wrong,
    Effect.gen(function* () {
      const service = yield* Service.start()
      const shop = Shop.at(service.url)
      const venue = yield* shop.importPlan("csv", plan)
      const event = yield* shop.openEvent(venue, { tiers: [], currency: "EUR" })
      const other = yield* shop.openEvent(venue, { tiers: [], currency: "EUR", name: "Another" })
      const map = yield* shop.seatMap(event.id)
      const otherMap = yield* shop.seatMap(other.id)
      const idsOf = ({ sections }: typeof map) =>
        sections.flatMap(({ rows }) => rows.flatMap(({ seats }) => seats.map(({ id }): string => id)))
      const bought = yield* shop.hold(event.id, { bestAvailable: { quantity: 2 } })
      const order = yield* Effect.flatMap(shop.tryOrder(bought.id, "tok_ok"), Shop.expect(201, Order))
      return {
        service,
        shop,
        event,
        other,
        seats: idsOf(map),
        otherSeats: idsOf(otherMap),
        area: map.areas[0]?.id ?? "",
        hold: yield* shop.hold(event.id, { bestAvailable: { quantity: 1 } }),
        order
      }
    })
  )
}
export type World = Wrong["Service"]

/** Of a stack, a query, or a place in the code. */
export const ours =
  /\n {4}at |node_modules|\.ts:\d|\bSELECT\b|\bINSERT\b|\bsyntax error at\b|SqlError|Cause\(/

/** Asserts that the answer is a problem of the client's; its type, without what all of ours begin with. */
export const assertProblem = (reply: Reply, what: string) => {
  const told = `${what}: ${reply.status} ${reply.text.slice(0, 300)}`
  assert.isAtLeast(reply.status, 400, told)
  assert.isBelow(reply.status, 500, told)
  assert.match(reply.headers["content-type"] ?? "", /^application\/problem\+json\b/, told)
  assert.notMatch(reply.text, ours, told)
  const problem = Schema.decodeUnknownSync(Shop.Problem)(reply.json)
  assert.strictEqual(problem.status, reply.status, told)
  return problem.type.replace("urn:onsale:problem:", "")
}

/** Asserts that the answer is an error of the client's, in the form of the older contracts. */
export const assertOldError = (reply: Reply, what: string) => {
  const told = `${what}: ${reply.status} ${reply.text.slice(0, 300)}`
  assert.isAtLeast(reply.status, 400, told)
  assert.isBelow(reply.status, 500, told)
  assert.notMatch(reply.text, ours, told)
  Schema.decodeUnknownSync(CompatError)(reply.json)
}

export interface Case {
  readonly name: string
  readonly call: (world: World) => Call
  readonly status: number
  readonly type: string
}

export const organiser = { authorization: `Bearer ${Service.organiserKey}` }
