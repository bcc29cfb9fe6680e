/** A shop's world for the notifications: facts go into the journals, and a mail server shows what came of them. */
import { OrderEvent } from "@onsale/contracts/booking/Order"
import { CatalogEvent, type EventFacts } from "@onsale/contracts/catalog/CatalogEvent"
import type { EventPlan } from "@onsale/contracts/catalog/EventPlan"
import type { SaleTerms } from "@onsale/contracts/catalog/SaleTerms"
import { HoldId, makeUuidV7, type OrderId, PaymentIntentId } from "@onsale/contracts/Ids"
import * as Journal from "@onsale/platform/Journal"
import { pollUntil } from "@onsale/testing/Poll"
import { layerDatabase } from "@onsale/testing/PostgresFixture"
import { SmtpFixture } from "@onsale/testing/SmtpFixture"
import { Clock, Effect, Layer, Redacted } from "effect"
import { Channels } from "../src/Channels.ts"
import type * as DeliveryWorker from "../src/DeliveryWorker.ts"
import { NoticeJobs } from "../src/NoticeJobs.ts"
import { Notifications } from "../src/Notifications.ts"
import * as NotificationRunner from "../src/NotificationRunner.ts"
import { event, eventId, makeOrderId, makeTickets } from "./Samples.ts"

export const channels = Layer.unwrap(
  Effect.map(SmtpFixture, ({ url }) =>
    Channels.layerSmtp({ urls: Redacted.make(url), from: "Onsale <tickets@onsale.example>" })
  )
)

/** Quick to try again, and to give up after four attempts. */
export const quick = {
  backoff: "5 millis",
  maxBackoff: "20 millis",
  maxAttempts: 4,
  pollEvery: "10 millis",
  gatherFor: "5 millis",
  lookEvery: "50 millis"
} satisfies DeliveryWorker.DeliveryOptions

export const runner = NotificationRunner.layer(quick)

export const withoutRunner = Notifications.layer.pipe(
  Layer.provideMerge(NoticeJobs.layer),
  Layer.provideMerge(SmtpFixture.layer),
  Layer.provideMerge(layerDatabase)
)
export const running = runner.pipe(Layer.provideMerge(channels), Layer.provideMerge(withoutRunner))

/** Tells the next of an event; the first is that it is published. */
export const catalog = Effect.fnUntraced(function* (version: number, event: CatalogEvent, stream = eventId) {
  const journal = yield* Journal.make({ schema: "catalog", event: CatalogEvent })
  const atMs = yield* Clock.currentTimeMillis
  yield* journal.append({ stream, version, atMs, correlation: null, events: [event] })
})
export const publish = (facts: EventFacts = event, plan?: EventPlan) =>
  catalog(
    1,
    CatalogEvent.cases.EventPublished.make({ facts, ...(plan === undefined ? {} : { plan }) }),
    facts.eventId
  )

export const customer = { name: "محمد Łukasz", email: "buyer@example.org" }

/** An order placed so long ago, a minute when left out, and confirmed a second later. */
export const place = Effect.fnUntraced(function* (
  count = 2,
  options: {
    readonly agoMs?: number
    readonly payInMs?: number
    readonly email?: string
    readonly locale?: string
    readonly terms?: SaleTerms
  } = {}
) {
  const journal = yield* Journal.make({ schema: "booking", event: OrderEvent })
  const nowMs = yield* Clock.currentTimeMillis
  const orderId = makeOrderId()
  const tickets = makeTickets(count)
  const placedAtMs = nowMs - (options.agoMs ?? 60_000)
  const append = (version: number, events: ReadonlyArray<OrderEvent>) =>
    journal.append({
      stream: orderId,
      version,
      atMs: placedAtMs + (version - 1) * 1_000,
      correlation: "corr-1",
      events
    })
  yield* append(1, [
    OrderEvent.cases.Placed.make({
      eventId,
      holdId: HoldId.make(makeUuidV7(nowMs)),
      customer: {
        ...customer,
        email: options.email ?? customer.email,
        ...(options.locale === undefined ? {} : { locale: options.locale })
      },
      intentId: PaymentIntentId.make(makeUuidV7(nowMs)),
      provider: null,
      method: "tok_ok",
      total: { amount: 4950 * count, currency: "EUR" },
      seats: tickets.map(({ label, price, tier }, seat) => ({ seat, label, price, tier })),
      areas: [],
      ...(options.terms === undefined ? {} : { terms: options.terms }),
      payUntilMs: nowMs + (options.payInMs ?? 600_000)
    })
  ])
  return {
    orderId,
    placedAtMs,
    tickets,
    append,
    confirm: append(2, [OrderEvent.cases.Confirmed.make({ tickets })])
  }
})

/** Machines that test are slow. */
export const patience = { deadline: "45 seconds" } as const

export const sentMails = (orderId: OrderId) =>
  Effect.flatMap(Notifications, (notifications) => notifications.mails(orderId))
export const untilSent = (orderId: OrderId, count = 1) =>
  pollUntil(sentMails(orderId), (mails) => mails.length >= count, patience)
export const untilSettled = Effect.flatMap(NoticeJobs, (jobs) =>
  pollUntil(
    Effect.all([jobs.notices.backlog, jobs.fanOuts.backlog, jobs.deliveries("email").backlog]),
    (all) => all.every(({ waiting }) => waiting === 0),
    patience
  )
)
