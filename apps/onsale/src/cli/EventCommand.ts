/** `onsale event`: events and what they cost. */
import { Instant, NewEvent } from "@onsale/contracts/catalog/Event"
import { EventId, VenueId } from "@onsale/contracts/Ids"
import { Currency } from "@onsale/contracts/Money"
import { Effect, FileSystem, Option, Result, Schema } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { cancel, refunds } from "./CancelCommand.ts"
import { allPages, asCustomer, asOrganiser } from "./Connection.ts"
import { change } from "./EventChangeCommand.ts"
import { detailLines, local } from "./EventLines.ts"
import { type CommandFailure, refused, usage } from "./Failure.ts"
import { money, print, table } from "./Output.ts"
import { refundPolicy } from "./RefundCommand.ts"
import * as RuleFlag from "./RuleFlag.ts"
import * as TierFlag from "./TierFlag.ts"

const eventId = Argument.String("EVENT_ID").pipe(
  Argument.withDescription("The event's id"),
  Argument.withSchema(EventId)
)

const flags = {
  venue: Flag.String("venue").pipe(
    Flag.withDescription("Where it is: the venue's id"),
    Flag.withMetavar("ID"),
    Flag.withSchema(VenueId),
    Flag.optional
  ),
  name: Flag.String("name").pipe(
    Flag.withDescription("What it is called"),
    Flag.withMetavar("NAME"),
    Flag.optional
  ),
  startsAt: Flag.String("starts-at").pipe(
    Flag.withDescription("When it starts, such as 2026-12-24T19:30:00+01:00"),
    Flag.withMetavar("INSTANT"),
    Flag.withSchema(Instant),
    Flag.optional
  ),
  tiers: Flag.String("tier").pipe(
    Flag.withDescription(
      `A price level, once for each: ${TierFlag.syntax}, the amount in minor units. Without categories, of the one of its name. Without any tier, one for each price of a CSV plan, in --currency`
    ),
    Flag.withMetavar("TIER"),
    Flag.atMost(200)
  ),
  tierRules: Flag.String("tier-rule").pipe(
    Flag.withDescription(
      `Rules of a tier, once for each: ${RuleFlag.tierRuleSyntax}, where a rule is from=INSTANT, until=INSTANT, min=N or max=N tickets an order, or voucher-only`
    ),
    Flag.withMetavar("RULES"),
    Flag.atMost(200)
  ),
  quotas: Flag.String("quota").pipe(
    Flag.withDescription(`One capacity for several tiers, once for each: ${RuleFlag.quotaSyntax}`),
    Flag.withMetavar("QUOTA"),
    Flag.atMost(50)
  ),
  maxPerCustomer: Flag.Int("max-per-customer").pipe(
    Flag.withDescription("Tickets of one customer at the most, all orders together"),
    Flag.withMetavar("N"),
    Flag.optional
  ),
  maxTickets: Flag.Int("max-tickets").pipe(
    Flag.withDescription("Tickets of the whole event at the most"),
    Flag.withMetavar("N"),
    Flag.optional
  ),
  currency: Flag.String("currency").pipe(
    Flag.withDescription("Of a CSV plan's own prices, such as EUR"),
    Flag.withMetavar("CODE"),
    Flag.withSchema(Currency),
    Flag.optional
  ),
  description: Flag.String("description").pipe(
    Flag.withDescription("What it is"),
    Flag.withMetavar("TEXT"),
    Flag.optional
  ),
  performers: Flag.String("performer").pipe(
    Flag.withDescription("Who performs, once for each"),
    Flag.withMetavar("NAME"),
    Flag.atMost(100)
  ),
  onSaleAt: Flag.String("on-sale-at").pipe(
    Flag.withDescription("When its sale opens; at once when left out"),
    Flag.withMetavar("INSTANT"),
    Flag.withSchema(Instant),
    Flag.optional
  ),
  saleEndsAt: Flag.String("sale-ends-at").pipe(
    Flag.withDescription("When its sale ends; when it starts, where left out"),
    Flag.withMetavar("INSTANT"),
    Flag.withSchema(Instant),
    Flag.optional
  ),
  maxPerOrder: Flag.Int("max-per-order").pipe(
    Flag.withDescription("Tickets in one order at the most; 10 when left out"),
    Flag.withMetavar("N"),
    Flag.optional
  ),
  holdSeconds: Flag.Int("hold-seconds").pipe(
    Flag.withDescription("How long a hold lives; 600 when left out"),
    Flag.withMetavar("N"),
    Flag.optional
  ),
  file: Flag.String("file").pipe(
    Flag.withAlias("f"),
    Flag.withDescription("The event as JSON, as POST /api/v1/organiser/events takes it; flags beside it win"),
    Flag.withMetavar("FILE"),
    Flag.optional
  )
}

