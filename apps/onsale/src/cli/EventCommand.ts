/** `onsale event`: events and what they cost. */
import { type EventDetail, Instant, NewEvent } from "@onsale/contracts/catalog/Event"
import { EventId, VenueId } from "@onsale/contracts/Ids"
import { Currency } from "@onsale/contracts/Money"
import { DateTime, Effect, FileSystem, Option, Result, Schema } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { allPages, asCustomer, asOrganiser } from "./Connection.ts"
import { type CommandFailure, refused, usage } from "./Failure.ts"
import { money, print, table } from "./Output.ts"
import * as TierFlag from "./TierFlag.ts"

const eventId = Argument.String("EVENT_ID").pipe(
  Argument.withDescription("The event's id"),
  Argument.withSchema(EventId)
)

/** Where the event is, as its visitors' clocks show it. */
const local = (instant: string, timeZone: string): string =>
  Option.match(DateTime.makeZoned(instant, { timeZone }), {
    onNone: () => instant,
    onSome: (zoned) => `${DateTime.formatIsoOffset(zoned).slice(0, 16).replace("T", " ")} ${timeZone}`
  })

const detailLines = (event: EventDetail): ReadonlyArray<string> => [
  `Event     ${event.id}`,
  `Name      ${event.name}`,
  `Starts    ${local(event.startsAt, event.timeZone)}`,
  `Venue     ${event.venue.name}`,
  `Status    ${event.status}`,
  `On sale   ${local(event.onSaleAt, event.timeZone)} until ${local(event.saleEndsAt, event.timeZone)}`,
  "",
  ...table(
    ["TIER", "PRICE", "CATEGORIES"],
    event.tiers.map(({ categories, name, price }) => [name, money(price), categories.join(", ")])
  )
]

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

const given = <A>(name: string, value: Option.Option<A>) =>
  Option.isSome(value) ? { [name]: value.value } : {}

const create = Command.make(
  "create",
  flags,
  Effect.fnUntraced(function* (input) {
    const fromFile: unknown = Option.isSome(input.file) ? yield* readJson(input.file.value) : {}
    if (typeof fromFile !== "object" || fromFile === null)
      return yield* usage("The file must hold a JSON object")
    const tiers = yield* Effect.forEach(input.tiers, (text): Effect.Effect<unknown, CommandFailure> => {
      const tier = TierFlag.parse(text)
      return Result.isSuccess(tier)
        ? Effect.succeed(tier.success)
        : Effect.fail(usage(`--tier "${text}" cannot be read`, tier.failure))
    })
    const draft = {
      ...fromFile,
      ...given("venueId", input.venue),
      ...given("name", input.name),
      ...given("startsAt", input.startsAt),
      ...given("description", input.description),
      ...given("currency", input.currency),
      ...given("onSaleAt", input.onSaleAt),
      ...given("saleEndsAt", input.saleEndsAt),
      ...given("maxPerOrder", input.maxPerOrder),
      ...given("holdSeconds", input.holdSeconds),
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
  Command.withDescription("Events: create, publish, list"),
  Command.withSubcommands([create, publish, list])
)
