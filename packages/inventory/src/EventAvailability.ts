/**
 * What is free of each event, a row each: a read model of the inventories' journal, for who cannot ask the event's
 * owner, or asks for many. It decides nothing.
 *
 * A row is made of the event's state, by the rules of the inventory itself. Expiry shows when it is swept, which the
 * journal tells; where nobody sweeps, because no owner is awake, `expire` makes the row again.
 */
import { EventId } from "@onsale/contracts/Ids"
import { AvailabilityView } from "@onsale/contracts/inventory/InventoryCommand"
import type { InventoryEvent } from "@onsale/contracts/inventory/InventoryEvent"
import * as Journal from "@onsale/platform/Journal"
import * as ReadModel from "@onsale/platform/ReadModel"
import { Cause, Clock, Context, Duration, Effect, Layer, Predicate, Schema } from "effect"
import { SqlClient } from "effect/sql"
import * as AvailabilityStates from "./AvailabilityStates.ts"
import { availability } from "./InventoryAnswers.ts"
import type { State } from "./InventoryState.ts"

const schema = "inventory"
const name = "availability"
export const named = { schema, name } as const

/** Rows of the journal in one transaction, and in it an event is written once; each row has up to a thousand commands. */
const batch = 256
/**
 * It shares a process with who sells, who keeps two thirds of the time while a batch takes less than 2.5 s: it rests 5 s at most; what falls behind is told by `asOf`. Time that
 * it waits for its turn counts as its own, so with more it would not keep up with a thousand requests a second.
 */
const rest = 2
/** So that an event that is being bought is written a few times a second, however many rows its journal has. */
const gatherFor = Duration.millis(500)
/** Owners that are awake sweep within a quarter of a second. */
const expireEvery = Duration.seconds(1)
const sweptWithinMs = 1_000
const firstId = "00000000-0000-0000-0000-000000000000"

const Ids = Schema.Array(Schema.Struct({ id: EventId }))
/**
 * As they were written: the codec of an event changes nothing, and to look at each of ten thousand a second costs as much
 * as all the rest. Who loads a state has them looked at.
 */
const Written = Schema.declare<InventoryEvent>((event): event is InventoryEvent =>
  Predicate.hasProperty(event, "_tag")
)

/** Of all areas; those that share places have them once. */
const placesOf = ({ counts, layout }: State, { areas }: AvailabilityView) => {
  const sum = { total: 0, available: 0 }
  const shared = new Set<number>()
  layout.source.quotas?.forEach((quota, index) => {
    // The others limit tickets, and are no places.
    if (quota.tiers.length > 0) return
    const free = quota.areas.reduce((free, area) => free + (areas[area]?.available ?? 0), 0)
    sum.total += quota.capacity
    sum.available += Math.max(0, Math.min(free, quota.capacity - (counts.quotaTaken[index] ?? 0)))
    for (const area of quota.areas) shared.add(area)
  })
  areas.forEach(({ available, capacity }, area) => {
    if (shared.has(area)) return
    sum.total += capacity
    sum.available += available
  })
  return sum
}

const rowOf = (eventId: EventId, state: State, nowMs: number) => {
  // Time never goes back in a stream.
  const atMs = Math.max(nowMs, state.atMs)
  const view = availability(state, atMs)
  const places = placesOf(state, view)
  let next = Number.POSITIVE_INFINITY
  for (const { expiresAtMs } of state.holds.values())
    if (expiresAtMs > atMs) next = Math.min(next, expiresAtMs)
  return {
    eventId,
    version: view.version,
    total: view.total,
    available: view.total - view.held.length - view.sold.length,
    held: view.held.length,
    sold: view.sold.length,
    places: places.total,
    placesAvailable: places.available,
    nextExpiryMs: Number.isFinite(next) ? next : null,
    // Its codec changes nothing either, and it may have tens of thousands of seats.
    view
  }
}

