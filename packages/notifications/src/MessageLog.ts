/** The messages as support sees them: listed with every attempt, sent once more, and addresses written to again. */
import type { OrderId } from "@onsale/contracts/Ids"
import type { SentMail } from "@onsale/contracts/notifications/Mail"
import {
  Attempt,
  type Message,
  MessageCursorInvalid,
  MessageNotFound,
  type MessagePage,
  type MessageQuery,
  MessageSummary
} from "@onsale/contracts/notifications/Message"
import { storableText } from "@onsale/contracts/Text"
import { Notice } from "@onsale/contracts/notifications/Notice"
import { Context, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { NoticeJobs } from "./NoticeJobs.ts"
import { settled } from "./SettledSql.ts"

/** Attempts of one message that are told, the last ones. */
const maxTries = 100

/** Where a page ended. The time is in microseconds, as Postgres keeps and prints it: a `Date` would lose half a page. */
const Place = Schema.Struct({
  at: Schema.String.check(Schema.isPattern(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})?\+00$/)),
  id: storableText(300)
})
type Place = typeof Place.Type
const PlaceText = Schema.fromJsonString(Place).pipe((json) =>
  Schema.StringFromBase64Url.pipe(Schema.decodeTo(json))
)
const decodePlace = Schema.decodeUnknownEffect(PlaceText)
const encodePlace = Schema.encodeUnknownEffect(PlaceText)

const Row = Schema.Struct({ ...MessageSummary.fields, notice: Schema.toCodecJson(Notice), at: Schema.String })
const decodeRows = Schema.decodeUnknownEffect(Schema.Array(Row))
const decodeTries = Schema.decodeUnknownEffect(
  Schema.Array(Schema.Struct({ messageId: Schema.String, ...Attempt.fields }))
)
const decodeSent = Schema.decodeUnknownEffect(
  Schema.Array(
    Schema.Struct({
      id: Schema.String,
      orderId: Schema.String,
      to: Schema.String,
      subject: Schema.String,
      messageId: Schema.String,
      attempts: Schema.Int,
      sentAt: Schema.String
    })
  )
)

/** Mails of one order that are listed at most. */
const maxMails = 100

export class MessageLog extends Context.Service<
  MessageLog,
  {
    /** Newest first. */
    readonly page: (query: MessageQuery) => Effect.Effect<MessagePage, MessageCursorInvalid>
    readonly message: (id: string) => Effect.Effect<Message, MessageNotFound>
    /**
     * Sends it once more: with the id that it had where it was given up, as another message where it was sent. What
     * waits is left to its turn; what was skipped is looked at again.
     */
    readonly replay: (id: string) => Effect.Effect<Message, MessageNotFound>
    /** The mails that were sent about an order, oldest first. */
    readonly mails: (orderId: OrderId) => Effect.Effect<ReadonlyArray<SentMail>>
  }
