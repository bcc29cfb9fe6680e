/**
 * Ticket codes: a JSON Web Signature (Ed25519) without the parts that are always the same.
 *
 * A code is `base32(payload || signature)`. The payload is 33 to 36 bytes, big-endian:
 *
 * | bytes | what |
 * |---|---|
 * | 1 | format (high four bits), number of the key (low four bits) |
 * | 13 or 16 | event id; the 24 zero bits at its end are left out (format 1), or it is whole (format 2) |
 * | 16 | ticket id |
 * | 2 | version |
 *
 * The signature is that of the JWS whose protected header is `{"alg":"Ed25519"}` and whose payload those
 * bytes are, so any JOSE library can check it. It is deterministic: the same ticket and version have the
 * same code. In format 1 a code has 154 characters, exactly what the QR of 41 modules holds at level M.
 */
import { Cache, Context, Effect, Layer, Redacted, Schema } from "effect"
import { EventId, TicketId } from "@onsale/contracts/Ids"
import type { DoorBundle, DoorKey } from "@onsale/contracts/booking/DoorBundle"
import {
  maxCodeLength,
  TicketClaim,
  TicketCode,
  TicketCodeForged
} from "@onsale/contracts/notifications/TicketCode"
import { flattenedVerify, importJWK } from "jose"
import { createPrivateKey, sign } from "node:crypto"
import { decode, encode } from "./Base32.ts"
import * as DoorSeal from "./DoorSeal.ts"
import { SigningKeys } from "./SigningKeys.ts"

const protectedHeader = { alg: "Ed25519" }
const encodedHeader = Buffer.from(JSON.stringify(protectedHeader)).toString("base64url")
const signatureBytes = 64

/** Of the codes shown over and over (an order is looked at more than once), about 6 MB. */
const cachedCodes = 20_000

const bytesOfUuid = (id: string): Buffer => Buffer.from(id.replaceAll("-", ""), "hex")

const uuidOfBytes = (bytes: Uint8Array): string =>
  Buffer.from(bytes)
    .toString("hex")
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5")

const eventTail = Buffer.alloc(3)

const payloadOf = (keyNumber: number, claim: TicketClaim): Buffer => {
  const event = bytesOfUuid(claim.eventId)
  const short = event.subarray(13).equals(eventTail)
  const version = Buffer.alloc(2)
  version.writeUInt16BE(claim.version)
  return Buffer.concat([
    Buffer.of(((short ? 1 : 2) << 4) | keyNumber),
    short ? event.subarray(0, 13) : event,
    bytesOfUuid(claim.ticketId),
    version
  ])
}

const readPayload = (
  payload: Buffer
): { readonly keyNumber: number; readonly claim: unknown } | undefined => {
  const head = payload[0] ?? 0
  const eventBytes = head >> 4 === 1 ? 13 : head >> 4 === 2 ? 16 : 0
  if (eventBytes === 0 || payload.length !== 1 + eventBytes + 16 + 2) return undefined
  const event = payload.subarray(1, 1 + eventBytes)
  return {
    keyNumber: head & 0x0f,
    claim: {
      eventId: uuidOfBytes(eventBytes === 13 ? Buffer.concat([event, eventTail]) : event),
      ticketId: uuidOfBytes(payload.subarray(1 + eventBytes, 17 + eventBytes)),
      version: payload.readUInt16BE(17 + eventBytes)
    }
  }
}

const decodeClaim = Schema.decodeUnknownEffect(TicketClaim)
const forged = Effect.fail(new TicketCodeForged())

/** Signs and checks the codes of tickets. */
export class TicketCodes extends Context.Service<
  TicketCodes,
  {
    /** The code of this ticket in this version; always the same one, as long as the key is. */
    readonly sign: (claim: TicketClaim) => Effect.Effect<TicketCode>
    /** What a code says that we signed, in any letter case. */
    readonly verify: (code: string) => Effect.Effect<TicketClaim, TicketCodeForged>
    /** What a gate takes with it, as a compact JWS by the key that codes are signed with. */
    readonly seal: (bundle: DoorBundle) => Effect.Effect<string>
    /** The public keys that both hold by. */
    readonly doorKeys: Effect.Effect<ReadonlyArray<DoorKey>>
  }
>()("@onsale/notifications/TicketCodes") {
  static readonly layer = Layer.effect(
    TicketCodes,
    Effect.gen(function* () {
      const keys = yield* SigningKeys
      const signer = createPrivateKey({ key: Redacted.value(keys.signer.privateJwk), format: "jwk" })
      const verifiers = new Map(
        yield* Effect.forEach(keys.verifiers, ({ number, publicJwk }) =>
          Effect.orDie(
            Effect.tryPromise(async () => [number, await importJWK(publicJwk, protectedHeader.alg)] as const)
          )
        )
      )

      const make = (key: string) => {
        const [eventId = "", ticketId = "", version = ""] = key.split(" ")
        const payload = payloadOf(keys.signer.number, {
          eventId: EventId.make(eventId),
          ticketId: TicketId.make(ticketId),
          version: Number(version)
        })
        // As jose would, without its way through a pool of threads: an order that is answered has several.
        const signature = sign(null, Buffer.from(`${encodedHeader}.${payload.toString("base64url")}`), signer)
        return TicketCode.make(encode(Buffer.concat([payload, signature])))
      }
      const codes = yield* Cache.make({
        capacity: cachedCodes,
        lookup: (key: string) => Effect.sync(() => make(key))
      })

      return TicketCodes.of({
        ...DoorSeal.make(keys),

        sign: Effect.fn("TicketCodes.sign")((claim) =>
          Cache.get(codes, `${claim.eventId} ${claim.ticketId} ${claim.version}`)
        ),

        verify: Effect.fn("TicketCodes.verify")(function* (code) {
          if (code.length > maxCodeLength) return yield* forged
          const bytes = decode(code.trim().toUpperCase())
          if (bytes === undefined || bytes.length <= signatureBytes) return yield* forged
          const payload = Buffer.from(bytes.subarray(0, -signatureBytes))
          const read = readPayload(payload)
          const key = read === undefined ? undefined : verifiers.get(read.keyNumber)
          if (read === undefined || key === undefined) return yield* forged
          const jws = {
            protected: encodedHeader,
            payload: payload.toString("base64url"),
            signature: Buffer.from(bytes.subarray(-signatureBytes)).toString("base64url")
          }
          yield* Effect.tryPromise({
            try: () => flattenedVerify(jws, key, { algorithms: [protectedHeader.alg] }),
            catch: () => new TicketCodeForged()
          })
          return yield* Effect.mapError(decodeClaim(read.claim), () => new TicketCodeForged())
        })
      })
    })
  )
}
