import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Option, Redacted } from "effect"
import { jwtVerify } from "jose"
import { createHash, generateKeyPairSync } from "node:crypto"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { SigningKeys } from "../../src/SigningKeys.ts"
import { TicketCodes } from "../../src/TicketCode.ts"
import { ApplePasses, type ApplePassOptions } from "../../src/wallet/ApplePasses.ts"
import { GooglePasses } from "../../src/wallet/GooglePasses.ts"
import type { WalletPass } from "../../src/wallet/WalletPass.ts"
import { eventId, makeDocument, nowMs } from "../Samples.ts"
import { TicketPress } from "../../src/TicketPress.ts"
import * as PassAuthority from "./PassAuthority.ts"

const apples = (options: Option.Option<ApplePassOptions>) =>
  ApplePasses.layerWith(options).pipe(Layer.provide(TicketPress.layerWith({ threads: 1 })))
const codes = TicketCodes.layer.pipe(Layer.provide(SigningKeys.layerTest))

const makePass = Effect.map(makeDocument(1, { name: "東京 Jazz & Blues" }), (document): WalletPass => {
  const [ticket] = document.tickets
  assert.isDefined(ticket)
  return { document, ticket }
})

/** The files of an archive whose entries are stored as they are. */
const entriesOf = (zip: Uint8Array): ReadonlyMap<string, Buffer> => {
  const bytes = Buffer.from(zip)
  const entries = new Map<string, Buffer>()
  for (let at = 0; bytes.readUInt32LE(at) === 0x04034b50; ) {
    assert.strictEqual(bytes.readUInt16LE(at + 8), 0, "stored")
    const [size, nameLength, extra] = [
      bytes.readUInt32LE(at + 18),
      bytes.readUInt16LE(at + 26),
      bytes.readUInt16LE(at + 28)
    ]
    const content = at + 30 + nameLength + extra
    entries.set(
      bytes.toString("utf8", at + 30, at + 30 + nameLength),
      bytes.subarray(content, content + size)
    )
    at = content + size
  }
  return entries
}

const authority = Effect.acquireRelease(Effect.sync(PassAuthority.make), (made) => Effect.sync(made.remove))

const optionsOf = (made: ReturnType<typeof PassAuthority.make>): ApplePassOptions => ({
  certificate: made.read("pass.pem"),
  key: Redacted.make(made.read("pass.key")),
  passphrase: Option.some(Redacted.make(PassAuthority.passphrase)),
  wwdr: made.read("ca.pem"),
  passType: "pass.example.tickets",
  team: "TEAM123456"
})

