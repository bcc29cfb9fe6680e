/** Bytes as codes and bundles write them. */

const base32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
const base32Values = new Map(Array.from(base32, (char, value) => [char, value] as const))

/**
 * Base32 (RFC 4648, no padding, capital letters), or undefined for what no encoder writes: the last character has
 * bits to spare, and a code that could be written in two ways could pass for two.
 */
export const fromBase32 = (text: string): Uint8Array<ArrayBuffer> | undefined => {
  const bytes = new Uint8Array(Math.floor((text.length * 5) / 8))
  let buffer = 0
  let bits = 0
  let length = 0
  for (const char of text) {
    const value = base32Values.get(char)
    if (value === undefined) return undefined
    buffer = ((buffer << 5) | value) & 0xfff
    bits += 5
    if (bits >= 8) {
      bits -= 8
      bytes[length++] = buffer >> bits
    }
  }
  const spare = buffer & ((1 << bits) - 1)
  return bits >= 5 || spare !== 0 ? undefined : bytes
}

const fromBinary = (binary: string): Uint8Array<ArrayBuffer> => {
  const bytes = new Uint8Array(binary.length)
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i)
  return bytes
}

/** Base64 with padding (RFC 4648). Throws on what is none. */
export const fromBase64 = (text: string): Uint8Array<ArrayBuffer> => fromBinary(atob(text))

/** Base64url without padding. Throws on what is none. */
export const fromBase64Url = (text: string): Uint8Array<ArrayBuffer> => {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) throw new TypeError("no base64url")
  return fromBase64(
    text
      .replaceAll("-", "+")
      .replaceAll("_", "/")
      .padEnd(Math.ceil(text.length / 4) * 4, "=")
  )
}

/** Base64url without padding. */
export const toBase64Url = (bytes: Uint8Array): string =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "")

export const uuidOf = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0"))
    .join("")
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5")
