/** Which seats and places a hold is to have, on the command line. */
import { AreaId, type EventId, HoldId, makeUuidV7, SeatId } from "@onsale/contracts/Ids"
import type { Hold, NewHold } from "@onsale/contracts/http/HoldsApi"
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
    Flag.withDescription(
      "With --best: one of them accessible, the others beside it. With --seats: the accessible ones are needed as such"
    ),
    Flag.withDefault(false),
    Flag.withoutNegation
  ),
  accessibleCount: Flag.Int("accessible-count").pipe(
    Flag.withDescription("With --best: so many of them accessible"),
    Flag.withMetavar("N"),
    Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 10_000 }))),
    Flag.optional
  ),
  voucher: Flag.String("voucher").pipe(
    Flag.withDescription("The code of a voucher, for what is sold with one only"),
    Flag.withMetavar("CODE"),
    Flag.withSchema(Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(64))),
    Flag.optional
  ),
  replaces: Flag.String("replaces").pipe(
    Flag.withDescription("A hold that ends with this one: its seats and places count as free for it"),
    Flag.withMetavar("HOLD_ID"),
    Flag.withSchema(HoldId),
    Flag.optional
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
  readonly accessibleCount: Option.Option<number>
  readonly voucher: Option.Option<string>
  readonly replaces: Option.Option<HoldId>
  readonly seats: ReadonlyArray<string>
  readonly areas: ReadonlyArray<string>
}

export const isEmpty = ({ areas, best, seats }: Input): boolean =>
  Option.isNone(best) && seats.length === 0 && areas.length === 0

/** True where anything is said that only a new hold could follow. */
export const isSaid = (input: Input): boolean =>
  !isEmpty(input) || Option.isSome(input.voucher) || Option.isSome(input.replaces)

const decodeSeats = Schema.decodeUnknownResult(Schema.Array(SeatId))
const decodeArea = Schema.decodeUnknownResult(AreaId)

/** Seats by their ids, each once, or what is wrong with them. */
export const parseSeats = (texts: ReadonlyArray<string>) => {
  const seats = decodeSeats(listed(texts))
  return Result.isSuccess(seats)
    ? Effect.succeed([...new Set(seats.success)])
    : Effect.fail(
        usage("--seats has what is no id of a seat", seats.failure.message.replaceAll(/\s*\n\s*/g, " "))
      )
}

/** What stands between commas. */
export const listed = (texts: ReadonlyArray<string>): ReadonlyArray<string> =>
  texts
    .flatMap((text) => text.split(","))
    .map((id) => id.trim())
    .filter((id) => id !== "")

/** `ID=N`: so many places of an area. */
export const parseArea = (text: string) => {
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
    (Option.isSome(input.tier) || Option.isSome(input.section) || Option.isSome(input.accessibleCount))
  ) {
    return yield* usage("--tier, --section and --accessible-count go with --best N")
  }
  const seats = yield* parseSeats(input.seats)
  const areas = yield* Effect.forEach(input.areas, parseArea)
  const request: NewHold = {
    ...(seats.length > 0 ? { seats } : {}),
    ...(areas.length > 0 ? { areas } : {}),
    ...(Option.isSome(input.best)
      ? {
          bestAvailable: {
            quantity: input.best.value,
            ...(Option.isSome(input.tier) ? { tier: input.tier.value } : {}),
            ...(Option.isSome(input.section) ? { section: input.section.value } : {}),
            ...(Option.isSome(input.accessibleCount)
              ? { accessible: input.accessibleCount.value }
              : input.accessible
                ? { accessible: true }
                : {})
          }
        }
      : {}),
    ...(input.accessible && seats.length > 0 ? { accessible: true } : {}),
    ...(Option.isSome(input.voucher) ? { voucher: input.voucher.value } : {}),
    ...(Option.isSome(input.replaces) ? { replaces: input.replaces.value } : {})
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
