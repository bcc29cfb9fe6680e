/** Which changes of an event its buyers have to hear of, and how no order falls between those that are told of one. */
import type { EventFacts } from "@onsale/contracts/catalog/CatalogEvent"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

/**
 * Who ordered before a change is told of it: by the change's fan-out where the order is on record by then, else when it is
 * put on record; of a reminder likewise. Of two transactions, one that records orders and one that records a change or a
 * reminder, the later sees the earlier.
 */
const changesLock = "notifications.event_changes"

/** Before a change, or a reminder, is recorded. */
export const lockChanges = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`SELECT pg_advisory_xact_lock(hashtextextended(${changesLock}::text, 0))`
})

/** Before orders are, and their changes looked for. */
export const lockOrders = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`SELECT pg_advisory_xact_lock_shared(hashtextextended(${changesLock}::text, 0))`
})

/** Spaces and the form of accents are nothing that anybody would travel differently for. */
const same = (a: string, b: string): boolean => words(a) === words(b)
const words = (text: string): string => text.normalize("NFC").replace(/\s+/g, " ").trim()

const sameAll = (a: ReadonlyArray<string>, b: ReadonlyArray<string>): boolean =>
  a.length === b.length && same(a.map(words).toSorted().join("\n"), b.map(words).toSorted().join("\n"))

/**
 * Another time, place, name or other performers. Not: its description, its tiers, the order of the performers, or
 * the same instant written in another way.
 */
export const mattersToBuyers = (before: EventFacts, after: EventFacts): boolean =>
  Date.parse(before.startsAt) !== Date.parse(after.startsAt) ||
  before.timeZone !== after.timeZone ||
  !same(before.venue.name, after.venue.name) ||
  !same(before.venue.location, after.venue.location) ||
  !same(before.name, after.name) ||
  !sameAll(before.performers, after.performers)
