/** Contract A: a seat is locked for a user, which sells it on account; the tickets follow by mail. */
import { SeatLock } from "@onsale/contracts/http/CompatApi"
import { Effect } from "effect"
import type { HttpServerRequest } from "effect/http"
import * as CompatAnswer from "./CompatAnswer.ts"
import type * as CompatUser from "./CompatUser.ts"
import type { Purchase } from "./Purchase.ts"
import { type Seat, type SeatClaims, seatOf } from "./SeatClaims.ts"

const bodyOf = CompatAnswer.bodyOf(SeatLock, (error) =>
  CompatAnswer.refused(400, error, "Invalid request payload")
)
const noSuchSeat = CompatAnswer.refused(404, "not found", "There is no such seat")
const lostRace = CompatAnswer.refused(409, "conflict", "Somebody else was faster; try again")
const notAvailable = (why: string) => CompatAnswer.refused(422, why, "The seat is not available")

export const make = (
  seats: SeatClaims,
  purchase: Purchase,
  users: Effect.Success<typeof CompatUser.make>
) => {
  const locked = ({ id }: Seat, userId: string, version: number) =>
    CompatAnswer.json(200, { seatId: id, userId, status: "locked", version })

  return Effect.fn("SeatLocks.lock")(function* (request: HttpServerRequest.HttpServerRequest) {
    const { seatId, userId } = yield* bodyOf(request)
    const seat = seatOf(seatId)
    if (seat === undefined) return yield* noSuchSeat
    const before = yield* seats.look(seat)
    if (before === null) return yield* noSuchSeat
    const user = users.named(userId)
    // What a first request, which died, has left.
    const own = before.isFree ? null : yield* seats.ownHold(seat, user)
    if (!before.isFree && own === null) {
      const owner = yield* seats.ownerOf(seat, user)
      if (owner === "user") return locked(seat, userId, before.version)
      // Sold, and nobody has the ticket yet: it may well be this user's own request that is not done.
      return yield* owner === null && before.isSold ? lostRace : notAvailable("taken")
    }
    const hold =
      own === null
        ? yield* seats.hold(seat, user).pipe(
            Effect.catchTags({
              SeatsTaken: () => Effect.fail(lostRace),
              KeyInUse: () => Effect.fail(lostRace),
              SeatsUnknown: () => Effect.fail(noSuchSeat),
              EventNotFound: () => Effect.fail(noSuchSeat),
              Overloaded: (error) => Effect.fail(CompatAnswer.overloaded(error))
            }),
            Effect.catch((error) =>
              Effect.fail(error._tag === "CompatRefused" ? error : notAvailable(error.title))
            )
          )
        : { id: own, version: before.version }
    yield* purchase.hold(hold.id, user, null).pipe(
      // Nobody can pay for it in another way.
      Effect.tapError(({ _tag }) =>
        _tag === "CompatDeclined" || _tag === "CompatTooMany" ? seats.release(hold.id) : Effect.void
      ),
      Effect.catchTags({
        CompatDeclined: ({ code }) => Effect.fail(notAvailable(`not paid: ${code ?? "declined"}`)),
        // It is locked, and the rest follows.
        CompatPending: () => Effect.void,
        CompatNotBuyable: ({ why }) => Effect.fail(notAvailable(why)),
        CompatTooMany: ({ limit }) => Effect.fail(notAvailable(`the limit is ${limit}`))
      })
    )
    return locked(seat, userId, hold.version)
  })
}