const decodeEvent = Schema.decodeUnknownResult(NewEvent)

const readJson = Effect.fnUntraced(function* (file: string) {
  const fs = yield* FileSystem.FileSystem
  const text = yield* Effect.mapError(fs.readFileString(file), ({ message }) =>
    refused(`${file} cannot be read`, message)
  )
  return yield* Effect.try({
    try: (): unknown => JSON.parse(text),
    catch: (error) => refused(`${file} is no JSON`, String(error))
  })
})

const optional = <A>(name: string, value: Option.Option<A>) =>
  Option.isSome(value) ? { [name]: value.value } : {}

/** Each text read, or the first that cannot be. */
const parseAll = <A>(
  flag: string,
  texts: ReadonlyArray<string>,
  parse: (text: string) => Result.Result<A, string>
) =>
  Effect.forEach(texts, (text): Effect.Effect<A, CommandFailure> => {
    const parsed = parse(text)
    return Result.isSuccess(parsed)
      ? Effect.succeed(parsed.success)
      : Effect.fail(usage(`${flag} "${text}" cannot be read`, parsed.failure))
  })

const create = Command.make(
  "create",
  flags,
  Effect.fnUntraced(function* (input) {
    const fromFile: unknown = Option.isSome(input.file) ? yield* readJson(input.file.value) : {}
    if (typeof fromFile !== "object" || fromFile === null)
      return yield* usage("The file must hold a JSON object")
    const given = yield* parseAll("--tier", input.tiers, TierFlag.parse)
    const quotas = yield* parseAll("--quota", input.quotas, RuleFlag.parseQuota)
    const rules = yield* parseAll("--tier-rule", input.tierRules, RuleFlag.parseTierRule)
    const tiers = given.map((tier) =>
      rules.reduce((ruled, { name, rules }) => (name === tier.name ? { ...ruled, ...rules } : ruled), tier)
    )
    const stray = rules.find(({ name }) => !given.some((tier) => tier.name === name))
    if (stray !== undefined) {
      return yield* usage(
        `--tier-rule is for "${stray.name}", and no --tier has this name`,
        "The tiers of a file have their rules there"
      )
    }
    const draft = {
      ...fromFile,
      ...optional("venueId", input.venue),
      ...optional("name", input.name),
      ...optional("startsAt", input.startsAt),
      ...optional("description", input.description),
      ...optional("currency", input.currency),
      ...optional("onSaleAt", input.onSaleAt),
      ...optional("saleEndsAt", input.saleEndsAt),
      ...optional("maxPerOrder", input.maxPerOrder),
      ...optional("maxPerCustomer", input.maxPerCustomer),
      ...optional("maxTickets", input.maxTickets),
      ...optional("holdSeconds", input.holdSeconds),
      ...(quotas.length > 0 ? { quotas } : {}),
      ...(tiers.length > 0 ? { tiers } : {}),
      ...(input.performers.length > 0 ? { performers: input.performers.map((name) => ({ name })) } : {})
    }
    const missing = (["venueId", "name", "startsAt"] as const).filter((field) => !(field in draft))
    if (missing.length > 0) {
      const names = { venueId: "--venue", name: "--name", startsAt: "--starts-at" }
      return yield* usage(
        `An event needs ${missing.map((field) => names[field]).join(", ")}`,
        "Give them as flags or in --file"
      )
    }
    const payload = decodeEvent(draft)
    if (Result.isFailure(payload)) {
      return yield* usage(
        "The event is not as it should be",
        payload.failure.message.replaceAll(/\s*\n\s*/g, " ")
      )
    }
    const onsale = yield* asOrganiser
    const event = yield* onsale.call((api) => api.organiser.createEvent({ payload: payload.success }))
    yield* print(event, [
      ...detailLines(event),
      "",
      `A draft: "onsale event publish ${event.id}" puts it on sale.`
    ])
  })
).pipe(
  Command.withDescription("Make an event, as a draft"),
  Command.withExamples([
    {
      command:
        'onsale event create --venue 019a9c3e-5b7c-7d21-9f3a-2b1c4d5e6f70 --name "Aida" --starts-at 2026-12-24T19:30:00+01:00 --tier "Stalls=8900 EUR:Stalls,Boxes" --tier "Gallery=2500 EUR:Gallery"',
      description: "Two price levels"
    },
    {
      command:
        'onsale event create --venue 019a9c3e-5b7c-7d21-9f3a-2b1c4d5e6f70 --name "Field day" --starts-at 2026-12-24T14:00:00+01:00 --tier "Early bird=1500 EUR:Field" --tier "Regular=2000 EUR:Field" --tier-rule "Early bird: until=2026-11-01T00:00:00+01:00, max=4" --quota "Early=300: Early bird" --max-per-customer 8',
      description: "Two tiers that share the places of a field"
    },
    {
      command: "onsale event create --file event.json --name Premiere",
      description: "From a file, under another name"
    }
  ])
)

