/** A short name for a text that is not to be kept as it is. */
import { createHash } from "node:crypto"

/** SHA-256 in 64 hexadecimal digits. */
export const hexOf = (text: string): string => createHash("sha256").update(text).digest("hex")

/** SHA-256 in base64url, 43 characters. */
export const keyOf = (text: string): string => createHash("sha256").update(text).digest("base64url")