>()("@onsale/notifications/MessageLog") {
  static readonly layer = Layer.effect(
    MessageLog,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const jobs = yield* NoticeJobs
      const iso = (column: string) =>
        sql.literal(`to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`)

      /** A message is dead where its job is: so one that is revived is nowhere dead any more. */
      const status =
        sql.literal(`CASE WHEN m.sent_at IS NOT NULL THEN 'sent' WHEN m.skipped IS NOT NULL THEN 'skipped'
        WHEN j.failed_at IS NOT NULL THEN 'dead' ELSE 'waiting' END`)

      const columns = sql`m.id, m.notice, m.order_id::text AS "orderId", m.event_id::text AS "eventId", m.channel,
        m.recipient, m.subject, ${status} AS status,
        CASE WHEN m.sent_at IS NULL THEN coalesce(m.skipped, j.last_error) END AS reason, m.provider, m.reference,
        greatest(m.attempts, CASE WHEN m.sent_at IS NULL THEN coalesce(j.attempts, 0) ELSE 0 END) AS attempts,
        ${iso("m.created_at")} AS "createdAt", ${iso("m.sent_at")} AS "sentAt",
        ${iso("m.bounced_at")} AS "bouncedAt", m.created_at::text AS at`
      const source = sql`notifications.messages m
        LEFT JOIN notifications.jobs j ON j.queue = m.channel AND j.id = m.id`

      /** Notices that were given up before they were messages: for whoever looks for them they are dead messages. */
      const deadNotices = (orderId: OrderId | undefined) =>
        sql`SELECT j.id, j.payload AS notice, j.payload ->> 'orderId' AS "orderId", j.payload ->> 'eventId' AS "eventId",
            NULL::text AS channel, NULL::text AS recipient, NULL::text AS subject, 'dead' AS status,
            j.last_error AS reason, NULL::text AS provider, NULL::text AS reference, j.attempts,
            ${iso("j.created_at")} AS "createdAt", NULL::text AS "sentAt", NULL::text AS "bouncedAt",
            j.created_at::text AS at
          FROM notifications.jobs j
          WHERE j.queue = ${jobs.notices.queue}::text AND j.failed_at IS NOT NULL
            AND (${orderId ?? null}::text IS NULL OR j.payload ->> 'orderId' = ${orderId ?? null}::text)
          ORDER BY j.failed_at LIMIT ${maxMails}::int`

      const withTries = Effect.fnUntraced(function* (rows: ReadonlyArray<typeof Row.Type>) {
        const tries =
          yield* sql`SELECT a.message_id AS "messageId", ${iso("a.at")} AS at, a.provider, a.outcome, a.reason
          FROM unnest(${rows.map(({ id }) => id)}::text[]) AS m (id)
          CROSS JOIN LATERAL (SELECT * FROM notifications.attempts WHERE message_id = m.id
            ORDER BY n DESC LIMIT ${maxTries}::int) AS a
          ORDER BY a.n`.pipe(Effect.flatMap(decodeTries))
        const of = Map.groupBy(tries, ({ messageId }) => messageId)
        return rows.map(
          ({ at: _, ...row }): Message => ({
            ...row,
            tries: (of.get(row.id) ?? []).map(({ messageId: __, ...one }) => one)
          })
        )
      })

      const placeOf = (cursor: string | undefined) =>
        cursor === undefined
          ? Effect.succeed(null)
          : Effect.mapError(decodePlace(cursor), () => new MessageCursorInvalid({ cursor }))

      /** Each in words that an index answers: of millions of messages few are dead. */
      const conditions = (query: MessageQuery, place: Place | null) => [
        sql`true`,
        ...(place === null
          ? []
          : [sql`(m.created_at, m.id) < (${place.at}::timestamptz, ${place.id}::text)`]),
        ...(query.order === undefined ? [] : [sql`m.order_id = ${query.order}::uuid`]),
        ...(query.status === undefined ? [] : [sql`${status} = ${query.status}::text`]),
        ...(query.status === "dead" || query.status === "waiting"
          ? [sql`m.sent_at IS NULL AND m.skipped IS NULL`]
          : [])
      ]

      const list = Effect.fnUntraced(function* (query: MessageQuery, place: Place | null) {
        const limit = query.limit ?? 50
        const rows = yield* sql`SELECT ${columns} FROM ${source}
          WHERE ${sql.and(conditions(query, place))}
          ORDER BY m.created_at DESC, m.id DESC LIMIT ${limit + 1}::int`.pipe(Effect.flatMap(decodeRows))
        const notices =
          query.cursor === undefined && (query.status === "dead" || query.order !== undefined)
            ? yield* deadNotices(query.order).pipe(Effect.flatMap(decodeRows))
            : []
        const shown = rows.slice(0, limit)
        const last = shown[shown.length - 1]
        const all = query.status === undefined || query.status === "dead" ? [...notices, ...shown] : shown
        return {
          notifications: yield* withTries(all),
          nextCursor:
            rows.length > limit && last !== undefined
              ? yield* encodePlace({ at: last.at, id: last.id })
              : null
        } satisfies MessagePage
      })

      const find = Effect.fn("MessageLog.message")(function* (id: string) {
        const rows = yield* settled(
          sql`SELECT ${columns} FROM ${source} WHERE m.id = ${id}::text`.pipe(Effect.flatMap(decodeRows))
        )
        const dead =
          rows.length > 0
            ? rows
            : (yield* settled(deadNotices(undefined).pipe(Effect.flatMap(decodeRows)))).filter(
                (notice) => notice.id === id
              )
        const [message] = yield* settled(withTries(dead))
        return message ?? (yield* new MessageNotFound({ id }))
      })

      /** In the transaction that is open: as it is once nobody else replays it, who may have been first. */
      const replay = Effect.fnUntraced(function* (found: Message) {
        yield* sql`SELECT 1 FROM notifications.messages WHERE id = ${found.id}::text FOR UPDATE`
        yield* sql`SELECT 1 FROM notifications.jobs
          WHERE queue = ${found.channel ?? jobs.notices.queue}::text AND id = ${found.id}::text FOR UPDATE`
        const message = yield* Effect.catchTag(find(found.id), "MessageNotFound", () => Effect.succeed(null))
        if (message === null || message.status === "waiting") return
        const { channel, id, notice } = message
        if (channel === null) {
          // Nothing of it was sent: it is a notice again, as if it had happened just now.
          yield* sql`DELETE FROM notifications.messages WHERE id = ${id}::text AND channel IS NULL`
          return yield* jobs.notices.again(id, notice)
        }
        yield* sql`UPDATE notifications.messages SET sent_at = NULL, skipped = NULL, bounced_at = NULL, rounds = 0,
            unknowns = 0, maybe_sent_by = CASE WHEN sent_at IS NULL THEN maybe_sent_by END,
            replays = replays + CASE WHEN sent_at IS NULL THEN 0 ELSE 1 END
          WHERE id = ${id}::text`
        yield* jobs.deliveries(channel).again(id, {})
      })

      return MessageLog.of({
        page: Effect.fn("MessageLog.page")(function* (query) {
          const place = yield* placeOf(query.cursor)
          return yield* settled(list(query, place))
        }),
        message: find,
        replay: Effect.fn("MessageLog.replay")(function* (id) {
          const message = yield* find(id)
          yield* settled(sql.withTransaction(replay(message)))
          yield* Effect.logInfo(`message ${id}, which was ${message.status}, is replayed`)
          // A notice that is looked at again has no message until it was.
          return message.channel === null ? { ...message, status: "waiting" as const } : yield* find(id)
        }),
        mails: Effect.fn("MessageLog.mails")(function* (orderId) {
          const rows =
            yield* sql`SELECT id, order_id::text AS "orderId", recipient AS "to", coalesce(subject, '') AS subject,
              coalesce(reference, '') AS "messageId", attempts, ${iso("sent_at")} AS "sentAt"
            FROM notifications.messages
            WHERE order_id = ${orderId}::uuid AND channel = 'email' AND sent_at IS NOT NULL
            ORDER BY sent_at, id LIMIT ${maxMails}::int`
          return (yield* decodeSent(rows)).map((mail) => ({ ...mail, orderId }))
        }, settled)
      })
    })
  )
}
