/** What happens to a ticket at the door: a scan of its code at a gate, and what comes of it. */
import { Schema } from "effect"
import { TicketId } from "../Ids.ts"
import { isStorable } from "../Text.ts"

/** The name of a gate, as staff call it. */
export const Gate = Schema.Trimmed.check(Schema.isMinLength(1), Schema.isMaxLength(64), isStorable)

/** Made by who scans, anew for each scan; a repeat carries the same one and the same gate: another gate's is another scan. */
export const ScanId = Schema.String.check(
  Schema.isPattern(/^[\x21-\x7e]{1,64}$/, { expected: "1 to 64 printable ASCII characters without spaces" })
)

/** Milliseconds since 1970, within what a date can be. */
const Instant = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 8_640_000_000_000_000 }))

/** A code of a ticket was shown at a gate. */
export const Scan = Schema.Struct({
  scanId: ScanId,
  ticketId: TicketId,
  /** That of the code which was shown. */
  codeVersion: Schema.Int,
  gate: Gate,
  /** By the gate's clock, put right where it was wrong. */
  atMs: Instant
})
export type Scan = typeof Scan.Type

/** The scan that a ticket was used by. */
export const CheckIn = Schema.Struct({ gate: Gate, atMs: Instant })
export type CheckIn = typeof CheckIn.Type

/** Why a scan did not count, though its gate may have let somebody in. */
export const ScanRefusal = Schema.Literals([
  /** Another scan of the ticket was earlier. */
  "used",
  /** The ticket was refunded by then, or its code was not the newest. */
  "cancelled"
])
export type ScanRefusal = typeof ScanRefusal.Type

/** What the door is told of a scan that asks. */
export const CheckInAnswer = Schema.TaggedUnion({
  /** `holder` is the name on the ticket. */
  Admitted: { checkIn: CheckIn, label: Schema.String, holder: Schema.String },
  Used: { checkIn: CheckIn },
  Refunded: {},
  /** A newer code was issued. */
  Replaced: {}
})
export type CheckInAnswer = typeof CheckInAnswer.Type

/** What became of a scan that was made without asking. */
export const ScanAnswer = Schema.Struct({
  scanId: ScanId,
  result: Schema.Literals(["admitted", ...ScanRefusal.literals, "unknown"]),
  /** The check-in that counts; null where there is none. */
  checkIn: Schema.NullOr(CheckIn)
})
export type ScanAnswer = typeof ScanAnswer.Type

/** Scans that are told of at once. */
export const maxScans = 1_000
