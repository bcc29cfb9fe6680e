/** `onsale event change`: a published event is another than buyers were told. */
import { EventChange } from "@onsale/contracts/catalog/EventChange"
import { Instant } from "@onsale/contracts/catalog/Event"
import { EventId } from "@onsale/contracts/Ids"
import { Effect, Option, Result, Schema } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { asOrganiser } from "./Connection.ts"
import { detailLines } from "./EventLines.ts"
import { usage } from "./Failure.ts"
import { print } from "./Output.ts"

const exampleId = "019a9c3e-5b7c-7d21-9f3a-2b1c4d000000"
const decode = Schema.decodeUnknownResult(EventChange)

const given = <A>(name: string, value: Option.Option<A>) =>
  Option.isSome(value) ? { [name]: value.value } : {}

export const change = Command.make(
  "change",
  {
    eventId: Argument.String("EVENT_ID").pipe(
      Argument.withDescription("The event's id"),
      Argument.withSchema(EventId)
    ),
    name: Flag.String("name").pipe(
      Flag.withDescription("What it is called now"),
      Flag.withMetavar("NAME"),
      Flag.optional
    ),
    description: Flag.String("description").pipe(
      Flag.withDescription("What it is"),
      Flag.withMetavar("TEXT"),
      Flag.optional
    ),
    startsAt: Flag.String("starts-at").pipe(
      Flag.withDescription("When it starts now, such as 2026-12-24T19:30:00+01:00"),
      Flag.withMetavar("INSTANT"),
      Flag.withSchema(Instant),
      Flag.optional
    ),
    saleEndsAt: Flag.String("sale-ends-at").pipe(
      Flag.withDescription(
        "When its sale ends; when left out, as long before or after the start as until now"
      ),
      Flag.withMetavar("INSTANT"),
      Flag.withSchema(Instant),
      Flag.optional
    ),
    performers: Flag.String("performer").pipe(
      Flag.withDescription(
        "Who performs now, once for each, described as before; when left out, those who did"
      ),
      Flag.withMetavar("NAME"),
      Flag.atMost(100)
    )
  },
  Effect.fnUntraced(function* ({ description, eventId, name, performers, saleEndsAt, startsAt }) {
    const payload = decode({
      ...given("name", name),
      ...given("description", description),
      ...given("startsAt", startsAt),
      ...given("saleEndsAt", saleEndsAt),
      ...(performers.length > 0 ? { performers: performers.map((name) => ({ name })) } : {})
    })
    if (Result.isFailure(payload)) {
      return yield* usage(
        "The change is not as it should be",
        payload.failure.message.replaceAll(/\s*\n\s*/g, " ")
      )
    }
    const onsale = yield* asOrganiser
    const event = yield* onsale.call((api) =>
      api.organiser.changeEvent({ params: { eventId }, payload: payload.success })
    )
    yield* print(event, [
      ...detailLines(event),
      "",
      "Whoever has tickets is told of another name, start or performers."
    ])
  })
).pipe(
  Command.withDescription(
    "Change a published event, and have its buyers told. Its sale ends as long before or after the new start as before the old one. Without flags, tells what SQL has changed."
  ),
  Command.withShortDescription("Change a published event, and tell its buyers"),
  Command.withExamples([
    {
      command: `onsale event change ${exampleId} --starts-at 2026-12-27T19:30:00+01:00`,
      description: "It is moved"
    },
    { command: `onsale event change ${exampleId} --name "Aida, semi-staged"`, description: "Another name" }
  ])
)
