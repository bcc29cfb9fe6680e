/** What a pass in a telephone's wallet says: one valid ticket, with its code. */
import type { DocumentTicket, TicketDocument } from "@onsale/contracts/notifications/TicketDocument"
import { Schema } from "effect"
import { plain } from "../TextLayout.ts"
import * as Wording from "../Wording.ts"

/** The installation has no certificates or no key of this wallet. */
export class WalletNotConfigured extends Schema.TaggedError<WalletNotConfigured>()("WalletNotConfigured", {
  wallet: Schema.Literals(["apple", "google"])
}) {}

/** Of a ticket that is still the buyer's: one that was given away has no pass (`WalletHttp`). */
export interface WalletPass {
  readonly ticket: DocumentTicket
  readonly document: TicketDocument
}

/** Longer texts have no room on a telephone, and would make the links of Google's wallet too long for browsers. */
const maxText = 100

/** One line, cut between characters. */
export const short = (text: string): string => Array.from(plain(text)).slice(0, maxText).join("")

/** In the language of the document, at the time of the venue. */
export const when = ({ event: { startsAt, timeZone }, locale }: TicketDocument): string =>
  `${Wording.day(startsAt, timeZone, locale)}, ${Wording.time(startsAt, timeZone, locale)} ${Wording.zone(startsAt, timeZone, locale)}`
