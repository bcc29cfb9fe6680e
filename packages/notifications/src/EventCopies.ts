/**
 * What the notifications know of events: what may change at any time is read each time, the facts only where a version of them
 * is not known to this process. They are most of an event, and the same for thousands of mails.
 */
import { EventFacts } from "@onsale/contracts/catalog/CatalogEvent"
import type { EventId } from "@onsale/contracts/Ids"
import * as Gathered from "@onsale/platform/Gathered"
import { Context, Effect, Layer, Schema } from "effect"
import { SqlClient, type Statement } from "effect/sql"
import { settled } from "./SettledSql.ts"

/** Some kilobytes each: those that sell at the same time. */
const maxCopies = 256

/** All that changes without a new version of the facts, and that version. */
export const EventState = Schema.Struct({
  /** Of the last row of the event that was read here: what is behind it is not known yet. */
  version: Schema.Int,
  /** Of the event then, as the catalog counts them; at most too small where only rows of older builds were read. */
  revision: Schema.Int,
  cancelled: Schema.Boolean,
  /** Milliseconds since 1970. */
  cancelledAtMs: Schema.NullOr(Schema.Finite)
})
type EventState = typeof EventState.Type

export interface KnownEvent extends EventState {
  readonly facts: EventFacts
}

const decodeRows = Schema.decodeUnknownEffect(
  Schema.Array(
    Schema.Struct({
      eventId: Schema.String,
      state: EventState,
      /** Null where they are those that were known. */
      facts: Schema.NullOr(Schema.toCodecJson(EventFacts))
    })
  )
)

/** As Postgres writes it, whoever wrote it. */
const idOf = (eventId: EventId): string => eventId.toLowerCase()

interface Copy {
  readonly version: number
  readonly facts: EventFacts
}

export class EventCopies extends Context.Service<
  EventCopies,
  {
    /** As it is now; undefined where it has not come here (yet). */
    readonly known: (eventId: EventId) => Effect.Effect<KnownEvent | undefined>
    /** With a state that was read a moment ago; newer where the facts of then have gone. */
    readonly at: (eventId: EventId, state: EventState) => Effect.Effect<KnownEvent | undefined>
    /** As it was at some version; undefined where it has not come here (yet). For who reads what is behind that version. */
    readonly base: (eventId: EventId) => Effect.Effect<Copy | undefined>
    /** An `EventState`, as JSON, of that row of `notifications.events`. */
    readonly stateOf: (row: string) => Statement.Fragment
  }
>()("@onsale/notifications/EventCopies") {
  static readonly layer = Layer.effect(
    EventCopies,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      /** The one that was asked for last is the last. */
      const copies = new Map<string, Copy>()

      const copyOf = (eventId: EventId): Copy | undefined => {
        const id = idOf(eventId)
        const copy = copies.get(id)
        if (copy !== undefined) {
          copies.delete(id)
          copies.set(id, copy)
        }
        return copy
      }
      const keep = (eventId: EventId, { facts, version }: Copy) => {
        const id = idOf(eventId)
        copies.delete(id)
        copies.set(id, { facts, version })
        for (const oldest of copies.keys()) {
          if (copies.size <= maxCopies) break
          copies.delete(oldest)
        }
      }

      const stateOf = (row: string) =>
        sql.literal(
          `json_build_object('version', ${row}.version, 'revision', ${row}.version + ${row}.untold_revisions,
            'cancelled', ${row}.cancelled_at IS NOT NULL,
            'cancelledAtMs', (extract(epoch FROM ${row}.cancelled_at) * 1000)::float8)`
        )

      const read = Gathered.make<EventId, KnownEvent>(sql, {
        idOf,
        run: Effect.fnUntraced(function* (eventIds) {
          // Held until the answer is there, which may leave one out because of it.
          const held = new Map(eventIds.map((eventId) => [idOf(eventId), copyOf(eventId)]))
          const rows = yield* sql`SELECT e.event_id::text AS "eventId", ${stateOf("e")} AS state,
              CASE WHEN e.version <> asked.version THEN e.facts END AS facts
            FROM unnest(${eventIds}::uuid[], ${eventIds.map((eventId) => held.get(idOf(eventId))?.version ?? -1)}::int[])
              AS asked (event_id, version)
            JOIN notifications.events e ON e.event_id = asked.event_id`
          return new Map(
            (yield* decodeRows(rows)).flatMap(({ eventId, facts: told, state }) => {
              const facts = told ?? held.get(eventId)?.facts
              return facts === undefined ? [] : [[eventId, { ...state, facts }] as const]
            })
          )
        }, settled)
      })

      const known = Effect.fn("EventCopies.known")(function* (eventId: EventId) {
        const event = yield* read(eventId)
        if (event !== undefined) keep(eventId, event)
        return event
      })

      return EventCopies.of({
        known,
        stateOf,
        at: (eventId, state) => {
          const copy = copyOf(eventId)
          return copy?.version === state.version
            ? Effect.succeed({ ...state, facts: copy.facts })
            : known(eventId)
        },
        base: (eventId) => {
          const copy = copyOf(eventId)
          return copy === undefined ? known(eventId) : Effect.succeed(copy)
        }
      })
    })
  )
}
