/**
 * Follows the journals of catalog and bookings, and makes a delivery of each event for each webhook that asks for
 * it. The cursor moves in the same transaction, and a delivery's id is made of the event and the webhook, so that a
 * repeat makes none.
 */
import { OrderEvent } from "@onsale/contracts/booking/Order"
import { CatalogEvent } from "@onsale/contracts/catalog/CatalogEvent"
import {
  DeliveryId,
  type WebhookEventType,
  WebhookId,
  WebhookMessage
} from "@onsale/contracts/notifications/Webhook"
import { EventId } from "@onsale/contracts/Ids"
import * as Journal from "@onsale/platform/Journal"
import * as Projection from "@onsale/platform/Projection"
import { Duration, Effect, Layer, Schema } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { createHash } from "node:crypto"
import { type NewDelivery, WebhookDeliveries } from "./WebhookDeliveries.ts"
import * as WebhookMessages from "./WebhookMessages.ts"

const schema = "notifications"

/** What happened longer before a webhook was made than clocks may differ is not told to it. */
const clockToleranceMs = 60_000

/** A receiver elsewhere does not notice; a transaction for each few rows of a busy sale is most of what following them costs. */
const gatherFor = Duration.millis(200)

/** Rows of a stream that are read at once; an order has a handful, and one with each scan. */
const streamChunk = 500

const Subscribed = Schema.Struct({
  id: WebhookId,
  eventTypes: Schema.NullOr(Schema.Array(Schema.String)),
  eventId: Schema.NullOr(EventId),
  createdAtMs: Schema.Finite
})
type Subscribed = typeof Subscribed.Type
const decodeSubscribed = Schema.decodeUnknownEffect(Schema.Array(Subscribed))

export const encodeMessage = Schema.encodeUnknownEffect(
  Schema.fromJsonString(Schema.toCodecJson(WebhookMessage))
)

/** The same for the same event and webhook, for ever. */
export const deliveryId = (webhookId: WebhookId, event: string): DeliveryId =>
  DeliveryId.make(`msg_${createHash("sha256").update(`${webhookId}/${event}`).digest("hex").slice(0, 32)}`)

const subscribed = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql`SELECT id::text AS id, event_types AS "eventTypes", event_id::text AS "eventId",
      (extract(epoch FROM created_at) * 1000)::float8 AS "createdAtMs"
    FROM notifications.webhooks WHERE disabled_at IS NULL ORDER BY id`
  return yield* Effect.orDie(decodeSubscribed(rows))
})

const wants = (webhook: Subscribed, type: WebhookEventType, atMs: number) =>
  webhook.createdAtMs - clockToleranceMs <= atMs &&
  (webhook.eventTypes === null || webhook.eventTypes.includes(type))

interface Told {
  readonly type: WebhookEventType
  readonly eventId: EventId
  readonly message: WebhookMessage
}

/** The events of a row's stream before that row. */
type EventsBefore<E> = (row: Journal.JournalRow<E>) => Effect.Effect<ReadonlyArray<E>, SqlError.SqlError>

/**
 * Those of the rows of one batch, which are asked in their order: a stream is read from its first row once, and after
 * that from where it was left, as one with many scans would be read again for each of them.
 */
const eventsBefore = <E>(journal: Journal.Journal<E>): EventsBefore<E> => {
  const known = new Map<string, { events: Array<E>; next: number }>()
  return Effect.fnUntraced(function* (row) {
    const stream = known.get(row.stream) ?? { events: [], next: 1 }
    known.set(row.stream, stream)
    while (stream.next < row.version) {
      const rows = yield* journal.read(
        row.stream,
        stream.next,
        Math.min(streamChunk, row.version - stream.next)
      )
      if (rows.length === 0)
        return yield* Effect.die(new Error(`stream ${row.stream} has a gap before ${row.version}`))
      for (const each of rows) {
        stream.events.push(...each.events)
        stream.next = each.version + 1
      }
    }
    return stream.events
  })
}

const fanOut = <E>(options: {
  readonly context: "catalog" | "booking"
  readonly event: Schema.Codec<E, unknown>
  readonly typeOf: (event: E) => WebhookEventType | undefined
  readonly tell: (
    row: Journal.JournalRow<E>,
    index: number,
    before: EventsBefore<E>
  ) => Effect.Effect<Told, unknown>
}) =>
  Layer.unwrap(
    Effect.gen(function* () {
      const deliveries = yield* WebhookDeliveries
      const journal = yield* Journal.make({ schema: options.context, event: options.event })

      const handle = Effect.fnUntraced(function* (rows: ReadonlyArray<Journal.JournalRow<E>>) {
        const webhooks = yield* subscribed
        const before = eventsBefore(journal)
        const made: Array<NewDelivery> = []
        for (const row of rows) {
          for (const [index, event] of row.events.entries()) {
            const type = options.typeOf(event)
            if (type === undefined) continue
            const asking = webhooks.filter((webhook) => wants(webhook, type, row.atMs))
            if (asking.length === 0) continue
            const { eventId, message } = yield* options.tell(row, index, before)
            const body = yield* encodeMessage(message)
            for (const webhook of asking) {
              if (webhook.eventId !== null && webhook.eventId !== eventId) continue
              made.push({
                id: deliveryId(webhook.id, `${options.context}/${row.stream}/${row.version}/${index}`),
                webhookId: webhook.id,
                stream: `${options.context === "booking" ? "order" : "event"}:${row.stream}`,
                type,
                body,
                correlation: row.correlation
              })
            }
          }
        }
        yield* deliveries.offer(made)
      })
      return Projection.layer({ schema, name: `webhooks-${options.context}`, journal, handle, gatherFor })
    })
  )

export const layer = Layer.mergeAll(
  fanOut({
    context: "booking",
    event: OrderEvent,
    typeOf: WebhookMessages.typeOfOrder,
    tell: Effect.fnUntraced(function* (row, index, before) {
      const events = [...(yield* before(row)), ...row.events.slice(0, index + 1)]
      return yield* WebhookMessages.ofOrder(row.stream, row.atMs, events)
    })
  }),
  fanOut({
    context: "catalog",
    event: CatalogEvent,
    typeOf: WebhookMessages.typeOfEvent,
    tell: (row, index) => WebhookMessages.ofEvent(row.atMs, row.events[index])
  })
)