/** The model, and what makes its rows again where only time has passed. */
export const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const journal = yield* Journal.make({ schema, event: Written })
  const states = yield* AvailabilityStates.make

  /** Makes rows in these generations of events and what is new of each. */
  const write = Effect.fnUntraced(function* (
    events: ReadonlyMap<EventId, ReadonlyArray<Journal.JournalRow<InventoryEvent>>>,
    generations: ReadonlyArray<number>
  ) {
    const rows: Array<ReturnType<typeof rowOf>> = []
    const broken: Array<EventId> = []
    for (const [eventId, news] of events) {
      const nowMs = yield* Clock.currentTimeMillis
      const row = yield* states.at(eventId, news).pipe(
        Effect.map((state) => (state === null ? null : rowOf(eventId, state, nowMs))),
        // One event whose journal breaks a rule does not hold up all others: its own owner says so as well.
        Effect.catchCause((cause) => {
          if (Cause.hasInterrupts(cause)) return Effect.failCause(cause)
          broken.push(eventId)
          return Effect.as(Effect.logError(`the availability of event ${eventId} is not known`, cause), null)
        })
      )
      if (row !== null) rows.push(row)
    }
    if (broken.length > 0) {
      yield* sql`DELETE FROM inventory.availability
        WHERE generation = ANY(${generations}::int[]) AND event_id = ANY(${broken}::uuid[])`
    }
    if (rows.length === 0) return
    yield* sql`INSERT INTO inventory.availability (generation, event_id, version, total, available, held, sold, places,
        places_available, next_expiry_ms, view)
      SELECT generation, "eventId", version, total, available, held, sold, places, "placesAvailable", "nextExpiryMs", view
      FROM json_to_recordset(${JSON.stringify(rows)}::json) AS made ("eventId" uuid, version bigint, total int,
          available int, held int, sold int, places int, "placesAvailable" int, "nextExpiryMs" bigint, view json),
        unnest(${generations}::int[]) AS generation
      ON CONFLICT (generation, event_id) DO UPDATE SET version = excluded.version, total = excluded.total,
        available = excluded.available, held = excluded.held, sold = excluded.sold, places = excluded.places,
        places_available = excluded.places_available, next_expiry_ms = excluded.next_expiry_ms, view = excluded.view`
  })

  const withoutNews = (rows: typeof Ids.Type) => new Map(rows.map(({ id }) => [id, []] as const))

  const model: ReadModel.Model<InventoryEvent> = {
    ...named,
    tables: ["availability"],
    journal,
    batch,
    gatherFor,
    rest,
    // Of what was sold years ago the journal need not be read.
    seed: {
      first: firstId,
      page: Effect.fnUntraced(function* (after: string, generation: number) {
        const rows = yield* sql`SELECT DISTINCT event_id::text AS id, event_id FROM inventory.layout
          WHERE event_id > ${after}::uuid ORDER BY event_id LIMIT ${batch}::int`.pipe(
          Effect.flatMap(Schema.decodeUnknownEffect(Ids))
        )
        yield* write(withoutNews(rows), [generation])
        return { count: rows.length, next: rows[batch - 1]?.id ?? null }
      })
    },
    handle: (rows, generation) => {
      const events = new Map<EventId, Array<Journal.JournalRow<InventoryEvent>>>()
      for (const row of rows) {
        const id = EventId.make(row.stream, { disableChecks: true })
        const news = events.get(id)
        if (news === undefined) events.set(id, [row])
        else news.push(row)
      }
      return write(events, [generation])
    }
  }

  /** Makes rows again whose holds have expired and that nobody has swept; answers how many. */
  const expire = Effect.gen(function* () {
    const beforeMs = (yield* Clock.currentTimeMillis) - sweptWithinMs
    const due = yield* sql`SELECT a.event_id::text AS id
      FROM inventory.availability a JOIN inventory.read_model m ON m.name = ${name} AND m.serving
        AND a.generation = m.generation
      WHERE a.next_expiry_ms <= ${beforeMs}::bigint ORDER BY a.next_expiry_ms LIMIT ${batch}::int`.pipe(
      Effect.flatMap(Schema.decodeUnknownEffect(Ids))
    )
    if (due.length === 0) return 0
    yield* sql.withTransaction(
      Effect.flatMap(ReadModel.lockAll(named), (generations) => write(withoutNews(due), generations))
    )
    return due.length
  })

  return { model, expire }
})

