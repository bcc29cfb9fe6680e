/** One ticket over HTTP: as a page, and as a pass for a telephone's wallet. */
import { Orders } from "@onsale/booking/Orders"
import { Api } from "@onsale/contracts/http/Api"
import { TicketNotFound, TicketNotValid, WalletNotConfigured } from "@onsale/contracts/http/Problems"
import type { TicketId } from "@onsale/contracts/Ids"
import { Notifications } from "@onsale/notifications/Notifications"
import { ApplePasses } from "@onsale/notifications/wallet/ApplePasses"
import { GooglePasses } from "@onsale/notifications/wallet/GooglePasses"
import { Clock, Effect, Layer } from "effect"
import { HttpApiBuilder, HttpApiSchema } from "effect/http-api"
import * as Admission from "./Admission.ts"
import * as TicketsGone from "./TicketsGone.ts"
import * as UntoldEvent from "./UntoldEvent.ts"

/** A page, or a signature, takes a thread some tens of milliseconds. */
const places = 8

const notConfigured = () => Effect.fail(new WalletNotConfigured({}))

const file = (body: Uint8Array, name: string) =>
  HttpApiSchema.withHeaders({
    body,
    headers: {
      "content-disposition": `inline; filename="${name}"`,
      // Its address is a secret: it stays with who asked for it.
      "cache-control": "private, no-store"
    }
  })

export const layer = HttpApiBuilder.group(
  Api,
  "wallet",
  Effect.fn(function* (handlers) {
    const orders = yield* Orders
    const notifications = yield* Notifications
    const untold = yield* UntoldEvent.make
    const apple = yield* ApplePasses
    const google = yield* GooglePasses
    const admit = yield* Admission.make({ places, retryAfterSeconds: 2 })

    /** What stands on one valid ticket. */
    const passOf = Effect.fnUntraced(function* (ticketId: TicketId) {
      const found = (yield* orders.ticket(ticketId)) ?? (yield* new TicketNotFound({}))
      if (found.ticket.status !== "valid")
        return yield* new TicketNotValid(TicketsGone.detailOf(found.ticket))
      const order = (yield* orders.get(found.orderId)) ?? (yield* new TicketNotFound({}))
      // That one alone: an order may have a thousand. It may be refunded by now, or given to somebody: then its code is in
      // their letter, as whoever gave it away knows this address too.
      const alone = order.tickets.filter(({ id }) => id === ticketId)
      const document = yield* notifications
        .documentOf(order.id, alone, { untold })
        .pipe(
          Effect.catchTag(["TicketsNotReady", "TicketsNotFound"], () =>
            Effect.fail(new TicketNotValid(TicketsGone.detailOf(alone[0] ?? found.ticket)))
          )
        )
      const [ticket] = document.tickets
      return ticket === undefined
        ? yield* new TicketNotValid({})
        : { eventId: found.eventId, ticket, document }
    })

    return handlers.handleAll({
      pdf: Effect.fnUntraced(function* ({ params }) {
        const { document } = yield* passOf(params.ticketId)
        return file(yield* admit(notifications.renderTickets(document)), "ticket.pdf")
      }),
      apple: Effect.fnUntraced(function* ({ params }) {
        const pass = yield* passOf(params.ticketId)
        const body = yield* apple
          .make(pass)
          .pipe(Effect.catchTag("WalletNotConfigured", notConfigured), admit)
        return file(body, "ticket.pkpass")
      }),
      google: Effect.fnUntraced(function* ({ params }) {
        const pass = yield* passOf(params.ticketId)
        const nowMs = yield* Clock.currentTimeMillis
        const url = yield* google
          .link(pass, pass.eventId, nowMs)
          .pipe(Effect.catchTag("WalletNotConfigured", notConfigured), admit)
        return { url }
      })
    })
  })
).pipe(Layer.provide([ApplePasses.layer, GooglePasses.layer]))
