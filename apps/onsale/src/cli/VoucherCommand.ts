/** `onsale voucher`: codes that unlock tiers and house seats. */
import { Instant } from "@onsale/contracts/catalog/Event"
import type { Voucher } from "@onsale/contracts/catalog/Voucher"
import { EventId } from "@onsale/contracts/Ids"
import { voucherText } from "@onsale/contracts/inventory/CustomerText"
import { Effect, Option, Schema } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { listed } from "./Claim.ts"
import { allPages, asOrganiser, type Connection } from "./Connection.ts"
import { refused, usage } from "./Failure.ts"
import { print, table } from "./Output.ts"

const eventId = Argument.String("EVENT_ID").pipe(
  Argument.withDescription("The event's id"),
  Argument.withSchema(EventId)
)

const positive = Schema.Int.check(Schema.isGreaterThan(0))

/** The ids of what is named by id or name. */
const resolve = <Id extends string>(
  flag: string,
  texts: ReadonlyArray<string>,
  known: ReadonlyArray<{ readonly id: Id; readonly name: string }>
) =>
  Effect.forEach(texts, (text) => {
    const found = known.find(({ id, name }) => id === text || name === text)
    return found === undefined
      ? Effect.fail(
          refused(
            `${flag}: the event has no "${text}"`,
            `It has ${known.map(({ name }) => name).join(", ") || "none"}`
          )
        )
      : Effect.succeed(found.id)
  })

const rows = (vouchers: ReadonlyArray<Voucher>): ReadonlyArray<string> =>
  table(
    ["CODE", "TICKETS", "FROM", "UNTIL", "ID"],
    vouchers.map(({ code, from, id, maxTickets, until }) => [code, maxTickets, from ?? "", until ?? "", id])
  )

const add = Command.make(
  "add",
  {
    eventId,
    codes: Flag.String("code").pipe(
      Flag.withDescription("A code of your own, or several with commas between them"),
      Flag.withMetavar("CODE"),
      Flag.atMost(1000)
    ),
    count: Flag.Int("count").pipe(
      Flag.withDescription("So many codes that nobody guesses"),
      Flag.withMetavar("N"),
      Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 5000 }))),
      Flag.optional
    ),
    tiers: Flag.String("tier").pipe(
      Flag.withDescription("A tier that they unlock, by id or name; once for each"),
      Flag.withMetavar("TIER"),
      Flag.atMost(200)
    ),
    blocks: Flag.String("block").pipe(
      Flag.withDescription("A block that they unlock, by id or name; once for each"),
      Flag.withMetavar("BLOCK"),
      Flag.atMost(200)
    ),
    maxTickets: Flag.Int("max-tickets").pipe(
      Flag.withDescription("Tickets with one of them at the most, all orders together"),
      Flag.withMetavar("N"),
      Flag.withSchema(positive)
    ),
    from: Flag.String("from").pipe(
      Flag.withDescription("They count from then on"),
      Flag.withMetavar("INSTANT"),
      Flag.withSchema(Instant),
      Flag.optional
    ),
    until: Flag.String("until").pipe(
      Flag.withDescription("They count before then"),
      Flag.withMetavar("INSTANT"),
      Flag.withSchema(Instant),
      Flag.optional
    )
  },
  Effect.fnUntraced(function* (input) {
    const codes = listed(input.codes)
    if ((codes.length === 0) === Option.isNone(input.count))
      return yield* usage("Give either codes with --code, or how many with --count")
    if (input.tiers.length + input.blocks.length === 0)
      return yield* usage("They would unlock nothing", "Name a tier with --tier, or a block with --block")
    const onsale = yield* asOrganiser
    const params = { eventId: input.eventId }
    const event = yield* onsale.call((api) => api.organiser.event({ params }))
    const tiers = yield* resolve("--tier", input.tiers, event.tiers)
    const known =
      input.blocks.length === 0 ? [] : (yield* onsale.call((api) => api.organiser.blocks({ params }))).blocks
    const blocks = yield* resolve("--block", input.blocks, known)
    const { vouchers } = yield* onsale.call((api) =>
      api.organiser.createVouchers({
        params,
        payload: {
          ...(Option.isSome(input.count) ? { count: input.count.value } : { codes }),
          tiers,
          blocks,
          maxTickets: input.maxTickets,
          ...(Option.isSome(input.from) ? { from: input.from.value } : {}),
          ...(Option.isSome(input.until) ? { until: input.until.value } : {})
        }
      })
    )
    yield* print(vouchers, rows(vouchers))
  })
).pipe(
  Command.withDescription("Make vouchers, which unlock tiers and blocks of an event"),
  Command.withExamples([
    {
      command:
        'onsale voucher add 019a9c3e-5b7c-7d21-9f3a-2b1c4d000000 --count 50 --tier "Members" --max-tickets 2',
      description: "Fifty random codes, for two tickets each"
    },
    {
      command:
        "onsale voucher add 019a9c3e-5b7c-7d21-9f3a-2b1c4d000000 --code ARTISTS --block Artists --max-tickets 20",
      description: "One code of your own for house seats"
    }
  ])
)

const all = (onsale: Connection, eventId: EventId) =>
  allPages(undefined, (cursor) =>
    onsale
      .call((api) => api.organiser.vouchers({ params: { eventId }, query: { limit: 1000, ...cursor } }))
      .pipe(Effect.map(({ nextCursor, vouchers }) => ({ items: vouchers, nextCursor })))
  )

const list = Command.make(
  "list",
  { eventId },
  Effect.fnUntraced(function* ({ eventId }) {
    const onsale = yield* asOrganiser
    const vouchers = yield* all(onsale, eventId)
    yield* print(vouchers, vouchers.length === 0 ? ["The event has no vouchers."] : rows(vouchers))
  })
).pipe(Command.withDescription("List the vouchers of an event, with their codes"), Command.withAlias("ls"))

const remove = Command.make(
  "remove",
  {
    eventId,
    voucher: Argument.String("VOUCHER").pipe(Argument.withDescription("Its id or its code"))
  },
  Effect.fnUntraced(function* ({ eventId, voucher }) {
    const onsale = yield* asOrganiser
    const found = (yield* all(onsale, eventId)).find(
      ({ code, id }) => id === voucher || voucherText(code) === voucherText(voucher)
    )
    if (found === undefined) return yield* refused(`The event has no voucher "${voucher}"`)
    yield* onsale.call((api) => api.organiser.removeVoucher({ params: { eventId, voucherId: found.id } }))
    yield* print(found, [`The voucher ${found.code} unlocks nothing any more.`])
  })
).pipe(
  Command.withDescription("Take a voucher back; what was held with it stays held"),
  Command.withAlias("rm")
)

export const voucher = Command.make("voucher").pipe(
  Command.withDescription("Vouchers of an event: add, list, remove"),
  Command.withSubcommands([add, list, remove])
)
