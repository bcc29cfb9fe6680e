/**
 * Blocks and vouchers in Postgres. Plain statements, to be run within a transaction that has locked the event
 * (see `SaleChanges`) or tried again as a whole: what fails is for the caller.
 */
import { EventId, TierId, type VoucherId } from "@onsale/contracts/Ids"
import { Effect, Schema } from "effect"
import { type SqlClient, SqlSchema } from "effect/sql"
import { instant, moment } from "./CatalogSql.ts"
import { millisOf } from "./EventRow.ts"
import { StoredBlock, StoredVoucher } from "./StoredEvent.ts"

export interface NewBlockRow extends StoredBlock {
  /** How many blocks the event has before it. */
  readonly position: number
}

/** All blocks of an event, in the order of their creation. */
export const blocks = (sql: SqlClient.SqlClient) =>
  SqlSchema.findAll({
    Request: EventId,
    Result: StoredBlock,
    execute: (eventId) => sql`SELECT b.id::text AS id, b.name, b.areas,
        (SELECT coalesce(json_agg(s.seat ORDER BY s.seat), '[]'::json)
          FROM catalog.block_seats s WHERE s.block_id = b.id) AS seats
      FROM catalog.blocks b WHERE b.event_id = ${eventId}::uuid ORDER BY b.position`
  })

export const insertBlock = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  eventId: EventId,
  { areas, id, name, position, seats }: NewBlockRow,
  atMs: number
) {
  yield* sql`INSERT INTO catalog.blocks (id, event_id, position, name, areas, created_at)
    VALUES (${id}::uuid, ${eventId}::uuid, ${position}::int, ${name}::text, ${JSON.stringify(areas)}::json,
      ${instant(sql, atMs)})`
  yield* sql`INSERT INTO catalog.block_seats (event_id, seat, block_id)
    SELECT ${eventId}::uuid, seat, ${id}::uuid FROM unnest(${[...seats]}::int[]) AS seat`
})

/** Lets seats go, and writes how many places of each area are kept from now on. */
export const releaseBlock = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  { areas, id }: Pick<StoredBlock, "id" | "areas">,
  seats: ReadonlyArray<number>
) {
  yield* sql`DELETE FROM catalog.block_seats WHERE block_id = ${id}::uuid AND seat = ANY(${[...seats]}::int[])`
  yield* sql`UPDATE catalog.blocks SET areas = ${JSON.stringify(areas)}::json WHERE id = ${id}::uuid`
})

const voucherColumns = (sql: SqlClient.SqlClient) =>
  sql.literal(`id::text AS id, code, key, tiers, blocks, max_tickets AS "maxTickets",
    ${millisOf("valid_from")} AS "fromMs", ${millisOf("valid_until")} AS "untilMs"`)

/** All vouchers of an event, in the order of their creation. */
export const vouchers = (sql: SqlClient.SqlClient) =>
  SqlSchema.findAll({
    Request: EventId,
    Result: StoredVoucher,
    execute: (eventId) => sql`SELECT ${voucherColumns(sql)}
      FROM catalog.vouchers WHERE event_id = ${eventId}::uuid ORDER BY created_at, id`
  })

/** The vouchers behind a place in the order of their creation, at most `limit`. */
export const voucherPage = (sql: SqlClient.SqlClient) =>
  SqlSchema.findAll({
    Request: Schema.Struct({
      eventId: EventId,
      atMicros: Schema.Int,
      id: Schema.String,
      limit: Schema.Int
    }),
    Result: Schema.Struct({ ...StoredVoucher.fields, atMicros: Schema.Int }),
    execute: ({ atMicros, eventId, id, limit }) => sql`SELECT ${voucherColumns(sql)},
        (extract(epoch FROM created_at) * 1000000)::float8 AS "atMicros"
      FROM catalog.vouchers
      WHERE event_id = ${eventId}::uuid AND (created_at, id) > (${moment(sql, atMicros)}, ${id}::uuid)
      ORDER BY created_at, id LIMIT ${limit}::int`
  })

const Counts = Schema.Array(Schema.Struct({ count: Schema.Int }))
const Codes = Schema.Array(Schema.Struct({ code: Schema.String }))

export const countVouchers = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, eventId: EventId) {
  const rows =
    yield* sql`SELECT count(*)::int AS count FROM catalog.vouchers WHERE event_id = ${eventId}::uuid`
  return (yield* Schema.decodeUnknownEffect(Counts)(rows))[0]?.count ?? 0
})

/** The codes of the event that have one of these keys. */
export const knownCodes = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  eventId: EventId,
  keys: ReadonlyArray<string>
) {
  const rows = yield* sql`SELECT code FROM catalog.vouchers
    WHERE event_id = ${eventId}::uuid AND key = ANY(${[...keys]}::text[]) ORDER BY code`
  return (yield* Schema.decodeUnknownEffect(Codes)(rows)).map(({ code }) => code)
})

export const insertVouchers = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  eventId: EventId,
  vouchers: ReadonlyArray<StoredVoucher>,
  atMs: number
) {
  yield* sql`INSERT INTO catalog.vouchers (id, event_id, key, code, tiers, blocks, max_tickets, valid_from,
      valid_until, created_at)
    SELECT id, ${eventId}::uuid, key, code, tiers, blocks, "maxTickets", to_timestamp("fromMs" / 1000),
      to_timestamp("untilMs" / 1000), ${instant(sql, atMs)}
    FROM json_to_recordset(${JSON.stringify(vouchers)}::json) AS voucher (id uuid, key text, code text, tiers json,
      blocks json, "maxTickets" int, "fromMs" float8, "untilMs" float8)`
})

/** False where the event has no such voucher. */
export const deleteVoucher = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  eventId: EventId,
  voucherId: VoucherId
) {
  const deleted = yield* sql`DELETE FROM catalog.vouchers
    WHERE event_id = ${eventId}::uuid AND id = ${voucherId}::uuid RETURNING 1 AS deleted`
  return deleted.length > 0
})

const Tiers = Schema.Array(Schema.Struct({ id: TierId }))

/** What refers to an event: its blocks, and the tiers that its vouchers unlock. */
export const keptBySale = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, eventId: EventId) {
  const tiers = yield* sql`SELECT DISTINCT json_array_elements_text(tiers) AS id
    FROM catalog.vouchers WHERE event_id = ${eventId}::uuid ORDER BY id`
  return {
    blocks: yield* blocks(sql)(eventId),
    voucherTiers: (yield* Schema.decodeUnknownEffect(Tiers)(tiers)).map(({ id }) => id)
  }
})
