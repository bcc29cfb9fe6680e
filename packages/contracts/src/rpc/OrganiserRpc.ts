/**
 * What organisers do, over RPC. All of it needs the organiser's key: header `authorization: Bearer KEY`, of each
 * call or of the connection. Seat maps are imported and exported over HTTP alone, where messages may be large.
 */
import { Schema } from "effect"
import { Rpc, RpcGroup, RpcMiddleware } from "effect/rpc"
import { Block, BlockRelease, NewBlock } from "../catalog/Block.ts"
import {
  EventDetail,
  NewEvent,
  NewRefundPolicy,
  VenueDetail,
  VenuePage,
  VenueQuery
} from "../catalog/Event.ts"
import { EventChange } from "../catalog/EventChange.ts"
import { NewVouchers, Voucher, VoucherPage, VoucherQuery } from "../catalog/Voucher.ts"
import { IdempotencyKey } from "../http/Common.ts"
import { NewRefund, Order } from "../http/OrdersApi.ts"
import { SalesReport } from "../http/OrganiserApi.ts"
import {
  BlockNotFound,
  EventNotCancelled,
  EventNotPublished,
  SeatsBlocked,
  VoucherExists,
  VoucherNotFound
} from "../http/OrganiserProblems.ts"
import {
  CursorInvalid,
  EventCancelled,
  EventInvalid,
  EventNotDraft,
  EventNotFound,
  KeyInUse,
  KeyReused,
  NotRefundable,
  OrderNotFound,
  Overloaded,
  SeatsUnknown,
  Unauthorized,
  VenueNotFound
} from "../http/Problems.ts"
import { CancellationProgress, EventCancellation } from "../http/RefundsApi.ts"
import { BlockId, EventId, OrderId, VenueId, VoucherId } from "../Ids.ts"

/** Lets those with the organiser's key pass. */
export class OrganiserOnly extends RpcMiddleware.Service<OrganiserOnly>()(
  "@onsale/contracts/rpc/OrganiserOnly",
  { error: Unauthorized }
) {}

const eventId = { eventId: EventId }

export class OrganiserRpc extends RpcGroup.make(
  Rpc.make("ListVenues", { payload: VenueQuery, success: VenuePage, error: CursorInvalid }),
  Rpc.make("GetVenue", { payload: { venueId: VenueId }, success: VenueDetail, error: VenueNotFound }),
  Rpc.make("CreateEvent", {
    payload: { event: NewEvent },
    success: EventDetail,
    error: Schema.Union([VenueNotFound, EventInvalid])
  }),
  Rpc.make("UpdateEvent", {
    payload: { ...eventId, event: NewEvent },
    success: EventDetail,
    error: Schema.Union([EventNotFound, EventNotDraft, VenueNotFound, EventInvalid])
  }),
  /** Of a published event; its buyers are told. */
  Rpc.make("ChangeEvent", {
    payload: { ...eventId, change: EventChange },
    success: EventDetail,
    error: Schema.Union([EventNotFound, EventNotPublished, EventCancelled, EventInvalid])
  }),
  /** Drafts as well, unlike `GetEvent`. */
  Rpc.make("GetAnyEvent", { payload: eventId, success: EventDetail, error: EventNotFound }),
  Rpc.make("PublishEvent", {
    payload: eventId,
    success: EventDetail,
    error: Schema.Union([EventNotFound, EventNotDraft, EventInvalid, Overloaded])
  }),
  Rpc.make("GetSales", {
    payload: eventId,
    success: SalesReport,
    error: EventNotFound
  }),
  Rpc.make("CreateBlock", {
    payload: { ...eventId, block: NewBlock },
    success: Block,
    error: Schema.Union([EventNotFound, EventCancelled, SeatsUnknown, SeatsBlocked, EventInvalid])
  }),
  Rpc.make("ListBlocks", {
    payload: eventId,
    success: Schema.Struct({ blocks: Schema.Array(Block) }),
    error: EventNotFound
  }),
  Rpc.make("ReleaseBlock", {
    payload: { ...eventId, blockId: BlockId, release: BlockRelease },
    success: Block,
    error: Schema.Union([EventNotFound, EventCancelled, BlockNotFound, SeatsUnknown, EventInvalid])
  }),
  Rpc.make("CreateVouchers", {
    payload: { ...eventId, vouchers: NewVouchers },
    success: Schema.Struct({ vouchers: Schema.Array(Voucher) }),
    error: Schema.Union([EventNotFound, EventCancelled, VoucherExists, EventInvalid])
  }),
  Rpc.make("ListVouchers", {
    payload: { ...eventId, query: VoucherQuery },
    success: VoucherPage,
    error: Schema.Union([EventNotFound, CursorInvalid])
  }),
  Rpc.make("RemoveVoucher", {
    payload: { ...eventId, voucherId: VoucherId },
    error: Schema.Union([EventNotFound, EventCancelled, VoucherNotFound])
  }),
  Rpc.make("ReleaseAccessible", {
    payload: eventId,
    success: EventDetail,
    error: Schema.Union([EventNotFound, EventCancelled])
  }),
  /** Whatever the order's terms say, and without a fee. */
  Rpc.make("RefundAnyOrder", {
    payload: { orderId: OrderId, idempotencyKey: IdempotencyKey, refund: NewRefund },
    success: Order,
    error: Schema.Union([OrderNotFound, NotRefundable, KeyReused, KeyInUse, Overloaded])
  }),
  Rpc.make("SetRefundPolicy", {
    payload: { ...eventId, policy: NewRefundPolicy },
    success: EventDetail,
    error: Schema.Union([EventNotFound, EventCancelled, EventInvalid])
  }),
  Rpc.make("CancelEvent", {
    payload: { ...eventId, cancellation: EventCancellation },
    success: EventDetail,
    error: Schema.Union([EventNotFound, EventNotPublished])
  }),
  Rpc.make("GetEventRefunds", {
    payload: eventId,
    success: CancellationProgress,
    error: Schema.Union([EventNotFound, EventNotCancelled])
  })
).middleware(OrganiserOnly) {}
