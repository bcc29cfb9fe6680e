/** Whom organisers have told of what: `notifications.webhooks`. */
import {
  maxUrlLength,
  type NewWebhook,
  TooManyWebhooks,
  Webhook,
  type WebhookChange,
  WebhookId,
  WebhookNotFound,
  WebhookUrlRefused
} from "@onsale/contracts/notifications/Webhook"
import { makeUuidV7 } from "@onsale/contracts/Ids"
import { Clock, Context, Duration, Effect, Layer, Redacted, Schema } from "effect"
import { SqlClient } from "effect/sql"
import * as WebhookTarget from "./WebhookTarget.ts"
import { iso, nowOf, settled } from "./WebhookTime.ts"
import { makeSecret, WebhookVault } from "./WebhookVault.ts"

/** Each is asked for every event, and each may have calls under way. */
export const maxWebhooks = 100

/** How long the secret before the present one signs as well. */
const overlap = Duration.hours(24)

const decode = Schema.decodeUnknownEffect(Schema.Array(Webhook))

/** All creations agree on how many there are. */
const creationLock = "notifications.webhooks"

type WithSecret = Webhook & { readonly secret: string }

export class WebhookSubscriptions extends Context.Service<
  WebhookSubscriptions,
  {
    readonly create: (webhook: NewWebhook) => Effect.Effect<WithSecret, WebhookUrlRefused | TooManyWebhooks>
    /** The oldest first. */
    readonly list: Effect.Effect<ReadonlyArray<Webhook>>
    readonly get: (id: WebhookId) => Effect.Effect<Webhook, WebhookNotFound>
    readonly change: (
      id: WebhookId,
      change: WebhookChange
    ) => Effect.Effect<Webhook, WebhookNotFound | WebhookUrlRefused>
    readonly remove: (id: WebhookId) => Effect.Effect<void, WebhookNotFound>
    /** A new secret; the present one signs beside it for 24 hours. */
    readonly rotate: (id: WebhookId) => Effect.Effect<WithSecret, WebhookNotFound>
  }
