/** `onsale hold`: an exclusive claim on seats and places, for a while. */
import { Customer } from "@onsale/contracts/booking/Order"
import { EventId } from "@onsale/contracts/Ids"
import { Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
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
    ...Claim.flags,
    customer: Flag.String("customer").pipe(
      Flag.withDescription("Who is going to buy: limits a customer are told of at once"),
      Flag.withMetavar("EMAIL"),
      Flag.withSchema(Customer.fields.email),
      Flag.optional
    )
  },
  Effect.fnUntraced(function* ({ customer, eventId, ...claim }) {
    const request = yield* Claim.parse(claim)
    const onsale = yield* asCustomer
    const held = yield* Claim.hold(onsale, eventId, {
      ...request,
      ...(Option.isSome(customer) ? { customer: { email: customer.value } } : {})
    })
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
    },
    {
      command:
        "onsale hold 019a9c3e-5b7c-7d21-9f3a-2b1c4d000000 --best 3 --accessible --voucher FANCLUB --customer ada@example.com",
      description: "An accessible seat and two beside it, with a voucher"
    }
  ])
)
