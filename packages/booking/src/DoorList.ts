/**
 * What an event's door has to know, and what organisers ask about it. Read only.
 *
 * The lists are binary, made in one statement and so of one moment: sorted entries of one length, each beginning with
 * the last eight bytes of a ticket's id (62 random bits: two of 250,000 tickets are alike once in 10^8 events).
 */
import { Effect, Schema } from "effect"
import { type SqlClient, SqlError } from "effect/sql"
import { type EventId, TicketId, TierId } from "@onsale/contracts/Ids"

/** Tickets that a door can be told of, some ten megabytes; the largest stadium has a quarter of them. */
const maxTickets = 500_000

/** The event has more tickets than a door can be told of. */
export class DoorTooLarge extends Schema.TaggedError<DoorTooLarge>()("DoorTooLarge", {
  tickets: Schema.Int
}) {}

const Versions = Schema.Array(Schema.Struct({ tickets: Schema.Int, sequence: Schema.Int }))

export const DoorLists = Schema.Struct({
  /** Grows with every change of what is told here. */
  sequence: Schema.Int,
  tiers: Schema.Array(
    Schema.Struct({ tier: TierId, valid: Schema.Int, refunded: Schema.Int, admitted: Schema.Int })
  ),
  /** Base64: 8 bytes of the ticket. */
  refunded: Schema.String,
  /** Base64: 8 bytes of the ticket, 2 of the version that is good. */
  reissued: Schema.String,
  gates: Schema.Array(Schema.String),
  /** Base64: 8 bytes of the ticket, 6 of the time in milliseconds since 1970, 2 of the gate's place in `gates`. */
  admitted: Schema.String
})
export type DoorLists = typeof DoorLists.Type

export const Conflict = Schema.Struct({
  ticketId: TicketId,
  label: Schema.String,
  /** `paid_back` is a check-in that came to us after the ticket's refund. */
  reason: Schema.Literals(["used", "cancelled", "paid_back"]),
  scanId: Schema.String,
  gate: Schema.String,
  atMs: Schema.Int,
  receivedAtMs: Schema.Int,
  /** The check-in that counts. */
  checkIn: Schema.NullOr(Schema.Struct({ gate: Schema.String, atMs: Schema.Int }))
})
export type Conflict = typeof Conflict.Type

export interface ConflictPlace {
  readonly atMs: number
  readonly ticketId: string
  readonly scanId: string
  readonly gate: string
}

export const GateCounts = Schema.Struct({
  gate: Schema.String,
  admitted: Schema.Int,
  conflicts: Schema.Int,
  firstAtMs: Schema.NullOr(Schema.Int),
  lastAtMs: Schema.NullOr(Schema.Int)
})

/** Gates that counts are told of; more are names that somebody makes up. */
const maxGates = 1_000

const retry = {
  times: 3,
  while: (error: unknown) => SqlError.isSqlError(error) && error.isRetryable
}

