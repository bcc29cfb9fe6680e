/** What an organiser and a buyer do, over HTTP alone. */
import type { NewEvent } from "@onsale/contracts/catalog/Event"
import { EventDetail, EventSeatMap, VenueDetail } from "@onsale/contracts/catalog/Event"
import { Availability } from "@onsale/contracts/http/EventsApi"
import { Hold, type NewHold } from "@onsale/contracts/http/HoldsApi"
import { type NewRefund, Order } from "@onsale/contracts/http/OrdersApi"
import type { EventId, HoldId, OrderId, VenueId } from "@onsale/contracts/Ids"
import { SandboxLedger } from "@onsale/contracts/payments/Sandbox"
import { DateTime, Effect, Schema } from "effect"
import { randomUUID } from "node:crypto"
import { readFileSync } from "node:fs"
import * as HttpCall from "./HttpCall.ts"
import { organiserKey } from "./Service.ts"

/** An answer that should have been another. */
export class Unexpected extends Schema.TaggedError<Unexpected>()("Unexpected", {
  message: Schema.String
}) {}

/** The body of an answer with that status. */
export const expect =
  <A, I>(status: number, schema: Schema.Codec<A, I>) =>
  (reply: HttpCall.Reply): Effect.Effect<A, Unexpected> =>
    reply.status === status
      ? Schema.decodeUnknownEffect(schema)(reply.json).pipe(
          Effect.mapError((error) => new Unexpected({ message: `${error}: ${reply.text}` }))
        )
      : Effect.fail(new Unexpected({ message: `expected ${status}, got ${reply.status}: ${reply.text}` }))

export const Problem = Schema.Struct({
  type: Schema.String,
  status: Schema.Int,
  title: Schema.String,
  seats: Schema.optionalKey(Schema.Array(Schema.Struct({ seatId: Schema.String }))),
  areas: Schema.optionalKey(Schema.Array(Schema.Struct({ areaId: Schema.String }))),
  available: Schema.optionalKey(Schema.Int),
  limit: Schema.optionalKey(Schema.Int),
  scope: Schema.optionalKey(Schema.String),
  orderId: Schema.optionalKey(Schema.String),
  code: Schema.optionalKey(Schema.NullOr(Schema.String))
})

export const problemOf = (reply: HttpCall.Reply) => expect(reply.status, Problem)(reply)

const Mails = Schema.Struct({
  mails: Schema.Array(
    Schema.Struct({
      id: Schema.String,
      subject: Schema.String,
      to: Schema.Array(Schema.String),
      messageId: Schema.String,
      attachments: Schema.Array(
        Schema.Struct({
          filename: Schema.String,
          contentType: Schema.String,
          bytes: Schema.Int,
          url: Schema.String
        })
      )
    })
  )
})

const organiser = { authorization: `Bearer ${organiserKey}` }
const json = { accept: "application/json" }

export const newKey = (): string => randomUUID()

export type Shop = ReturnType<typeof at>

/** The service at `url`. */
export const at = (url: string) => {
  const send = (call: HttpCall.Call) => HttpCall.send(url, call)
  const api = (path: string) => `/api/v1${path}`

  const importPlan = Effect.fnUntraced(function* (format: "seatsio" | "csv" | "pretix", content: unknown) {
    const body = {
      name: "Arena",
      location: "Berlin",
      timeZone: "Europe/Berlin",
      seatMap: { format, content }
    }
    return yield* Effect.flatMap(
      send({ path: api("/organiser/venues"), headers: organiser, body }),
      expect(201, VenueDetail)
    )
  })

  /** An event in a month at 45.00 a seat of any category, on sale. */
  const openEvent = Effect.fnUntraced(function* (
    venue: { readonly id: VenueId; readonly report: typeof VenueDetail.Type.report },
    more: Partial<typeof NewEvent.Encoded> = {}
  ) {
    const body: Omit<typeof NewEvent.Encoded, "venueId"> & { readonly venueId: string } = {
      venueId: venue.id,
      name: "Midnight Symphony",
      startsAt: DateTime.formatIso(DateTime.add(yield* DateTime.now, { days: 30 })),
      tiers: [
        {
          name: "Every seat",
          price: { amount: 4500, currency: "EUR" },
          categories: venue.report.categories.flatMap(({ name }) => (name === null ? [] : [name]))
        }
      ],
      ...more
    }
    const event = yield* Effect.flatMap(
      send({ path: api("/organiser/events"), headers: organiser, body }),
      expect(201, EventDetail)
    )
    return yield* Effect.flatMap(
      send({ path: api(`/organiser/events/${event.id}/publish`), headers: organiser, body: {} }),
      expect(200, EventDetail)
    )
  })

  const tryHold = (eventId: EventId, body: typeof NewHold.Encoded, key = newKey()) =>
    send({ path: api(`/events/${eventId}/holds`), headers: { "idempotency-key": key }, body })

  const tryOrder = (
    holdId: HoldId,
    method: string,
    more: { readonly key?: string; readonly email?: string } = {}
  ) =>
    send({
      path: api("/orders"),
      headers: { "idempotency-key": more.key ?? newKey() },
      body: {
        holdId,
        customer: { name: "Ada Lovelace", email: more.email ?? "ada@example.org" },
        payment: { method }
      }
    })

  /** What only an organiser may do, of one event. */
  const organise = (eventId: EventId, path: string, body?: object, method?: string) =>
    send({
      path: api(`/organiser/events/${eventId}${path}`),
      headers: organiser,
      ...(body === undefined ? {} : { body }),
      ...(method === undefined ? {} : { method })
    })

  return {
    url,
    send,
    api,
    importPlan,
    openEvent,
    organise,
    seatMap: (eventId: EventId) =>
      Effect.flatMap(send({ path: api(`/events/${eventId}/seatmap`) }), expect(200, EventSeatMap)),
    availability: (eventId: EventId) =>
      Effect.flatMap(send({ path: api(`/events/${eventId}/availability`) }), expect(200, Availability)),
    tryHold,
    hold: (eventId: EventId, body: typeof NewHold.Encoded, key?: string) =>
      Effect.flatMap(tryHold(eventId, body, key), expect(201, Hold)),
    holdOf: (holdId: HoldId) => send({ path: api(`/holds/${holdId}`) }),
    tryOrder,
    order: (orderId: OrderId) =>
      Effect.flatMap(send({ path: api(`/orders/${orderId}`) }), expect(200, Order)),
    refund: (orderId: OrderId, body: typeof NewRefund.Encoded, key = newKey()) =>
      send({ path: api(`/orders/${orderId}/refunds`), headers: { "idempotency-key": key }, body }),
    pdf: (orderId: OrderId) => send({ path: api(`/orders/${orderId}/tickets.pdf`) }),
    mailsTo: (address: string) =>
      Effect.flatMap(
        send({ path: `/dev/mail?limit=200&to=${encodeURIComponent(address)}`, headers: json }),
        expect(200, Mails)
      )
  }
}

/** Everything that the sandbox provider at that address has been asked for. */
export const ledger = (origin: string, dataDir: string) =>
  Effect.suspend(() =>
    HttpCall.send(origin, {
      path: "/v1/ledger",
      headers: { authorization: `Bearer ${readFileSync(`${dataDir}/keys/sandbox-secret`, "utf8").trim()}` }
    })
  ).pipe(Effect.flatMap(expect(200, SandboxLedger)))
