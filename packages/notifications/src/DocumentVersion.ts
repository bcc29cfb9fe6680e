/** Which document it is: equal for equal bytes, known without drawing it. */
import type { TicketDocument } from "@onsale/contracts/notifications/TicketDocument"
import { createHash } from "node:crypto"

/** Raised with every change of what a page looks like, so that nobody keeps an old drawing of the same facts. */
const drawing = 4

/** An ETag (RFC 9110 §8.8.3). A refunded ticket, a new code and a moved event each make another. */
export const etagOf = (document: TicketDocument): string =>
  `"${createHash("sha256").update(`${drawing}\n`).update(JSON.stringify(document)).digest("base64url")}"`
