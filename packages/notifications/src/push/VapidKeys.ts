/**
 * The key pair by which push services know us (RFC 8292). Browsers subscribe to its public half, so another pair is
 * one that nobody is reached by any more.
 *
 * The first start makes one and keeps it in `notifications.vapid_keys`; starts at the same time agree on whichever was
 * stored first. `ONSALE_VAPID_PUBLIC_KEY` and `ONSALE_VAPID_PRIVATE_KEY` (base64url) count instead where they are set.
 */
import { Config, Context, Effect, Layer, Option, Redacted, Schema } from "effect"
import { SqlClient } from "effect/sql"
import webPush from "web-push"

/** The keys of the configuration are none. The message does not repeat them. */
export class VapidKeysInvalid extends Schema.TaggedError<VapidKeysInvalid>()("VapidKeysInvalid", {
  message: Schema.String
}) {}

const Pair = Schema.Struct({
  publicKey: Schema.String.check(Schema.isPattern(/^[A-Za-z0-9_-]{87}$/)),
  privateKey: Schema.String.check(Schema.isPattern(/^[A-Za-z0-9_-]{43}$/))
})
const decode = Schema.decodeUnknownEffect(Schema.Array(Pair))

const stored = Effect.fn("VapidKeys.stored")(function* () {
  const sql = yield* SqlClient.SqlClient
  const select = sql`SELECT public_key AS "publicKey", private_key AS "privateKey"
    FROM notifications.vapid_keys WHERE number = 1`.pipe(Effect.flatMap(decode))
  const [known] = yield* select
  if (known !== undefined) return known
  const made = webPush.generateVAPIDKeys()
  yield* sql`INSERT INTO notifications.vapid_keys (number, public_key, private_key)
    VALUES (1, ${made.publicKey}::text, ${made.privateKey}::text) ON CONFLICT DO NOTHING`
  const [kept] = yield* select
  return kept ?? (yield* Effect.die(new Error("the VAPID key was not stored")))
}, Effect.orDie)

export class VapidKeys extends Context.Service<
  VapidKeys,
  {
    readonly publicKey: string
    readonly privateKey: Redacted.Redacted<string>
    /** Whom a push service writes to: `mailto:` or `https:`. */
    readonly subject: string
  }
>()("@onsale/notifications/push/VapidKeys") {
  static readonly layer = Layer.effect(
    VapidKeys,
    Effect.gen(function* () {
      const settings = yield* Config.all({
        publicKey: Config.option(Config.NonEmptyString("ONSALE_VAPID_PUBLIC_KEY")),
        privateKey: Config.option(Config.Redacted("ONSALE_VAPID_PRIVATE_KEY")),
        subject: Config.NonEmptyString("ONSALE_VAPID_SUBJECT").pipe(
          Config.withDefault("mailto:tickets@onsale.example")
        )
      })
      const { subject } = settings
      if (Option.isNone(settings.publicKey) && Option.isNone(settings.privateKey)) {
        const { privateKey, publicKey } = yield* stored()
        return VapidKeys.of({ publicKey, privateKey: Redacted.make(privateKey), subject })
      }
      const pair = yield* Schema.decodeUnknownEffect(Pair)({
        publicKey: Option.getOrUndefined(settings.publicKey),
        privateKey: Option.match(settings.privateKey, { onNone: () => undefined, onSome: Redacted.value })
      }).pipe(
        Effect.mapError(
          () =>
            new VapidKeysInvalid({
              message: "ONSALE_VAPID_PUBLIC_KEY and ONSALE_VAPID_PRIVATE_KEY: expected both, in base64url"
            })
        )
      )
      return VapidKeys.of({ publicKey: pair.publicKey, privateKey: Redacted.make(pair.privateKey), subject })
    })
  )
}
