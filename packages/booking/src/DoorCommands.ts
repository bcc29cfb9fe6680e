/** What the door and the holder of a ticket ask of its order: to be let in, scans to be written down, a new code. */
import type { CheckInAnswer, Scan, ScanAnswer } from "@onsale/contracts/booking/CheckIn"
import type { Customer, OrderEvent } from "@onsale/contracts/booking/Order"
import { KeyReused, NotReissuable, OrderNotFound } from "@onsale/contracts/booking/OrderEntity"
import type { OrderId, TicketId } from "@onsale/contracts/Ids"
import { Clock, Effect, Result } from "effect"
import { evolve, type Order, toView } from "./OrderState.ts"
import type { Key, KnownRequest, OrderStore, Plan, Stored } from "./OrderStore.ts"
import * as TicketDoor from "./TicketDoor.ts"

/** A refund that is under way goes on a second later: the append would else have forgotten it. */
const refundPauseMs = 1_000

const planOf = (order: Order, atMs: number): Plan =>
  order.refunds.some(({ status }) => status === "pending")
    ? { _tag: "Waiting", checkAtMs: atMs + refundPauseMs }
    : { _tag: "Finished" }

/** `owner` is the order's entity; each of these runs in its turn. */
export const make = (owner: {
  readonly orderId: OrderId
  readonly store: OrderStore["Service"]
  readonly current: Effect.Effect<Stored | null>
  readonly remember: (stored: Stored) => void
  readonly beforeNow: (key: Key, fingerprint: string) => Effect.Effect<KnownRequest | null, KeyReused>
}) => {
  const { beforeNow, current, orderId, remember, store } = owner

  /** Only orders with tickets have a door; others are as unknown here as those that never were. */
  const found = Effect.gen(function* () {
    const stored = yield* current
    return stored === null || stored.order.stage !== "confirmed" ? yield* new OrderNotFound() : stored
  })

  const write = Effect.fnUntraced(function* (
    { order, version }: Stored,
    events: ReadonlyArray<OrderEvent>,
    atMs: number,
    request: (Key & { readonly fingerprint: string }) | null = null
  ) {
    const after: Stored = {
      order: events.reduce((order, event) => evolve(order, event, { orderId, atMs }), order),
      version: version + 1
    }
    yield* store.append({
      events,
      ...after,
      atMs,
      plan: planOf(after.order, atMs),
      request,
      answers: null
    })
    remember(after)
    return after
  })

  /** What the table refuses that the journal allows is a bug; the request is told to try again, and it is logged. */
  const writeScans = (stored: Stored, events: ReadonlyArray<OrderEvent>, atMs: number) =>
    write(stored, events, atMs).pipe(Effect.catchTag("UniqueBroken", Effect.die))

  return {
    checkIn: Effect.fnUntraced(function* (asked: Omit<Scan, "atMs">) {
      const stored = yield* found
      const { order } = stored
      const door = order.doors.get(asked.ticketId)
      if (door === undefined) return yield* new OrderNotFound()
      const atMs = yield* Clock.currentTimeMillis
      const { event, refusal } = TicketDoor.checkIn(door, { ...asked, atMs })
      if (refusal !== null) return refusal
      const after = event === null ? stored : yield* writeScans(stored, [event], atMs)
      const ticket = after.order.tickets.find(({ id }) => id === asked.ticketId)
      if (ticket?.checkIn === undefined) return yield* Effect.die(new Error("admitted without a check-in"))
      const answer: CheckInAnswer = {
        _tag: "Admitted",
        checkIn: ticket.checkIn,
        label: ticket.label,
        holder: (ticket.holder ?? order.placed.customer).name
      }
      return answer
    }),

    /** All of them in one append. */
    record: Effect.fnUntraced(function* (scans: ReadonlyArray<Scan>) {
      const stored = yield* found
      const atMs = yield* Clock.currentTimeMillis
      const events: Array<OrderEvent> = []
      const answers: Array<ScanAnswer> = []
      let { order } = stored
      for (const scan of scans) {
        const door = order.doors.get(scan.ticketId)
        if (door === undefined) {
          answers.push({ scanId: scan.scanId, result: "unknown", checkIn: null })
          continue
        }
        const { answer, event } = TicketDoor.record(door, scan)
        answers.push(answer)
        if (event === null) continue
        events.push(event)
        order = evolve(order, event, { orderId, atMs })
      }
      if (events.length > 0) yield* writeScans(stored, events, atMs)
      return answers
    }),

    reissue: Effect.fnUntraced(function* (request: {
      readonly key: string
      readonly fingerprint: string
      readonly ticketId: TicketId
      readonly holder: Customer | null
    }) {
      const key: Key = { operation: "reissue", key: request.key }
      const seen = yield* beforeNow(key, request.fingerprint)
      if (seen !== null && seen.orderId !== orderId) return yield* new KeyReused()
      if (seen !== null && seen.answer !== null) return seen.answer
      const stored = yield* found
      let after = stored
      if (seen === null) {
        const reissued = TicketDoor.reissue(stored.order.doors.get(request.ticketId), request)
        if (Result.isFailure(reissued)) return yield* new NotReissuable({ reason: reissued.failure })
        const atMs = yield* Clock.currentTimeMillis
        after = yield* write(stored, [reissued.success], atMs, {
          ...key,
          fingerprint: request.fingerprint
        }).pipe(Effect.catchTag("UniqueBroken", () => Effect.fail(new KeyReused())))
      }
      yield* store.answer(key, after.order)
      return toView(after.order)
    })
  }
}
