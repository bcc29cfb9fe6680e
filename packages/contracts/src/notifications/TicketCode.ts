/**
 * The code on a ticket, as its QR shows it: signed, so that a door can tell a real one without asking
 * anybody. Base32 (RFC 4648, no padding), which a QR encodes in its dense alphanumeric mode.
 */
import { Schema } from "effect"
import { EventId, TicketId } from "../Ids.ts"

/** Longer than any code we issue, so that a door never decodes a novel. */
export const maxCodeLength = 256

export const TicketCode = Schema.String.check(
  Schema.isPattern(/^[A-Z2-7]{1,256}$/, { expected: "a ticket code" })
).pipe(Schema.brand("TicketCode"))
export type TicketCode = typeof TicketCode.Type

/** What a code says: this ticket of this event, in the version that was issued last when it was made. */
export const TicketClaim = Schema.Struct({
  ticketId: TicketId,
  eventId: EventId,
  /** As `OrderTicket.codeVersion`: an older code is refused at the door. */
  version: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 0xffff }))
})
export type TicketClaim = typeof TicketClaim.Type

/** No code of ours: damaged, made up, or signed with a key we do not have. */
export class TicketCodeForged extends Schema.TaggedError<TicketCodeForged>()("TicketCodeForged", {}) {}
