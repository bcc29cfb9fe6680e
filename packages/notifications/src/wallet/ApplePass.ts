/**
 * One pass for Apple's wallet, as it is signed: by JavaScript, for some tens of milliseconds, so in a thread of
 * `TicketPress`.
 */
import { readFileSync } from "node:fs"
import { PKPass } from "passkit-generator"
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
  const { event } = document
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
  pass.primaryFields.push({ key: "event", label: "EVENT", value: short(event.name) })
  pass.secondaryFields.push(
    { key: "seat", label: "SEAT", value: short(ticket.label) },
    { key: "venue", label: "VENUE", value: short(event.venue.name) }
  )
  pass.auxiliaryFields.push(
    { key: "when", label: "DATE", value: when(document) },
    { key: "holder", label: "NAME", value: short(document.holder) }
  )
  pass.backFields.push(
    { key: "ticket", label: "Ticket", value: ticket.id },
    { key: "place", label: "Address", value: short(event.venue.location) }
  )
  pass.setRelevantDate(new Date(event.startsAt))
  pass.setBarcodes({
    message: ticket.code,
    format: "PKBarcodeFormatQR",
    messageEncoding: "iso-8859-1"
  })
  return new Uint8Array(pass.getAsBuffer())
}
