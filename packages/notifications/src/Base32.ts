/** Base32 (RFC 4648) without padding: what a QR code holds in its alphanumeric mode, and a person can read out. */

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
const valueOf = new Map(Array.from(alphabet, (char, value) => [char, value] as const))

export const encode = (bytes: Uint8Array): string => {
  let text = ""
  let buffer = 0
  let bits = 0
  for (const byte of bytes) {
    buffer = ((buffer << 8) | byte) & 0xffff
    bits += 8
    while (bits >= 5) {
      bits -= 5
      text += alphabet[(buffer >> bits) & 31]
    }
  }
  return bits === 0 ? text : text + alphabet[(buffer << (5 - bits)) & 31]
}

/**
 * The bytes, or undefined where `text` is not what `encode` makes of any: the last character has bits to
 * spare, and a code that can be written in two ways could pass for two codes.
 */
export const decode = (text: string): Uint8Array | undefined => {
  const bytes = new Uint8Array(Math.floor((text.length * 5) / 8))
  let buffer = 0
  let bits = 0
  let length = 0
  for (const char of text) {
    const value = valueOf.get(char)
    if (value === undefined) return undefined
    buffer = ((buffer << 5) | value) & 0xffff
    bits += 5
    if (bits >= 8) {
      bits -= 8
      bytes[length++] = (buffer >> bits) & 0xff
    }
  }
  return encode(bytes) === text ? bytes : undefined
}
