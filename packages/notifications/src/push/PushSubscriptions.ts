/** Browsers that have asked to be told of a hold or an order. */
import type { EventId, HoldId, OrderId } from "@onsale/contracts/Ids"
import type { WebhookUrlRefused } from "@onsale/contracts/notifications/Webhook"
import * as Gathered from "@onsale/platform/Gathered"
import { Context, Effect, Layer, Option, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { createHash } from "node:crypto"
import type { Addressee } from "../MessageStore.ts"
import { NoticeJobs } from "../NoticeJobs.ts"
import { settled } from "../SettledSql.ts"
import * as WebhookTarget from "../webhooks/WebhookTarget.ts"
import { dueIn } from "./HoldExpiry.ts"
import * as PushKeys from "./PushKeys.ts"
import { policy } from "./WebPushProvider.ts"

/** Browsers that a hold or an order has at most: a person's devices, and those of who goes along. */
export const maxSubscriptions = 10

/** There are as many as there may be. */
export class PushSubscriptionsFull extends Schema.TaggedError<PushSubscriptionsFull>()(
  "PushSubscriptionsFull",
  { limit: Schema.Int }
) {}

export type About =
  | { readonly eventId: EventId; readonly holdId: HoldId; readonly expiresAtMs: number }
  | { readonly eventId: EventId; readonly orderId: OrderId }

interface Browser {
  readonly endpoint: string
  readonly keys: PushKeys.PushKeys
}

const Rows = Schema.Array(
  Schema.Struct({
    id: Schema.String,
    about: Schema.String,
    endpoint: Schema.String,
    p256dh: Schema.String,
    auth: Schema.String
  })
)
const decode = Schema.decodeUnknownEffect(Rows)
const decodeExpiry = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ atMs: Schema.Finite })))

/** As unguessable as the endpoint and the hold or order are: who has it may end it. */
const idOf = (key: string, endpoint: string) =>
  createHash("sha256").update(`${key} ${endpoint}`).digest("base64url").slice(0, 32)

export class PushSubscriptions extends Context.Service<
  PushSubscriptions,
  {
    /** Answers its id; the same browser again is the same subscription. Whoever asks has seen that the hold or order is there. */
    readonly add: (
      about: About,
      browser: Browser
    ) => Effect.Effect<string, PushSubscriptionsFull | WebhookUrlRefused | PushKeys.PushKeysRefused>
    /** A second time changes nothing. */
    readonly remove: (id: string) => Effect.Effect<void>
    readonly of: (
      about:
        | { readonly holdId: HoldId; readonly orderId?: never }
        | { readonly orderId: OrderId; readonly holdId?: never }
    ) => Effect.Effect<ReadonlyArray<Addressee>>
    /** Milliseconds since 1970; none where nobody listens for the hold. */
    readonly expiryOf: (holdId: HoldId) => Effect.Effect<Option.Option<number>>
    /** The hold expires then now. */
    readonly moved: (holdId: HoldId, expiresAtMs: number) => Effect.Effect<void>
    /** Nothing is told of the hold any more. */
    readonly ended: (holdId: HoldId) => Effect.Effect<void>
  }