describe("Passes", () => {
  it.live("Apple's is signed by the certificate, and its manifest has the hash of every file", () =>
    Effect.gen(function* () {
      const made = yield* authority
      const pass = yield* makePass
      const bytes = yield* Effect.provide(
        Effect.flatMap(ApplePasses, (apple) => apple.make(pass)),
        apples(Option.some(optionsOf(made)))
      )
      const entries = entriesOf(bytes)
      const json = JSON.parse(entries.get("pass.json")?.toString("utf8") ?? "")
      assert.strictEqual(json.barcodes[0].message, pass.ticket.code)
      assert.strictEqual(json.serialNumber, pass.ticket.id)
      assert.strictEqual(json.eventTicket.primaryFields[0].value, "東京 Jazz & Blues")
      assert.notInclude(
        JSON.stringify(json),
        pass.document.orderId,
        "who has a ticket must not refund the others"
      )

      const manifest = JSON.parse(entries.get("manifest.json")?.toString("utf8") ?? "")
      const hashed = Object.fromEntries(
        Array.from(entries)
          .filter(([name]) => name !== "manifest.json" && name !== "signature")
          .map(([name, content]) => [name, createHash("sha1").update(content).digest("hex")])
      )
      assert.deepStrictEqual(manifest, hashed)

      const verify = (content: Buffer) => {
        writeFileSync(join(made.directory, "manifest"), content)
        writeFileSync(join(made.directory, "signature"), entries.get("signature") ?? "")
        made.openssl(
          "smime",
          "-verify",
          "-binary",
          "-inform",
          "DER",
          "-in",
          "signature",
          "-content",
          "manifest",
          "-CAfile",
          "ca.pem",
          "-purpose",
          "any"
        )
      }
      const signed = entries.get("manifest.json") ?? Buffer.alloc(0)
      verify(signed)
      assert.throws(() => verify(Buffer.concat([signed, Buffer.from(" ")])))
    }).pipe(Effect.provide(codes))
  )

  it.effect("Apple's is signed where tickets are drawn, not where requests are answered", () =>
    Effect.gen(function* () {
      const made = yield* authority
      const pass = yield* makePass
      const asked: Array<WalletPass> = []
      const press = Layer.mock(TicketPress, {
        sign: (pass, { passType }) =>
          Effect.sync(() => {
            asked.push(pass)
            return Buffer.from(passType)
          })
      })
      const layer = ApplePasses.layerWith(Option.some(optionsOf(made))).pipe(Layer.provide(press))
      const bytes = yield* Effect.provide(
        Effect.flatMap(ApplePasses, (apple) => apple.make(pass)),
        layer
      )
      assert.strictEqual(Buffer.from(bytes).toString(), "pass.example.tickets")
      assert.deepStrictEqual(asked, [pass])
    }).pipe(Effect.provide(codes))
  )

  it.effect("a key that is not that of the certificate stops the start, without being repeated", () =>
    Effect.gen(function* () {
      const made = yield* authority
      const key = made.read("ca.key")
      const layer = apples(
        Option.some({ ...optionsOf(made), key: Redacted.make(key), passphrase: Option.none() })
      )
      const error = yield* Effect.flip(Effect.provide(ApplePasses, layer))
      assert.include(error.message, "is not the RSA key of")
      assert.notInclude(error.message, key)
    })
  )

  it.effect("Google's link has the ticket's code, in a JWT of the service account", () =>
    Effect.gen(function* () {
      const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 })
      const key = JSON.stringify({
        client_email: "tickets@example.iam.gserviceaccount.com",
        private_key: privateKey.export({ type: "pkcs8", format: "pem" })
      })
      const pass = yield* makePass
      const google = yield* Effect.provide(
        GooglePasses,
        GooglePasses.layerWith(Option.some({ issuer: "3388000000012345678", key: Redacted.make(key) }))
      )
      const url = yield* google.link(pass, eventId, nowMs)
      assert.match(url, /^https:\/\/pay\.google\.com\/gp\/v\/save\/[\w-]+\.[\w-]+\.[\w-]+$/)
      assert.isBelow(url.length, 2_048, "browsers take it")
      const { payload, protectedHeader } = yield* Effect.promise(() =>
        jwtVerify<{ payload: { eventTicketObjects: ReadonlyArray<{ barcode: { value: string } }> } }>(
          url.slice(url.lastIndexOf("/") + 1),
          publicKey,
          { audience: "google", issuer: "tickets@example.iam.gserviceaccount.com" }
        )
      )
      assert.strictEqual(protectedHeader.alg, "RS256")
      assert.strictEqual(payload.payload.eventTicketObjects[0]?.barcode.value, pass.ticket.code)
    }).pipe(Effect.provide(codes))
  )

  it.effect("without certificates there are none", () =>
    Effect.gen(function* () {
      const pass = yield* makePass
      const apple = yield* ApplePasses
      const google = yield* GooglePasses
      assert.strictEqual((yield* Effect.flip(apple.make(pass)))._tag, "WalletNotConfigured")
      assert.strictEqual((yield* Effect.flip(google.link(pass, eventId, nowMs)))._tag, "WalletNotConfigured")
    }).pipe(Effect.provide([codes, apples(Option.none()), GooglePasses.layerWith(Option.none())]))
  )
})