>()("@onsale/notifications/webhooks/WebhookSubscriptions") {
  static readonly layerNoDeps = Layer.effect(
    WebhookSubscriptions,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const now = nowOf(sql)
      const vault = yield* WebhookVault
      const policy = yield* WebhookTarget.WebhookTargets

      const columns = sql.literal(
        `id::text AS id, url, event_types AS "eventTypes", event_id::text AS "eventId", description,
         CASE WHEN disabled_at IS NULL THEN 'active' ELSE 'disabled' END AS status,
         disabled_reason AS "disabledReason", ${iso("disabled_at")} AS "disabledAt",
         ${iso("failing_since")} AS "failingSince", ${iso("previous_until")} AS "previousSecretUntil",
         ${iso("created_at")} AS "createdAt"`
      )
      const one = Effect.fnUntraced(function* (id: WebhookId, rows: ReadonlyArray<unknown>) {
        const [found] = yield* Effect.orDie(decode(rows))
        return found ?? (yield* new WebhookNotFound({ webhookId: id }))
      })
      const checkUrl = (url: string) =>
        Effect.flatMap(WebhookTarget.check(url, policy), ({ href }) =>
          href.length > maxUrlLength
            ? Effect.fail(
                new WebhookUrlRefused({ message: `Expected at most ${maxUrlLength} characters once encoded` })
              )
            : Effect.succeed(href)
        )
      /** An array of Postgres by way of JSON; null for all types. */
      const typesOf = (types: ReadonlyArray<string> | null) =>
        sql`(SELECT array_agg(type) FROM json_array_elements_text(${types === null ? null : JSON.stringify(types)}::json) AS type)`

      return WebhookSubscriptions.of({
        create: Effect.fn("WebhookSubscriptions.create")(function* (webhook) {
          const url = yield* checkUrl(webhook.url)
          const id = WebhookId.make(makeUuidV7(yield* Clock.currentTimeMillis))
          const secret = yield* makeSecret
          const sealed = yield* vault.seal(id, secret)
          // Where the answer to a commit is lost it is tried again, with the same id: it finds what it has made.
          const created = yield* Effect.gen(function* () {
            yield* sql`SELECT pg_advisory_xact_lock(hashtextextended(${creationLock}::text, 0))`
            const rows = yield* sql`INSERT INTO notifications.webhooks
                (id, url, event_types, event_id, description, secret, created_at)
              SELECT ${id}::uuid, ${url}::text, ${typesOf(webhook.eventTypes ?? null)},
                ${webhook.eventId ?? null}::uuid, ${webhook.description ?? ""}::text, ${sealed}::text, ${yield* now}
              WHERE (SELECT count(*) FROM notifications.webhooks WHERE id <> ${id}::uuid) < ${maxWebhooks}::int
              ON CONFLICT (id) DO UPDATE SET id = excluded.id
              RETURNING ${columns}`
            return (
              (yield* Effect.orDie(decode(rows)))[0] ?? (yield* new TooManyWebhooks({ limit: maxWebhooks }))
            )
          }).pipe(sql.withTransaction, settled)
          return { ...created, secret: Redacted.value(secret) }
        }),

        list: Effect.gen(function* () {
          const rows = yield* sql`SELECT ${columns} FROM notifications.webhooks ORDER BY created_at, id
            LIMIT ${maxWebhooks}::int`
          return yield* Effect.orDie(decode(rows))
        }).pipe(settled, Effect.withSpan("WebhookSubscriptions.list")),

        get: Effect.fn("WebhookSubscriptions.get")(function* (id) {
          return yield* one(
            id,
            yield* sql`SELECT ${columns} FROM notifications.webhooks WHERE id = ${id}::uuid`
          )
        }, settled),

        change: Effect.fn("WebhookSubscriptions.change")(function* (id, change) {
          const at = yield* now
          const sets = [
            // Names the row even where nothing changes.
            sql`id = id`,
            ...(change.url === undefined ? [] : [sql`url = ${yield* checkUrl(change.url)}::text`]),
            ...(change.eventTypes === undefined ? [] : [sql`event_types = ${typesOf(change.eventTypes)}`]),
            ...(change.eventId === undefined ? [] : [sql`event_id = ${change.eventId}::uuid`]),
            ...(change.description === undefined ? [] : [sql`description = ${change.description}::text`]),
            ...(change.status === undefined
              ? []
              : change.status === "active"
                ? [sql`disabled_at = NULL, disabled_reason = NULL, failing_since = NULL`]
                : [
                    sql`disabled_at = coalesce(disabled_at, ${at}),
                      disabled_reason = coalesce(disabled_reason, 'organiser')`
                  ])
          ]
          return yield* one(
            id,
            yield* sql`UPDATE notifications.webhooks SET ${sql.csv(sets)} WHERE id = ${id}::uuid RETURNING ${columns}`
          )
        }, settled),

        remove: Effect.fn("WebhookSubscriptions.remove")(function* (id) {
          const rows = yield* sql`DELETE FROM notifications.webhooks WHERE id = ${id}::uuid RETURNING id`
          if (rows.length === 0) return yield* new WebhookNotFound({ webhookId: id })
        }, settled),

        rotate: Effect.fn("WebhookSubscriptions.rotate")(function* (id) {
          const secret = yield* makeSecret
          const sealed = yield* vault.seal(id, secret)
          // Where the answer to the first try is lost its secret is in place: the receivers' own stays the one before.
          const rotated = yield* Effect.gen(function* () {
            const until = sql`${yield* now} + make_interval(secs => ${Duration.toSeconds(overlap)}::float8)`
            const rows = yield* sql`UPDATE notifications.webhooks SET secret = ${sealed}::text,
                previous_secret = CASE WHEN secret = ${sealed}::text THEN previous_secret ELSE secret END,
                previous_until = CASE WHEN secret = ${sealed}::text THEN previous_until ELSE ${until} END
              WHERE id = ${id}::uuid RETURNING ${columns}`
            return yield* one(id, rows)
          }).pipe(sql.withTransaction, settled)
          return { ...rotated, secret: Redacted.value(secret) }
        })
      })
    })
  )

  static readonly layer = this.layerNoDeps.pipe(
    Layer.provide([WebhookVault.layer, WebhookTarget.WebhookTargets.layer])
  )
}
