/**
 * A small house of books that are in order: one event, and orders of an hour ago that are confirmed, refunded in part,
 * and declined. Tests break it by SQL, one promise at a time.
 */
import { OrderEvent, type OrderTicket } from "@onsale/contracts/booking/Order"
import {
  areaId,
  CommandId,
  makeEventId,
  makeHoldId,
  makeUuidV7,
  OrderId,
  PaymentIntentId,
  RefundId,
  seatId,
  TicketId,
  TierId
} from "@onsale/contracts/Ids"
import type { InventoryEvent } from "@onsale/contracts/inventory/InventoryEvent"
import type { SaleLayout } from "@onsale/contracts/inventory/SaleLayout"
import { PaymentEvent } from "@onsale/contracts/payments/PaymentIntent"
import { InventoryStore } from "@onsale/inventory/InventoryStore"
import * as Journal from "@onsale/platform/Journal"
import { Clock, Effect } from "effect"
import { SqlClient } from "effect/sql"

const seatPrice = 4_500
const placePrice = 2_000
const seatCount = 8
const customer = { name: "Ada", email: "ada@example.org" }

interface Purchase {
  readonly orderId: OrderId
  readonly intentId: PaymentIntentId
  readonly seats: ReadonlyArray<number>
  readonly places: number
}

const total = ({ places, seats }: Purchase) => seats.length * seatPrice + places * placePrice