const publish = Command.make(
  "publish",
  { eventId },
  Effect.fnUntraced(function* ({ eventId }) {
    const onsale = yield* asOrganiser
    const event = yield* onsale.call((api) => api.organiser.publish({ params: { eventId } }))
    yield* print(event, detailLines(event))
  })
).pipe(
  Command.withDescription("Put a draft on sale, now or when its sale opens"),
  Command.withExamples([
    { command: "onsale event publish 019a9c3e-5b7c-7d21-9f3a-2b1c4d000000", description: "By its id" }
  ])
)

const releaseAccessible = Command.make(
  "release-accessible",
  { eventId },
  Effect.fnUntraced(function* ({ eventId }) {
    const onsale = yield* asOrganiser
    const event = yield* onsale.call((api) => api.organiser.releaseAccessible({ params: { eventId } }))
    yield* print(event, [`The accessible seats of ${event.name} are for everybody now.`])
  })
).pipe(
  Command.withDescription(
    "Give the accessible pool to everybody: accessible and companion seats, which are kept until then for those who need them. It cannot be taken back."
  ),
  Command.withShortDescription("Give the accessible pool to everybody"),
  Command.withExamples([
    {
      command: "onsale event release-accessible 019a9c3e-5b7c-7d21-9f3a-2b1c4d000000",
      description: "Once they who need them have had their time"
    }
  ])
)

const list = Command.make(
  "list",
  {
    limit: Flag.Int("limit").pipe(
      Flag.withDescription("How many at the most; all when left out"),
      Flag.withMetavar("N"),
      Flag.withSchema(Schema.Int.check(Schema.isGreaterThan(0))),
      Flag.optional
    )
  },
  Effect.fnUntraced(function* ({ limit }) {
    const onsale = yield* asCustomer
    const events = yield* allPages(Option.getOrUndefined(limit), (cursor) =>
      onsale
        .call((api) => api.events.list({ query: { limit: 100, ...cursor } }))
        .pipe(Effect.map(({ events, nextCursor }) => ({ items: events, nextCursor })))
    )
    yield* print(
      events,
      events.length === 0
        ? ["No event is published."]
        : table(
            ["ID", "STARTS", "NAME", "VENUE", "STATUS", "PRICE"],
            events.map(({ id, name, priceRange, startsAt, status, timeZone, venue }) => [
              id,
              local(startsAt, timeZone),
              name,
              venue.name,
              status,
              priceRange === null
                ? ""
                : priceRange.from.amount === priceRange.to.amount
                  ? money(priceRange.from)
                  : `${money(priceRange.from)} to ${money(priceRange.to)}`
            ])
          )
    )
  })
).pipe(Command.withDescription("List the published events by when they start"), Command.withAlias("ls"))

export const event = Command.make("event").pipe(
  Command.withDescription(
    "Events: create, publish, change, list, release-accessible, refund-policy, cancel, refunds"
  ),
  Command.withSubcommands([create, publish, change, list, releaseAccessible, refundPolicy, cancel, refunds])
)
