/** How as much of an event as a list shows is read from Postgres. */
import type { SqlClient } from "effect/sql"
import { millisOf } from "./EventRow.ts"

/** Of all events `e`, with their venues `v`: what decodes as `ListedEvent`. */
export const select = (sql: SqlClient.SqlClient) =>
  sql.literal(`SELECT e.id::text AS id, e.state,
        json_build_object('id', v.id, 'name', v.name, 'location', v.location) AS venue, e.name,
        (extract(epoch FROM e.starts_at) * 1000000)::float8 AS "atMicros",
        ${millisOf("e.starts_at")} AS "startsAtMs", e.time_zone AS "timeZone",
        ${millisOf("e.on_sale_at")} AS "onSaleAtMs", ${millisOf("e.sale_ends_at")} AS "saleEndsAtMs",
        e.currency, e.price_from::float8 AS "priceFrom", e.price_to::float8 AS "priceTo"
      FROM catalog.events e JOIN catalog.venues v ON v.id = e.venue_id`)
