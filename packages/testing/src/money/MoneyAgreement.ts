/**
 * Whether all who keep books agree once everything is at rest: the order, its tickets, the seats, our payment, and
 * the ledgers of all providers. What is read here is read from the tables and from the providers' own API, and
 * added up by other code than the one that wrote it.
 */
import type { EventId } from "@onsale/contracts/Ids"
import type { SandboxPayment } from "@onsale/contracts/payments/Sandbox"
import { Effect, Schema } from "effect"
import type { MoneyBuyer } from "./MoneyBuyer.ts"
import type { MoneyWorld } from "./MoneyWorld.ts"

const OrderRow = Schema.Struct({
  id: Schema.String,
  status: Schema.String,
  total: Schema.Number,
  /** Somebody will look at it again. */
  isUnfinished: Schema.Boolean,
  validPrice: Schema.Number,
  validTickets: Schema.Int,
  intents: Schema.Array(
    Schema.Struct({
      id: Schema.String,
      status: Schema.String,
      watch: Schema.String,
      captured: Schema.Number,
      refunded: Schema.Number
    })
  )
})
export type OrderRow = typeof OrderRow.Type

/** The orders of an event as the tables have them, with their payments. */
export const ordersOf = Effect.fnUntraced(function* (world: MoneyWorld, eventId: EventId) {
  const { sql } = world
  const rows = yield* sql`SELECT o.id::text AS id, o.status, o.total_amount::float8 AS total,
      o.next_check_at IS NOT NULL AS "isUnfinished",
      (SELECT coalesce(sum(price), 0)::float8 FROM booking.tickets t WHERE t.order_id = o.id AND t.status = 'valid') AS "validPrice",
      (SELECT count(*)::int FROM booking.tickets t WHERE t.order_id = o.id AND t.status = 'valid') AS "validTickets",
      (SELECT coalesce(json_agg(json_build_object('id', i.id, 'status', i.status, 'watch', i.watch, 'captured', i.captured,
        'refunded', i.refunded)), '[]') FROM payments.intents i WHERE i.order_id = o.id) AS intents
    FROM booking.orders o WHERE o.event_id = ${eventId}::uuid ORDER BY o.id`
  return yield* Schema.decodeUnknownEffect(Schema.Array(OrderRow))(rows)
}, Effect.orDie)

/** Money that a provider may still take or has not given back: it has to be dealt with before anything is at rest. */
export const isOpen = (status: string): boolean =>
  status === "authorised" || status === "processing" || status === "requires_action"

export interface ProviderPayment extends SandboxPayment {
  readonly provider: string
}

/** The payments of an intent at all providers. */
export type PaymentsOf = (intentId: string) => Effect.Effect<ReadonlyArray<ProviderPayment>>

/** Asks the providers, each time. */
export const asked =
  (world: MoneyWorld): PaymentsOf =>
  (intentId) =>
    Effect.map(
      Effect.forEach(world.desks, ({ name, paymentsOf }) =>
        Effect.map(paymentsOf(intentId), (payments) =>
          payments.map((payment) => ({ ...payment, provider: name }))
        )
      ),
      (found) => found.flat()
    )

/** Reads the ledgers of all providers once. */
export const fromLedgers = Effect.fnUntraced(function* (world: MoneyWorld) {
  const byIntent = new Map<string, Array<ProviderPayment>>()
  for (const { ledger, name } of world.desks) {
    for (const payment of (yield* ledger).payments) {
      const others = byIntent.get(payment.reference) ?? []
      byIntent.set(payment.reference, [...others, { ...payment, provider: name }])
    }
  }
  return byIntent
})

