/** The catalog: venues with their seat maps, and events with their tiers, from the draft to the sale. */
import {
  type CursorInvalid,
  type EventCancelled,
  EventInvalid,
  EventNotDraft,
  EventNotFound,
  type EventNotPublished,
  type InvalidField,
  type PlanRefused,
  VenueNotFound
} from "@onsale/contracts/catalog/CatalogErrors"
import type {
  EventDetail,
  EventPage,
  EventQuery,
  EventSeatMap,
  NewEvent,
  NewRefundPolicy,
  NewVenue,
  VenueDetail,
  VenuePage,
  VenueQuery
} from "@onsale/contracts/catalog/Event"
import type { EventChange } from "@onsale/contracts/catalog/EventChange"
import { type EventId, makeEventId, makeUuidV7, maxEventNumber, VenueId } from "@onsale/contracts/Ids"
import { InventoryClient, InventoryUnavailable } from "@onsale/contracts/inventory/InventoryClient"
import { Cache, Clock, Context, DateTime, Duration, Effect, Exit, Layer } from "effect"
import * as SecureRandom from "effect/crypto/SecureRandom"
import { SqlClient } from "effect/sql"
import { Blocks } from "./Blocks.ts"
import { CatalogTouched } from "./CatalogTouched.ts"
import { CatalogJournal } from "./CatalogJournal.ts"
import { EventChanges } from "./EventChanges.ts"
import { EventCopies } from "./EventCopies.ts"
import * as EventDraft from "./EventDraft.ts"
import { eventMapVersion, eventSeatMap } from "./EventLayout.ts"
import { EventPages } from "./EventPages.ts"
import { EventStore, type ListOptions } from "./EventStore.ts"
import { forPublic, toDetail, toPublished, toSummary } from "./EventView.ts"
import * as PageCursor from "./PageCursor.ts"
import * as PlanOutline from "./PlanOutline.ts"
import { importPlan } from "./PlanImport.ts"
import { PublicEvents } from "./PublicEvents.ts"
import { type PretixJson, toPretix } from "./PretixExport.ts"
import * as RefundPolicies from "./RefundPolicies.ts"
import { SaleChanges } from "./SaleChanges.ts"
import type { StoredEvent } from "./StoredEvent.ts"
import { Vouchers } from "./Vouchers.ts"
import { VenueStore } from "./VenueStore.ts"

const defaultPageSize = 20
const maxPageSize = 100

/** Numbers and ids of events belong together for ever; a few bytes each. */
const cachedNumbers = 10_000

/** How often a draft can change under a publication before something is wrong. */
const maxPublishAttempts = 5

const pageSize = (limit: number | undefined): number =>
  Math.max(1, Math.min(limit ?? defaultPageSize, maxPageSize))

/** Milliseconds since 1970 of an instant that was decoded. */
const millis = (instant: string | undefined): number | null =>
  instant === undefined ? null : DateTime.toEpochMillis(DateTime.makeUnsafe(instant))

/** What is not there yet may be there the next time. */
const foundForEver = <A>(exit: Exit.Exit<A>): Duration.Duration =>
  Exit.isSuccess(exit) && exit.value !== null ? Duration.infinity : Duration.zero

