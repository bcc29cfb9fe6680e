/**
 * Links by which a reader declines reminders or news without a login (RFC 8058). A link says whom and what by
 * itself: encrypted, so that no log of addresses that were asked for holds an e-mail address, and authenticated,
 * so that nobody makes one for somebody else. It holds as long as its key is kept in `notifications.link_keys`.
 */
import { Topic } from "@onsale/contracts/notifications/Preferences"
import { Config, Context, Effect, Layer, Redacted, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { CompactEncrypt, compactDecrypt } from "jose"

/** Characters; an address has 254 at most. */
export const maxTokenLength = 1_024

const Claim = Schema.Struct({ email: Schema.String, topic: Topic })
export type UnsubscribeClaim = typeof Claim.Type

const decodeClaim = Schema.decodeUnknownEffect(Schema.fromJsonString(Claim))

/** The token is none of ours. The cause is for the log. */
export class UnsubscribeLinkRefused extends Schema.TaggedError<UnsubscribeLinkRefused>()(
  "UnsubscribeLinkRefused",
  { cause: Schema.optional(Schema.Defect()) }
) {}

const Keys = Schema.Array(Schema.Struct({ number: Schema.Int, secret: Schema.Uint8Array }))

/** Says to each key that it is for this alone: a token made for something else by the same key does not hold. */
const purpose = "onsale-unsubscribe"

/** Where the public finds the gateways; as the gateways themselves have it. */
const publicUrl = Config.all({
  base: Config.option(Config.NonEmptyString("ONSALE_PUBLIC_URL")),
  port: Config.Port("PORT").pipe(Config.withDefault(3000))
})

export class UnsubscribeLinks extends Context.Service<
  UnsubscribeLinks,
  {
    /** The address of the page where the reader of a message declines its topic. */
    readonly url: (claim: UnsubscribeClaim) => Effect.Effect<string>
    readonly open: (token: string) => Effect.Effect<UnsubscribeClaim, UnsubscribeLinkRefused>
  }
>()("@onsale/notifications/UnsubscribeLinks") {
  static readonly layer = Layer.effect(
    UnsubscribeLinks,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const { base, port } = yield* publicUrl
      const root = (base._tag === "Some" ? base.value : `http://localhost:${port}`).replace(/\/+$/, "")
      const stored = yield* sql`SELECT number, secret FROM notifications.link_keys ORDER BY number`.pipe(
        Effect.flatMap(Schema.decodeUnknownEffect(Keys)),
        Effect.orDie
      )
      const keys = new Map(stored.map(({ number, secret }) => [`${number}`, Redacted.make(secret)]))
      const [newest] = [...keys].slice(-1)
      if (newest === undefined) return yield* Effect.die(new Error("there is no key for links"))
      const [kid, secret] = newest

      return UnsubscribeLinks.of({
        url: Effect.fn("UnsubscribeLinks.url")(function* (claim) {
          const token = yield* Effect.promise(() =>
            new CompactEncrypt(new TextEncoder().encode(JSON.stringify(claim)))
              .setProtectedHeader({ alg: "dir", enc: "A256GCM", kid, typ: purpose })
              .encrypt(Redacted.value(secret))
          )
          return `${root}/api/v1/unsubscribe/${token}`
        }),
        open: Effect.fn("UnsubscribeLinks.open")(function* (token) {
          if (token.length > maxTokenLength) return yield* new UnsubscribeLinkRefused({})
          const { plaintext, protectedHeader } = yield* Effect.tryPromise({
            try: () =>
              compactDecrypt(
                token,
                ({ kid }) => {
                  const key = keys.get(kid ?? "")
                  if (key === undefined) throw new Error("the link is of no key of ours")
                  return Redacted.value(key)
                },
                { keyManagementAlgorithms: ["dir"], contentEncryptionAlgorithms: ["A256GCM"] }
              ),
            catch: (cause) => new UnsubscribeLinkRefused({ cause })
          })
          if (protectedHeader.typ !== purpose) return yield* new UnsubscribeLinkRefused({})
          return yield* decodeClaim(new TextDecoder().decode(plaintext)).pipe(
            Effect.mapError((cause) => new UnsubscribeLinkRefused({ cause }))
          )
        })
      })
    })
  )
}
