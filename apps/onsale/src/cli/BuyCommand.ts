/** `onsale buy`: from a hold to the tickets. */
import { Customer } from "@onsale/contracts/booking/Order"
import { EventId, HoldId, type OrderId } from "@onsale/contracts/Ids"
import type { Order } from "@onsale/contracts/http/OrdersApi"
import { PaymentMethod } from "@onsale/contracts/payments/PaymentIntent"
import { Duration, Effect, FileSystem, Option, Schedule, Schema } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import * as Claim from "./Claim.ts"
import { asCustomer, type Connection } from "./Connection.ts"
import { type CommandFailure, refused, usage } from "./Failure.ts"
import { plural } from "../Wording.ts"
import { money, note, print, table } from "./Output.ts"

const pdfUrl = (onsale: Connection, orderId: OrderId) => `${onsale.url}/api/v1/orders/${orderId}/tickets.pdf`

const writePdf = Effect.fnUntraced(function* (onsale: Connection, orderId: OrderId, file: string) {
  const fs = yield* FileSystem.FileSystem
  const { body } = yield* onsale.call((api) => api.orders.ticketsPdf({ params: { orderId } }))
  yield* Effect.mapError(fs.writeFile(file, body), ({ message }) =>
    refused(`${file} cannot be written`, `${message}. The tickets are at ${pdfUrl(onsale, orderId)}`)
  )
})

/** Asks until the order is not pending any more, or the time is over; answers it as it then stands. */
const settle = (onsale: Connection, order: Order, seconds: number): Effect.Effect<Order, CommandFailure> =>
  order.status !== "payment_pending" || seconds === 0
    ? Effect.succeed(order)
    : onsale
        .call((api) => api.orders.get({ params: { orderId: order.id } }))
        .pipe(
          Effect.repeat({
            schedule: Schedule.upTo(Schedule.spaced("500 millis"), { duration: Duration.seconds(seconds) }),
            while: ({ status }) => status === "payment_pending"
          })
        )

const lines = (onsale: Connection, order: Order, file: Option.Option<string>): ReadonlyArray<string> => [
  `Order     ${order.id}`,
  `Status    ${order.status}${order.reason === undefined ? "" : ` (${order.reason})`}`,
  `Total     ${money(order.total)}`,
  `Customer  ${order.customer.name} <${order.customer.email}>`,
  `Payment   ${order.payment.status ?? "none"}${order.payment.provider === null ? "" : ` at ${order.payment.provider}`}`,
  ...(order.nextAction === undefined ? [] : ["", `To pay, open  ${order.nextAction.url}`]),
  ...(order.tickets.length === 0
    ? []
    : [
        "",
        ...table(
          ["TICKET", "PLACE"],
          order.tickets.map(({ id, label }) => [id, label])
        ),
        "",
        `${plural(order.tickets.length, "ticket")} as PDF: ${Option.getOrElse(file, () => pdfUrl(onsale, order.id))}`,
        `They are on their way to ${order.customer.email}, too.`
      ])
]

export const buy = Command.make(
  "buy",
  {
    eventId: Argument.String("EVENT_ID").pipe(
      Argument.withDescription('The event, as "onsale event list" tells; not with --hold'),
      Argument.withSchema(EventId),
      Argument.optional
    ),
    ...Claim.flags,
    hold: Flag.String("hold").pipe(
      Flag.withDescription("A hold that was taken before"),
      Flag.withMetavar("HOLD_ID"),
      Flag.withSchema(HoldId),
      Flag.optional
    ),
    email: Flag.String("email").pipe(
      Flag.withDescription("Where the tickets are sent to"),
      Flag.withMetavar("ADDRESS"),
      Flag.withSchema(Customer.fields.email)
    ),
    name: Flag.String("name").pipe(
      Flag.withDescription("Who buys"),
      Flag.withMetavar("NAME"),
      Flag.withSchema(Customer.fields.name)
    ),
    method: Flag.String("method").pipe(
      Flag.withDescription(
        "How it is paid: tok_ok, tok_declined, tok_timeout, tok_error, tok_3ds or tok_late of the sandbox"
      ),
      Flag.withMetavar("TOKEN"),
      Flag.withSchema(PaymentMethod),
      Flag.withDefault("tok_ok")
    ),
    out: Flag.String("out").pipe(
      Flag.withAlias("o"),
      Flag.withDescription("Where to write the tickets, as PDF"),
      Flag.withMetavar("FILE"),
      Flag.optional
    ),
    wait: Flag.Int("wait").pipe(
      Flag.withDescription("How many seconds to wait for a payment that is pending"),
      Flag.withMetavar("SECONDS"),
      Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 3600 }))),
      Flag.withDefault(0)
    )
  },
  Effect.fnUntraced(function* ({ email, eventId, hold, method, name, out, wait, ...claim }) {
    if (Option.isSome(hold) && (Option.isSome(eventId) || Claim.isSaid(claim))) {
      return yield* usage("--hold says what is bought already", "Leave out the event and what to hold of it")
    }
    if (Option.isNone(hold) && Option.isNone(eventId)) {
      return yield* usage(
        "Nothing is asked for",
        "Name an event and what to buy of it, or a hold with --hold"
      )
    }
    const request = Option.isSome(hold) ? undefined : yield* Claim.parse(claim)
    const onsale = yield* asCustomer
    const holdId =
      Option.isSome(eventId) && request !== undefined
        ? (yield* Claim.hold(onsale, eventId.value, { ...request, customer: { email } })).id
        : Option.getOrThrow(hold)
    const key = yield* Claim.idempotencyKey
    const placed = yield* onsale
      .call((api) =>
        api.orders.create({
          headers: { "idempotency-key": key },
          payload: { holdId, customer: { name, email }, payment: { method } }
        })
      )
      .pipe(
        Effect.tapError(() =>
          note(`The hold is ${holdId}: while it lives, "onsale buy --hold ${holdId}" tries again.`)
        )
      )
    const order = yield* settle(onsale, placed, wait)
    const written = order.tickets.length > 0 ? out : Option.none()
    if (Option.isSome(written)) yield* writePdf(onsale, order.id, written.value)
    yield* print(order, lines(onsale, order, written))
    if (Option.isSome(out) && Option.isNone(written))
      yield* note(`There are no tickets yet, so ${out.value} was not written.`)
    if (order.status === "declined" || order.status === "cancelled") {
      return yield* refused("The order came to nothing", order.reason ?? null)
    }
  })
).pipe(
  Command.withDescription(
    "Buy seats and places: holds them, orders, pays, and prints where the tickets are. Exits with 1 where the payment is declined; a payment that is pending is no failure."
  ),
  Command.withShortDescription("Buy seats and places"),
  Command.withExamples([
    {
      command:
        'onsale buy 019a9c3e-5b7c-7d21-9f3a-2b1c4d000000 --best 2 --name "Ada Lovelace" --email ada@example.com --out tickets.pdf',
      description: "The two best seats there are, and their tickets in a file"
    },
    {
      command:
        'onsale buy --hold 019a9c3e-5b7c-7d21-9f3a-2b1c4d5e6f71 --name "Ada Lovelace" --email ada@example.com --method tok_3ds --wait 60',
      description: "What is held already, with a payment that the buyer has to confirm"
    }
  ])
)
