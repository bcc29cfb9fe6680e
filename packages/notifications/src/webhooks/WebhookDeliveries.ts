/**
 * What is to be sent, and what came of it: `notifications.webhook_deliveries` and their attempts.
 *
 * A delivery is leased for one attempt, and settled afterwards; a worker that dies leaves a lease that runs out. Of
 * a stream only the first that waits can be leased, so that a stream's messages come in their order; other streams,
 * and other webhooks, do not wait for it. A webhook whose last delivery failed gets one call at a time, and where
 * several wait the one with the fewest calls under way is next, so that slow ones take turns with the others.
 */
import {
  Delivery,
  DeliveryAttempt,
  DeliveryCursorInvalid,
  type DeliveryDetail,
  DeliveryId,
  DeliveryNotFound,
  type DeliveryPage,
  type DeliveryQuery,
  maxReplayed,
  WebhookId
} from "@onsale/contracts/notifications/Webhook"
import { Context, Duration, Effect, Layer, Option, PubSub, Schema, type Scope } from "effect"
import { SqlClient, type SqlError, type Statement } from "effect/sql"
import { iso, nowOf, settled } from "./WebhookTime.ts"

/** A message for one webhook, before it is sent. */
export interface NewDelivery {
  readonly id: DeliveryId
  readonly webhookId: WebhookId
  readonly stream: string
  readonly type: string
  readonly body: string
  readonly correlation: string | null
}

/** A delivery that is to be tried now, by whoever leased it. */
export const Leased = Schema.Struct({
  id: DeliveryId,
  webhookId: WebhookId,
  body: Schema.String,
  correlation: Schema.NullOr(Schema.String),
  attempt: Schema.Int,
  /** Of those since it was made or replayed. */
  tries: Schema.Int,
  url: Schema.String,
  /** Sealed, see `WebhookVault`; the one before while it still counts. */
  secret: Schema.String,
  previousSecret: Schema.NullOr(Schema.String)
})
export type Leased = typeof Leased.Type

/** Calls to one webhook at a time, of all workers; one that fails gets a single one, so that it cannot use up all there are. */
const callsAtOnce = 4

/** How long it is tried, from its first attempt. */
export const tryFor = Duration.days(3)

/** How long what has ended is remembered. */
const rememberFor = Duration.days(30)

const defaultLimit = 50
const maxLog = 50
/** Enough of an error to know it by. */
const maxErrorLength = 500
/** Rows in one statement. */
const insertChunk = 500

const noDelivery = (deliveryId: DeliveryId) => new DeliveryNotFound({ deliveryId })

const Position = Schema.String.check(Schema.isPattern(/^\d{1,18}$/))
const decodeCursor = Schema.decodeUnknownEffect(Schema.StringFromBase64Url.pipe(Schema.decodeTo(Position)))
const encodeCursor = Schema.encodeSync(Schema.StringFromBase64Url)

const decodeLeased = Schema.decodeUnknownEffect(Schema.Array(Leased))
const decodeDeliveries = Schema.decodeUnknownEffect(Schema.Array(Delivery))
const decodePage = Schema.decodeUnknownEffect(
  Schema.Array(Schema.Struct({ ...Delivery.fields, position: Schema.String }))
)
const decodeBody = Schema.decodeUnknownEffect(
  Schema.Array(Schema.Struct({ ...Delivery.fields, body: Schema.String }))
)
const decodeLog = Schema.decodeUnknownEffect(Schema.Array(DeliveryAttempt))
const decodeBacklog = Schema.decodeUnknownEffect(
  Schema.Tuple([
    Schema.Struct({
      oldestWaitingMs: Schema.Finite,
      overdueMs: Schema.Finite,
      deadToday: Schema.Int,
      disabled: Schema.Int
    })
  ])
)

