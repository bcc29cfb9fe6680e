/**
 * One pass for Apple's wallet, as it is signed: by JavaScript, for some tens of milliseconds, so in a thread of
 * `TicketPress`.
 */
import { readFileSync } from "node:fs"
import { PKPass } from "passkit-generator"
import { ticketWords } from "../TicketWords.ts"
import { short, type WalletPass, when } from "./WalletPass.ts"

/** Who signs. It leaves the service only for a thread of the same process. */
export interface ApplePassSigner {
  /** PEM, the key without a passphrase. */
  readonly certificates: { readonly signerCert: string; readonly signerKey: string; readonly wwdr: string }
  readonly passType: string
  readonly team: string
}

const image = (name: string) => readFileSync(new URL(name, import.meta.url))
const images = { "icon.png": image("icon.png"), "icon@2x.png": image("icon@2x.png") }

/** A `.pkpass`. */
export const sign = ({ document, ticket }: WalletPass, signer: ApplePassSigner): Uint8Array => {
  const { event, locale } = document
  const words = ticketWords[locale]
  const seat = ticket.isArea === true ? words.place : words.seat
  const pass = new PKPass(images, signer.certificates, {
    description: short(event.name),
    organizationName: "Onsale",
    passTypeIdentifier: signer.passType,
    teamIdentifier: signer.team,
    serialNumber: ticket.id,
    foregroundColor: "rgb(255, 255, 255)",
    labelColor: "rgb(214, 204, 255)",
    backgroundColor: "rgb(58, 29, 148)",
    sharingProhibited: true
  })
  pass.type = "eventTicket"
  pass.primaryFields.push({ key: "event", label: words.pass.event, value: short(event.name) })
  pass.secondaryFields.push(
    { key: "seat", label: seat, value: short(ticket.label) },
    { key: "venue", label: words.venue, value: short(event.venue.name) }
  )
  pass.auxiliaryFields.push(
    { key: "when", label: words.pass.date, value: when(document) },
    { key: "holder", label: words.name, value: short(document.holder) }
  )
  pass.backFields.push(
    { key: "ticket", label: words.pass.ticket, value: ticket.id },
    { key: "place", label: words.pass.address, value: short(event.venue.location) }
  )
  pass.setRelevantDate(new Date(event.startsAt))
  pass.setBarcodes({
    message: ticket.code,
    format: "PKBarcodeFormatQR",
    messageEncoding: "iso-8859-1"
  })
  return new Uint8Array(pass.getAsBuffer())
}
