/** How an event with its tiers and performers is read from Postgres. */
import { EventId } from "@onsale/contracts/Ids"
import { Schema } from "effect"
import { type SqlClient, SqlSchema } from "effect/sql"
import { StoredEvent } from "./StoredEvent.ts"

/** Milliseconds since 1970 of a column. */
export const millisOf = (column: string): string => `floor(extract(epoch FROM ${column}) * 1000)::float8`

const select = (
  sql: SqlClient.SqlClient
) => sql`SELECT e.id::text AS id, e.number, e.revision, e.opened_revision AS "openedRevision", e.state,
        json_build_object('id', v.id, 'name', v.name, 'location', v.location) AS venue,
        e.seat_map_version AS "seatMapVersion", e.map_changes AS "mapChanges", e.name, e.description,
        ${sql.literal(millisOf("e.starts_at"))} AS "startsAtMs", e.time_zone AS "timeZone",
        ${sql.literal(millisOf("e.on_sale_at"))} AS "onSaleAtMs",
        ${sql.literal(millisOf("e.sale_ends_at"))} AS "saleEndsAtMs",
        e.currency, e.max_per_order AS "maxPerOrder", e.hold_ttl_ms AS "holdTtlMs", e.hold_max_ms AS "holdMaxMs",
        e.checkout_max_ms AS "checkoutMaxMs", e.quotas, e.max_per_customer AS "maxPerCustomer",
        e.max_tickets AS "maxTickets", e.accessible_released AS "accessibleReleased", e.organiser,
        CASE WHEN e.cancelled_at IS NULL THEN NULL ELSE json_build_object(
          'atMs', ${sql.literal(millisOf("e.cancelled_at"))}, 'reason', e.cancel_reason) END AS cancellation,
        e.refund_policy AS "refundPolicy",
        (SELECT coalesce(json_agg(json_build_object('id', t.id, 'name', t.name, 'amount', t.amount,
            'categories', t.categories, 'saleFromMs', ${sql.literal(millisOf("t.sale_from"))},
            'saleUntilMs', ${sql.literal(millisOf("t.sale_until"))}, 'minPerOrder', t.min_per_order,
            'maxPerOrder', t.max_per_order, 'voucherOnly', t.voucher_only) ORDER BY t.position), '[]'::json)
          FROM catalog.tiers t WHERE t.event_id = e.id) AS tiers,
        (SELECT coalesce(json_agg(json_build_object('id', p.id, 'name', p.name, 'description', p.description)
            ORDER BY ep.position), '[]'::json)
          FROM catalog.event_performers ep JOIN catalog.performers p ON p.id = ep.performer_id
          WHERE ep.event_id = e.id) AS performers
      FROM catalog.events e JOIN catalog.venues v ON v.id = e.venue_id`

/** Reads an event, also within a transaction: what fails is for the caller to try again. */
export const find = (sql: SqlClient.SqlClient) =>
  SqlSchema.findOneOption({
    Request: EventId,
    Result: StoredEvent,
    execute: (id) => sql`${select(sql)} WHERE e.id = ${id}::uuid`
  })

/** Those of the events that there are, in no order. */
export const findAll = (sql: SqlClient.SqlClient) =>
  SqlSchema.findAll({
    Request: Schema.Array(EventId),
    Result: StoredEvent,
    execute: (ids) => sql`${select(sql)} WHERE e.id = ANY(${ids}::uuid[])`
  })
