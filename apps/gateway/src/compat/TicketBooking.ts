/** Contract B: a ticket is reserved for a user for 15 minutes, then confirmed and paid. */
import { TicketConfirmation, TicketReservation } from "@onsale/contracts/http/CompatApi"
import { Effect, Schedule, Schema } from "effect"
import type { HttpServerRequest } from "effect/http"
import * as CompatAnswer from "./CompatAnswer.ts"
import type * as CompatUser from "./CompatUser.ts"
import type { Purchase } from "./Purchase.ts"
import { type SeatClaims, seatOf } from "./SeatClaims.ts"

const invalid = (error: string) => CompatAnswer.refused(400, error, "Invalid request payload")
const notAvailable = (why: string) =>
  CompatAnswer.refused(409, why, "Ticket is not available for reservation")
const notReserved = (why: string) => CompatAnswer.refused(409, why, "Ticket is not reserved for this user")

const reservationOf = CompatAnswer.bodyOf(TicketReservation, invalid)
const confirmationOf = CompatAnswer.bodyOf(TicketConfirmation, invalid)

/** A sale is followed by its ticket within milliseconds; an order that a crash has left is resumed later than this. */
const ticketPatience = { schedule: Schedule.spaced("100 millis"), times: 50 }

/** Sold, and nobody has the ticket yet. */
class BeingSold extends Schema.TaggedError<BeingSold>()("BeingSold", {}) {}

export const make = (
  seats: SeatClaims,
  purchase: Purchase,
  users: Effect.Success<typeof CompatUser.make>
) => {
  /**
   * Whose it is; null where it is nobody's. A ticket that is being sold may well be this user's own, by the same
   * request a moment ago: the repeat waits for its outcome, as older clients know of no other answer.
   */
  const ownerOf = (seat: Parameters<typeof seats.ownerOf>[0], user: Parameters<typeof seats.ownerOf>[1]) =>
    Effect.gen(function* () {
      const owner = yield* seats.ownerOf(seat, user)
      return owner === null && (yield* seats.look(seat))?.isSold === true ? yield* new BeingSold() : owner
    }).pipe(
      Effect.retry({ ...ticketPatience, while: (error) => Schema.is(BeingSold)(error) }),
      Effect.catchTag("BeingSold", () => Effect.fail(CompatAnswer.later("the ticket is being sold")))
    )

  return {
    reserve: Effect.fn("TicketBooking.reserve")(function* (request: HttpServerRequest.HttpServerRequest) {
      const { ticket_uuid, user_uuid } = yield* reservationOf(request)
      const seat = seatOf(ticket_uuid)
      if (seat === undefined) return yield* notAvailable("there is no such ticket")
      const user = users.named(user_uuid)
      return yield* seats.hold(seat, user).pipe(
        Effect.as(CompatAnswer.done),
        Effect.catchTags({
          SeatsTaken: () =>
            Effect.flatMap(seats.ownHold(seat, user), (own) =>
              own === null ? Effect.fail(notAvailable("taken")) : Effect.succeed(CompatAnswer.done)
            ),
          Overloaded: (error) => Effect.fail(CompatAnswer.overloaded(error))
        }),
        Effect.catch((error) =>
          Effect.fail(error._tag === "CompatRefused" ? error : notAvailable(error.title))
        )
      )
    }),

    confirm: Effect.fn("TicketBooking.confirm")(function* (request: HttpServerRequest.HttpServerRequest) {
      const { payment_method_uuid, ticket_uuid, user_uuid } = yield* confirmationOf(request)
      const seat = seatOf(ticket_uuid)
      if (seat === undefined) return yield* notReserved("there is no such ticket")
      const user = users.named(user_uuid)
      const own = yield* seats.ownHold(seat, user)
      if (own === null) {
        if ((yield* ownerOf(seat, user)) === "user") return CompatAnswer.done
        return yield* notReserved("no reservation")
      }
      yield* purchase.hold(own, user, payment_method_uuid).pipe(
        Effect.catchTags({
          CompatDeclined: ({ code }) =>
            Effect.fail(invalid(`the payment was declined: ${code ?? "no reason given"}`)),
          // The same request again waits for the same payment.
          CompatPending: () => Effect.fail(CompatAnswer.later("the payment is pending")),
          CompatTooMany: ({ limit }) => Effect.fail(notReserved(`the limit is ${limit}`)),
          // A second request like the first may have come between.
          CompatNotBuyable: ({ why }) =>
            Effect.flatMap(ownerOf(seat, user), (owner) =>
              owner === "user" ? Effect.void : Effect.fail(notReserved(why))
            )
        })
      )
      return CompatAnswer.done
    })
  }
}
