/**
 * The keys of customers' tokens: JWTs (RFC 7519) that are signed by Ed25519 or HMAC-SHA-256.
 *
 * `ONSALE_TOKEN_KEYS` is a JWK Set, `{"keys":[…]}`, whose keys are private or public Ed25519 (`kty` `OKP`) or secrets
 * (`kty` `oct`), or it is one secret of 32 characters or more. The first key signs, where it can; all of them verify,
 * by the `kid` that a token names. A key is replaced in two steps: the new one behind the old one, then in front of it.
 */
import type { CustomerId } from "@onsale/contracts/Ids"
import { Config, Effect, Redacted, Schema } from "effect"
import { calculateJwkThumbprint, type CryptoKey, importJWK, type JWK, SignJWT } from "jose"

/** Characters of a secret: as many bytes as the hash has (RFC 7518 §3.2). */
const shortestSecret = 32
const maxKeys = 16

const base64url = (length: number) =>
  Schema.String.check(Schema.isPattern(new RegExp(`^[A-Za-z0-9_-]{${length}}$`)))
const kid = Schema.optionalKey(Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(64)))

const Ed25519 = Schema.Struct({
  kty: Schema.Literal("OKP"),
  crv: Schema.Literal("Ed25519"),
  x: base64url(43),
  d: Schema.optionalKey(base64url(43)),
  kid
})
const Secret = Schema.Struct({
  kty: Schema.Literal("oct"),
  k: Schema.String.check(Schema.isPattern(/^[A-Za-z0-9_-]{43,1024}$/, { expected: "32 bytes or more" })),
  kid
})
const KeySet = Schema.Struct({
  keys: Schema.Array(Schema.Union([Ed25519, Secret])).check(
    Schema.isMinLength(1),
    Schema.isMaxLength(maxKeys)
  )
})
type Jwk = (typeof KeySet.Type)["keys"][number]

/** What was configured are no keys. The message does not repeat it. */
export class TokenKeysUnreadable extends Schema.TaggedError<TokenKeysUnreadable>()("TokenKeysUnreadable", {
  message: Schema.String
}) {}

export type Algorithm = "EdDSA" | "HS256"

interface TokenKey {
  readonly kid: string
  /** The only one that a token by this key may name. */
  readonly algorithm: Algorithm
  readonly verify: CryptoKey | Uint8Array
  /** Null where only the public part is known. */
  readonly sign: CryptoKey | Uint8Array | null
}

export interface TokenKeys {
  readonly byId: ReadonlyMap<string, TokenKey>
  readonly first: TokenKey | undefined
}

const unreadable = (message: string) => new TokenKeysUnreadable({ message })

const keyOf = Effect.fnUntraced(function* (jwk: Jwk) {
  const algorithm: Algorithm = jwk.kty === "oct" ? "HS256" : "EdDSA"
  const imported = (part: JWK) => Effect.tryPromise(() => importJWK(part, algorithm))
  return yield* Effect.gen(function* () {
    const key: TokenKey = {
      kid: jwk.kid ?? (yield* Effect.tryPromise(() => calculateJwkThumbprint(jwk))),
      algorithm,
      verify: yield* imported(jwk.kty === "oct" ? jwk : { kty: jwk.kty, crv: jwk.crv, x: jwk.x }),
      sign: jwk.kty === "oct" || jwk.d !== undefined ? yield* imported(jwk) : null
    }
    return key
  }).pipe(Effect.mapError(() => unreadable("one of the keys of customers' tokens is no key")))
})

const decodeSet = Schema.decodeUnknownEffect(Schema.fromJsonString(KeySet))

const jwksOf = Effect.fnUntraced(function* (text: string) {
  if (text.startsWith("{")) {
    const { keys } = yield* Effect.mapError(decodeSet(text), () =>
      unreadable(
        `the keys of customers' tokens are no JWK Set of 1 to ${maxKeys} keys of Ed25519 or secrets of 32 bytes or more`
      )
    )
    return keys
  }
  if (text.length < shortestSecret) {
    return yield* unreadable(
      `the secret of customers' tokens has ${text.length} characters: fewer than ${shortestSecret} can be guessed`
    )
  }
  return [{ kty: "oct" as const, k: Buffer.from(text).toString("base64url") }]
})

/** Reads keys in either form. */
export const parse = Effect.fnUntraced(function* (text: Redacted.Redacted) {
  const keys = yield* Effect.forEach(yield* jwksOf(Redacted.value(text).trim()), keyOf)
  const byId = new Map(keys.map((key) => [key.kid, key] as const))
  if (byId.size < keys.length) return yield* unreadable("two keys of customers' tokens have the same kid")
  const all: TokenKeys = { byId, first: keys[0] }
  return all
})

/** No token holds. */
export const none: TokenKeys = { byId: new Map(), first: undefined }

/** Who makes tokens and for whom, as they say it (`iss`, `aud`); a token that says something else does not hold. */
export const claims = Config.all({
  issuer: Config.NonEmptyString("ONSALE_TOKEN_ISSUER").pipe(Config.withDefault("onsale")),
  audience: Config.NonEmptyString("ONSALE_TOKEN_AUDIENCE").pipe(Config.withDefault("onsale"))
})

/** Whom a token names; address and name are where tickets go for requests that cannot say it. */
export interface Subject {
  readonly id: CustomerId
  readonly email?: string
  readonly name?: string
}

/** A token for the customer, good until `expiresAtMs` (milliseconds since 1970; it counts in whole seconds). */
export const sign = Effect.fnUntraced(function* (
  { first }: TokenKeys,
  { id, ...profile }: Subject,
  times: { readonly nowMs: number; readonly expiresAtMs: number }
) {
  const { audience, issuer } = yield* claims
  const key = first?.sign
  if (first === undefined || key === undefined || key === null) {
    return yield* unreadable("the first key of customers' tokens cannot sign")
  }
  return yield* Effect.orDie(
    Effect.tryPromise(() =>
      // OpenID Connect's word for an address that is the customer's own.
      new SignJWT({ ...profile, ...(profile.email === undefined ? {} : { email_verified: true }) })
        .setProtectedHeader({ alg: first.algorithm, kid: first.kid, typ: "JWT" })
        .setSubject(id)
        .setIssuer(issuer)
        .setAudience(audience)
        .setIssuedAt(Math.floor(times.nowMs / 1_000))
        .setExpirationTime(Math.floor(times.expiresAtMs / 1_000))
        .sign(key)
    )
  )
})
