/**
 * The contracts of three older systems, whose clients work here with another base URL: `/compat`. Their bodies and their
 * errors are theirs, not ours.
 */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { AreaId, EventId, OrderId, SeatId, TicketId } from "../Ids.ts"
import { Money } from "../Money.ts"

/** Of any version; ids of ours are UUIDs, too. */
export const AnyUuid = Schema.String.check(Schema.isGUID())

export const CompatError = Schema.Struct({ error: Schema.String, message: Schema.String })

const failure = (status: number) => CompatError.pipe(HttpApiSchema.status(status))
const described = (summary: string, description: string) => OpenApi.annotations({ summary, description })

// --- A. Seat lock -------------------------------------------------------------------------------

export const SeatLock = Schema.Struct({ seatId: AnyUuid, userId: AnyUuid })

export const LockedSeat = Schema.Struct({
  seatId: SeatId,
  userId: Schema.String,
  status: Schema.Literal("locked"),
  /** Of the event's availability, as of the lock. */
  version: Schema.Int
})

// --- B. Events, two-phase booking, search -------------------------------------------------------

export const ManagedEvent = Schema.Struct({
  uuid: EventId,
  name: Schema.String,
  description: Schema.String,
  /** A UTC instant. */
  date: Schema.String,
  venue: Schema.Struct({
    uuid: Schema.String,
    location: Schema.String,
    /** By label: true for a seat that the event sells. */
    seat_map: Schema.Record(Schema.String, Schema.Boolean)
  }),
  performers: Schema.Array(
    Schema.Struct({
      uuid: Schema.String,
      name: Schema.String,
      /** 0: ages are not kept. */
      age: Schema.Int,
      description: Schema.String
    })
  ),
  tickets: Schema.Array(
    Schema.Struct({
      uuid: SeatId,
      /** Minor units. */
      price: Schema.Int,
      seat: Schema.String,
      status: Schema.Literals(["available", "reserved", "booked"])
    })
  )
})
export type ManagedEvent = typeof ManagedEvent.Type

export const TicketReservation = Schema.Struct({ ticket_uuid: AnyUuid, user_uuid: AnyUuid })
export const TicketConfirmation = Schema.Struct({
  ...TicketReservation.fields,
  payment_method_uuid: AnyUuid
})

export const FoundEvents = Schema.Struct({
  events: Schema.Array(
    Schema.Struct({
      uuid: EventId,
      name: Schema.String,
      description: Schema.String,
      date: Schema.String,
      location: Schema.String
    })
  ),
  total: Schema.Int,
  page: Schema.Int,
  size: Schema.Int
})
export type FoundEvents = typeof FoundEvents.Type

// --- C. General admission -----------------------------------------------------------------------

export const NewBooking = Schema.Struct({
  event_id: AnyUuid,
  quantity: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1000 }))
})

export const Booking = Schema.Struct({
  id: OrderId,
  event_id: EventId,
  quantity: Schema.Int,
  /** `payment_pending`, with 202: the places are kept, and the tickets follow when it is paid. */
  status: Schema.Literals(["confirmed", "payment_pending"]),
  total: Money,
  tickets: Schema.Array(
    Schema.Struct({ id: TicketId, area_id: Schema.NullOr(AreaId), label: Schema.String, code: Schema.String })
  ),
  created_at: Schema.String
})
export type Booking = typeof Booking.Type

/** A parameter that comes twice is told in the words of these contracts, too. */
const query = Schema.optionalKey(Schema.Union([Schema.String, Schema.Array(Schema.String)]))

export class CompatApi extends HttpApiGroup.make("compat")
  .add(
    HttpApiEndpoint.post("lockSeat", "/api/v1/seats/lock", {
      payload: SeatLock,
      success: LockedSeat,
      error: [failure(400), failure(404), failure(409), failure(422), failure(503)]
    }).annotateMerge(
      described(
        "Lock a seat",
        "Gives the seat to the user at once and for good, paid on account; the tickets' PDF and the e-mail follow. Once more by the same user changes nothing. 409 where somebody else was faster, 422 where the seat is not available."
      )
    ),
    HttpApiEndpoint.get("managedEvent", "/api/v1/management/events/:uuid", {
      params: { uuid: Schema.String },
      success: ManagedEvent,
      error: failure(404)
    }),
    HttpApiEndpoint.post("reserveTicket", "/api/v1/booking/tickets/reserve", {
      payload: TicketReservation,
      success: HttpApiSchema.Empty(200),
      error: [failure(400), failure(409), failure(503)]
    }).annotateMerge(
      described(
        "Reserve a ticket",
        "Holds the seat for the user for 15 minutes. Once more by the same user changes nothing, and gains no time."
      )
    ),
    HttpApiEndpoint.post("confirmTicket", "/api/v1/booking/tickets/confirm", {
      payload: TicketConfirmation,
      success: HttpApiSchema.Empty(200),
      error: [failure(400), failure(409), failure(503)]
    }).annotateMerge(
      described(
        "Pay for a reserved ticket",
        "Charges the payment method and sells the seat to the user. Once more changes nothing. A method that is declined is a 400, and the reservation stays for another one."
      )
    ),
    HttpApiEndpoint.get("searchEvents", "/api/v1/search/events", {
      query: { q: query, page: query, size: query },
      success: FoundEvents,
      error: [failure(400), failure(503)]
    }),
    HttpApiEndpoint.post("book", "/api/bookings", {
      payload: NewBooking,
      success: [Booking.pipe(HttpApiSchema.status(201)), Booking.pipe(HttpApiSchema.status(202))],
      error: [
        failure(401),
        failure(402),
        failure(404),
        failure(409),
        failure(422),
        failure(429),
        failure(503)
      ]
    }).annotateMerge(
      described(
        "Book general admission",
        "Needs a customer's bearer token. Sells so many places of the first area that has them, paid on account. An Idempotency-Key is honoured. 422 for more than the customer may have, and for what is no booking; 429 after 10 requests a minute by one customer."
      )
    )
  )
  .prefix("/compat") {}
