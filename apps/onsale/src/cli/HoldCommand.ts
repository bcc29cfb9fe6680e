/** `onsale hold`: an exclusive claim on seats and places, for a while. */
import { EventId } from "@onsale/contracts/Ids"
import { Effect } from "effect"
import { Argument, Command } from "effect/cli"
import * as Claim from "./Claim.ts"
import { asCustomer } from "./Connection.ts"
import { print } from "./Output.ts"

export const hold = Command.make(
  "hold",
  {
    eventId: Argument.String("EVENT_ID").pipe(
      Argument.withDescription('The event, as "onsale event list" tells'),
      Argument.withSchema(EventId)
    ),
    ...Claim.flags
  },
  Effect.fnUntraced(function* ({ eventId, ...claim }) {
    const request = yield* Claim.parse(claim)
    const onsale = yield* asCustomer
    const held = yield* Claim.hold(onsale, eventId, request)
    yield* print(held, [...Claim.lines(held), "", `"onsale buy --hold ${held.id}" buys it.`])
  })
).pipe(
  Command.withDescription("Hold seats and places of an event for a while: all of them or none"),
  Command.withExamples([
    {
      command: "onsale hold 019a9c3e-5b7c-7d21-9f3a-2b1c4d000000 --best 4",
      description: "Four seats together"
    },
    {
      command:
        "onsale hold 019a9c3e-5b7c-7d21-9f3a-2b1c4d000000 --seats 019a9c3e-5b7c-7d21-9f3a-2b1c4d000001,019a9c3e-5b7c-7d21-9f3a-2b1c4d000002",
      description: "Two seats by id"
    },
    {
      command:
        "onsale hold 019a9c3e-5b7c-7d21-9f3a-2b1c4d000000 --area 019a9c3e-5b7c-7d21-9f3a-2b1c4d800000=3",
      description: "Three places of an area for general admission"
    }
  ])
)