const make = Effect.gen(function* () {
  const venues = yield* VenueStore
  const events = yield* EventStore
  const copies = yield* EventCopies
  const inventory = yield* InventoryClient
  const changes = yield* SaleChanges
  const eventChanges = yield* EventChanges
  const sql = yield* SqlClient.SqlClient

  const ids = yield* Cache.makeWith((number: number) => events.idByNumber(number), {
    capacity: cachedNumbers,
    timeToLive: foundForEver
  })

  const venueOf = Effect.fnUntraced(function* (venueId: VenueId) {
    return (yield* venues.find(venueId)) ?? (yield* new VenueNotFound({ venueId }))
  })

  /** An event in any state. */
  const eventOf = Effect.fnUntraced(function* (eventId: EventId) {
    return (yield* events.find(eventId)) ?? (yield* new EventNotFound({ eventId }))
  })

  /** An event that the public may see. */
  const publicEvent = Effect.fnUntraced(function* (eventId: EventId) {
    return (yield* copies.find(eventId)) ?? (yield* new EventNotFound({ eventId }))
  })

  const detailOf = (event: StoredEvent) => Effect.map(Clock.currentTimeMillis, (now) => toDetail(event, now))

  const createVenue = Effect.fn("Catalog.createVenue")(function* (venue: NewVenue) {
    const { map, report } = yield* Effect.fromResult(importPlan(venue.seatMap.format, venue.seatMap.content))
    const atMs = yield* Clock.currentTimeMillis
    const { location, name, timeZone } = venue
    const id = VenueId.make(makeUuidV7(atMs))
    yield* venues.insert({ id, name, location, timeZone, map, report, atMs })
    return { id, name, location, timeZone, seatMapVersion: 1, report }
  })

  const listVenues = Effect.fn("Catalog.venues")(function* (query: VenueQuery) {
    const limit = pageSize(query.limit)
    const after = query.cursor === undefined ? PageCursor.first : yield* PageCursor.decode(query.cursor)
    const found = yield* venues.page(after, limit + 1)
    const last = found.length > limit ? found[limit - 1] : undefined
    return {
      venues: found.slice(0, limit).map(({ id, location, name }) => ({ id, name, location })),
      nextCursor: last === undefined ? null : PageCursor.encode(last)
    }
  })

  /** The draft of what was sent, and where it belongs. */
  const draftOf = Effect.fnUntraced(function* (id: (atMs: number) => EventId, event: NewEvent) {
    const detail = yield* venueOf(event.venueId)
    const map = yield* venues.map(detail.id, detail.seatMapVersion)
    const atMs = yield* Clock.currentTimeMillis
    const draft = yield* Effect.fromResult(EventDraft.check(event, map, atMs))
    const { seatMapVersion, timeZone } = detail
    return { draft, map, place: { id: id(atMs), venueId: detail.id, seatMapVersion, timeZone, atMs } }
  })

  const createEvent = Effect.fn("Catalog.createEvent")(function* (event: NewEvent) {
    const { draft, place } = yield* draftOf(makeEventId, event)
    yield* events.insert(place, draft)
    return yield* Effect.flatMap(Effect.orDie(eventOf(place.id)), detailOf)
  })

  const updateEvent = Effect.fn("Catalog.updateEvent")(function* (eventId: EventId, event: NewEvent) {
    const before = yield* eventOf(eventId)
    if (before.state !== "draft") return yield* new EventNotDraft({ eventId })
    const { draft, map, place } = yield* draftOf(() => eventId, event)
    yield* events.update(place, draft, map)
    return yield* Effect.flatMap(eventOf(eventId), detailOf)
  })

  const publish = Effect.fn("Catalog.publish")(function* (eventId: EventId) {
    for (let attempt = 0; attempt < maxPublishAttempts; attempt++) {
      const event = yield* eventOf(eventId)
      if (event.state === "published") return yield* detailOf(event)
      if (event.state === "cancelled") return yield* new EventNotDraft({ eventId })
      const atMs = yield* Clock.currentTimeMillis
      if (event.saleEndsAtMs <= atMs) {
        const message = "the sale would be over already"
        return yield* new EventInvalid({ problems: [{ path: "/saleEndsAt", message }] })
      }
      // First the seats, then the event: one that people can see has a sale.
      yield* inventory.open(eventId, yield* changes.layoutOf(event))
      const plan = PlanOutline.of(yield* venues.map(event.venue.id, event.seatMapVersion))
      if (yield* events.publish(event, toPublished(event, plan), atMs)) {
        yield* copies.changed([eventId])
        return yield* Effect.flatMap(eventOf(eventId), detailOf)
      }
    }
    yield* Effect.logWarning(`the draft ${eventId} changed again and again while it was published`)
    return yield* new InventoryUnavailable({ reason: "overloaded", retryAfterMs: 1_000 })
  })

  const changeEvent = Effect.fn("Catalog.changeEvent")(function* (eventId: EventId, change: EventChange) {
    yield* eventChanges.change(eventId, change)
    yield* copies.changed([eventId])
    return yield* Effect.flatMap(eventOf(eventId), detailOf)
  })

  const releaseAccessible = Effect.fn("Catalog.releaseAccessible")(function* (eventId: EventId) {
    yield* changes.change(
      eventId,
      Effect.fnUntraced(function* ({ accessibleReleased }) {
        if (accessibleReleased) return false
        yield* sql`UPDATE catalog.events SET accessible_released = true WHERE id = ${eventId}::uuid`
        return true
      })
    )
    yield* copies.changed([eventId])
    return yield* Effect.flatMap(eventOf(eventId), detailOf)
  })

  const cancel = Effect.fn("Catalog.cancel")(function* (eventId: EventId, reason: string) {
    yield* changes.cancel(eventId, reason)
    yield* copies.changed([eventId])
    return yield* Effect.flatMap(eventOf(eventId), detailOf)
  })

  const setRefundPolicy = Effect.fn("Catalog.setRefundPolicy")(function* (
    eventId: EventId,
    policy: NewRefundPolicy
  ) {
    const problems: Array<InvalidField> = []
    const stored = RefundPolicies.check(policy, "", (path, message) => problems.push({ path, message }))
    if (problems.length > 0) return yield* new EventInvalid({ problems })
    const json = stored === null ? null : JSON.stringify(stored)
    yield* changes.change(
      eventId,
      Effect.fnUntraced(function* () {
        const changed = yield* sql`UPDATE catalog.events SET refund_policy = ${json}::json
          WHERE id = ${eventId}::uuid AND refund_policy::text IS DISTINCT FROM ${json}::text RETURNING 1 AS changed`
        return changed.length > 0
      })
    )
    yield* copies.changed([eventId])
    return yield* Effect.flatMap(eventOf(eventId), detailOf)
  })

  const list = Effect.fn("Catalog.list")(function* (query: EventQuery) {
    const limit = pageSize(query.limit)
    const options: ListOptions = {
      fromMs: millis(query.from),
      toMs: millis(query.to),
      venue: query.venue ?? null,
      after: query.cursor === undefined ? null : yield* PageCursor.decode(query.cursor),
      limit: limit + 1
    }
    const found = yield* copies.list(options)
    const now = yield* Clock.currentTimeMillis
    const last = found.length > limit ? found[limit - 1] : undefined
    return {
      events: found.slice(0, limit).map((event) => toSummary(event, now)),
      nextCursor: last === undefined ? null : PageCursor.encode(last)
    }
  })

  const eventNumber = Effect.fnUntraced(function* (eventId: EventId) {
    return (yield* copies.number(eventId)) ?? (yield* new EventNotFound({ eventId }))
  })

  return Catalog.of({
    createVenue,
    venue: Effect.fn("Catalog.venue")((venueId) => venueOf(venueId)),
    venues: listVenues,
    exportVenue: Effect.fn("Catalog.exportVenue")(function* (venueId: VenueId) {
      const detail = yield* venueOf(venueId)
      return toPretix(yield* venues.map(venueId, detail.seatMapVersion))
    }),
    createEvent,
    updateEvent,
    publish,
    changeEvent,
    releaseAccessible,
    setRefundPolicy,
    cancel,
    list,
    get: Effect.fn("Catalog.get")((eventId) =>
      Effect.map(Effect.flatMap(publicEvent(eventId), detailOf), forPublic)
    ),
    getAny: Effect.fn("Catalog.getAny")((eventId) => Effect.flatMap(eventOf(eventId), detailOf)),
    seatMap: Effect.fn("Catalog.seatMap")(function* (eventId: EventId) {
      const event = yield* publicEvent(eventId)
      return eventSeatMap(yield* venues.map(event.venue.id, event.seatMapVersion), event)
    }),
    seatMapVersion: Effect.fn("Catalog.seatMapVersion")((eventId) =>
      Effect.map(publicEvent(eventId), eventMapVersion)
    ),
    eventIdByNumber: (number) =>
      Number.isInteger(number) && number > 0 && number <= maxEventNumber
        ? Cache.get(ids, number)
        : Effect.succeed(null),
    eventNumber
  })
})

