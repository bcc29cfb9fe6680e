/** The door, for whoever serves it: scans that ask, scans that come later. */
import { Context, Effect, Layer, Schema } from "effect"
import type { Sharding } from "effect/cluster"
import { SqlClient } from "effect/sql"
import type { CheckInAnswer, Scan, ScanAnswer } from "@onsale/contracts/booking/CheckIn"
import { BookingUnavailable, OrderEntity } from "@onsale/contracts/booking/OrderEntity"
import { OrderId, TicketId } from "@onsale/contracts/Ids"
import { reachable } from "./ClusterErrors.ts"
import * as DoorList from "./DoorList.ts"

/** Orders that are told of scans at once, of one upload. */
const concurrency = 16

const Owners = Schema.Array(Schema.Struct({ ticketId: TicketId, orderId: OrderId }))

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const orderFor = yield* OrderEntity.client

  /** An entity is made for whatever id it is asked about: so only those of orders that there are. */
  const ownersOf = (tickets: ReadonlyArray<TicketId>) =>
    sql`SELECT id::text AS "ticketId", order_id::text AS "orderId" FROM booking.tickets
      WHERE id IN (SELECT json_array_elements_text(${JSON.stringify(tickets)}::json)::uuid)`.pipe(
      Effect.flatMap(Schema.decodeUnknownEffect(Owners)),
      Effect.orDie
    )

  return CheckIns.of({
    checkIn: Effect.fn("CheckIns.checkIn")(function* (scan) {
      const [owner] = yield* ownersOf([scan.ticketId])
      if (owner === undefined) return null
      return yield* reachable(orderFor(owner.orderId).CheckIn(scan)).pipe(
        Effect.catchTag("OrderNotFound", () => Effect.succeed(null))
      )
    }),

    record: Effect.fn("CheckIns.record")(function* (scans) {
      const owners = new Map(
        (yield* ownersOf([...new Set(scans.map(({ ticketId }) => ticketId))])).map(
          ({ orderId, ticketId }) => [ticketId, orderId] as const
        )
      )
      const byOrder = Map.groupBy(
        scans.filter(({ ticketId }) => owners.has(ticketId)),
        ({ ticketId }) => owners.get(ticketId)
      )
      const told = yield* Effect.forEach(
        byOrder,
        ([orderId, scans]) =>
          orderId === undefined
            ? Effect.succeed([])
            : reachable(orderFor(orderId).RecordScans({ scans })).pipe(
                Effect.map((answers) => scans.map((scan, i) => [scan, answers[i]] as const)),
                Effect.catchTag("OrderNotFound", () => Effect.succeed([]))
              ),
        { concurrency }
      ).pipe(
        // Of several orders others may have recorded theirs: that nothing was done is one order's word.
        Effect.catchTag("BookingUnavailable", (unavailable) =>
          Effect.fail(
            byOrder.size > 1
              ? new BookingUnavailable({ retryAfterMs: unavailable.retryAfterMs })
              : unavailable
          )
        )
      )
      const answers = new Map(told.flat())
      return scans.map(
        (scan): ScanAnswer => answers.get(scan) ?? { scanId: scan.scanId, result: "unknown", checkIn: null }
      )
    }),

    ...DoorList.make(sql)
  })
})

export class CheckIns extends Context.Service<
  CheckIns,
  {
    /** Now, by our clock; null where there is no such ticket. */
    readonly checkIn: (scan: Omit<Scan, "atMs">) => Effect.Effect<CheckInAnswer | null, BookingUnavailable>
    /** Scans that were made without asking, at most `maxScans`; the answers are in their order. A repeat changes nothing. */
    readonly record: (
      scans: ReadonlyArray<Scan>
    ) => Effect.Effect<ReadonlyArray<ScanAnswer>, BookingUnavailable>
  } & ReturnType<typeof DoorList.make>
>()("@onsale/booking/CheckIns") {
  static readonly layer: Layer.Layer<CheckIns, never, SqlClient.SqlClient | Sharding.Sharding> = Layer.effect(
    CheckIns,
    make
  )
}
