/**
 * Addresses that mails are not sent to any more: the provider has told that they bounce, or that their owner complains.
 * Whoever goes on writing to such is soon heard by nobody.
 */
import { Suppression } from "@onsale/contracts/notifications/Message"
import { Context, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { settled } from "./SettledSql.ts"

const decode = Schema.decodeUnknownEffect(Schema.Array(Suppression))

/** Listed at most; whoever has more asks for one address. */
const maxListed = 1000

export interface Bounce {
  readonly address: string
  readonly reason: string
  /** The `Message-ID` of the mail, where the provider tells it. */
  readonly messageId: string | null
}

export class Suppressions extends Context.Service<
  Suppressions,
  {
    /** Puts addresses on the list; one that is there stays as it is. */
    readonly add: (provider: string, bounces: ReadonlyArray<Bounce>) => Effect.Effect<void>
    /** Newest first, or that of one address. */
    readonly list: (address?: string) => Effect.Effect<ReadonlyArray<Suppression>>
    /** Mails go to it again; false where it was not on the list. */
    readonly lift: (address: string) => Effect.Effect<boolean>
  }
>()("@onsale/notifications/Suppressions") {
  static readonly layer = Layer.effect(
    Suppressions,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const write = Effect.fnUntraced(function* (provider: string, bounces: ReadonlyArray<Bounce>) {
        const addresses = bounces.map(({ address }) => address.trim().toLowerCase())
        yield* sql`INSERT INTO notifications.suppressions (address, reason, provider)
          SELECT address, reason, ${provider}::text
          FROM unnest(${addresses}::text[], ${bounces.map(({ reason }) => reason)}::text[]) AS told (address, reason)
          ON CONFLICT DO NOTHING`
        const ids = bounces.flatMap(({ messageId }) => (messageId === null ? [] : [messageId]))
        yield* sql`UPDATE notifications.messages SET bounced_at = clock_timestamp()
          WHERE reference = ANY(${ids}::text[]) AND bounced_at IS NULL`
      })
      return Suppressions.of({
        add: Effect.fn("Suppressions.add")(
          (provider: string, bounces: ReadonlyArray<Bounce>) =>
            bounces.length === 0 ? Effect.void : sql.withTransaction(write(provider, bounces)),
          settled
        ),
        list: Effect.fn("Suppressions.list")(function* (address?: string) {
          const rows = yield* sql`SELECT address, reason, provider,
              to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS at
            FROM notifications.suppressions
            WHERE ${address ?? null}::text IS NULL OR address = lower(trim(${address ?? null}::text))
            ORDER BY suppressions.at DESC LIMIT ${maxListed}::int`
          return yield* decode(rows)
        }, settled),
        lift: Effect.fn("Suppressions.lift")(function* (address: string) {
          const rows =
            yield* sql`DELETE FROM notifications.suppressions WHERE address = lower(trim(${address}::text))
            RETURNING address`
          return rows.length > 0
        }, settled)
      })
    })
  )
}
