import { assert, describe, it } from "@effect/vitest"
import { CustomerId } from "@onsale/contracts/Ids"
import { Clock, ConfigProvider, Effect, Option, Redacted } from "effect"
import { TestClock } from "effect/testing"
import { exportJWK, generateKeyPair, importJWK, type JWTPayload, SignJWT, UnsecuredJWT } from "jose"
import { CustomerToken } from "../src/CustomerToken.ts"
import * as TokenKeys from "../src/TokenKeys.ts"

const organiserKey = Redacted.make("the organiser's key")
const secret = Redacted.make("a secret of more than thirty-two characters")
const ada = CustomerId.make("019a9c3e-5b7c-7d21-9f3a-2b1c4d5e6f70")
const hourMs = 3_600_000

const withTokens = (keys: Redacted.Redacted | undefined) =>
  Effect.provide(CustomerToken.layer({ keys: Option.fromUndefinedOr(keys), organiserKey }))

const ed25519 = (kid: string) =>
  Effect.promise(async () => ({
    ...(await exportJWK((await generateKeyPair("Ed25519", { extractable: true })).privateKey)),
    kid
  }))
const setOf = (...keys: ReadonlyArray<object>) => Redacted.make(JSON.stringify({ keys }))

const signed = Effect.fnUntraced(function* (keys: Redacted.Redacted, customer = ada, lifetimeMs = hourMs) {
  const nowMs = yield* Clock.currentTimeMillis
  return yield* TokenKeys.sign(
    yield* TokenKeys.parse(keys),
    { id: customer },
    {
      nowMs,
      expiresAtMs: nowMs + lifetimeMs
    }
  )
})

const good = { sub: ada, iss: "onsale", aud: "onsale", exp: 3_600 }

/** As one who has the key but is not us would sign it. */
const forged = (
  key: Parameters<SignJWT["sign"]>[0],
  header: { readonly alg: string; readonly kid?: string },
  claims: JWTPayload
) => Effect.promise(() => new SignJWT(claims).setProtectedHeader(header).sign(key))

const rejected = Effect.fnUntraced(function* (token: string, about: string) {
  const { verify } = yield* CustomerToken
  assert.strictEqual((yield* Effect.flip(verify(token)))._tag, "TokenRejected", about)
})

