/** Events, their seat maps and what is free, over RPC. */
import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import { EventDetail, EventPage, EventQuery, EventSeatMap } from "../catalog/Event.ts"
import { AvailabilityUpdate } from "../http/AvailabilityUpdate.ts"
import { Availability } from "../http/EventsApi.ts"
import { CursorInvalid, EventNotFound, Overloaded } from "../http/Problems.ts"
import { EventId } from "../Ids.ts"

const eventId = { eventId: EventId }

export class EventsRpc extends RpcGroup.make(
  Rpc.make("ListEvents", { payload: EventQuery, success: EventPage, error: CursorInvalid }),
  Rpc.make("GetEvent", { payload: eventId, success: EventDetail, error: EventNotFound }),
  Rpc.make("GetSeatMap", { payload: eventId, success: EventSeatMap, error: EventNotFound }),
  Rpc.make("GetAvailability", {
    payload: eventId,
    success: Availability,
    error: Schema.Union([EventNotFound, Overloaded])
  }),
  /**
   * A snapshot, then a delta whenever something changes, until the client has enough. With `after` (the version
   * of the last message that a broken stream has brought) it begins with what has changed since, where that is
   * still known. A client that is slow to read gets fewer and larger messages. `Overloaded` where too many
   * watch, where the inventory does not answer for long, and when the server stops: resume then.
   */
  Rpc.make("WatchAvailability", {
    payload: { ...eventId, after: Schema.optionalKey(Schema.Int) },
    success: AvailabilityUpdate,
    error: Schema.Union([EventNotFound, Overloaded]),
    stream: true
  })
) {}
