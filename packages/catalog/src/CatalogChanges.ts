/**
 * Follows the catalog's tables, whoever changes them, and tells `CatalogTouched` of the events whose rows were changed:
 * their own, their tiers', venue's and performers'. The service's own changes come this way as well.
 */
import { EventId } from "@onsale/contracts/Ids"
import * as ChangeFeed from "@onsale/platform/ChangeFeed"
import type { Columns, RowChange } from "@onsale/platform/RowChange"
import { Config, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { CatalogTouched } from "./CatalogTouched.ts"

/** Ids of rows that were changed, a few kilobytes of them. */
interface Changed {
  readonly events: Set<string>
  readonly venues: Set<string>
  readonly performers: Set<string>
}

/** Events of a venue or performer that are told of at once: a festival's thousands take some pages. */
const pageSize = 500
const firstId = "00000000-0000-0000-0000-000000000000"

const isEventId = Schema.is(EventId)

const add = (ids: Set<string>, column: string, ...rows: ReadonlyArray<Columns | null>) => {
  for (const row of rows) {
    const id = row?.[column]
    if (typeof id === "string") ids.add(id)
  }
}

const noRows: ReadonlyArray<Columns | null> = []

/** As it was and as it is: what has left an event has changed that event. */
const rowsOf = (change: RowChange): ReadonlyArray<Columns | null> => {
  switch (change.kind) {
    case "insert":
      return [change.row]
    case "update":
      return [change.row, change.before]
    case "delete":
      return [change.before]
    // The feed has everything looked through.
    case "truncate":
      return noRows
  }
}

/** Which rows of which tables changes are about. */
const changed = (changes: ReadonlyArray<RowChange>): Changed => {
  const found: Changed = { events: new Set(), venues: new Set(), performers: new Set() }
  for (const change of changes) {
    const rows = rowsOf(change)
    switch (change.table) {
      case "catalog.events":
        add(found.events, "id", ...rows)
        break
      case "catalog.tiers":
      case "catalog.event_performers":
        add(found.events, "event_id", ...rows)
        break
      case "catalog.venues":
        add(found.venues, "id", ...rows)
        break
      case "catalog.performers":
        add(found.performers, "id", ...rows)
        break
    }
  }
  return found
}

const Ids = Schema.Array(Schema.Struct({ id: EventId }))

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const touched = yield* CatalogTouched

  const touch = (ids: Iterable<string>) =>
    touched.touch({ _tag: "Events", eventIds: [...ids].filter((id) => isEventId(id)) })

  /** Page after page of the events that a query finds behind an id. */
  const touchFound = Effect.fnUntraced(function* <E>(
    find: (after: string) => Effect.Effect<ReadonlyArray<unknown>, E>
  ) {
    let after = firstId
    for (;;) {
      const found = yield* Schema.decodeUnknownEffect(Ids)(yield* find(after))
      if (found.length > 0) yield* touch(found.map(({ id }) => id))
      const last = found[pageSize - 1]
      if (last === undefined) return
      after = last.id
    }
  })

  const handle = Effect.fn("CatalogChanges.handle")(function* (changes: ReadonlyArray<RowChange>) {
    const { events, performers, venues } = changed(changes)
    if (events.size > 0) yield* touch(events)
    if (venues.size > 0) {
      const ids = [...venues]
      yield* touchFound(
        (after) => sql`SELECT id::text AS id FROM catalog.events
          WHERE venue_id = ANY(${ids}::uuid[]) AND id > ${after}::uuid ORDER BY id LIMIT ${pageSize}::int`
      )
    }
    if (performers.size > 0) {
      const ids = [...performers]
      yield* touchFound(
        (after) => sql`SELECT DISTINCT event_id::text AS id, event_id FROM catalog.event_performers
          WHERE performer_id = ANY(${ids}::uuid[]) AND event_id > ${after}::uuid
          ORDER BY event_id LIMIT ${pageSize}::int`
      )
    }
  })

  return {
    handle,
    resync: (scan: string) => touched.touch({ _tag: "Everything", scan }),
    wanted: touched.wanted
  }
})

/** `off`: nobody follows. `auto`: where the server can. `required`: where it cannot, this does not start. */
const mode = Config.Literals(["off", "auto", "required"], "ONSALE_CDC").pipe(Config.withDefault("auto"))

/**
 * Over the database and `CatalogTouched`. Any number of processes may run it, one works. Who wants to be told has to be
 * there before it (`CatalogTouched.feeds`): a change that was told to nobody is not told again.
 */
export const layer = Layer.unwrap(
  Effect.gen(function* () {
    const chosen = yield* mode
    if (chosen === "off") return Layer.empty
    const touched = yield* CatalogTouched
    yield* touched.feeds
    return ChangeFeed.layer({
      ...(yield* make),
      schema: "catalog",
      publication: "onsale_catalog",
      slotPrefix: "onsale_catalog",
      required: chosen === "required"
    })
  })
)
