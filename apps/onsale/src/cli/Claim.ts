/** Which seats and places a hold is to have, on the command line. */
import { AreaId, type EventId, SeatId } from "@onsale/contracts/Ids"
import type { Hold, NewHold } from "@onsale/contracts/http/HoldsApi"
import { makeUuidV7 } from "@onsale/contracts/Ids"
import { Clock, Effect, Option, Result, Schema } from "effect"
import { Flag } from "effect/cli"
import type { Connection } from "./Connection.ts"
import { usage } from "./Failure.ts"
import { money, table } from "./Output.ts"

export const flags = {
  best: Flag.Int("best").pipe(
    Flag.withDescription("The best N seats there are, together"),
    Flag.withMetavar("N"),
    Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 10_000 }))),
    Flag.optional
  ),
  tier: Flag.String("tier").pipe(
    Flag.withDescription("With --best: only of this tier, by id or name"),
    Flag.withMetavar("TIER"),
    Flag.optional
  ),
  section: Flag.String("section").pipe(
    Flag.withDescription("With --best: only in this section, by id or name"),
    Flag.withMetavar("SECTION"),
    Flag.optional
  ),
  accessible: Flag.Boolean("accessible").pipe(
    Flag.withDescription("With --best: accessible seats"),
    Flag.withDefault(false),
    Flag.withoutNegation
  ),
  seats: Flag.String("seats").pipe(
    Flag.withDescription("These seats, by id, with commas between them"),
    Flag.withMetavar("ID,ID"),
    Flag.atMost(1000)
  ),
  areas: Flag.String("area").pipe(
    Flag.withDescription("N places of an area, by its id; once for each area"),
    Flag.withMetavar("ID=N"),
    Flag.atMost(1000)
  )
}

interface Input {
  readonly best: Option.Option<number>
  readonly tier: Option.Option<string>
  readonly section: Option.Option<string>
  readonly accessible: boolean
  readonly seats: ReadonlyArray<string>
  readonly areas: ReadonlyArray<string>
}

export const isEmpty = ({ areas, best, seats }: Input): boolean =>
  Option.isNone(best) && seats.length === 0 && areas.length === 0

const decodeSeats = Schema.decodeUnknownResult(Schema.Array(SeatId))
const decodeArea = Schema.decodeUnknownResult(AreaId)

const parseArea = (text: string) => {
  const [, id = "", quantity = ""] = /^(.+)=(\d{1,5})$/.exec(text.trim()) ?? []
  const areaId = decodeArea(id)
  return Result.isSuccess(areaId) && Number(quantity) > 0
    ? Effect.succeed({ areaId: areaId.success, quantity: Number(quantity) })
    : Effect.fail(
        usage(
          `--area "${text}" cannot be read`,
          "Expected the id of an area and how many places, such as ID=2"
        )
      )
}

/** The request for a hold, or what is wrong with the flags. */
export const parse = Effect.fnUntraced(function* (input: Input) {
  if (isEmpty(input))
    return yield* usage(
      "Nothing is asked for",
      "Say what to hold with --best N, --seats ID,ID or --area ID=N"
    )
  if (
    Option.isNone(input.best) &&
    (Option.isSome(input.tier) || Option.isSome(input.section) || input.accessible)
  ) {
    return yield* usage("--tier, --section and --accessible go with --best N")
  }
  const seats = decodeSeats(
    input.seats
      .flatMap((text) => text.split(","))
      .map((id) => id.trim())
      .filter((id) => id !== "")
  )
  if (Result.isFailure(seats)) {
    return yield* usage(
      "--seats has what is no id of a seat",
      seats.failure.message.replaceAll(/\s*\n\s*/g, " ")
    )
  }
  const areas = yield* Effect.forEach(input.areas, parseArea)
  const request: NewHold = {
    ...(seats.success.length > 0 ? { seats: [...new Set(seats.success)] } : {}),
    ...(areas.length > 0 ? { areas } : {}),
    ...(Option.isSome(input.best)
      ? {
          bestAvailable: {
            quantity: input.best.value,
            ...(Option.isSome(input.tier) ? { tier: input.tier.value } : {}),
            ...(Option.isSome(input.section) ? { section: input.section.value } : {}),
            ...(input.accessible ? { accessible: true } : {})
          }
        }
      : {})
  }
  return request
})

/** A key for one request: whoever runs the command again asks anew. */
export const idempotencyKey = Effect.map(Clock.currentTimeMillis, makeUuidV7)

/** Takes the hold. */
export const hold = Effect.fnUntraced(function* (onsale: Connection, eventId: EventId, request: NewHold) {
  const key = yield* idempotencyKey
  return yield* onsale.call((api) =>
    api.holds.create({ params: { eventId }, headers: { "idempotency-key": key }, payload: request })
  )
})

export const lines = (hold: Hold): ReadonlyArray<string> => [
  `Hold      ${hold.id}`,
  `Until     ${hold.expiresAt}`,
  `Total     ${money(hold.total)}`,
  "",
  ...table(
    ["PLACE", "PRICE", "ID"],
    [
      ...hold.seats.map(({ label, price, seatId }) => [label, money(price), seatId]),
      ...hold.areas.map(({ areaId, name, price, quantity }) => [
        `${name} × ${quantity}`,
        money(price),
        areaId
      ])
    ]
  )
]
