/** Who is on at an event, in Postgres. Events share performers: one of a name and description is stored once. */
import { type EventId, makeUuidV7 } from "@onsale/contracts/Ids"
import { Effect } from "effect"
import type { SqlClient } from "effect/sql"
import type { EventDraft } from "./EventDraft.ts"

/** Those of an event that has none, in their order; to be carried out within a transaction. */
export const insert = (sql: SqlClient.SqlClient) =>
  Effect.fnUntraced(function* (eventId: EventId, performers: EventDraft["performers"], atMs: number) {
    if (performers.length === 0) return
    const json = JSON.stringify(
      performers.map((performer, position) => ({ id: makeUuidV7(atMs), position, ...performer }))
    )
    // In the order of the index, so that two events with the same performers do not wait for each other in a ring.
    yield* sql`INSERT INTO catalog.performers (id, name, description)
      SELECT DISTINCT ON (name, description) id, name, description
      FROM json_to_recordset(${json}::json) AS performer (id uuid, name text, description text)
      ORDER BY name, description
      ON CONFLICT DO NOTHING`
    yield* sql`INSERT INTO catalog.event_performers (event_id, position, performer_id)
      SELECT ${eventId}::uuid, given.position, p.id
      FROM json_to_recordset(${json}::json) AS given (position int, name text, description text)
      JOIN catalog.performers p ON p.name = given.name AND md5(p.description) = md5(given.description)`
  })
