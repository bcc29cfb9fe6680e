/** Orders, refunds and tickets over RPC; the tickets' PDF is over HTTP alone. */
import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import { NewOrder } from "../booking/Order.ts"
import { IdempotencyKey } from "../http/Common.ts"
import {
  ConfirmedOrder,
  newOrderProblems,
  NewRefund,
  Order,
  OrderPage,
  OrderQuery,
  PendingOrder,
  refundProblems,
  reissueProblems,
  TicketOfEvent,
  TicketTransfer
} from "../http/OrdersApi.ts"
import { CursorInvalid, OrderNotFound, Overloaded, TicketNotFound, Unauthorized } from "../http/Problems.ts"
import { OrderId, TicketId } from "../Ids.ts"

export class OrdersRpc extends RpcGroup.make(
  Rpc.make("CreateOrder", {
    payload: { idempotencyKey: IdempotencyKey, order: NewOrder },
    success: Schema.Union([ConfirmedOrder, PendingOrder]),
    error: Schema.Union([...newOrderProblems, Overloaded])
  }),
  /** Of the customer whom the header `authorization` names by a token. */
  Rpc.make("ListOrders", {
    payload: OrderQuery,
    success: OrderPage,
    error: Schema.Union([Unauthorized, CursorInvalid, Overloaded])
  }),
  Rpc.make("GetOrder", { payload: { orderId: OrderId }, success: Order, error: OrderNotFound }),
  Rpc.make("RefundOrder", {
    payload: { orderId: OrderId, idempotencyKey: IdempotencyKey, refund: NewRefund },
    success: Order,
    error: Schema.Union([...refundProblems, Overloaded])
  }),
  Rpc.make("TransferTicket", {
    payload: { orderId: OrderId, ticketId: TicketId, idempotencyKey: IdempotencyKey, holder: TicketTransfer },
    success: Order,
    error: Schema.Union([...reissueProblems, Overloaded])
  }),
  Rpc.make("ReissueTicket", {
    payload: { orderId: OrderId, ticketId: TicketId, idempotencyKey: IdempotencyKey },
    success: Order,
    error: Schema.Union([...reissueProblems, Overloaded])
  }),
  Rpc.make("GetTicket", { payload: { ticketId: TicketId }, success: TicketOfEvent, error: TicketNotFound })
) {}
