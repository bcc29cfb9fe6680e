/** The keys of a browser that pushes are encrypted to (RFC 8291). */
import { Effect, Schema } from "effect"
import { ECDH } from "node:crypto"

export interface PushKeys {
  readonly p256dh: string
  readonly auth: string
}

/** Nothing can be encrypted to them. */
export class PushKeysRefused extends Schema.TaggedError<PushKeysRefused>()("PushKeysRefused", {
  message: Schema.String
}) {}

const authBytes = 16
const pointBytes = 65
/** Of a point that both coordinates are told of, the only form that browsers know. */
const uncompressed = 4

const isPoint = (point: Buffer): boolean => {
  if (point.length !== pointBytes || point[0] !== uncompressed) return false
  try {
    // OpenSSL reads no point that is not on the curve.
    ECDH.convertKey(point, "prime256v1")
    return true
  } catch {
    return false
  }
}

/** Fails with what is wrong with them; of keys that are none the sender would know only when there is something to tell. */
export const check = ({ auth, p256dh }: PushKeys): Effect.Effect<void, PushKeysRefused> => {
  if (!isPoint(Buffer.from(p256dh, "base64url"))) {
    return Effect.fail(new PushKeysRefused({ message: "Expected an uncompressed point of P-256" }))
  }
  if (Buffer.from(auth, "base64url").length !== authBytes) {
    return Effect.fail(new PushKeysRefused({ message: `Expected ${authBytes} bytes` }))
  }
  return Effect.void
}
