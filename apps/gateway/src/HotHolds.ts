/**
 * The lean path of the hottest route, POST /events/{eventId}/holds, in front of the typed one.
 *
 * It takes the form that nearly every client sends (seats or areas by id, an Idempotency-Key, a short
 * body) and answers grants and the commonest refusal itself. Whatever is not exactly so it leaves
 * untouched to the typed route, which has the schema and the errors: what is accepted, and what is
 * answered, is the same on both (`test/HotHolds.test.ts` holds them to it).
 */
import { Catalog } from "@onsale/catalog/Catalog"
import { maxKeyLength } from "@onsale/contracts/http/Common"
import { maxQuantity } from "@onsale/contracts/http/HoldsApi"
import { areaId, EventId, indexIn, seatId } from "@onsale/contracts/Ids"
import type {
  HeldSeat,
  HoldView,
  InventoryAnswer,
  Refused
} from "@onsale/contracts/inventory/InventoryCommand"
import { Clock, Effect, Exit, Schema } from "effect"
import { HttpServerRequest, HttpServerRespondable, HttpServerResponse, ProblemDetails } from "effect/http"
import { answerHeaders, correlationOf } from "./Correlation.ts"
import * as FailedRequest from "./FailedRequest.ts"
import { type Claims, HoldDesk } from "./HoldDesk.ts"
import { holdRefused } from "./InventoryProblems.ts"

const path =
  /^\/api\/v1\/events\/([0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})\/holds$/
/** A hundred seats; a longer body is not worth a shortcut. */
const maxBody = 8 * 1024
/** Events whose numbers are kept; they never change. */
const maxEvents = 10_000

const isEventId = Schema.is(EventId)

/** The claims of a body of the common form; undefined for any other. */
export const claimsOf = (eventId: EventId, body: string): Claims | undefined => {
  let parsed: unknown
  try {
    parsed = JSON.parse(body)
  } catch {
    return undefined
  }
  if (typeof parsed !== "object" || parsed === null) return undefined
  const seats: Array<number> = []
  const areas: Array<{ readonly area: number; readonly quantity: number }> = []
  for (const [name, value] of Object.entries(parsed)) {
    if (!Array.isArray(value)) return undefined
    if (name === "seats") {
      for (const id of value) {
        const seat = typeof id === "string" ? indexIn(eventId, "seat", id) : -1
        if (seat === -1 || seats.includes(seat)) return undefined
        seats.push(seat)
      }
    } else if (name === "areas") {
      for (const claim of value) {
        if (typeof claim !== "object" || claim === null || Object.keys(claim).length !== 2) return undefined
        const { areaId, quantity } = claim as { readonly areaId?: unknown; readonly quantity?: unknown }
        const area = typeof areaId === "string" ? indexIn(eventId, "area", areaId) : -1
        if (area === -1 || areas.some((other) => other.area === area)) return undefined
        if (
          !(
            typeof quantity === "number" &&
            Number.isInteger(quantity) &&
            quantity >= 1 &&
            quantity <= maxQuantity
          )
        ) {
          return undefined
        }
        areas.push({ area, quantity })
      }
    } else {
      return undefined
    }
  }
  return seats.length + areas.length === 0 ? undefined : { seats, areas, best: null }
}

// What is said of a seat does not change while its event has the same tiers.
const fragments = new WeakMap<HeldSeat, string>()

const seatFragment = (eventId: EventId, held: HeldSeat, currency: string): string => {
  const known = fragments.get(held)
  if (known !== undefined) return known
  const { label, price, seat, tier } = held
  const made = JSON.stringify({
    seatId: seatId(eventId, seat),
    label,
    tier,
    price: { amount: price, currency }
  })
  fragments.set(held, made)
  return made
}

/** The body of a granted hold. */
export const holdJson = (eventId: EventId, hold: HoldView): string => {
  let seats = ""
  for (const held of hold.seats) {
    seats +=
      seats === ""
        ? seatFragment(eventId, held, hold.currency)
        : `,${seatFragment(eventId, held, hold.currency)}`
  }
  const areas =
    hold.areas.length === 0
      ? "[]"
      : JSON.stringify(
          hold.areas.map(({ area, name, price, quantity, tier }) => ({
            areaId: areaId(eventId, area),
            name,
            quantity,
            tier,
            price: { amount: price, currency: hold.currency }
          }))
        )
  return `{"id":"${hold.holdId}","eventId":"${eventId}","seats":[${seats}],"areas":${areas},"total":{"amount":${hold.amount},"currency":"${hold.currency}"},"expiresAt":"${new Date(hold.expiresAtMs).toISOString()}","version":${hold.version}}`
}

