import { assert, layer } from "@effect/vitest"
import { OrderEvent } from "@onsale/contracts/booking/Order"
import { HoldId, makeUuidV7, PaymentIntentId } from "@onsale/contracts/Ids"
import * as Journal from "@onsale/platform/Journal"
import { pollUntil } from "@onsale/testing/Poll"
import { layerDatabase } from "@onsale/testing/PostgresFixture"
import { Effect, Layer, Option } from "effect"
import { NotificationFacts } from "../src/NotificationFacts.ts"
import * as NotificationRunner from "../src/NotificationRunner.ts"
import { eventId, makeOrderId, makeTickets, nowMs } from "./Samples.ts"

const following = NotificationRunner.followers.pipe(Layer.provideMerge(NotificationFacts.layer))

layer(layerDatabase, { excludeTestServices: true })("Reissued tickets", (it) => {
  it.effect("a ticket that was given to another is known by that name and its newest code", () =>
    Effect.gen(function* () {
      const facts = yield* NotificationFacts
      const journal = yield* Journal.make({ schema: "booking", event: OrderEvent })
      const orderId = makeOrderId()
      const tickets = makeTickets(2)
      const [ticket] = tickets
      assert.isDefined(ticket)
      const holder = { name: "Grace Hopper", email: "grace@example.org" }
      const rows: ReadonlyArray<ReadonlyArray<OrderEvent>> = [
        [
          OrderEvent.cases.Placed.make({
            eventId,
            holdId: HoldId.make(makeUuidV7(nowMs)),
            customer: { name: "Ada", email: "ada@example.org" },
            intentId: PaymentIntentId.make(makeUuidV7(nowMs)),
            provider: null,
            method: "tok_ok",
            total: { amount: 9_900, currency: "EUR" },
            seats: [],
            areas: [],
            payUntilMs: nowMs + 600_000
          })
        ],
        [OrderEvent.cases.Confirmed.make({ tickets })],
        [
          OrderEvent.cases.TicketReissued.make({ ticketId: ticket.id, codeVersion: 2, holder }),
          OrderEvent.cases.TicketReissued.make({ ticketId: ticket.id, codeVersion: 3 })
        ]
      ]
      for (const [i, events] of rows.entries()) {
        yield* journal.append({ stream: orderId, version: i + 1, atMs: nowMs + i, correlation: null, events })
      }
      const order = yield* pollUntil(
        facts.order(orderId),
        (order) => Option.isSome(order) && order.value.tickets[0]?.codeVersion === 3
      )
      assert.deepStrictEqual(
        Option.getOrThrow(order).tickets.map(({ codeVersion, holder }) => [codeVersion, holder?.name]),
        [
          [3, "Grace Hopper"],
          [1, undefined]
        ]
      )
    }).pipe(Effect.provide(following))
  )
})
