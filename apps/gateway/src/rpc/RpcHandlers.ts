/** The procedures, answered by what answers the HTTP API. */
import { OnsaleRpc } from "@onsale/contracts/rpc/OnsaleRpc"
import { Effect, Stream } from "effect"
import { render } from "../AvailabilityBoard.ts"
import { AvailabilityFeed } from "../AvailabilityFeed.ts"
import * as DoorOperations from "../DoorOperations.ts"
import * as EventOperations from "../EventOperations.ts"
import * as HoldOperations from "../HoldOperations.ts"
import * as OrderOperations from "../OrderOperations.ts"
import * as OrganiserOperations from "../OrganiserOperations.ts"
import * as SearchOperations from "../SearchOperations.ts"
import * as WebhookOperations from "../WebhookOperations.ts"

export const layer = OnsaleRpc.toLayer(
  Effect.gen(function* () {
    const events = yield* EventOperations.make
    const holds = yield* HoldOperations.make
    const orders = yield* OrderOperations.make
    const organiser = yield* OrganiserOperations.make
    const door = yield* DoorOperations.make
    const search = yield* SearchOperations.make
    const webhooks = yield* WebhookOperations.make
    const feed = yield* AvailabilityFeed

    return OnsaleRpc.of({
      ListEvents: (query) => events.list(query),
      GetEvent: ({ eventId }) => events.get(eventId),
      GetSeatMap: ({ eventId }) => events.seatMap(eventId),
      GetAvailability: ({ eventId }) =>
        Effect.map(events.board(eventId), ({ view }) => render(eventId, view)),
      WatchAvailability: ({ after, eventId }) =>
        Stream.unwrap(
          Effect.as(
            events.exists(eventId),
            feed.watch(eventId, after === undefined ? undefined : { version: after })
          )
        ).pipe(Stream.map(({ update }) => update)),

      SearchEvents: (query) => search.events(query),

      CreateHold: ({ eventId, hold, idempotencyKey }) => holds.create(eventId, idempotencyKey, hold),
      GetHold: ({ holdId }) => holds.get(holdId),
      ReleaseHold: ({ holdId }) => holds.release(holdId),
      ExtendHold: ({ holdId }) => holds.extend(holdId),

      CreateOrder: ({ idempotencyKey, order }) => orders.create(idempotencyKey, order),
      ListOrders: (query) => orders.list(query),
      GetOrder: ({ orderId }) => orders.get(orderId),
      RefundOrder: ({ idempotencyKey, orderId, refund }) => orders.refund(orderId, idempotencyKey, refund),
      TransferTicket: ({ holder, idempotencyKey, orderId, ticketId }) =>
        orders.reissue(orderId, ticketId, idempotencyKey, holder),
      ReissueTicket: ({ idempotencyKey, orderId, ticketId }) =>
        orders.reissue(orderId, ticketId, idempotencyKey, null),
      GetTicket: ({ ticketId }) => orders.ticket(ticketId),

      CheckIn: (scan) => door.checkIn(scan),
      GetDoorBundle: ({ eventId }) => Effect.map(door.bundle(eventId), ({ bundle }) => ({ bundle })),
      GetDoorKeys: () => door.keys,
      UploadScans: ({ eventId, upload }) => door.upload(eventId, upload),
      ListScanConflicts: ({ eventId, query }) => door.conflicts(eventId, query),
      GetCheckIns: ({ eventId }) => door.counts(eventId),

      ListVenues: (query) => organiser.venues(query),
      GetVenue: ({ venueId }) => organiser.venue(venueId),
      CreateEvent: ({ event }) => organiser.createEvent(event),
      UpdateEvent: ({ event, eventId }) => organiser.updateEvent(eventId, event),
      ChangeEvent: ({ change, eventId }) => organiser.changeEvent(eventId, change),
      GetAnyEvent: ({ eventId }) => organiser.event(eventId),
      PublishEvent: ({ eventId }) => organiser.publish(eventId),
      GetSales: ({ eventId }) => organiser.sales(eventId),
      CreateBlock: ({ block, eventId }) => organiser.createBlock(eventId, block),
      ListBlocks: ({ eventId }) => organiser.blocks(eventId),
      ReleaseBlock: ({ blockId, eventId, release }) => organiser.releaseBlock(eventId, blockId, release),
      CreateVouchers: ({ eventId, vouchers }) => organiser.createVouchers(eventId, vouchers),
      ListVouchers: ({ eventId, query }) => organiser.vouchers(eventId, query),
      RemoveVoucher: ({ eventId, voucherId }) => organiser.removeVoucher(eventId, voucherId),
      ReleaseAccessible: ({ eventId }) => organiser.releaseAccessible(eventId),
      RefundAnyOrder: ({ idempotencyKey, orderId, refund }) =>
        orders.refundAny(orderId, idempotencyKey, refund),
      SetRefundPolicy: ({ eventId, policy }) => organiser.setRefundPolicy(eventId, policy),
      CancelEvent: ({ cancellation, eventId }) => organiser.cancelEvent(eventId, cancellation.reason),
      GetEventRefunds: ({ eventId }) => organiser.eventRefunds(eventId),

      CreateWebhook: ({ webhook }) => webhooks.create(webhook),
      ListWebhooks: () => webhooks.list,
      GetWebhook: ({ webhookId }) => webhooks.get(webhookId),
      ChangeWebhook: ({ change, webhookId }) => webhooks.change(webhookId, change),
      RemoveWebhook: ({ webhookId }) => webhooks.remove(webhookId),
      RotateWebhook: ({ webhookId }) => webhooks.rotate(webhookId),
      PingWebhook: ({ webhookId }) => webhooks.ping(webhookId),
      ListDeliveries: ({ query, webhookId }) => webhooks.deliveries(webhookId, query),
      GetDelivery: ({ deliveryId, webhookId }) => webhooks.delivery(webhookId, deliveryId),
      ReplayDelivery: ({ deliveryId, webhookId }) => webhooks.replay(webhookId, deliveryId),
      ReplayDeliveries: ({ replay, webhookId }) => webhooks.replayBetween(webhookId, replay)
    })
  })
)
