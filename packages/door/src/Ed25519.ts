/** Ed25519 signatures: by the browser where it can, else in JavaScript. */
import { verifyAsync } from "@noble/ed25519"
import { fromBase64Url } from "./Bytes.ts"

/** A public key, `x` as in its JWK; `number` as codes name it, and `kid` of a bundle. */
export interface DoorKey {
  readonly number: number
  readonly x: string
}

export type Verifier = (
  signature: Uint8Array<ArrayBuffer>,
  message: Uint8Array<ArrayBuffer>
) => Promise<boolean>

/** Throws a `TypeError` where the key is none. */
export const verifierOf = async ({ x }: DoorKey): Promise<Verifier> => {
  const raw = fromBase64Url(x)
  if (raw.length !== 32) throw new TypeError("a key has 32 bytes")
  const key = await nativeKey(raw)
  return key === undefined
    ? (signature, message) => verifyAsync(signature, message, raw, { zip215: false })
    : (signature, message) => crypto.subtle.verify("Ed25519", key, signature, message)
}

/** Undefined where the browser does not know the algorithm. */
const nativeKey = async (raw: Uint8Array<ArrayBuffer>): Promise<CryptoKey | undefined> => {
  try {
    return await crypto.subtle.importKey("raw", raw, "Ed25519", false, ["verify"])
  } catch (error) {
    if (
      typeof error === "object" &&
      error !== null &&
      "name" in error &&
      error.name === "NotSupportedError"
    ) {
      return undefined
    }
    throw error
  }
}
