/** The messages as they are worked on: planned, tried, sent or skipped. What support asks of them is `MessageLog`. */
import type { EventId, OrderId } from "@onsale/contracts/Ids"
import { ChannelName } from "@onsale/contracts/notifications/Message"
import { Notice, noticeId } from "@onsale/contracts/notifications/Notice"
import * as Gathered from "@onsale/platform/Gathered"
import * as Tracing from "@onsale/platform/Tracing"
import { Clock, Context, Effect, Layer, Option, Result, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { Recipient } from "./Channel.ts"
import { NoticeJobs } from "./NoticeJobs.ts"
import type { Delivery } from "./ProviderPool.ts"
import { settled } from "./SettledSql.ts"
import * as SmsStatuses from "./sms/SmsStatuses.ts"

/** Somebody who is told a notice in a channel. */
export interface Addressee {
  /** Tells several in one channel apart, such as the browsers of a person; null where there is only one. */
  readonly key: string | null
  readonly recipient: Recipient
}

/** A message that is to be sent. */
const Open = Schema.Struct({
  id: Schema.String,
  notice: Schema.toCodecJson(Notice),
  channel: ChannelName,
  key: Schema.NullOr(Schema.String),
  isDone: Schema.Boolean,
  rounds: Schema.Int,
  unknowns: Schema.Int,
  maybeSentBy: Schema.NullOr(Schema.String),
  replays: Schema.Int,
  /** Why its address is not written to any more. */
  suppressed: Schema.NullOr(Schema.String)
})
export type Open = typeof Open.Type

const decodeOpen = Schema.decodeUnknownEffect(Schema.Array(Open))
const decodeSkipped = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ wasSent: Schema.Boolean })))
const encodeNotice = Schema.encodeUnknownEffect(Schema.fromJsonString(Schema.toCodecJson(Notice)))

/** The messages of a notice. */
interface Plan {
  readonly notice: Notice
  readonly addressees: ReadonlyArray<Addressee>
  readonly correlation: string | null
  /** The same, as a job carries it. */
  readonly carried: string | null
}

/** Whom it is about, for those who look for it. */
const aboutOf = (notice: Notice): { readonly orderId: OrderId | null; readonly eventId: EventId | null } => ({
  orderId: "orderId" in notice ? notice.orderId : null,
  eventId: "eventId" in notice ? notice.eventId : null
})

/** As support and the list of suppressions know a recipient. */
export const addressOf = (recipient: Recipient): string => {
  switch (recipient.channel) {
    case "email":
      return recipient.address
    case "sms":
      return recipient.phone
    case "push":
      // The whole of it would let anybody push to that browser.
      return new URL(recipient.endpoint).host
  }
}

export const messageId = (notice: Notice, { key, recipient }: Addressee): string =>
  `${noticeId(notice)}:${recipient.channel}${key === null ? "" : `:${key}`}`

export class MessageStore extends Context.Service<
  MessageStore,
  {
    /** Makes a message for each addressee, with the job that sends it; a second time changes nothing. */
    readonly plan: (
      notice: Notice,
      addressees: ReadonlyArray<Addressee>,
      correlation: string | null
    ) => Effect.Effect<void>
    /** Records that nobody is told of it. Takes part in the transaction that is open. */
    readonly skip: (notice: Notice, reason: string) => Effect.Effect<void>
    readonly find: (id: string) => Effect.Effect<Option.Option<Open>>
    /** Records that there is nothing to tell any more. One that was sent before, and is replayed, stays as it was then. */
    readonly skipMessage: (id: string, reason: string) => Effect.Effect<void>
    /** Puts an attempt on record, with each call that was made, and how it ended. */
    readonly record: (
      id: string,
      delivery: Delivery,
      sent: { readonly channel: ChannelName; readonly recipient: string; readonly subject: string }
    ) => Effect.Effect<void>
    /** Puts on record that an attempt has ended and nothing was sent in it. */
    readonly recordUnsent: (id: string) => Effect.Effect<void>
    /** Puts attempts on record whose process ended before it could. */
    readonly recordSilent: (id: string, count: number) => Effect.Effect<void>
  }
