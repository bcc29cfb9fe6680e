/** Search, over RPC. */
import { Rpc, RpcGroup } from "effect/rpc"
import { EventSearch, EventSearchPage } from "../catalog/EventSearch.ts"
import { Overloaded } from "../http/Problems.ts"

export class SearchRpc extends RpcGroup.make(
  Rpc.make("SearchEvents", { payload: EventSearch, success: EventSearchPage, error: Overloaded })
) {}