/** The body of the refusal of seats or areas that somebody else has. */
export const takenJson = (eventId: EventId, refused: Refused): string =>
  JSON.stringify({
    seats: refused.seats.map((seat) => ({ seatId: seatId(eventId, seat) })),
    areas: refused.areas.map((area) => ({ areaId: areaId(eventId, area) })),
    type: "urn:onsale:problem:seats-taken",
    status: 409,
    title: "Somebody else has these seats"
  })

const created = { status: 201, contentType: "application/json" }
const conflict = { status: 409, contentType: ProblemDetails.contentType }

const tooMuch = (retryAfterSeconds: number) =>
  HttpServerResponse.setHeader(
    ProblemDetails.toResponse({
      type: "urn:onsale:problem:overloaded",
      status: 503,
      title: "Too much at once; try again shortly"
    }),
    "retry-after",
    String(retryAfterSeconds)
  )

const respond = (eventId: EventId, answer: InventoryAnswer) => {
  switch (answer._tag) {
    case "Held":
      return Effect.succeed(HttpServerResponse.text(holdJson(eventId, answer.hold), created))
    case "Refused":
      return answer.code === "seats_taken" && answer.seats.length + answer.areas.length > 0
        ? Effect.succeed(HttpServerResponse.text(takenJson(eventId, answer), conflict))
        : Effect.flatMap(Effect.flip(holdRefused(eventId, answer)), (problem) =>
            Effect.orDie(HttpServerRespondable.toResponse(problem))
          )
    default:
      return Effect.die(new Error(`a hold was answered with ${answer._tag}`))
  }
}

/** For the typed route. */
const leave = Effect.succeed(undefined)

/** Puts the lean path in front of an application, whose failures are its own. */
export const make = Effect.gen(function* () {
  const catalog = yield* Catalog
  const desk = yield* HoldDesk
  const clock = yield* Clock.Clock
  const numbers = new Map<EventId, number>()

  return <E, R>(
    app: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>
  ): Effect.Effect<HttpServerResponse.HttpServerResponse, E, R | HttpServerRequest.HttpServerRequest> =>
    Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) => {
      if (request.method !== "POST") return app
      const found = path.exec(request.url)
      if (found === null) return app
      const eventId = found[1]!
      const { headers } = request
      const key = headers["idempotency-key"]
      const length = Number(headers["content-length"])
      const type = headers["content-type"]
      if (
        key === undefined ||
        key.length === 0 ||
        key.length > maxKeyLength ||
        !(length <= maxBody) ||
        !(type === undefined || type === "application/json") ||
        !isEventId(eventId)
      ) {
        return app
      }
      const number = numbers.get(eventId)
      if (number === undefined) {
        // The first request of an event goes the typed way, the next ones know its number.
        return Effect.flatMap(Effect.exit(catalog.eventNumber(eventId)), (exit) => {
          if (Exit.isSuccess(exit) && numbers.size < maxEvents) numbers.set(eventId, exit.value)
          return app
        })
      }
      const lean = Effect.matchEffect(request.text, {
        onFailure: () => leave,
        onSuccess: (body) => {
          const claims = claimsOf(eventId, body)
          if (claims === undefined) return leave
          return Effect.matchEffect(desk.hold({ id: eventId, number }, key, claims), {
            onFailure: (error) =>
              error._tag === "Overloaded"
                ? Effect.succeed(tooMuch(error.retryAfterSeconds))
                : Effect.orDie(HttpServerRespondable.toResponse(error)),
            onSuccess: (answer) => respond(eventId, answer)
          })
        }
      })
      const named = (response: HttpServerResponse.HttpServerResponse, correlation: string) =>
        HttpServerResponse.setHeaders(response, answerHeaders(headers, correlation))
      return Effect.matchCauseEffect(lean, {
        onFailure: (cause) => {
          const correlation = correlationOf(headers, clock.currentTimeMillisUnsafe())
          return FailedRequest.render(cause, request).pipe(
            Effect.annotateLogs("correlationId", correlation),
            Effect.map((response) => named(response, correlation))
          )
        },
        onSuccess: (response) =>
          response === undefined
            ? app
            : Effect.succeed(named(response, correlationOf(headers, clock.currentTimeMillisUnsafe())))
      })
    })
})
