/** `onsale event refund-policy` and `onsale order refund`: what buyers get back. */
import { type EventDetail, NewRefundPolicy } from "@onsale/contracts/catalog/Event"
import { NewRefund } from "@onsale/contracts/http/OrdersApi"
import { EventId, OrderId, TicketId } from "@onsale/contracts/Ids"
import { DateTime, Effect, Option, Result, Schema } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { randomUUID } from "node:crypto"
import { asOrganiser } from "./Connection.ts"
import { usage } from "./Failure.ts"
import { money, print } from "./Output.ts"

const exampleId = "019a9c3e-5b7c-7d21-9f3a-2b1c4d000000"
const decodePolicy = Schema.decodeUnknownResult(NewRefundPolicy)

/** What buyers get back of an event, in words. */
export const policyLine = ({ refundPolicy, tiers }: EventDetail): string => {
  if (refundPolicy === undefined) return "everything, at any time"
  const { feeAmount = 0, feeBasisPoints = 0, until } = refundPolicy
  const currency = tiers[0]?.price.currency ?? "XXX"
  const kept = [
    ...(feeBasisPoints === 0 ? [] : [`${feeBasisPoints / 100} %`]),
    ...(feeAmount === 0 ? [] : [money({ amount: feeAmount, currency })])
  ]
  return [
    until === undefined ? "at any time" : `before ${until}`,
    kept.length === 0 ? "everything" : `all but ${kept.join(" and ")} of each ticket`
  ].join(", ")
}

export const refundPolicy = Command.make(
  "refund-policy",
  {
    eventId: Argument.String("EVENT_ID").pipe(
      Argument.withDescription("The event's id"),
      Argument.withSchema(EventId)
    ),
    until: Flag.String("until").pipe(
      Flag.withDescription("No refund from then on, such as 2026-12-24T19:30:00+01:00"),
      Flag.withMetavar("TIME"),
      Flag.optional
    ),
    hoursBeforeStart: Flag.Int("hours-before-start").pipe(
      Flag.withDescription("No refund in so many hours before the event starts"),
      Flag.optional
    ),
    feePercent: Flag.String("fee-percent").pipe(
      Flag.withDescription("Kept of the price of each ticket, with up to two decimals"),
      Flag.withMetavar("PERCENT"),
      Flag.optional
    ),
    feeAmount: Flag.Int("fee-amount").pipe(
      Flag.withDescription("Kept of each ticket besides, in minor units"),
      Flag.optional
    )
  },
  Effect.fnUntraced(function* ({ eventId, feeAmount, feePercent, hoursBeforeStart, until }) {
    const given = <A>(name: string, value: Option.Option<A>) =>
      Option.isSome(value) ? { [name]: value.value } : {}
    if (Option.isSome(feePercent) && !/^\d{1,3}(\.\d{1,2})?$/.test(feePercent.value))
      return yield* usage("--fee-percent is not as it should be", "Such as 10 or 7.5")
    const payload = decodePolicy({
      ...given(
        "until",
        Option.map(until, (text) => text.trim())
      ),
      ...given("hoursBeforeStart", hoursBeforeStart),
      ...given(
        "feeBasisPoints",
        Option.map(feePercent, (percent) => Math.round(Number(percent) * 100))
      ),
      ...given("feeAmount", feeAmount)
    })
    if (Result.isFailure(payload)) {
      return yield* usage(
        "The policy is not as it should be",
        payload.failure.message.replaceAll(/\s*\n\s*/g, " ")
      )
    }
    const onsale = yield* asOrganiser
    const event = yield* onsale.call((api) =>
      api.refunds.setRefundPolicy({ params: { eventId }, payload: payload.success })
    )
    yield* print(event, [
      `${event.name}: who gives tickets back gets ${policyLine(event)}`,
      `That is so for orders from ${DateTime.formatIso(yield* DateTime.now)} on: those before keep what was agreed.`
    ])
  })
).pipe(
  Command.withDescription("Say what buyers get back; without flags everything, at any time"),
  Command.withExamples([
    {
      command: `onsale event refund-policy ${exampleId} --hours-before-start 48 --fee-percent 10`,
      description: "Until two days before, nine tenths"
    }
  ])
)

const refund = Command.make(
  "refund",
  {
    orderId: Argument.String("ORDER_ID").pipe(
      Argument.withDescription("The order's id"),
      Argument.withSchema(OrderId)
    ),
    tickets: Flag.String("ticket").pipe(
      Flag.withDescription("Of these tickets only; may be repeated"),
      Flag.withMetavar("TICKET_ID"),
      Flag.withSchema(TicketId),
      Flag.atLeast(0)
    ),
    reason: Flag.String("reason").pipe(
      Flag.withDescription("Why; it stands with the refund"),
      Flag.withMetavar("TEXT"),
      Flag.withSchema(NewRefund.fields.reason)
    )
  },
  Effect.fnUntraced(function* ({ orderId, reason, tickets }) {
    const onsale = yield* asOrganiser
    const order = yield* onsale.call((api) =>
      api.refunds.refundOrder({
        params: { orderId },
        headers: { "idempotency-key": randomUUID() },
        payload: { reason, ...(tickets.length === 0 ? {} : { tickets }) }
      })
    )
    const made = order.refunds.at(-1)
    yield* print(order, [
      `Order     ${order.id}`,
      `Status    ${order.status}`,
      ...(made === undefined ? [] : [`Refund    ${money(made.amount)}, ${made.status}`])
    ])
  })
).pipe(
  Command.withDescription("Pay back the whole price of an order's tickets, whatever its refund policy says"),
  Command.withShortDescription("Refund an order"),
  Command.withExamples([
    { command: `onsale order refund ${exampleId} --reason "Moved to a worse seat"`, description: "All of it" }
  ])
)

export const order = Command.make("order").pipe(
  Command.withDescription("Orders: refund"),
  Command.withSubcommands([refund])
)