export const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const nowMs = yield* Clock.currentTimeMillis
  const atMs = nowMs - 3_600_000
  const at = sql`to_timestamp(${atMs}::float8 / 1000)`
  const eventId = makeEventId(atMs)
  const tier = TierId.make(makeUuidV7(atMs))
  const inventory = yield* InventoryStore
  const orders = yield* Journal.make({ schema: "booking", event: OrderEvent })
  const payments = yield* Journal.make({ schema: "payments", event: PaymentEvent })

  const layout: SaleLayout = {
    currency: "EUR",
    tiers: [{ id: tier, name: "Stalls", price: seatPrice }],
    sections: [{ name: "Stalls" }],
    rows: [
      {
        section: 0,
        label: "A",
        rank: 0,
        seats: Array.from({ length: seatCount }, (_, i) => ({
          label: `${i + 1}`,
          x: i,
          y: 0,
          tier: 0,
          flags: 0
        }))
      }
    ],
    areas: [{ name: "Floor", tier: 0, capacity: 3 }],
    focalPoint: null,
    maxPerOrder: 4,
    holdTtlMs: 600_000,
    holdMaxMs: 900_000,
    checkoutMaxMs: 600_000,
    onSaleAtMs: 0,
    saleEndsAtMs: nowMs + 86_400_000
  }
  yield* inventory.open({ eventId, version: 1, atMs, layoutVersion: 1, layout })

  const order = (seats: ReadonlyArray<number>, places: number): Purchase => ({
    orderId: OrderId.make(makeUuidV7(atMs)),
    intentId: PaymentIntentId.make(makeUuidV7(atMs)),
    seats,
    places
  })
  const confirmed = order([0, 1], 0)
  const ofArea = order([], 2)
  const refunded = order([2, 3], 0)
  const declined = order([4], 0)

  const command = () => ({ cmd: CommandId.make(makeUuidV7(atMs)), fp: "" })
  const claims = ({ places, seats }: Purchase) => ({
    seats: [...seats],
    areas: places > 0 ? [{ area: 0, quantity: places }] : []
  })
  const hold = () => makeHoldId(atMs, 1)

  let version = 1
  /** A row of the event's journal, at the time of all the others unless told. */
  const inventoryRow = (events: ReadonlyArray<InventoryEvent>, rowAtMs = atMs) =>
    inventory.append({ eventId, version: ++version, atMs: rowAtMs, events })

  const buy = Effect.fnUntraced(function* (purchase: Purchase) {
    const { intentId, orderId } = purchase
    const holdId = hold()
    const amount = total(purchase)
    yield* inventoryRow([
      {
        _tag: "Held",
        ...command(),
        hold: holdId,
        ...claims(purchase),
        exp: atMs + 600_000,
        cap: atMs + 900_000
      },
      {
        _tag: "Frozen",
        ...command(),
        hold: holdId,
        order: orderId,
        ...claims(purchase),
        until: atMs + 600_000
      },
      { _tag: "Sold", ...command(), hold: holdId, order: orderId, ...claims(purchase), reclaimed: false }
    ])
    const tickets = [
      ...purchase.seats.map((seat) => ({ seat, area: null, price: seatPrice })),
      ...Array.from({ length: purchase.places }, () => ({ seat: null, area: 0, price: placePrice }))
    ].map(
      ({ area, price, seat }): OrderTicket => ({
        id: TicketId.make(makeUuidV7(atMs)),
        seatId: seat === null ? null : seatId(eventId, seat),
        areaId: area === null ? null : areaId(eventId, area),
        label: seat === null ? "Floor" : `A ${seat + 1}`,
        tier,
        price,
        status: "valid",
        codeVersion: 1
      })
    )
    yield* place(purchase, holdId, "confirmed", [
      { _tag: "SeatsSold", reclaimed: false },
      { _tag: "Confirmed", tickets }
    ])
    yield* Effect.forEach(
      tickets,
      (ticket, i) =>
        sql`INSERT INTO booking.tickets (id, order_id, event_id, seat, area, label, tier_id, price, status, code_version, created_at, updated_at)
        VALUES (${ticket.id}::uuid, ${orderId}::uuid, ${eventId}::uuid, ${purchase.seats[i] ?? null}::int,
          ${ticket.areaId === null ? null : 0}::int, ${ticket.label}, ${tier}::uuid, ${ticket.price}::bigint, 'valid', 1, ${at}, ${at})`
    )
    yield* pay(purchase, "captured", [
      { _tag: "Authorised", reference: `pay_${intentId}` },
      { _tag: "Captured", amount }
    ])
    yield* sql`INSERT INTO notifications.orders (order_id, event_id, customer, total, tickets, placed_at, confirmed_at)
      VALUES (${orderId}::uuid, ${eventId}::uuid, '{}', '{}', '[]', ${at}, ${at})`
    return tickets
  })

  const place = Effect.fnUntraced(function* (
    purchase: Purchase,
    holdId: ReturnType<typeof hold>,
    status: string,
    events: ReadonlyArray<OrderEvent>
  ) {
    const { intentId, orderId, places, seats } = purchase
    const amount = total(purchase)
    const placed: OrderEvent = {
      _tag: "Placed",
      eventId,
      holdId,
      customer,
      intentId,
      provider: null,
      method: "tok_ok",
      total: { amount, currency: "EUR" },
      seats: seats.map((seat) => ({ seat, label: `A ${seat + 1}`, tier, price: seatPrice })),
      areas: places > 0 ? [{ area: 0, name: "Floor", quantity: places, tier, price: placePrice }] : [],
      payUntilMs: atMs + 600_000
    }
    yield* orders.append({ stream: orderId, version: 1, atMs, correlation: null, events: [placed] })
    yield* orders.append({ stream: orderId, version: 2, atMs, correlation: null, events })
    yield* sql`INSERT INTO booking.orders (id, event_id, hold_id, intent_id, status, stage, tickets, total_amount, currency,
        pay_until, version, created_at, updated_at)
      VALUES (${orderId}::uuid, ${eventId}::uuid, ${holdId}::uuid, ${intentId}::uuid, ${status}, ${status},
        ${seats.length + places}::int, ${amount}::bigint, 'EUR', ${at}, 2, ${at}, ${at})`
    yield* sql`INSERT INTO booking.idempotency (operation, key, fingerprint, order_id, answer, created_at)
      VALUES ('place', ${orderId}::text, '', ${orderId}::uuid, ${JSON.stringify({ id: orderId })}::json, ${at})`
  })

  const pay = Effect.fnUntraced(function* (
    purchase: Purchase,
    status: string,
    events: ReadonlyArray<PaymentEvent>
  ) {
    const { intentId, orderId } = purchase
    const amount = total(purchase)
    const payment = { orderId, amount, currency: "EUR", provider: null, method: "tok_ok" }
    yield* payments.append({
      stream: intentId,
      version: 1,
      atMs,
      correlation: null,
      events: [{ _tag: "Created", payment, provider: "sandbox" }, ...events]
    })
    yield* sql`INSERT INTO payments.intents (id, order_id, provider, provider_reference, status, watch, amount, currency,
        captured, refunded, checks, created_at, updated_at)
      VALUES (${intentId}::uuid, ${orderId}::uuid, 'sandbox', ${`pay_${intentId}`}, ${status}, 'settled', ${amount}::bigint,
        'EUR', ${status === "captured" ? amount : 0}::bigint, 0, 0, ${at}, ${at})`
    if (status === "captured") yield* entry(intentId, 1, "organiser:house", "provider:sandbox", amount)
  })

  /** What moved, as the payments write it with the row of their journal. */
  const entry = (intentId: PaymentIntentId, version: number, from: string, to: string, amount: number) =>
    sql`INSERT INTO payments.ledger (intent_id, version, line, account, amount, currency, at)
      SELECT ${intentId}::uuid, ${version}::bigint,
        (SELECT coalesce(max(line), 0) FROM payments.ledger WHERE intent_id = ${intentId}::uuid) + line,
        account, amount, 'EUR', ${at}
      FROM (VALUES (1, ${to}::text, ${amount}::bigint), (2, ${from}::text, ${-amount}::bigint)) AS row (line, account, amount)`

  const tickets = yield* buy(confirmed)
  yield* buy(ofArea)
  const [, back] = yield* buy(refunded)
  if (back === undefined) return yield* Effect.die(new Error("the order has two tickets"))

  const refundId = RefundId.make(makeUuidV7(atMs))
  yield* orders.append({
    stream: refunded.orderId,
    version: 3,
    atMs,
    correlation: null,
    events: [
      { _tag: "RefundRequested", refundId, amount: seatPrice, tickets: [back.id], reason: "ill" },
      { _tag: "SeatsReturned", refundId },
      { _tag: "Refunded", refundId }
    ]
  })
  yield* sql`UPDATE booking.orders SET status = 'partially_refunded', refunded_amount = ${seatPrice}::bigint, version = 3
    WHERE id = ${refunded.orderId}::uuid`
  yield* sql`UPDATE booking.tickets SET status = 'refunded' WHERE id = ${back.id}::uuid`
  yield* payments.append({
    stream: refunded.intentId,
    version: 2,
    atMs,
    correlation: null,
    events: [
      { _tag: "RefundRequested", refundId, amount: seatPrice },
      { _tag: "Refunded", refundId, amount: seatPrice }
    ]
  })
  yield* entry(refunded.intentId, 2, "refunds_due", "organiser:house", seatPrice)
  yield* entry(refunded.intentId, 2, "provider:sandbox", "refunds_due", seatPrice)
  yield* sql`UPDATE payments.intents SET status = 'partially_refunded', refunded = ${seatPrice}::bigint
    WHERE id = ${refunded.intentId}::uuid`
  yield* inventoryRow([{ _tag: "Returned", ...command(), order: refunded.orderId, seats: [3], areas: [] }])

  yield* place(declined, hold(), "declined", [
    { _tag: "PaymentDeclined", provider: "sandbox", code: "card_declined" }
  ])
  yield* pay(declined, "failed", [{ _tag: "Failed", reference: null, code: "card_declined" }])

  for (const [schema, name, follows] of [
    ["booking", "payment-news", "payments"],
    ["notifications", "booking", "booking"]
  ] as const) {
    yield* sql`INSERT INTO ${sql(`${schema}.cursor`)} (name, txid, position, updated_at)
      SELECT ${name}, txid, position, ${at} FROM ${sql(`${follows}.journal`)} ORDER BY txid DESC, position DESC LIMIT 1`
  }

  return {
    eventId,
    atMs,
    nowMs,
    confirmed,
    ofArea,
    refunded,
    declined,
    tickets,
    command,
    claims,
    hold,
    inventoryRow,
    payments
  }
})

export type AuditWorld = Effect.Success<typeof make>

/** What the provider's ledger says of the world, as lines of its file. */
export const ledgerLines = ({ atMs, confirmed, ofArea, refunded }: AuditWorld): ReadonlyArray<object> => {
  const lines: Array<object> = [{ type: "ledger.opened", n: 1, at: atMs }]
  const add = (line: object) => lines.push({ n: lines.length + 1, at: atMs, ...line })
  for (const purchase of [confirmed, ofArea, refunded]) {
    const id = `pay_${purchase.intentId}`
    const amount = total(purchase)
    add({
      type: "payment.created",
      id,
      key: `${id}:a`,
      amount,
      currency: "EUR",
      method: "tok_ok",
      reference: purchase.intentId,
      status: "authorised",
      answer: "payment"
    })
    add({ type: "payment.captured", id, key: `${id}:c`, requested: amount, amount })
  }
  add({
    type: "payment.refunded",
    id: `pay_${refunded.intentId}`,
    key: "r",
    refundId: "re_1",
    amount: seatPrice
  })
  return lines
}
