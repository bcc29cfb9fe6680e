/** The door over RPC. A bundle is a compact JWS; uploads are as large as a message may be, some 250 scans. */
import { Schema } from "effect"
import { Rpc, RpcGroup, RpcMiddleware } from "effect/rpc"
import {
  Admitted,
  CheckInCounts,
  checkInProblems,
  ConflictPage,
  ConflictQuery,
  DoorKeys,
  NewCheckIn,
  NewScans,
  ScanReports
} from "../http/CheckInsApi.ts"
import { DoorTooLarge } from "../http/CheckInProblems.ts"
import { CursorInvalid, EventNotFound, Overloaded, Unauthorized } from "../http/Problems.ts"
import { EventId } from "../Ids.ts"
import { OrganiserOnly } from "./OrganiserRpc.ts"

/** Lets everybody pass, or those with the door's or the organiser's key: as the service is set up. */
export class DoorOnly extends RpcMiddleware.Service<DoorOnly>()("@onsale/contracts/rpc/DoorOnly", {
  error: Unauthorized
}) {}

const eventId = { eventId: EventId }

export class CheckInsRpc extends RpcGroup.make(
  Rpc.make("CheckIn", {
    payload: NewCheckIn,
    success: Admitted,
    error: Schema.Union([...checkInProblems, Overloaded])
  })
).middleware(DoorOnly) {}

export class DoorRpc extends RpcGroup.make(
  Rpc.make("GetDoorBundle", {
    payload: eventId,
    success: Schema.Struct({ bundle: Schema.String }),
    error: Schema.Union([EventNotFound, DoorTooLarge, Overloaded])
  }),
  Rpc.make("GetDoorKeys", { success: DoorKeys }),
  Rpc.make("UploadScans", {
    payload: { ...eventId, upload: NewScans },
    success: ScanReports,
    error: Schema.Union([EventNotFound, Overloaded])
  }),
  Rpc.make("ListScanConflicts", {
    payload: { ...eventId, query: ConflictQuery },
    success: ConflictPage,
    error: Schema.Union([EventNotFound, CursorInvalid])
  }),
  Rpc.make("GetCheckIns", { payload: eventId, success: CheckInCounts, error: EventNotFound })
).middleware(OrganiserOnly) {}