>()("@onsale/notifications/push/PushSubscriptions") {
  static readonly layer = Layer.effect(
    PushSubscriptions,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const { holdExpiries } = yield* NoticeJobs

      const write = Effect.fnUntraced(function* (about: About, { endpoint, keys }: Browser) {
        const holdId = "holdId" in about ? about.holdId : null
        const orderId = "orderId" in about ? about.orderId : null
        const expiresAtMs = "holdId" in about ? about.expiresAtMs : null
        const key = holdId ?? orderId ?? ""
        const id = idOf(key, endpoint)
        // Two at a time would both find room for the last.
        yield* sql`SELECT pg_advisory_xact_lock(hashtextextended(${`push:${key}`}::text, 0))`
        const others = yield* sql`SELECT id FROM notifications.push_subscriptions
          WHERE (hold_id = ${holdId}::uuid OR order_id = ${orderId}::uuid) AND id <> ${id}::text`
        if (others.length >= maxSubscriptions) return Option.none<string>()
        yield* sql`INSERT INTO notifications.push_subscriptions
            (id, hold_id, order_id, event_id, endpoint, p256dh, auth, expires_at)
          VALUES (${id}::text, ${holdId}::uuid, ${orderId}::uuid, ${about.eventId}::uuid, ${endpoint}::text,
            ${keys.p256dh}::text, ${keys.auth}::text, to_timestamp(${expiresAtMs}::float8 / 1000))
          ON CONFLICT (id) DO UPDATE SET p256dh = excluded.p256dh, auth = excluded.auth, expires_at = excluded.expires_at`
        if ("holdId" in about) {
          yield* holdExpiries.offer(
            `${about.holdId}:${about.expiresAtMs}`,
            { eventId: about.eventId, holdId: about.holdId },
            { delay: yield* dueIn(about.expiresAtMs) }
          )
        }
        return Option.some(id)
      })

      /** By the id of a hold or an order. */
      const read = Gathered.make<string, ReadonlyArray<Addressee>>(sql, {
        idOf: (about) => about,
        run: Effect.fnUntraced(function* (abouts) {
          const rows =
            yield* sql`SELECT id, coalesce(hold_id, order_id)::text AS about, endpoint, p256dh, auth
            FROM notifications.push_subscriptions
            WHERE hold_id = ANY(${abouts}::uuid[]) OR order_id = ANY(${abouts}::uuid[]) ORDER BY id`
          const browsers = new Map<string, Array<Addressee>>()
          for (const { about, auth, endpoint, id, p256dh } of yield* decode(rows)) {
            const addressee: Addressee = {
              key: id,
              recipient: { channel: "push", endpoint, keys: { p256dh, auth } }
            }
            browsers.set(about, [...(browsers.get(about) ?? []), addressee])
          }
          return browsers
        }, settled)
      })

      return PushSubscriptions.of({
        add: Effect.fn("PushSubscriptions.add")(function* (about, browser) {
          yield* WebhookTarget.check(browser.endpoint, policy)
          yield* PushKeys.check(browser.keys)
          const id = yield* settled(sql.withTransaction(write(about, browser)))
          return Option.isSome(id) ? id.value : yield* new PushSubscriptionsFull({ limit: maxSubscriptions })
        }),
        remove: Effect.fn("PushSubscriptions.remove")(function* (id: string) {
          yield* sql`DELETE FROM notifications.push_subscriptions WHERE id = ${id}::text`
        }, settled),
        of: Effect.fn("PushSubscriptions.of")(({ holdId, orderId }) =>
          Effect.map(read((holdId ?? orderId ?? "").toLowerCase()), (browsers) => browsers ?? [])
        ),
        expiryOf: Effect.fn("PushSubscriptions.expiryOf")(function* (holdId: HoldId) {
          const rows = yield* sql`SELECT (extract(epoch FROM max(expires_at)) * 1000)::float8 AS "atMs"
            FROM notifications.push_subscriptions WHERE hold_id = ${holdId}::uuid HAVING count(*) > 0`
          return Option.map(Option.fromUndefinedOr((yield* decodeExpiry(rows))[0]), ({ atMs }) => atMs)
        }, settled),
        moved: Effect.fn("PushSubscriptions.moved")(function* (holdId: HoldId, expiresAtMs: number) {
          yield* sql`UPDATE notifications.push_subscriptions SET expires_at = to_timestamp(${expiresAtMs}::float8 / 1000)
            WHERE hold_id = ${holdId}::uuid`
        }, settled),
        ended: Effect.fn("PushSubscriptions.ended")(function* (holdId: HoldId) {
          yield* sql`DELETE FROM notifications.push_subscriptions WHERE hold_id = ${holdId}::uuid`
        }, settled)
      })
    })
  )
}
