/** How entries for calendars are counted of rows that older builds wrote, and over the upgrade. */
import { assert, describe, it, layer } from "@effect/vitest"
import { CatalogEvent } from "@onsale/contracts/catalog/CatalogEvent"
import { pollUntil } from "@onsale/testing/Poll"
import { layerEmptyDatabase } from "@onsale/testing/PostgresFixture"
import { Effect, Option } from "effect"
import { SqlClient } from "effect/sql"
import { NotificationFacts } from "../src/NotificationFacts.ts"
import { mailsTo } from "./MailReading.ts"
import { catalog, customer, patience, place, publish, running } from "./NoticeWorld.ts"
import { event, eventId } from "./Samples.ts"

const revisionAt = (version: number) =>
  Effect.gen(function* () {
    const facts = yield* NotificationFacts
    const known = yield* pollUntil(
      facts.known(eventId),
      Option.exists((known) => known.version === version),
      patience
    )
    return Option.getOrThrow(known).revision
  }).pipe(Effect.provide(NotificationFacts.layer))

/** Without those before it. */
const migration: Effect.Effect<void, unknown, SqlClient.SqlClient> = Effect.flatten(
  Effect.promise(async () => {
    const name = "0034_untold_revisions"
    return (await import(`../../../migrations/${name}.ts`)).default
  })
)

/** The attached file, as it was before it was encoded for the way. */
const entryOf = (raw: string): string =>
  Buffer.from(/filename=event\.ics\r\n\r\n([A-Za-z0-9+/=\r\n]+)/.exec(raw)?.[1] ?? "", "base64").toString(
    "utf8"
  )

const { EventCancelled, EventChanged, EventPublished, SaleChanged } = CatalogEvent.cases

describe("Entries for calendars", () => {
  it.live("are counted by the revision that the journal tells; a row without one keeps the distance", () =>
    Effect.gen(function* () {
      // An older build wrote it, of a draft that was changed: its first number is too small, and no later one is.
      yield* publish()
      assert.strictEqual(yield* revisionAt(1), 1)
      yield* catalog(2, SaleChanged.make({ eventId, revision: 6 }))
      assert.strictEqual(yield* revisionAt(2), 6)
      yield* catalog(3, EventChanged.make({ facts: { ...event, description: "another" } }))
      assert.strictEqual(yield* revisionAt(3), 7)
      yield* catalog(4, EventChanged.make({ facts: event, revision: 10 }))
      assert.strictEqual(yield* revisionAt(4), 10)
      yield* catalog(5, EventCancelled.make({ eventId, reason: "rain", revision: 12 }))
      assert.strictEqual(yield* revisionAt(5), 12)
    }).pipe(Effect.provide(running))
  )

  it.live("a confirmation that is written after the event was cancelled says so in its entry", () =>
    Effect.gen(function* () {
      yield* catalog(1, EventPublished.make({ facts: event, revision: 4 }))
      yield* catalog(2, EventCancelled.make({ eventId, reason: "rain", revision: 5 }))
      yield* revisionAt(2)
      const { confirm } = yield* place(1)
      yield* confirm
      const [mail] = yield* pollUntil(mailsTo(customer.email), ({ length }) => length > 0, patience)
      const entry = entryOf(mail?.raw ?? "")
      assert.include(entry, "SEQUENCE:7\r\n")
      assert.include(entry, "STATUS:CANCELLED\r\n")
      assert.notInclude(entry, "DESCRIPTION:")
    }).pipe(Effect.provide(running))
  )
})

layer(layerEmptyDatabase, { excludeTestServices: true })("the migration to revisions", (it) => {
  it.effect("knows how far the revision of each event is ahead of the rows that were read of it", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* sql`CREATE SCHEMA catalog`
      yield* sql`CREATE SCHEMA notifications`
      yield* sql`CREATE TABLE catalog.events (id uuid, revision int)`
      yield* sql`CREATE TABLE catalog.journal (stream uuid, version int)`
      yield* sql`CREATE TABLE notifications.events (event_id uuid, version int)`
      const uuid = (n: number) => `019a0000-0000-7000-8000-00000000000${n}`
      // As it was published; changed as a draft, and a row of it was not read yet; without a row.
      const events = [
        [1, 1, 1, 1],
        [2, 9, 3, 2],
        [3, 2, 0, 0]
      ] as const
      for (const [n, revision, version, read] of events) {
        yield* sql`INSERT INTO catalog.events VALUES (${uuid(n)}::uuid, ${revision}::int)`
        yield* sql`INSERT INTO catalog.journal SELECT ${uuid(n)}::uuid, generate_series(1, ${version}::int)`
        yield* sql`INSERT INTO notifications.events VALUES (${uuid(n)}::uuid, ${read}::int)`
      }
      yield* migration
      const rows = yield* sql<{ readonly revision: number }>`
        SELECT version + untold_revisions AS revision FROM notifications.events ORDER BY event_id`
      assert.deepStrictEqual(
        rows.map(({ revision }) => revision),
        [1, 8, 0]
      )
    })
  )
})
