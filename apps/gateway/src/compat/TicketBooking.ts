/** Contract B: a ticket is reserved for a user for 15 minutes, then confirmed and paid. */
import { TicketConfirmation, TicketReservation } from "@onsale/contracts/http/CompatApi"
import { Effect } from "effect"
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

export const make = (
  seats: SeatClaims,
  purchase: Purchase,
  users: Effect.Success<typeof CompatUser.make>
) => ({
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
      Effect.catch((error) => Effect.fail(error._tag === "CompatRefused" ? error : notAvailable(error.title)))
    )
  }),

  confirm: Effect.fn("TicketBooking.confirm")(function* (request: HttpServerRequest.HttpServerRequest) {
    const { payment_method_uuid, ticket_uuid, user_uuid } = yield* confirmationOf(request)
    const seat = seatOf(ticket_uuid)
    if (seat === undefined) return yield* notReserved("there is no such ticket")
    const user = users.named(user_uuid)
    const own = yield* seats.ownHold(seat, user)
    if (own === null) {
      const owner = yield* seats.ownerOf(seat, user)
      if (owner === "user") return CompatAnswer.done
      // Sold, and nobody has the ticket yet: it may well be this user's own request that is not done.
      if (owner === null && (yield* seats.look(seat))?.isSold === true) {
        return yield* CompatAnswer.later("the ticket is being sold")
      }
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
          Effect.flatMap(seats.ownerOf(seat, user), (owner) =>
            owner === "user" ? Effect.void : Effect.fail(notReserved(why))
          )
      })
    )
    return CompatAnswer.done
  })
})
