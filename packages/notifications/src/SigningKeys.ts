/**
 * The Ed25519 keys that ticket codes are signed with.
 *
 * The first start makes one and keeps it in `notifications.signing_keys`; starts at the same time agree on
 * whichever was stored first. `ONSALE_TICKET_KEY`, a private JWK (`{"kty":"OKP","crv":"Ed25519","d":…,"x":…}`)
 * or the PEM of a PKCS #8 key, signs instead of it where it is set, as key number 0. Codes by any key that is
 * known here stay good.
 */
import { Config, Context, Effect, Layer, Option, Redacted, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { exportJWK, generateKeyPair, importPKCS8 } from "jose"

const PrivateJwk = Schema.Struct({
  kty: Schema.Literal("OKP"),
  crv: Schema.Literal("Ed25519"),
  x: Schema.String.check(Schema.isPattern(/^[A-Za-z0-9_-]{43}$/)),
  d: Schema.String.check(Schema.isPattern(/^[A-Za-z0-9_-]{43}$/))
})
type PrivateJwk = typeof PrivateJwk.Type
type PublicJwk = Omit<PrivateJwk, "d">

/** `ONSALE_TICKET_KEY` is no key. The message does not repeat it. */
export class TicketKeyUnreadable extends Schema.TaggedError<TicketKeyUnreadable>()("TicketKeyUnreadable", {
  message: Schema.String
}) {}

const publicOf = ({ d: _, ...rest }: PrivateJwk): PublicJwk => rest

const generate = Effect.orDie(
  Effect.tryPromise(async () =>
    exportJWK((await generateKeyPair("Ed25519", { extractable: true })).privateKey)
  )
).pipe(Effect.flatMap((jwk) => Effect.orDie(Schema.decodeUnknownEffect(PrivateJwk)(jwk))))

const decodeJwk = Schema.decodeUnknownEffect(Schema.fromJsonString(PrivateJwk))

const parse = (text: string) =>
  (text.includes("PRIVATE KEY")
    ? Effect.tryPromise(async () =>
        exportJWK(await importPKCS8(text, "Ed25519", { extractable: true }))
      ).pipe(Effect.flatMap(Schema.decodeUnknownEffect(PrivateJwk)))
    : decodeJwk(text)
  ).pipe(
    Effect.mapError(
      () =>
        new TicketKeyUnreadable({
          message: "ONSALE_TICKET_KEY is neither a private Ed25519 JWK nor the PEM of a PKCS #8 Ed25519 key"
        })
    )
  )

const StoredKeys = Schema.Array(Schema.Struct({ number: Schema.Int, jwk: PrivateJwk }))

const configuredNumber = 0
const firstNumber = 1

const loadStored = Effect.fn("SigningKeys.loadStored")(function* (makeOne: boolean) {
  const sql = yield* SqlClient.SqlClient
  const select = sql`SELECT number, jwk FROM notifications.signing_keys ORDER BY number`.pipe(
    Effect.flatMap(Schema.decodeUnknownEffect(StoredKeys))
  )
  const known = yield* select
  if (known.length > 0 || !makeOne) return known
  const jwk = yield* generate
  yield* sql`INSERT INTO notifications.signing_keys (number, jwk)
    VALUES (${firstNumber}::int, ${JSON.stringify(jwk)}::json) ON CONFLICT DO NOTHING`
  return yield* select
}, Effect.orDie)

export class SigningKeys extends Context.Service<
  SigningKeys,
  {
    readonly signer: { readonly number: number; readonly privateJwk: Redacted.Redacted<PrivateJwk> }
    readonly verifiers: ReadonlyArray<{ readonly number: number; readonly publicJwk: PublicJwk }>
  }
>()("@onsale/notifications/SigningKeys") {
  static readonly layer = Layer.effect(
    SigningKeys,
    Effect.gen(function* () {
      const text = yield* Config.option(Config.Redacted("ONSALE_TICKET_KEY"))
      const configured = Option.isSome(text)
        ? [{ number: configuredNumber, jwk: yield* parse(Redacted.value(text.value)) }]
        : []
      const stored = yield* loadStored(configured.length === 0)
      const all = [...configured, ...stored]
      const newest = configured[0] ?? stored[stored.length - 1]
      if (newest === undefined) return yield* Effect.die(new Error("the signing key was not stored"))
      return SigningKeys.of({
        signer: { number: newest.number, privateJwk: Redacted.make(newest.jwk) },
        verifiers: all.map(({ number, jwk }) => ({ number, publicJwk: publicOf(jwk) }))
      })
    })
  )

  /** A key of its own that nobody stores. */
  static readonly layerTest = Layer.effect(
    SigningKeys,
    Effect.map(generate, (jwk) =>
      SigningKeys.of({
        signer: { number: firstNumber, privateJwk: Redacted.make(jwk) },
        verifiers: [{ number: firstNumber, publicJwk: publicOf(jwk) }]
      })
    )
  )
}
