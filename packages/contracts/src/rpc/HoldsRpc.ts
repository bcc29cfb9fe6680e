/** Holds over RPC: an exclusive claim on seats and places, for a while. */
import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import { IdempotencyKey } from "../http/Common.ts"
import {
  extendProblems,
  Hold,
  holdProblems,
  NewHold,
  newHoldProblems,
  releaseProblems
} from "../http/HoldsApi.ts"
import { Overloaded } from "../http/Problems.ts"
import { EventId, HoldId } from "../Ids.ts"

const holdId = { holdId: HoldId }

export class HoldsRpc extends RpcGroup.make(
  Rpc.make("CreateHold", {
    payload: { eventId: EventId, idempotencyKey: IdempotencyKey, hold: NewHold },
    success: Hold,
    error: Schema.Union([...newHoldProblems, Overloaded])
  }),
  Rpc.make("GetHold", {
    payload: holdId,
    success: Hold,
    error: Schema.Union([...holdProblems, Overloaded])
  }),
  Rpc.make("ReleaseHold", { payload: holdId, error: Schema.Union([...releaseProblems, Overloaded]) }),
  Rpc.make("ExtendHold", {
    payload: holdId,
    success: Hold,
    error: Schema.Union([...extendProblems, Overloaded])
  })
) {}
