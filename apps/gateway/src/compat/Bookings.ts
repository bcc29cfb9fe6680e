/** Contract C: places of general admission, for the customer of a bearer token. */
import { NewBooking, type Booking } from "@onsale/contracts/http/CompatApi"
import type { Order } from "@onsale/contracts/http/OrdersApi"
import { EventId, makeUuidV7 } from "@onsale/contracts/Ids"
import { hexOf } from "@onsale/platform/Digest"
import { Clock, Effect, Schema } from "effect"
import type { HttpServerRequest } from "effect/http"
import { CurrentCustomer, type ProvedCustomer } from "../CurrentCustomer.ts"
import { CustomerToken } from "../CustomerToken.ts"
import { fingerprintOf } from "../OrderView.ts"
import type * as EventOperations from "../EventOperations.ts"
import type * as HoldOperations from "../HoldOperations.ts"
import * as BookingLimit from "./BookingLimit.ts"
import * as CompatAnswer from "./CompatAnswer.ts"
import type { Purchase } from "./Purchase.ts"

/** Areas of an event that are tried for one booking. */
const maxAreas = 50

const invalid = (error: string) => CompatAnswer.refused(422, error, "Invalid request payload")
const notFound = CompatAnswer.refused(404, "not found", "Event not found")
const soldOut = (why: string) => CompatAnswer.refused(409, why, "Sold out")
const unauthorized = CompatAnswer.refused(401, "unauthorized", "A bearer token is needed", {
  "www-authenticate": "Bearer"
})

const bodyOf = CompatAnswer.bodyOf(NewBooking, invalid)
const decodeId = Schema.decodeUnknownOption(EventId)

const render = (order: Order, quantity: number, status: Booking["status"]): Booking => ({
  id: order.id,
  event_id: order.eventId,
  quantity,
  status,
  total: order.total,
  // Without a code: it was given to somebody else, who has it.
  tickets: order.tickets.map(({ areaId, code, id, label }) => ({
    id,
    area_id: areaId,
    label,
    code: code ?? ""
  })),
  created_at: order.createdAt
})

export const make = Effect.fnUntraced(function* (
  events: Effect.Success<typeof EventOperations.make>,
  holds: Effect.Success<typeof HoldOperations.make>,
  purchase: Purchase
) {
  const tokens = yield* CustomerToken
  const take = yield* BookingLimit.make

  /** A hold of the first area that has the places. */
  const holdOf = Effect.fnUntraced(function* (
    eventId: EventId,
    quantity: number,
    key: string,
    customer: ProvedCustomer
  ) {
    const { areas } = yield* Effect.mapError(events.seatMap(eventId), () => notFound)
    const sold = areas.filter(({ tier }) => tier !== null)
    if (sold.length === 0) return yield* soldOut("the event has no general admission")
    for (const { id } of sold.slice(0, maxAreas)) {
      const hold = yield* holds.create(eventId, `${key}:${id}`, { areas: [{ areaId: id, quantity }] }).pipe(
        Effect.provideService(CurrentCustomer, customer),
        Effect.catchTags({
          SeatsTaken: () => Effect.succeed(null),
          SoldOut: () => Effect.succeed(null),
          QuotaFull: () => Effect.succeed(null),
          VoucherNeeded: () => Effect.succeed(null),
          TierClosed: () => Effect.succeed(null),
          EventNotFound: () => Effect.fail(notFound),
          EventCancelled: () => Effect.fail(soldOut("the event was cancelled")),
          LimitPassed: ({ limit, scope }) =>
            Effect.fail(
              CompatAnswer.refused(422, `${scope} limit`, `More tickets than allowed: the limit is ${limit}`)
            ),
          KeyInUse: () => Effect.fail(CompatAnswer.later("the first request with this key is still running")),
          Overloaded: (error) => Effect.fail(CompatAnswer.overloaded(error))
        }),
        Effect.catch((error) =>
          Effect.fail(
            error._tag === "CompatRefused" ? error : CompatAnswer.refused(422, error.title, error.title)
          )
        )
      )
      if (hold !== null) return hold.id
    }
    return yield* soldOut("no area has as many places left")
  })

  const book = Effect.fnUntraced(function* (
    request: HttpServerRequest.HttpServerRequest,
    customer: ProvedCustomer,
    headers: Readonly<Record<string, string>>
  ) {
    const { event_id, quantity } = yield* bodyOf(request)
    const eventId = decodeId(event_id.toLowerCase())
    if (eventId._tag === "None") return yield* notFound
    // A key without anything in it is none.
    const given = request.headers["idempotency-key"]?.trim() ?? ""
    const key = given === "" ? makeUuidV7(yield* Clock.currentTimeMillis) : hexOf(`${customer.id}\n${given}`)
    const asked = {
      key: `compat:booking:${key}`,
      fingerprint: fingerprintOf([customer.id, eventId.value, quantity])
    }
    const bought = Effect.gen(function* () {
      // The inventory forgets what it has held for a key; an order is never forgotten.
      const before = given === "" ? null : yield* purchase.again(asked)
      if (before !== null) return before
      const holdId = yield* holdOf(eventId.value, quantity, key, customer)
      return yield* purchase.request(holdId, customer, asked).pipe(
        // Nobody can pay for it in another way.
        Effect.tapError(({ _tag }) =>
          _tag === "CompatDeclined" || _tag === "CompatTooMany"
            ? Effect.ignore(holds.release(holdId))
            : Effect.void
        )
      )
    })
    return yield* bought.pipe(
      Effect.map((order) => CompatAnswer.json(201, render(order, quantity, "confirmed"), headers)),
      Effect.catchTags({
        CompatDeclined: ({ code }) =>
          Effect.fail(CompatAnswer.refused(402, code ?? "declined", "The payment was declined")),
        // Whoever asked again would book twice.
        CompatPending: ({ order }) =>
          Effect.succeed(CompatAnswer.json(202, render(order, quantity, "payment_pending"), headers)),
        CompatNotBuyable: ({ why }) => Effect.fail(soldOut(why)),
        CompatTooMany: ({ limit }) =>
          Effect.fail(
            CompatAnswer.refused(422, "customer limit", `More tickets than allowed: the limit is ${limit}`)
          )
      })
    )
  })

  return Effect.fn("Bookings.book")(function* (request: HttpServerRequest.HttpServerRequest) {
    const customer = yield* Effect.mapError(tokens.from(request.headers["authorization"]), () => unauthorized)
    if (customer === null) return yield* unauthorized
    const { headers, isRefused } = yield* take(customer.id)
    if (isRefused) {
      return yield* CompatAnswer.refused(429, "rate limit", "Too many requests; try again later", headers)
    }
    return yield* book(request, customer, headers).pipe(
      Effect.mapError(({ error, headers: more, message, status }) =>
        CompatAnswer.refused(status, error, message, { ...headers, ...more })
      )
    )
  })
})