const store = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const now = nowOf(sql)
  const offered = yield* PubSub.sliding<void>(1)
  const wake = sql.afterCommit(Effect.asVoid(PubSub.publish(offered, undefined)))
  const columns = sql.literal(
    `d.id, d.webhook_id::text AS "webhookId", d.type, d.stream, d.status, d.attempts,
     ${iso("d.created_at")} AS "createdAt",
     CASE WHEN d.status = 'waiting' THEN ${iso("d.run_at")} END AS "nextAttemptAt",
     ${iso("d.settled_at")} AS "settledAt", d.last_error AS "lastError"`
  )
  const again = (at: Statement.Fragment) =>
    sql`status = 'waiting', run_at = ${at}, first_attempt_at = NULL, settled_at = NULL, attempts_before = attempts`

  return {
    /** Tells of deliveries that were offered in this process; it may tell of several once. */
    offered: PubSub.subscribe(offered) as Effect.Effect<PubSub.Subscription<void>, never, Scope.Scope>,

    /** In the transaction that is open. One whose id is known is left as it is. */
    offer: Effect.fn("WebhookDeliveries.offer")(function* (
      deliveries: ReadonlyArray<NewDelivery>
    ): Effect.fn.Return<void, SqlError.SqlError> {
      for (let from = 0; from < deliveries.length; from += insertChunk) {
        const json = JSON.stringify(deliveries.slice(from, from + insertChunk))
        const at = yield* now
        yield* sql`INSERT INTO notifications.webhook_deliveries
            (id, webhook_id, stream, type, body, correlation, created_at, run_at)
          SELECT row->>'id', w.id, row->>'stream', row->>'type', row->>'body', row->>'correlation', ${at}, ${at}
          FROM json_array_elements(${json}::json) WITH ORDINALITY AS given (row, ordinality)
            JOIN notifications.webhooks w ON w.id = (row->>'webhookId')::uuid
          ORDER BY ordinality
          ON CONFLICT DO NOTHING`
      }
      if (deliveries.length > 0) yield* wake
    }),

    /** Takes the one that has been due longest, of the webhooks with the fewest calls under way, for as long as `lease`. */
    lease: Effect.fnUntraced(function* (lease: Duration.Duration) {
      const at = yield* now
      // Of each webhook only a few are looked at, so that neither a long backlog nor one that hangs is in the way.
      const rows = yield* sql`WITH present AS MATERIALIZED (SELECT ${at} AS at),
        head AS MATERIALIZED (
          SELECT d.id FROM present, notifications.webhooks w
            CROSS JOIN LATERAL (
              SELECT count(*) AS calls FROM notifications.webhook_deliveries l
              WHERE l.webhook_id = w.id AND l.leased_until >= present.at
            ) AS under_way
            CROSS JOIN LATERAL (
              SELECT c.id FROM notifications.webhook_deliveries c
              WHERE c.webhook_id = w.id AND c.status = 'waiting' AND c.run_at <= present.at
                AND (c.leased_until IS NULL OR c.leased_until < present.at)
                AND NOT EXISTS (SELECT 1 FROM notifications.webhook_deliveries e
                  WHERE e.webhook_id = c.webhook_id AND e.stream = c.stream AND e.status = 'waiting'
                    AND e.position < c.position)
              ORDER BY c.run_at LIMIT greatest(0,
                CASE WHEN w.failing_since IS NULL THEN ${callsAtOnce}::int ELSE 1 END - under_way.calls)
            ) AS candidate
            JOIN notifications.webhook_deliveries d ON d.id = candidate.id
          WHERE w.disabled_at IS NULL AND d.status = 'waiting'
            AND (d.leased_until IS NULL OR d.leased_until < present.at)
          ORDER BY under_way.calls, d.run_at, d.position LIMIT 1 FOR UPDATE OF d SKIP LOCKED)
        UPDATE notifications.webhook_deliveries d SET attempts = d.attempts + 1,
          leased_until = present.at + make_interval(secs => ${Duration.toSeconds(lease)}::float8),
          first_attempt_at = coalesce(d.first_attempt_at, present.at)
        FROM present, head, notifications.webhooks w
        WHERE d.id = head.id AND w.id = d.webhook_id
        RETURNING d.id, d.webhook_id::text AS "webhookId", d.body, d.correlation, d.attempts AS attempt,
          d.attempts - d.attempts_before AS tries, w.url,
          w.secret, CASE WHEN w.previous_until > present.at THEN w.previous_secret END AS "previousSecret"`
      const [leased] = yield* Effect.orDie(decodeLeased(rows))
      return Option.fromUndefinedOr(leased)
    }),

    /** Gives it back as if nothing had been tried. */
    release: (leased: Leased) =>
      sql`UPDATE notifications.webhook_deliveries SET leased_until = NULL, attempts = attempts - 1
        WHERE id = ${leased.id}::text AND attempts = ${leased.attempt}::int AND status = 'waiting'`,

    /**
     * Writes an attempt down, and what becomes of the delivery; false where somebody else has tried it since, who
     * decides instead. It is tried again after `pause`, or a dead letter where three days are over; `disable` is why
     * its webhook is to be disabled, and `disableAfter` how long one may fail without a single success.
     */
    settle: Effect.fn("WebhookDeliveries.settle")(function* (
      leased: Leased,
      result: Omit<DeliveryAttempt, "attempt" | "startedAt">,
      then: { readonly pause: Duration.Duration; readonly disableAfter: Duration.Duration }
    ) {
      const at = yield* now
      const delivered = result.outcome === "delivered"
      const gone = result.outcome === "gone"
      const error = result.error?.slice(0, maxErrorLength) ?? null
      const seconds = Duration.toSeconds
      return yield* sql.withTransaction(
        Effect.gen(function* () {
          // One deleted meanwhile, with its webhook, has no log either; one that is just being deleted is waited for.
          yield* sql`INSERT INTO notifications.webhook_attempts
              (delivery_id, attempt, started_at, duration_ms, outcome, status, error, response)
            SELECT d.id, ${leased.attempt}::int, ${at} - make_interval(secs => ${result.durationMs / 1000}::float8),
              ${result.durationMs}::int, ${result.outcome}::text, ${result.status}::int, ${error}::text,
              ${result.response}::text
            FROM notifications.webhook_deliveries d JOIN notifications.webhooks w ON w.id = d.webhook_id
            WHERE d.id = ${leased.id}::text FOR KEY SHARE OF w
            ON CONFLICT DO NOTHING`
          const [row] = yield* sql<{ readonly status: "waiting" | "delivered" | "dead" }>`
            WITH end_of AS MATERIALIZED (
              SELECT id, at, over_at, CASE WHEN ${delivered}::boolean THEN 'delivered'
                WHEN ${gone}::boolean OR at >= over_at THEN 'dead' ELSE 'waiting' END AS status
              FROM (SELECT id, ${at} AS at,
                first_attempt_at + make_interval(secs => ${seconds(tryFor)}::float8) AS over_at
                FROM notifications.webhook_deliveries WHERE id = ${leased.id}::text) AS given)
            UPDATE notifications.webhook_deliveries d SET leased_until = NULL, last_error = ${error}::text,
              status = e.status, settled_at = CASE WHEN e.status <> 'waiting' THEN e.at END,
              run_at = least(e.at + make_interval(secs => ${seconds(then.pause)}::float8), e.over_at)
            FROM end_of e
            WHERE d.id = e.id AND d.attempts = ${leased.attempt}::int AND d.status = 'waiting'
            RETURNING d.status`
          // Those behind it are due when it is, so that nobody looks at them in vain.
          if (row !== undefined) {
            yield* sql`UPDATE notifications.webhook_deliveries s
              SET run_at = CASE WHEN d.status = 'waiting' THEN d.run_at ELSE ${at} END
              FROM notifications.webhook_deliveries d
              WHERE d.id = ${leased.id}::text AND s.webhook_id = d.webhook_id AND s.stream = d.stream
                AND s.status = 'waiting' AND s.position > d.position`
          }
          const [webhook] = delivered
            ? yield* sql<{
                readonly disabled: boolean
              }>`UPDATE notifications.webhooks SET failing_since = NULL
                WHERE id = ${leased.webhookId}::uuid AND failing_since IS NOT NULL
                RETURNING false AS disabled`
            : yield* sql<{ readonly disabled: boolean }>`
                WITH end_of AS MATERIALIZED (
                  SELECT id, at, CASE WHEN ${gone}::boolean THEN 'gone'
                    WHEN failing_since <= at - make_interval(secs => ${seconds(then.disableAfter)}::float8)
                    THEN 'failing' END AS reason
                  FROM (SELECT id, failing_since, ${at} AS at FROM notifications.webhooks
                    WHERE id = ${leased.webhookId}::uuid) AS given)
                UPDATE notifications.webhooks w SET failing_since = coalesce(w.failing_since, e.at),
                  disabled_reason = e.reason, disabled_at = CASE WHEN e.reason IS NOT NULL THEN e.at END
                FROM end_of e
                WHERE w.id = e.id AND w.disabled_at IS NULL AND (w.failing_since IS NULL OR e.reason IS NOT NULL)
                RETURNING w.disabled_at IS NOT NULL AS disabled`
          // The next of its stream may go.
          if (row !== undefined && row.status !== "waiting") yield* wake
          return { status: row?.status ?? null, disabled: webhook?.disabled === true }
        })
      )
    }),

    /** Of a webhook, the newest first. */
    page: Effect.fn("WebhookDeliveries.page")(function* (
      webhookId: WebhookId,
      { cursor, limit = defaultLimit, status }: DeliveryQuery
    ): Effect.fn.Return<DeliveryPage, DeliveryCursorInvalid | SqlError.SqlError> {
      const before =
        cursor === undefined
          ? null
          : yield* Effect.mapError(decodeCursor(cursor), () => new DeliveryCursorInvalid({ cursor }))
      const rows =
        yield* sql`SELECT ${columns}, d.position::text AS position FROM notifications.webhook_deliveries d
        WHERE d.webhook_id = ${webhookId}::uuid
          AND (${before}::text IS NULL OR d.position < ${before}::text::bigint)
          AND (${status ?? null}::text IS NULL OR d.status = ${status ?? null}::text)
        ORDER BY d.position DESC LIMIT ${limit + 1}::int`
      const found = yield* Effect.orDie(decodePage(rows))
      const deliveries = found.slice(0, limit)
      const last = deliveries[deliveries.length - 1]
      return {
        deliveries: deliveries.map(({ position: _, ...delivery }) => delivery),
        nextCursor: found.length > limit && last !== undefined ? encodeCursor(last.position) : null
      }
    }, settled),

    get: Effect.fn("WebhookDeliveries.get")(function* (
      webhookId: WebhookId,
      id: DeliveryId
    ): Effect.fn.Return<DeliveryDetail, DeliveryNotFound | SqlError.SqlError> {
      const rows = yield* sql`SELECT ${columns}, d.body FROM notifications.webhook_deliveries d
        WHERE d.webhook_id = ${webhookId}::uuid AND d.id = ${id}::text`
      const [delivery] = yield* Effect.orDie(decodeBody(rows))
      if (delivery === undefined) return yield* noDelivery(id)
      const log = yield* sql`SELECT attempt, ${sql.literal(iso("started_at"))} AS "startedAt",
          duration_ms AS "durationMs", outcome, status, error, response
        FROM notifications.webhook_attempts WHERE delivery_id = ${id}::text ORDER BY attempt DESC LIMIT ${maxLog}::int`
      return { ...delivery, log: (yield* Effect.orDie(decodeLog(log))).toReversed() }
    }, settled),

    /** Sends one again, as if it had never been tried. */
    replay: Effect.fn("WebhookDeliveries.replay")(function* (
      webhookId: WebhookId,
      id: DeliveryId
    ): Effect.fn.Return<Delivery, DeliveryNotFound | SqlError.SqlError> {
      const rows = yield* sql`UPDATE notifications.webhook_deliveries d SET ${again(yield* now)}
        WHERE d.webhook_id = ${webhookId}::uuid AND d.id = ${id}::text RETURNING ${columns}`
      const [delivery] = yield* Effect.orDie(decodeDeliveries(rows))
      yield* wake
      return delivery ?? (yield* noDelivery(id))
    }, settled),

    /** Sends again what ended so and was created in that time, oldest first, and answers how many. */
    replayBetween: Effect.fn("WebhookDeliveries.replayBetween")(function* (
      webhookId: WebhookId,
      range: { readonly from: string; readonly until: string; readonly status: "dead" | "delivered" }
    ): Effect.fn.Return<{ readonly replayed: number; readonly more: boolean }, SqlError.SqlError> {
      const rows = yield* sql`UPDATE notifications.webhook_deliveries d SET ${again(yield* now)}
        WHERE d.id IN (SELECT id FROM notifications.webhook_deliveries
          WHERE webhook_id = ${webhookId}::uuid AND status = ${range.status}::text
            AND created_at >= ${range.from}::timestamptz AND created_at < ${range.until}::timestamptz
          ORDER BY position LIMIT ${maxReplayed}::int) RETURNING d.id`
      yield* wake
      return { replayed: rows.length, more: rows.length === maxReplayed }
    }, settled),

    /** Forgets what ended a month ago, and what waits since then for a webhook that is disabled; a thousand of each at most. Answers how many. */
    prune: Effect.gen(function* () {
      const before = sql`${yield* now} - make_interval(secs => ${Duration.toSeconds(rememberFor)}::float8)`
      const ended = yield* sql`DELETE FROM notifications.webhook_deliveries WHERE id IN (
        SELECT id FROM notifications.webhook_deliveries WHERE status <> 'waiting' AND settled_at < ${before}
        LIMIT 1000) RETURNING id`
      const abandoned = yield* sql`DELETE FROM notifications.webhook_deliveries WHERE id IN (
        SELECT d.id FROM notifications.webhooks w
          JOIN notifications.webhook_deliveries d ON d.webhook_id = w.id AND d.status = 'waiting'
        WHERE w.disabled_at < ${before} AND d.run_at < ${before} LIMIT 1000) RETURNING id`
      return ended.length + abandoned.length
    }),

    /**
     * How it stands: ages in milliseconds, 0 where there is none. `overdueMs` is how long the longest due has not
     * been taken up by any of us, whatever its receiver does.
     */
    backlog: Effect.gen(function* () {
      const at = yield* now
      const rows = yield* sql`SELECT
          coalesce(extract(epoch FROM ${at} - min(d.created_at)) * 1000, 0)::float8 AS "oldestWaitingMs",
          coalesce(extract(epoch FROM ${at} - min(greatest(d.run_at, coalesce(d.leased_until, d.run_at)))
            FILTER (WHERE w.failing_since IS NULL)) * 1000, 0)::float8 AS "overdueMs",
          (SELECT count(*) FROM notifications.webhook_deliveries WHERE status = 'dead'
            AND settled_at > ${at} - interval '1 day')::int AS "deadToday",
          (SELECT count(*) FROM notifications.webhooks WHERE disabled_reason IN ('gone', 'failing'))::int AS disabled
        FROM notifications.webhook_deliveries d JOIN notifications.webhooks w ON w.id = d.webhook_id
        WHERE d.status = 'waiting' AND w.disabled_at IS NULL`
      const [backlog] = yield* Effect.orDie(decodeBacklog(rows))
      return { ...backlog, overdueMs: Math.max(0, backlog.overdueMs) }
    }).pipe(Effect.withSpan("WebhookDeliveries.backlog"))
  }
})

export class WebhookDeliveries extends Context.Service<WebhookDeliveries, Effect.Success<typeof store>>()(
  "@onsale/notifications/webhooks/WebhookDeliveries"
) {
  static readonly layer = Layer.effect(WebhookDeliveries, store)
}
