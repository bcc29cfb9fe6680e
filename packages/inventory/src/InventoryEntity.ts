/** The entity of an event's inventory, over its writer. */
import { EventId } from "@onsale/contracts/Ids"
import { InventoryEntity } from "@onsale/contracts/inventory/InventoryEntity"
import * as Tracing from "@onsale/platform/Tracing"
import { Effect, Schedule } from "effect"
import { Entity } from "effect/cluster"
import * as InventoryWriter from "./InventoryWriter.ts"

/** How soon a writer that died is replaced: the buyers that wait for it give up after 5 seconds. */
const restartEvery = Schedule.spaced("200 millis")

/** The runner's side: one writer an event, made when the event is first asked for. */
export const layer = InventoryEntity.toLayer(
  Effect.gen(function* () {
    const { entityId } = yield* Entity.CurrentAddress
    const writer = yield* InventoryWriter.make(EventId.make(entityId))
    return InventoryEntity.of({
      Open: ({ payload }) => writer.open(payload.layout),
      Execute: ({ payload }) =>
        payload.traceparent === undefined
          ? writer.execute(payload.commands, payload.waitMs)
          : Effect.flatMap(Tracing.current, (span) =>
              writer.execute(payload.commands, payload.waitMs, { span, carried: payload.carried ?? [] })
            ).pipe(
              Tracing.continued(Tracing.parse(payload.traceparent), "Inventory.Execute", { kind: "server" })
            ),
      GetHold: ({ payload }) => writer.hold(payload.holdId),
      GetHoldOf: ({ payload }) => writer.holdOf(payload.seat),
      GetAvailability: () => writer.availability
    })
  }),
  {
    // The writer has a bounded queue of its own, and takes as many messages into a batch as there are.
    concurrency: "unbounded",
    mailboxCapacity: InventoryWriter.queueLimit,
    // Else the pause grows with every restart that the process has ever seen, of whatever event.
    defectRetryPolicy: restartEvery,
    maxIdleTime: "10 minutes"
  }
)
