/**
 * Reads the code on a ticket: `base32(payload || signature)`, the payload 33 to 36 bytes, big-endian:
 *
 * | bytes | what |
 * |---|---|
 * | 1 | format (high four bits), number of the key (low four bits) |
 * | 13 or 16 | event id; without the 24 zero bits at its end (format 1), or whole (format 2) |
 * | 16 | ticket id |
 * | 2 | version |
 *
 * The signature is that of a JWS with the protected header `{"alg":"Ed25519"}`.
 */
import { fromBase32, toBase64Url, uuidOf } from "./Bytes.ts"
import type { Verifier } from "./Ed25519.ts"

/** What a code says: this ticket of this event, and the version of the code. */
export interface TicketClaim {
  readonly ticketId: string
  readonly eventId: string
  readonly version: number
  /** The last eight bytes of the ticket's id, by which bundles know it. */
  readonly key: Uint8Array
}

const maxLength = 256
const signatureBytes = 64
/** Bytes of the event's id, by format. */
const eventBytesOf: Readonly<Record<number, number>> = { 1: 13, 2: 16 }
const header = toBase64Url(new TextEncoder().encode('{"alg":"Ed25519"}'))

/** Null for a code that is damaged, made up, or signed with a key that is not among these (by number). */
export const verify = async (
  text: string,
  verifiers: ReadonlyMap<number, Verifier>
): Promise<TicketClaim | null> => {
  if (text.length > maxLength) return null
  const bytes = fromBase32(text.trim().toUpperCase())
  if (bytes === undefined || bytes.length <= signatureBytes) return null
  const payload = bytes.slice(0, -signatureBytes)
  const head = payload[0] ?? 0
  const eventBytes = eventBytesOf[head >> 4]
  if (eventBytes === undefined || payload.length !== 1 + eventBytes + 16 + 2) return null
  const verifier = verifiers.get(head & 0x0f)
  if (verifier === undefined) return null
  const signed = new TextEncoder().encode(`${header}.${toBase64Url(payload)}`)
  if (!(await verifier(bytes.slice(-signatureBytes), signed))) return null
  const event = new Uint8Array(16)
  event.set(payload.subarray(1, 1 + eventBytes))
  const ticket = payload.subarray(1 + eventBytes, 17 + eventBytes)
  const version = ((payload[17 + eventBytes] ?? 0) << 8) | (payload[18 + eventBytes] ?? 0)
  return { ticketId: uuidOf(ticket), eventId: uuidOf(event), version, key: ticket.slice(8) }
}
