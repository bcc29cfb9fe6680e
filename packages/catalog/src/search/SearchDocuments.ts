/** The documents of events, read from the catalog's own tables. */
import { EventId } from "@onsale/contracts/Ids"
import { Schema } from "effect"
import { type SqlClient, SqlSchema } from "effect/sql"
import { instant } from "../CatalogSql.ts"
import { millisOf } from "../EventRow.ts"
import { SearchDocument } from "./SearchDocument.ts"

/** Of those that are published and start after `nowMs`. */
export const make = (sql: SqlClient.SqlClient) =>
  SqlSchema.findAll({
    Request: Schema.Struct({ ids: Schema.Array(EventId), nowMs: Schema.Number }),
    Result: SearchDocument,
    execute: ({ ids, nowMs }) => sql`
      SELECT e.id::text AS "eventId", e.name, e.description, v.name AS venue, v.location,
        ${sql.literal(millisOf("e.starts_at"))} AS "startsAtMs", e.currency, e.price_from::float8 AS "priceFrom",
        e.price_to::float8 AS "priceTo",
        ARRAY(SELECT p.name FROM catalog.event_performers ep JOIN catalog.performers p ON p.id = ep.performer_id
          WHERE ep.event_id = e.id ORDER BY ep.position) AS performers
      FROM catalog.events e JOIN catalog.venues v ON v.id = e.venue_id
      WHERE e.id = ANY(${ids}::uuid[]) AND e.state = 'published' AND e.starts_at > ${instant(sql, nowMs)}`
  })
