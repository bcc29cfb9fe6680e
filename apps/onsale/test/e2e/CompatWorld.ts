/** A service with what the older contracts' clients come for, and how they ask. */
import { assert } from "@effect/vitest"
import type { NewEvent } from "@onsale/contracts/catalog/Event"
import { CompatError } from "@onsale/contracts/http/CompatApi"
import { CustomerId, type SeatId } from "@onsale/contracts/Ids"
import * as TokenKeys from "@onsale/gateway/TokenKeys"
import { Clock, Effect, Redacted, Schema } from "effect"
import { randomUUID } from "node:crypto"
import type { Reply } from "./HttpCall.ts"
import * as Service from "./Service.ts"
import * as Shop from "./Shop.ts"

const plan = [
  "section,row,seat_from,seat_to,quantity,price",
  "Stalls,A,1,12,,350.00",
  "Standing,,,,4,25.00",
  "Lawn,,,,3,20.00"
].join("\n")

export const declinedMethod = randomUUID()
export const pendingMethod = randomUUID()
export const tokenSecret = "a secret of more than thirty-two characters"
export const newUser = () => randomUUID()

type Options = NonNullable<Parameters<typeof Service.start>[0]>

/** `onAccount` is charged for what no method is named for. */
export const makeWith = Effect.fnUntraced(function* (onAccount: string, options: Options = {}) {
  const service = yield* Service.start({
    ...options,
    env: {
      ONSALE_TOKEN_KEYS: tokenSecret,
      ONSALE_COMPAT_MAIL_DOMAIN: "users.example.org",
      ONSALE_COMPAT_PAYMENT_METHODS: JSON.stringify({
        [declinedMethod]: "tok_declined",
        [pendingMethod]: "tok_late_1",
        "*": onAccount
      }),
      ...options.env
    }
  })
  const shop = Shop.at(service.url)
  const venue = yield* shop.importPlan("csv", plan)

  /** An event with twelve seats, of which none is taken. */
  const open = Effect.fnUntraced(function* (more: Partial<typeof NewEvent.Encoded> = {}) {
    const event = yield* shop.openEvent(venue, { tiers: [], currency: "EUR", ...more })
    const map = yield* shop.seatMap(event.id)
    return {
      event,
      map,
      seats: map.sections.flatMap(({ rows }) => rows.flatMap((row) => row.seats.map(({ id }) => id)))
    }
  })

  const post = (path: string, body: unknown, headers: Readonly<Record<string, string>> = {}) =>
    shop.send({ path: `/compat${path}`, body, headers })

  return {
    service,
    shop,
    open,
    get: (path: string) => shop.send({ path: `/compat${path}` }),
    post,
    lock: (seatId: unknown, userId: unknown, headers: Readonly<Record<string, string>> = {}) =>
      post("/api/v1/seats/lock", { seatId, userId }, headers),
    reserve: (ticket_uuid: unknown, user_uuid: unknown) =>
      post("/api/v1/booking/tickets/reserve", { ticket_uuid, user_uuid }),
    confirm: (ticket_uuid: unknown, user_uuid: unknown, payment_method_uuid: unknown = randomUUID()) =>
      post("/api/v1/booking/tickets/confirm", { ticket_uuid, user_uuid, payment_method_uuid }),
    book: (token: string | null, body: unknown, headers: Readonly<Record<string, string>> = {}) =>
      post(
        "/api/bookings",
        body,
        token === null ? headers : { authorization: `Bearer ${token}`, ...headers }
      ),
    token: Effect.fnUntraced(function* (customer: string, email?: string) {
      const nowMs = yield* Clock.currentTimeMillis
      const keys = yield* TokenKeys.parse(Redacted.make(tokenSecret))
      const subject = { id: CustomerId.make(customer), ...(email === undefined ? {} : { email }) }
      return yield* TokenKeys.sign(keys, subject, { nowMs, expiresAtMs: nowMs + 600_000 })
    }),
    tokenByCommand: (customer: string, ...flags: ReadonlyArray<string>) =>
      Service.run(service, ["token", "--customer", customer, ...flags], { ONSALE_TOKEN_KEYS: tokenSecret })
  }
})
export const make = makeWith("tok_ok")
export type World = Effect.Success<typeof make>

/** An id of the event's form that no seat has. */
export const seatBeyond = (seat: SeatId): string => `${seat.slice(0, 30)}0fffff`

/** The answer is that error, in that form. */
export const isError = (reply: Reply, status: number, message: string | RegExp) => {
  assert.strictEqual(reply.status, status, reply.text)
  assert.match(String(reply.headers["content-type"]), /^application\/json/)
  const body = Schema.decodeUnknownSync(CompatError)(reply.json)
  assert.deepStrictEqual(Object.keys(reply.json as object).sort(), ["error", "message"])
  assert.isNotEmpty(body.error)
  if (typeof message === "string") assert.strictEqual(body.message, message)
  else assert.match(body.message, message)
}

/** 200 without a body. */
export const isDone = (reply: Reply) => {
  assert.strictEqual(reply.status, 200, reply.text)
  assert.strictEqual(reply.text, "")
  assert.strictEqual(reply.headers["content-length"], "0")
}
