/**
 * What customers want to hear, in which language and how: looked up when a message is sent, never before.
 *
 * They are kept by e-mail address, as messages go to one; a customer whom a token names has one row, which follows
 * the address that the token proves.
 */
import type { CustomerId } from "@onsale/contracts/Ids"
import { Locale } from "@onsale/contracts/notifications/Locale"
import * as Contract from "@onsale/contracts/notifications/Preferences"
import * as Gathered from "@onsale/platform/Gathered"
import { Context, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { settled } from "./SettledSql.ts"
import type { NoticeContent } from "./templates/NoticeContent.ts"

type Customer = {
  readonly email: string
  /** Whom a token has named. */
  readonly customerId?: CustomerId | undefined
}

/** The address as rows are found by it. */
export const keyOf = (email: string): string => email.trim().normalize("NFKC").toLowerCase()

/**
 * What a customer may decline of it; null where it always goes. That an event takes place at another time or place
 * is nothing that anybody declines with a click years before.
 */
export const topicOf = (content: NoticeContent): Contract.Topic | null => {
  switch (content._tag) {
    case "EventReminder":
    case "HoldExpiring":
      return "reminders"
    case "EventChanged": {
      const { before, event } = content
      const isMoved =
        before === null ||
        before.startsAt !== event.startsAt ||
        before.timeZone !== event.timeZone ||
        before.venue.name !== event.venue.name ||
        before.venue.location !== event.venue.location
      return isMoved ? null : "news"
    }
    default:
      return null
  }
}

/** The channels that bring it to a customer with these preferences. */
export const channelsFor = (preferences: Contract.Preferences, content: NoticeContent): Contract.Channels => {
  const topic = topicOf(content)
  const wanted = topic === null ? { email: true, ...preferences.essentials } : preferences[topic]
  return { ...wanted, sms: wanted.sms && preferences.phone !== null }
}

/** Asked for twice, they are the same question. */
const idOf = ({ customerId, email }: Customer): string => `${keyOf(email)}\n${customerId ?? ""}`

const isLocale = Schema.is(Locale)

/** Of a customer, or of somebody who has not said yet who they are. */
export const wishesOf = (
  preferences: Preferences["Service"],
  customer: Customer | null,
  customerId?: CustomerId
): Effect.Effect<Contract.Preferences> =>
  customer === null ? Effect.succeed(Contract.defaults) : preferences.of(customer.email, customerId)

/** The language of the customer, else that of the order (a BCP 47 tag such as `de-AT`), else English. */
export const localeFor = (preferences: Contract.Preferences, ofOrder: string | undefined): Locale => {
  const language = ofOrder?.split("-", 1)[0]?.toLowerCase()
  return preferences.locale ?? (isLocale(language) ? language : "en")
}

const stored = Schema.toCodecJson(Contract.Preferences)
const decode = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ n: Schema.Int, preferences: stored })))
const encode = Schema.encodeUnknownEffect(Schema.fromJsonString(Schema.toCodecJson(Contract.Preferences)))

export class Preferences extends Context.Service<
  Preferences,
  {
    /** Of an address; the defaults where nobody has said anything. */
    readonly of: (email: string, customerId?: CustomerId) => Effect.Effect<Contract.Preferences>
    /** Says all of them anew. */
    readonly set: (customer: Customer, preferences: Contract.Preferences) => Effect.Effect<void>
    /** Declines a topic by e-mail; a second time changes nothing. */
    readonly decline: (email: string, topic: Contract.Topic) => Effect.Effect<void>
  }
>()("@onsale/notifications/Preferences") {
  static readonly layer = Layer.effect(
    Preferences,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient

      const read = Gathered.make<Customer, Contract.Preferences>(sql, {
        idOf,
        run: Effect.fnUntraced(function* (customers) {
          // What the address itself says comes first: a message goes to it, whoever has a token for it.
          const rows = yield* sql`SELECT asked.n::int AS n, said.preferences
            FROM unnest(${customers.map(({ email }) => keyOf(email))}::text[],
                ${customers.map(({ customerId }) => customerId ?? "")}::text[])
              WITH ORDINALITY AS asked (email, customer_id, n),
              LATERAL (SELECT preferences FROM notifications.preferences p
                WHERE p.email = asked.email OR p.customer_id = nullif(asked.customer_id, '')
                ORDER BY (p.email = asked.email) DESC LIMIT 1) AS said`
          const ids = customers.map(idOf)
          return new Map((yield* decode(rows)).map(({ n, preferences }) => [ids[n - 1] ?? "", preferences]))
        }, settled)
      })

      const write = Effect.fnUntraced(function* (customer: Customer, preferences: Contract.Preferences) {
        const email = keyOf(customer.email)
        const customerId = customer.customerId ?? null
        const json = yield* encode(preferences)
        // Two who write at once, by two links of a mail or two pages of a site, do it one after the other.
        yield* sql`SELECT pg_advisory_xact_lock(hashtextextended(${`preferences:${customerId ?? email}`}::text, 0))`
        // A customer whose token proves another address now takes its row along.
        if (customerId !== null) {
          yield* sql`DELETE FROM notifications.preferences WHERE customer_id = ${customerId}::text AND email <> ${email}::text`
        }
        yield* sql`INSERT INTO notifications.preferences AS kept (email, customer_id, preferences)
          VALUES (${email}::text, ${customerId}::text, ${json}::json)
          ON CONFLICT (email) DO UPDATE SET preferences = excluded.preferences,
            customer_id = coalesce(excluded.customer_id, kept.customer_id), updated_at = now()`
      })

      return Preferences.of({
        of: Effect.fn("Preferences.of")((email: string, customerId?: CustomerId) =>
          Effect.map(read({ email, customerId }), (said) => said ?? Contract.defaults)
        ),
        set: Effect.fn("Preferences.set")(
          (customer: Customer, preferences: Contract.Preferences) =>
            sql.withTransaction(write(customer, preferences)),
          settled
        ),
        decline: Effect.fn("Preferences.decline")(
          (email: string, topic: Contract.Topic) =>
            sql.withTransaction(
              Effect.gen(function* () {
                // Two links of one mail may be followed at once: none forgets what the other has said.
                yield* sql`SELECT pg_advisory_xact_lock(hashtextextended(${`preferences:${keyOf(email)}`}::text, 0))`
                const now = (yield* read({ email })) ?? Contract.defaults
                yield* write({ email }, { ...now, [topic]: { ...now[topic], email: false } })
              })
            ),
          settled
        )
      })
    })
  )
}
