/** `onsale event cancel` and `onsale event refunds`: an event that does not take place. */
import { type CancellationProgress, EventCancellation } from "@onsale/contracts/http/RefundsApi"
import { EventId } from "@onsale/contracts/Ids"
import { Effect } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { count } from "../Wording.ts"
import { asOrganiser } from "./Connection.ts"
import { money, print } from "./Output.ts"

const eventId = Argument.String("EVENT_ID").pipe(
  Argument.withDescription("The event's id"),
  Argument.withSchema(EventId)
)
const exampleId = "019a9c3e-5b7c-7d21-9f3a-2b1c4d000000"

export const cancel = Command.make(
  "cancel",
  {
    eventId,
    reason: Flag.String("reason").pipe(
      Flag.withDescription("Why; buyers see it"),
      Flag.withMetavar("TEXT"),
      Flag.withSchema(EventCancellation.fields.reason)
    )
  },
  Effect.fnUntraced(function* ({ eventId, reason }) {
    const onsale = yield* asOrganiser
    const event = yield* onsale.call((api) =>
      api.refunds.cancelEvent({ params: { eventId }, payload: { reason } })
    )
    yield* print(event, [
      `${event.name} is cancelled: ${event.cancellation?.reason ?? reason}`,
      `Nothing of it is sold any more, and every order is refunded. "onsale event refunds ${eventId}" tells how far that is.`
    ])
  })
).pipe(
  Command.withDescription(
    "Cancel a published event: nothing of it is sold any more, and every order is refunded in whole. It cannot be taken back; once more changes nothing."
  ),
  Command.withShortDescription("Cancel an event and refund every order"),
  Command.withExamples([
    {
      command: `onsale event cancel ${exampleId} --reason "The tenor is ill"`,
      description: "It does not take place"
    }
  ])
)

const lines = (refunds: typeof CancellationProgress.Type): ReadonlyArray<string> => {
  const { finishedAt, oldestPendingAt, orders, reason, refunded, startedAt } = refunds
  return [
    `Event       ${refunds.eventId}`,
    `Cancelled   ${reason}`,
    `Started     ${startedAt ?? "not yet"}`,
    `Finished    ${finishedAt ?? "not yet"}`,
    `Orders      ${count(orders.refunded)} of ${count(orders.total)} refunded, ${count(orders.pending)} under way, ${count(orders.waiting)} to come, ${count(orders.unfinished)} at checkout`,
    ...(orders.stuck === 0
      ? []
      : [`Stuck       ${count(orders.stuck)} for more than ten minutes, the first since ${oldestPendingAt}`]),
    `Paid back   ${refunded.length === 0 ? "nothing yet" : refunded.map(money).join(", ")}`
  ]
}

export const refunds = Command.make(
  "refunds",
  { eventId },
  Effect.fnUntraced(function* ({ eventId }) {
    const onsale = yield* asOrganiser
    const refunds = yield* onsale.call((api) => api.refunds.eventRefunds({ params: { eventId } }))
    yield* print(refunds, lines(refunds))
  })
).pipe(
  Command.withDescription("Tell how far the refunds of a cancelled event are"),
  Command.withExamples([
    { command: `onsale event refunds ${exampleId}`, description: "After it was cancelled" }
  ])
)