export const make = (sql: SqlClient.SqlClient) => {
  const ms = (column: string) => sql.literal(`round(extract(epoch FROM ${column}) * 1000)::float8`)
  const last8 = (column: string) => sql.literal(`substr(uuid_send(${column}), 9, 8)`)
  const base64 = (bytes: string) =>
    sql.literal(`coalesce(translate(encode(${bytes}, 'base64'), E'\\n', ''), '')`)

  /** Each of these counts only grows, and each change makes one of them grow. */
  const counts = (eventId: EventId) => sql`SELECT count(*)::int AS tickets,
      (count(*) + coalesce(sum(code_version), 0) + count(*) FILTER (WHERE status = 'refunded')
        + (SELECT count(*) FROM booking.check_ins WHERE event_id = ${eventId}::uuid)
        + (SELECT count(*) FROM booking.scan_conflicts WHERE event_id = ${eventId}::uuid))::float8 AS sequence
    FROM booking.tickets WHERE event_id = ${eventId}::uuid`

  return {
    /** What `lists` would have as its sequence. */
    sequence: Effect.fn("CheckIns.sequence")(function* (eventId: EventId) {
      const [row] = yield* counts(eventId).pipe(
        Effect.retry(retry),
        Effect.flatMap(Schema.decodeUnknownEffect(Versions)),
        Effect.orDie
      )
      if (row === undefined) return 0
      return row.tickets > maxTickets ? yield* new DoorTooLarge({ tickets: row.tickets }) : row.sequence
    }),

    lists: Effect.fn("CheckIns.lists")(function* (eventId: EventId) {
      const rows = yield* sql`WITH version AS (${counts(eventId)}),
        ticket AS (SELECT id, tier_id, status, code_version FROM booking.tickets WHERE event_id = ${eventId}::uuid),
        seen AS (SELECT ticket_id, gate, scanned_at FROM booking.check_ins WHERE event_id = ${eventId}::uuid),
        gates AS (SELECT gate, row_number() OVER (ORDER BY gate) - 1 AS place FROM (SELECT DISTINCT gate FROM seen) AS names)
        SELECT (SELECT sequence FROM version) AS sequence,
          (SELECT coalesce(json_agg(json_build_object('tier', tier_id, 'valid', valid, 'refunded', refunded,
              'admitted', admitted) ORDER BY tier_id), '[]')
            FROM (SELECT ticket.tier_id, count(*) FILTER (WHERE status = 'valid') AS valid,
                count(*) FILTER (WHERE status = 'refunded') AS refunded,
                count(seen.ticket_id) AS admitted
              FROM ticket LEFT JOIN seen ON seen.ticket_id = ticket.id GROUP BY ticket.tier_id) AS by_tier) AS tiers,
          (SELECT ${base64("string_agg(entry, ''::bytea ORDER BY entry)")}
            FROM (SELECT ${last8("id")} AS entry FROM ticket WHERE status = 'refunded') AS entries) AS refunded,
          (SELECT ${base64("string_agg(entry, ''::bytea ORDER BY entry)")}
            FROM (SELECT ${last8("id")} || int2send(code_version::int2) AS entry
              FROM ticket WHERE status = 'valid' AND code_version > 1) AS entries) AS reissued,
          (SELECT coalesce(json_agg(gate ORDER BY place), '[]') FROM gates) AS gates,
          (SELECT ${base64("string_agg(entry, ''::bytea ORDER BY entry)")}
            FROM (SELECT ${last8("ticket_id")} || substr(int8send(${ms("scanned_at")}::bigint), 3, 6)
                || substr(int4send(place::int), 3, 2) AS entry
              FROM seen JOIN gates USING (gate)) AS entries) AS admitted`.pipe(
        Effect.retry(retry),
        Effect.flatMap(Schema.decodeUnknownEffect(Schema.Tuple([DoorLists]))),
        Effect.orDie
      )
      return rows[0]
    }),

    /** Scans that let somebody in and do not count, and check-ins of tickets that were paid back; oldest first. */
    conflicts: Effect.fn("CheckIns.conflicts")(function* (
      eventId: EventId,
      after: ConflictPlace | null,
      limit: number
    ) {
      const place = after ?? {
        atMs: -1,
        ticketId: "00000000-0000-0000-0000-000000000000",
        scanId: "",
        gate: ""
      }
      return yield* sql`WITH conflict AS (
          SELECT ticket_id, reason, scan_id, gate, ${ms("scanned_at")} AS at_ms, ${ms("received_at")} AS received_ms
          FROM booking.scan_conflicts WHERE event_id = ${eventId}::uuid
          UNION ALL
          SELECT c.ticket_id, 'paid_back', c.scan_id, c.gate, ${ms("c.scanned_at")}, ${ms("c.received_at")}
          FROM booking.check_ins c JOIN booking.tickets t ON t.id = c.ticket_id
          WHERE c.event_id = ${eventId}::uuid AND t.status = 'refunded' AND c.received_at > t.updated_at)
        SELECT f.ticket_id::text AS "ticketId", t.label, f.reason, f.scan_id AS "scanId", f.gate, f.at_ms AS "atMs",
          f.received_ms AS "receivedAtMs",
          CASE WHEN c.ticket_id IS NULL THEN NULL
            ELSE json_build_object('gate', c.gate, 'atMs', ${ms("c.scanned_at")}) END AS "checkIn"
        FROM conflict f JOIN booking.tickets t ON t.id = f.ticket_id
          LEFT JOIN booking.check_ins c ON c.ticket_id = f.ticket_id
        WHERE (f.at_ms, f.ticket_id, f.scan_id, f.gate)
          > (${place.atMs}::float8, ${place.ticketId}::uuid, ${place.scanId}::text, ${place.gate}::text)
        ORDER BY f.at_ms, f.ticket_id, f.scan_id, f.gate LIMIT ${limit}::int`.pipe(
        Effect.retry(retry),
        Effect.flatMap(Schema.decodeUnknownEffect(Schema.Array(Conflict))),
        Effect.orDie
      )
    }),

    /** What each gate has admitted, by name. */
    gates: Effect.fn("CheckIns.gates")(function* (eventId: EventId) {
      return yield* sql`SELECT gate, count(*) FILTER (WHERE NOT lost)::int AS admitted,
          count(*) FILTER (WHERE lost)::int AS conflicts,
          ${ms("min(at) FILTER (WHERE NOT lost)")} AS "firstAtMs", ${ms("max(at) FILTER (WHERE NOT lost)")} AS "lastAtMs"
        FROM (SELECT gate, scanned_at AS at, false AS lost FROM booking.check_ins WHERE event_id = ${eventId}::uuid
          UNION ALL SELECT gate, scanned_at, true FROM booking.scan_conflicts WHERE event_id = ${eventId}::uuid) AS scan
        GROUP BY gate ORDER BY gate LIMIT ${maxGates}::int`.pipe(
        Effect.retry(retry),
        Effect.flatMap(Schema.decodeUnknownEffect(Schema.Array(GateCounts))),
        Effect.orDie
      )
    })
  }
}
