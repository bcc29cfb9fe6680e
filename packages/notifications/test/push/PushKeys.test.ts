import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { createECDH, randomBytes } from "node:crypto"
import { check } from "../../src/push/PushKeys.ts"

const browser = createECDH("prime256v1")
browser.generateKeys()
const point = browser.getPublicKey()
const auth = randomBytes(16)

const refused = (p256dh: Buffer, secret = auth) =>
  Effect.flip(check({ p256dh: p256dh.toString("base64url"), auth: secret.toString("base64url") }))

/** The same bytes, but for the last bit: of 2^256 points with this x, two are on the curve. */
const beside = Buffer.from(point)
beside[64] = (beside[64] ?? 0) ^ 1

describe("PushKeys", () => {
  it.effect("a point of the curve and sixteen bytes are taken, padded or not", () =>
    Effect.gen(function* () {
      const keys = { p256dh: point.toString("base64url"), auth: auth.toString("base64url") }
      yield* check(keys)
      yield* check({ p256dh: `${keys.p256dh}=`, auth: `${keys.auth}==` })
    })
  )

  it.effect.each([
    ["a point that is not on the curve", beside],
    ["one of another curve", createECDH("secp256k1").generateKeys()],
    ["infinity", Buffer.concat([Buffer.from([4]), Buffer.alloc(64)])],
    ["a compressed one", browser.getPublicKey(null, "compressed")],
    ["one of both forms", browser.getPublicKey(null, "hybrid")],
    ["nothing", Buffer.alloc(0)]
  ] as const)("%s is refused", ([, bytes]) =>
    Effect.gen(function* () {
      assert.strictEqual((yield* refused(bytes))._tag, "PushKeysRefused")
    })
  )

  it.effect.each([15, 17, 0])("a secret of %s bytes is refused", (length) =>
    Effect.gen(function* () {
      assert.strictEqual((yield* refused(point, randomBytes(length)))._tag, "PushKeysRefused")
    })
  )
})