>()("@onsale/notifications/MessageStore") {
  static readonly layer = Layer.effect(
    MessageStore,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const jobs = yield* NoticeJobs
      const statuses = yield* SmsStatuses.make

      const write = Gathered.make<Plan, void>(sql, {
        idOf: ({ notice }) => noticeId(notice),
        run: Effect.fnUntraced(function* (plans) {
          const rows = (yield* Effect.forEach(plans, (plan) =>
            Effect.map(encodeNotice(plan.notice), (json) =>
              plan.addressees.map((addressee) => ({ ...plan, ...aboutOf(plan.notice), json, addressee }))
            )
          )).flat()
          const text = (of: (row: (typeof rows)[number]) => string | null) => rows.map((row) => of(row) ?? "")
          // In one statement: a message has its job, or neither is there.
          yield* sql`WITH new AS (
              SELECT id, notice, nullif(order_id, '')::uuid AS order_id, nullif(event_id, '')::uuid AS event_id, channel,
                nullif(key, '') AS key, recipient, nullif(correlation, '') AS correlation, nullif(carried, '') AS carried
              FROM unnest(${text(({ addressee, notice }) => messageId(notice, addressee))}::text[],
                ${text(({ json }) => json)}::text[], ${text(({ orderId }) => orderId)}::text[],
                ${text(({ eventId }) => eventId)}::text[], ${text(({ addressee }) => addressee.recipient.channel)}::text[],
                ${text(({ addressee }) => addressee.key)}::text[],
                ${text(({ addressee }) => addressOf(addressee.recipient))}::text[],
                ${text(({ correlation }) => correlation)}::text[], ${text(({ carried }) => carried)}::text[])
                AS new (id, notice, order_id, event_id, channel, key, recipient, correlation, carried)),
            made AS (
              INSERT INTO notifications.messages (id, notice, order_id, event_id, channel, key, recipient, correlation)
              SELECT id, notice::json, order_id, event_id, channel, key, recipient, correlation FROM new
              ON CONFLICT DO NOTHING RETURNING id)
            INSERT INTO notifications.jobs (queue, id, payload, correlation, run_at)
            SELECT channel, id, '{}'::json, carried, clock_timestamp() FROM made JOIN new USING (id)
            ON CONFLICT DO NOTHING`
          const channels = new Set(rows.map(({ addressee }) => addressee.recipient.channel))
          yield* Effect.forEach(channels, (channel) => jobs.deliveries(channel).announce, { discard: true })
          return new Map<string, void>()
        }, settled)
      })

      const read = Gathered.make<string, Open>(sql, {
        idOf: (id) => id,
        run: Effect.fnUntraced(function* (ids) {
          const rows = yield* sql`SELECT m.id, m.notice, m.channel, m.key, m.rounds, m.unknowns, m.replays,
              m.maybe_sent_by AS "maybeSentBy", (m.sent_at IS NOT NULL OR m.skipped IS NOT NULL) AS "isDone",
              s.reason AS suppressed
            FROM notifications.messages m
            LEFT JOIN notifications.suppressions s ON m.channel IN ('email', 'sms') AND s.address = lower(m.recipient)
            WHERE m.id = ANY(${ids}::text[]) AND m.channel IS NOT NULL`
          return new Map((yield* decodeOpen(rows)).map((open) => [open.id, open]))
        }, settled)
      })

      return MessageStore.of({
        plan: Effect.fn("MessageStore.plan")(function* (notice, addressees, correlation) {
          const carried = correlation === null ? null : yield* Tracing.carried(correlation)
          yield* write({ notice, addressees, correlation, carried })
        }),

        skip: Effect.fn("MessageStore.skip")(function* (notice, reason) {
          const { eventId, orderId } = aboutOf(notice)
          yield* sql`INSERT INTO notifications.messages (id, notice, order_id, event_id, skipped)
            VALUES (${noticeId(notice)}::text, ${yield* encodeNotice(notice)}::json, ${orderId}::uuid, ${eventId}::uuid,
              ${reason}::text)
            ON CONFLICT DO NOTHING`
        }, Effect.orDie),

        find: Effect.fn("MessageStore.find")((id) => Effect.map(read(id), Option.fromUndefinedOr)),

        skipMessage: Effect.fn("MessageStore.skipMessage")(function* (id, reason) {
          const [row] = yield* sql`UPDATE notifications.messages SET
              sent_at = (SELECT max(at) FROM notifications.attempts WHERE message_id = id AND outcome = 'sent'),
              skipped = CASE WHEN NOT EXISTS
                (SELECT 1 FROM notifications.attempts WHERE message_id = id AND outcome = 'sent') THEN ${reason}::text END
            WHERE id = ${id}::text AND sent_at IS NULL RETURNING skipped IS NULL AS "wasSent"`.pipe(
            Effect.flatMap(decodeSkipped)
          )
          if (row?.wasSent === true) yield* Effect.logInfo(`message ${id} is not sent once more: ${reason}`)
        }, settled),

        record: Effect.fn("MessageStore.record")(function* (
          id,
          { result, tries },
          { channel, recipient, subject }
        ) {
          const sent = Result.isSuccess(result) ? result.success : undefined
          const unknown = Result.isFailure(result) && result.failure.kind === "unknown"
          const lastBy = tries[tries.length - 1]?.provider ?? null
          const atMs = tries[tries.length - 1]?.atMs ?? (yield* Clock.currentTimeMillis)
          const write = sql`WITH tried AS (
              INSERT INTO notifications.attempts (message_id, at, provider, outcome, reason)
              SELECT ${id}::text, to_timestamp(at / 1000), provider, outcome, nullif(reason, '')
              FROM unnest(${tries.map((one) => String(one.atMs))}::float8[], ${tries.map((one) => one.provider)}::text[],
                ${tries.map((one) => one.outcome)}::text[], ${tries.map((one) => one.reason ?? "")}::text[])
                AS tries (at, provider, outcome, reason))
            UPDATE notifications.messages SET rounds = rounds + 1, attempts = attempts + 1,
              recipient = ${recipient}::text, subject = ${subject}::text,
              unknowns = unknowns + ${unknown ? 1 : 0}::int,
              maybe_sent_by = coalesce(${unknown ? lastBy : null}::text, maybe_sent_by),
              provider = coalesce(${sent?.provider ?? null}::text, provider),
              reference = coalesce(${sent?.reference ?? null}::text, reference),
              sent_at = coalesce(sent_at, CASE WHEN ${sent !== undefined}::boolean
                THEN to_timestamp(${atMs}::float8 / 1000) END)
            WHERE id = ${id}::text`
          yield* channel === "sms" && sent !== undefined
            ? statuses.settle(sent.reference, Effect.asVoid(write))
            : write
        }, settled),

        recordUnsent: Effect.fn("MessageStore.recordUnsent")(function* (id) {
          yield* sql`UPDATE notifications.messages SET rounds = rounds + 1 WHERE id = ${id}::text`
        }, settled),

        recordSilent: Effect.fn("MessageStore.recordSilent")(function* (id, count) {
          yield* sql`WITH tried AS (
              INSERT INTO notifications.attempts (message_id, at, outcome, reason)
              SELECT ${id}::text, clock_timestamp(), 'unknown', 'the process ended before it could say'
              FROM generate_series(1, ${count}::int))
            UPDATE notifications.messages SET rounds = rounds + ${count}::int, attempts = attempts + ${count}::int
            WHERE id = ${id}::text`
        }, settled)
      })
    })
  )
}