export class Catalog extends Context.Service<
  Catalog,
  {
    /** Imports the seat map and stores both; a refused plan stores nothing. */
    readonly createVenue: (venue: NewVenue) => Effect.Effect<VenueDetail, PlanRefused>
    readonly venue: (venueId: VenueId) => Effect.Effect<VenueDetail, VenueNotFound>
    /** Venues in the order of their creation. */
    readonly venues: (query: VenueQuery) => Effect.Effect<VenuePage, CursorInvalid>
    /** The newest seat map as a pretix seating plan, which imports to the same map. */
    readonly exportVenue: (venueId: VenueId) => Effect.Effect<PretixJson, VenueNotFound>
    /** Makes a draft on the newest seat map of the venue. */
    readonly createEvent: (event: NewEvent) => Effect.Effect<EventDetail, VenueNotFound | EventInvalid>
    /** Replaces all of a draft. */
    readonly updateEvent: (
      eventId: EventId,
      event: NewEvent
    ) => Effect.Effect<EventDetail, EventNotFound | EventNotDraft | VenueNotFound | EventInvalid>
    /**
     * Opens the sale and shows the event to the public; once more changes nothing. `EventNotDraft` for
     * a cancelled event, `EventInvalid` where the sale would be over already.
     */
    readonly publish: (
      eventId: EventId
    ) => Effect.Effect<EventDetail, EventNotFound | EventNotDraft | EventInvalid | InventoryUnavailable>
    /**
     * Changes what people are told of a published event, and has them told. A change that changes nothing writes
     * nothing. Its sale goes with its start; what is sold stays.
     */
    readonly changeEvent: (
      eventId: EventId,
      change: EventChange
    ) => Effect.Effect<EventDetail, EventNotFound | EventNotPublished | EventCancelled | EventInvalid>
    /** Gives accessible seats and their companions to everybody; once more changes nothing. */
    readonly releaseAccessible: (
      eventId: EventId
    ) => Effect.Effect<EventDetail, EventNotFound | EventCancelled>
    /** Sets what buyers get back, for orders from now on: those that were placed keep what was agreed. */
    readonly setRefundPolicy: (
      eventId: EventId,
      policy: NewRefundPolicy
    ) => Effect.Effect<EventDetail, EventNotFound | EventCancelled | EventInvalid>
    /**
     * Closes the sale of a published event for good and has its orders refunded, or soon after where the inventory
     * has no time now. Once more changes nothing, and the first reason stays.
     */
    readonly cancel: (
      eventId: EventId,
      reason: string
    ) => Effect.Effect<EventDetail, EventNotFound | EventNotPublished>
    /** Published events in the order of their start. */
    readonly list: (query: EventQuery) => Effect.Effect<EventPage, CursorInvalid>
    /** An event as the public sees it: a draft is not found, and quotas are nobody's business. */
    readonly get: (eventId: EventId) => Effect.Effect<EventDetail, EventNotFound>
    /** An event in any state, for organisers. */
    readonly getAny: (eventId: EventId) => Effect.Effect<EventDetail, EventNotFound>
    /** The seat map of an event that the public sees. Made anew at each call: keep what is sent. */
    readonly seatMap: (eventId: EventId) => Effect.Effect<EventSeatMap, EventNotFound>
    /** Of the seat map that it has now: another one shows something else. */
    readonly seatMapVersion: (eventId: EventId) => Effect.Effect<number, EventNotFound>
    /** The event of a hold's number (see `Ids.eventNumberOfHold`), in any state; remembered. */
    readonly eventIdByNumber: (number: number) => Effect.Effect<EventId | null>
    /** The number for the ids of an event's holds, remembered; a draft has no holds, and is not found. */
    readonly eventNumber: (eventId: EventId) => Effect.Effect<number, EventNotFound>
  }
>()("@onsale/catalog/Catalog") {
  /**
   * With house seats and vouchers, and the supervisor of their changes. Needs `SqlClient` and `InventoryClient`;
   * gives the journal and `CatalogTouched` too, for those who follow the one and tell the other.
   */
  static readonly layer = Layer.mergeAll(
    Layer.effect(Catalog, make),
    Blocks.layer,
    Vouchers.layer,
    PublicEvents.layer,
    SaleChanges.supervisor,
    EventCopies.follower
  ).pipe(
    Layer.provide(EventChanges.layer),
    Layer.provideMerge(Layer.mergeAll(SaleChanges.layer, EventCopies.layer, CatalogTouched.layer)),
    Layer.provide([VenueStore.layer, EventStore.layer, EventPages.layer, SecureRandom.layerWebCrypto]),
    Layer.provideMerge(CatalogJournal.layer)
  )
}
