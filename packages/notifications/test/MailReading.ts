/** What the mail server of the tests has, as a reader's program shows it. */
import { SmtpFixture } from "@onsale/testing/SmtpFixture"
import { Effect } from "effect"

/** Lines that were folded and encoded for the way are whole again. */
export const plainOf = (raw: string): string => {
  const unfolded = raw.replaceAll("=\r\n", "").replace(/\r\n[ \t]+/g, "")
  const bytes = unfolded.replace(/(?:=[0-9A-F]{2})+/g, (hex) =>
    Buffer.from(hex.replaceAll("=", ""), "hex").toString("utf8")
  )
  return bytes.replace(/(?<=\r\n)(?:[A-Za-z0-9+/]{76}\r\n)*[A-Za-z0-9+/]{20,}={0,2}(?=\r\n)/g, (base64) =>
    Buffer.from(base64, "base64").toString("utf8")
  )
}

/** The mails that went to an address, oldest first. */
export const mailsTo = (address: string) =>
  Effect.map(SmtpFixture, ({ received }) => received.filter(({ to }) => to === address))