describe("CustomerToken", () => {
  it.effect("names the customer of a token of ours, by either algorithm", () =>
    Effect.gen(function* () {
      for (const keys of [secret, setOf(yield* ed25519("a"))]) {
        const token = yield* signed(keys)
        yield* Effect.gen(function* () {
          const tokens = yield* CustomerToken
          assert.strictEqual((yield* tokens.verify(token))?.id, ada)
          assert.strictEqual((yield* tokens.from(`Bearer ${token}`))?.id, ada)
          assert.strictEqual((yield* tokens.from(`bearer  ${token}`))?.id, ada)
        }).pipe(withTokens(keys))
      }
    })
  )

  it.effect("lets those be anonymous who bring no token of ours, the organiser among them", () =>
    Effect.gen(function* () {
      const { from } = yield* CustomerToken
      for (const header of [undefined, "", "Basic YTpi", `Bearer ${Redacted.value(organiserKey)}`]) {
        assert.isNull(yield* from(header), header)
      }
      for (const header of ["Bearer ", "Bearer x", "Bearer a.b.c", "Bearer the organiser's"]) {
        assert.strictEqual((yield* Effect.flip(from(header)))._tag, "TokenRejected", header)
      }
    }).pipe(withTokens(secret))
  )

  it.effect("takes tokens by a key that was replaced, and by the one that will be next", () =>
    Effect.gen(function* () {
      const [last, now, next] = [yield* ed25519("last"), yield* ed25519("now"), yield* ed25519("next")]
      const { d: _, ...lastPublic } = last
      const others = [yield* signed(setOf(last)), yield* signed(setOf(next))]
      const gone = yield* signed(setOf(yield* ed25519("gone")))
      const impostor = yield* signed(setOf(yield* ed25519("now")))
      yield* Effect.gen(function* () {
        const { verify } = yield* CustomerToken
        for (const token of others) assert.strictEqual((yield* verify(token))?.id, ada)
        yield* rejected(gone, "of a key that we do not know")
        yield* rejected(impostor, "of a key that only has the name of ours")
      }).pipe(withTokens(setOf(now, next, lastPublic)))
    })
  )

  it.effect("refuses whatever else: none, other algorithms, other claims", () =>
    Effect.gen(function* () {
      const key = yield* ed25519("a")
      const privateKey = yield* Effect.promise(() => importJWK(key, "EdDSA"))
      const eddsa = { alg: "EdDSA", kid: "a" }
      const none = new UnsecuredJWT(good).encode()
      const withKid = `${Buffer.from('{"alg":"none","kid":"a"}').toString("base64url")}.${none.split(".")[1]}.`
      // The public key, which anybody may have, taken as if it were a secret.
      const confused = yield* forged(Buffer.from(key.x ?? "", "base64url"), { alg: "HS256", kid: "a" }, good)
      const { exp: _, ...endless } = good
      const { sub: __, ...nobodys } = good
      yield* Effect.gen(function* () {
        const { verify } = yield* CustomerToken
        assert.strictEqual((yield* verify(yield* forged(privateKey, eddsa, good)))?.id, ada)
        yield* rejected(none, "alg none")
        yield* rejected(withKid, "alg none with our kid")
        yield* rejected(confused, "a public key as a secret")
        yield* rejected(yield* forged(privateKey, { alg: "EdDSA" }, good), "no kid")
        for (const [about, claims] of [
          ["another issuer", { ...good, iss: "somebody" }],
          ["another audience", { ...good, aud: "somebody" }],
          ["no end", endless],
          ["no subject", nobodys],
          ["a subject with spaces", { ...good, sub: "a b" }],
          ["a subject that is too long", { ...good, sub: "a".repeat(129) }],
          ["an empty subject", { ...good, sub: "" }],
          ["a user of the older systems", { ...good, sub: "user:0199a000-0000-7000-8000-000000000000" }],
          ["not yet", { ...good, nbf: 60 }],
          ["too long", { ...good, filler: "a".repeat(2_048) }]
        ] as const) {
          yield* rejected(yield* forged(privateKey, eddsa, claims), about)
        }
        const emailOf = (claims: JWTPayload) =>
          Effect.flatMap(forged(privateKey, eddsa, claims), (token) =>
            Effect.map(verify(token), (customer) => customer?.email)
          )
        const email = "ada@example.org"
        assert.isNull(yield* emailOf({ ...good, email }), "an address that nobody has proved")
        assert.strictEqual(yield* emailOf({ ...good, email, email_verified: true }), email)
        const token = yield* forged(privateKey, eddsa, good)
        yield* rejected(`${token.slice(0, -4)}AAAA`, "another signature")
        for (const text of ["", ".", "..", "a.b", "a.b.c", "{}", "é"]) yield* rejected(text, text)
      }).pipe(withTokens(setOf(key)))
    })
  )

  it.effect("ends with its time, a few seconds late at the most, whether it is remembered or not", () =>
    Effect.gen(function* () {
      const token = yield* signed(secret, ada, 60_000)
      const { known, verify } = yield* CustomerToken
      assert.isUndefined(known(`Bearer ${token}`))
      yield* verify(token)
      assert.strictEqual(known(`Bearer ${token}`)?.id, ada)
      yield* TestClock.adjust("59 seconds")
      assert.strictEqual(known(`Bearer ${token}`)?.id, ada)
      yield* TestClock.adjust("3 seconds")
      assert.isUndefined(known(`Bearer ${token}`))
      assert.strictEqual((yield* verify(token))?.id, ada)
      yield* TestClock.adjust("5 seconds")
      yield* rejected(token, "expired")
    }).pipe(withTokens(secret))
  )

  it.effect("asks for the issuer and the audience of the configuration", () =>
    Effect.gen(function* () {
      const ours = yield* signed(secret)
      yield* Effect.gen(function* () {
        const { verify } = yield* CustomerToken
        assert.strictEqual((yield* verify(yield* signed(secret)))?.id, ada)
        yield* rejected(ours, "of the issuer as left out")
      }).pipe(
        withTokens(secret),
        Effect.provide(
          ConfigProvider.layer(
            ConfigProvider.fromUnknown({ ONSALE_TOKEN_ISSUER: "us", ONSALE_TOKEN_AUDIENCE: "them" })
          )
        )
      )
    })
  )

  it.effect("holds no token without keys, and does not start with what is none", () =>
    Effect.gen(function* () {
      yield* rejected(yield* signed(secret), "without keys").pipe(withTokens(undefined))
      const twice = yield* ed25519("a")
      for (const text of [
        "short",
        "{}",
        '{"keys":[]}',
        '{"keys":[{"kty":"RSA"}]}',
        '{"keys":[{"kty":"oct","k":"c2hvcnQ"}]}',
        Redacted.value(setOf(twice, twice))
      ]) {
        assert.strictEqual(
          (yield* Effect.flip(TokenKeys.parse(Redacted.make(text))))._tag,
          "TokenKeysUnreadable",
          text
        )
      }
    })
  )
})
