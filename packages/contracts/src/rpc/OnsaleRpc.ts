/**
 * The operations of the HTTP API as procedures of `effect/rpc`, for typed clients over HTTP or WebSocket: the same
 * schemas and the same problems. What a call may always fail with besides its own problems is `RpcEdge`'s.
 */
import { Schema } from "effect"
import { RpcMiddleware } from "effect/rpc"
import { Internal, Overloaded, TokenRejected, TooManyRequests } from "../http/Problems.ts"
import { CheckInsRpc, DoorRpc } from "./DoorRpc.ts"
import { EventsRpc } from "./EventsRpc.ts"
import { HoldsRpc } from "./HoldsRpc.ts"
import { OrdersRpc } from "./OrdersRpc.ts"
import { OrganiserRpc } from "./OrganiserRpc.ts"
import { SearchRpc } from "./SearchRpc.ts"
import { WebhooksRpc } from "./WebhooksRpc.ts"

/** Where it is served: POST with newline-delimited JSON, GET for a WebSocket. */
export const rpcPath = "/rpc"

/**
 * `Overloaded` where a connection has too many calls open, or we have too much to do; `Internal` where we broke;
 * `TooManyRequests` for a client or a customer who calls too often. The header `authorization` of a call may carry a
 * customer's token: `TokenRejected` where it does not hold. Organisers' calls carry their key there. A call's own header
 * `traceparent` says whether it is traced.
 */
export class RpcEdge extends RpcMiddleware.Service<RpcEdge>()("@onsale/contracts/rpc/RpcEdge", {
  error: Schema.Union([Internal, Overloaded, TokenRejected, TooManyRequests])
}) {}

export class OnsaleRpc extends EventsRpc.merge(
  HoldsRpc,
  OrdersRpc,
  CheckInsRpc,
  OrganiserRpc,
  DoorRpc,
  SearchRpc,
  WebhooksRpc
).middleware(RpcEdge) {}