/** Nothing is owed any more, by us or to us. */
export const isAtRest = Effect.fnUntraced(function* (
  world: MoneyWorld,
  eventId: EventId,
  paymentsOf: PaymentsOf
) {
  const orders = yield* ordersOf(world, eventId)
  if (
    orders.some(({ intents, isUnfinished }) => isUnfinished || intents.some(({ watch }) => watch === "open"))
  )
    return false
  const payments = yield* Effect.forEach(
    orders.flatMap(({ intents }) => intents),
    ({ id }) => paymentsOf(id)
  )
  return !payments.flat().some(({ status }) => isOpen(status))
})

/**
 * What disagrees about an event whose holds were given back; nothing where all is well. `isSettled` is false while
 * somebody is still at one of its orders, and by that excused. Answers too which provider has the money of each order.
 */
export const disagreements = Effect.fnUntraced(function* (
  world: MoneyWorld,
  buyer: MoneyBuyer,
  eventId: EventId,
  paymentsOf: PaymentsOf
) {
  const { sql } = world
  const found: Array<string> = []
  let isSettled = true
  const paidAt = new Map<string, string>()
  const orders = yield* ordersOf(world, eventId)
  for (const order of orders) {
    const say = (what: string) => found.push(`order ${order.id} (${order.status}): ${what}`)
    if (order.isUnfinished || order.intents.some(({ watch }) => watch === "open")) {
      isSettled = false
      say("is not finished")
    }
    const held = order.intents.reduce((sum, { captured, refunded }) => sum + captured - refunded, 0)
    if (held !== order.validPrice) say(`has valid tickets for ${order.validPrice}, and our books ${held}`)
    const isPaid = order.status === "confirmed" || order.status === "partially_refunded"
    if (isPaid !== order.validTickets > 0) say(`has ${order.validTickets} valid tickets`)
    if (order.status === "confirmed" && held !== order.total) say(`costs ${order.total}, and ${held} is paid`)

    const payments = (yield* Effect.forEach(order.intents, ({ id }) => paymentsOf(id))).flat()
    const captured = payments.filter((payment) => payment.captured > 0)
    if (captured.length > 1)
      say(
        `was charged ${captured.length} times: ${captured.map(({ id, provider }) => `${id} at ${provider}`).join(", ")}`
      )
    for (const payment of payments)
      if (isOpen(payment.status)) say(`${payment.provider} has ${payment.id} ${payment.status}`)
    const there = payments.reduce((sum, payment) => sum + payment.captured - payment.refunded, 0)
    if (there !== held) say(`the providers hold ${there}, our books say ${held}`)
    const taken = payments.reduce((sum, payment) => sum + payment.captured, 0)
    const ours = order.intents.reduce((sum, intent) => sum + intent.captured, 0)
    if (taken !== ours) say(`the providers captured ${taken}, our books say ${ours}`)
    if (captured[0] !== undefined) paidAt.set(order.id, captured[0].provider)
  }

  const seats = yield* sql<{ readonly seat: number }>`SELECT seat FROM booking.tickets
    WHERE event_id = ${eventId}::uuid AND status = 'valid' AND seat IS NOT NULL ORDER BY seat`
  const places = yield* sql<{ readonly places: number }>`SELECT count(*)::int AS places FROM booking.tickets
    WHERE event_id = ${eventId}::uuid AND status = 'valid' AND area IS NOT NULL`
  const view = yield* buyer.availability(eventId)
  if (view === null) found.push("the inventory does not know the event")
  else {
    const ticketed = seats.map(({ seat }) => seat).join(" ")
    const sold = view.sold.toSorted((a, b) => a - b).join(" ")
    if (ticketed !== sold)
      found.push(`seats sold: ${sold || "none"}, with a valid ticket: ${ticketed || "none"}`)
    if (view.held.length > 0) found.push(`seats held by nobody: ${view.held.join(" ")}`)
    const taken = view.areas.reduce((sum, { available, capacity }) => sum + capacity - available, 0)
    if (taken !== places[0]?.places)
      found.push(`places taken: ${taken}, with a valid ticket: ${places[0]?.places ?? 0}`)
  }
  return { found, isSettled, orders, paidAt }
}, Effect.orDie)