/** The model, for who lists or builds it. */
export const model = Effect.map(make, ({ model }) => model)

/** Fills it. Any number of processes may run it, one works. */
export const layerModel = Layer.unwrap(
  Effect.map(make, ({ expire, model }) =>
    ReadModel.layerAlone(
      model,
      expire.pipe(
        Effect.catchCause((cause) =>
          Cause.hasInterruptsOnly(cause)
            ? Effect.failCause(cause)
            : Effect.as(Effect.logWarning("expired holds still show in the availability", cause), 0)
        ),
        Effect.flatMap((count) => (count < batch ? Effect.sleep(expireEvery) : Effect.void)),
        Effect.forever,
        Effect.orDie
      )
    )
  )
)

const Found = Schema.Struct({
  view: AvailabilityView,
  nextExpiryMs: Schema.NullOr(Schema.Number),
  /** When the first row of the journal was written that it does not have. */
  missingAtMs: Schema.NullOr(Schema.Number)
})

const Counted = Schema.Struct({
  eventId: EventId,
  total: Schema.Int,
  available: Schema.Int,
  held: Schema.Int,
  sold: Schema.Int,
  places: Schema.Int,
  placesAvailable: Schema.Int
})
export type Counted = typeof Counted.Type

/** Of a page of a list. */
const maxCounted = 1_000

export class EventAvailability extends Context.Service<
  EventAvailability,
  {
    /** With `asOfMs`. Null where the model, or the event in it, is not there. */
    readonly find: (eventId: EventId) => Effect.Effect<AvailabilityView | null>
    /** How full events are, of the first thousand: those that the model has, in no order. */
    readonly counts: (eventIds: ReadonlyArray<EventId>) => Effect.Effect<ReadonlyArray<Counted>>
  }
>()("@onsale/inventory/EventAvailability") {
  /** Over the database. */
  static readonly layer = Layer.effect(
    EventAvailability,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const read = ReadModel.read(named, Found)
      const readCounted = ReadModel.read(named, Counted)
      return EventAvailability.of({
        counts: Effect.fn("EventAvailability.counts")(function* (eventIds: ReadonlyArray<EventId>) {
          if (eventIds.length === 0) return []
          const rows = yield* readCounted(
            (
              generation
            ) => sql`SELECT a.event_id AS "eventId", a.total, a.available, a.held, a.sold, a.places,
                a.places_available AS "placesAvailable"
              FROM inventory.availability a
              WHERE a.generation = ${generation} AND a.event_id = ANY(${eventIds.slice(0, maxCounted)}::uuid[])`
          ).pipe(Effect.provideService(SqlClient.SqlClient, sql), Effect.orDie)
          return rows ?? []
        }),
        find: Effect.fn("EventAvailability.find")(function* (eventId: EventId) {
          const rows = yield* read(
            (generation) => sql`SELECT a.view, a.next_expiry_ms AS "nextExpiryMs",
              (SELECT floor(extract(epoch FROM j.at) * 1000) FROM inventory.journal j
                WHERE j.stream = a.event_id AND j.version > a.version ORDER BY j.version LIMIT 1) AS "missingAtMs"
            FROM inventory.availability a
            WHERE a.generation = ${generation} AND a.event_id = ${eventId}::uuid`
          ).pipe(Effect.provideService(SqlClient.SqlClient, sql), Effect.orDie)
          const found = rows?.[0]
          if (found === undefined) return null
          const nowMs = yield* Clock.currentTimeMillis
          const asOfMs = Math.min(nowMs, found.missingAtMs ?? nowMs, found.nextExpiryMs ?? nowMs)
          return { ...found.view, asOfMs }
        })
      })
    })
  )
}
