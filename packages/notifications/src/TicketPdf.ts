/**
 * The tickets of an order as a PDF: a page of A5 a ticket, to be printed or shown on a telephone.
 *
 * The same document has the same bytes: nothing in it comes from a clock or a random source.
 */
import type { DocumentTicket, TicketDocument } from "@onsale/contracts/notifications/TicketDocument"
import PdfDocument from "pdfkit"
import * as Fonts from "./Fonts.ts"
import * as OrderReference from "./OrderReference.ts"
import * as QrCode from "./QrCode.ts"
import { type Line, line, plain, type Style, wrap } from "./TextLayout.ts"
import * as Wording from "./Wording.ts"

// Points. A5, with a card on it that most printers can print whole.
const page = { width: 419.53, height: 595.28 }
const margin = 22
const card = { x: margin, y: margin, width: page.width - 2 * margin, height: page.height - 2 * margin - 14 }
const corner = 14
const inset = 24
const left = card.x + inset
const inner = card.width - 2 * inset

const ink = "#14142b"
const faint = "#6e7191"
const hairline = "#d9dbe9"
const headFrom = "#1b1147"
const headTo = "#5b2bd9"
const headText = "#ffffff"
const headFaint = "#d6ccff"

const qrSide = 176
/** The tear line, between what a person reads and what a door reads. */
const tearY = card.y + card.height - qrSide - 44

const label: Style = { weight: "bold", size: 7 }
const performers: Style = { weight: "regular", size: 10 }

type Document = PDFKit.PDFDocument

const draw = (
  doc: Document,
  lines: ReadonlyArray<Line>,
  style: Style,
  at: { x: number; y: number },
  colour: string
) => {
  const leading = style.size * 1.28
  let baseline = at.y + style.size
  for (const { runs } of lines) {
    let x = at.x
    for (const run of runs) {
      doc.registerFont(run.face.name, run.face.font)
      doc.font(run.face.name).fontSize(style.size).fillColor(colour)
      doc.text(run.text, x, baseline, { lineBreak: false, features: [], baseline: "alphabetic" })
      x += run.width
    }
    baseline += leading
  }
  return at.y + leading * lines.length
}

/** The first of some choices of size and number of lines in which the whole text has room, or else the last. */
const fitting = (
  text: string,
  weight: Style["weight"],
  choices: ReadonlyArray<readonly [size: number, lines: number]>,
  width: number
) => {
  for (const [size, maxLines] of choices) {
    const lines = wrap(text, { weight, size }, width, maxLines + 1)
    if (lines.length <= maxLines) return { style: { weight, size }, lines }
  }
  const [size, maxLines] = choices[choices.length - 1] ?? [10, 1]
  return { style: { weight, size }, lines: wrap(text, { weight, size }, width, maxLines) }
}

const oneLine = [
  [12, 1],
  [10.5, 1],
  [9, 1],
  [7.5, 1]
] as const

interface Block {
  readonly label: string
  readonly lines: ReadonlyArray<Line>
  readonly style: Style
  readonly more?: { readonly lines: ReadonlyArray<Line>; readonly style: Style }
}

const field = (
  name: string,
  text: string,
  width: number,
  choices: ReadonlyArray<readonly [size: number, lines: number]>,
  more = ""
): Block => {
  const small: Style = { weight: "regular", size: 9 }
  const rest = wrap(more, small, width, 2)
  return {
    label: name,
    ...fitting(text, "bold", choices, width),
    ...(rest.length === 0 ? {} : { more: { lines: rest, style: small } })
  }
}

const drawBlock = (doc: Document, block: Block, x: number, y: number) => {
  draw(doc, [line(block.label, label)], label, { x, y }, faint)
  const below = draw(doc, block.lines, block.style, { x, y: y + 11 }, ink)
  return block.more === undefined
    ? below
    : draw(doc, block.more.lines, block.more.style, { x, y: below }, faint)
}

const drawQr = (doc: Document, ticket: DocumentTicket, x: number, y: number) => {
  const { dark, size } = QrCode.make(ticket.code)
  const module = qrSide / (size + 2 * QrCode.quietZone)
  doc.save().translate(x, y).scale(module)
  for (const stretch of dark) {
    doc.rect(QrCode.quietZone + stretch.x, QrCode.quietZone + stretch.y, stretch.length, 1)
  }
  doc.fill("#000000").restore()
}

const drawCard = (doc: Document, headHeight: number) => {
  doc.save().roundedRect(card.x, card.y, card.width, card.height, corner).clip()
  const gradient = doc.linearGradient(card.x, card.y, card.x + card.width, card.y + headHeight)
  gradient.stop(0, headFrom).stop(1, headTo)
  doc.rect(card.x, card.y, card.width, headHeight).fill(gradient).restore()
  doc.lineWidth(0.8).strokeColor(hairline)
  doc.roundedRect(card.x, card.y, card.width, card.height, corner).stroke()
  const notch = 8
  doc
    .save()
    .dash(3, { space: 4 })
    .moveTo(card.x + notch + 6, tearY)
    .lineTo(card.x + card.width - notch - 6, tearY)
    .stroke()
    .restore()
  for (const [x, clipX] of [
    [card.x, card.x - 1],
    [card.x + card.width, card.x + card.width - notch - 1]
  ] as const) {
    doc
      .save()
      .rect(clipX, tearY - notch - 1, notch + 2, 2 * notch + 2)
      .clip()
    doc.circle(x, tearY, notch).fillAndStroke("#ffffff", hairline).restore()
  }
}

/** What all pages share is set once. */
const prepare = (document: TicketDocument) => {
  const { event } = document
  const half = (inner - 18) / 2
  const when = `${Wording.day(event.startsAt, event.timeZone)}  ·  ${Wording.time(event.startsAt, event.timeZone)} ${Wording.zone(event.startsAt, event.timeZone)}`
  return {
    reference: OrderReference.make(document.orderId),
    title: fitting(
      event.name,
      "bold",
      [
        [25, 2],
        [21, 3],
        [18, 3],
        [15, 3],
        [13, 4],
        [11.5, 4]
      ],
      inner
    ),
    performers: {
      style: performers,
      lines: wrap(event.performers.join(", "), performers, inner, 1)
    },
    when: fitting(
      when,
      "bold",
      [
        [11.5, 1],
        [10, 1],
        [9, 1]
      ],
      inner
    ),
    half,
    venue: field(
      "VENUE",
      event.venue.name,
      half,
      [
        [12, 2],
        [10, 2]
      ],
      event.venue.location
    ),
    holder: field("NAME", document.holder, half, oneLine)
  }
}

const drawPage = (
  doc: Document,
  document: TicketDocument,
  shared: ReturnType<typeof prepare>,
  ticket: DocumentTicket,
  index: number
) => {
  const top = card.y + 22
  const headHeight =
    22 +
    13 +
    shared.title.lines.length * shared.title.style.size * 1.28 +
    shared.performers.lines.length * 15 +
    10 +
    shared.when.style.size * 1.28 +
    18
  drawCard(doc, headHeight)

  const count = line(`TICKET ${index + 1} OF ${document.tickets.length}`, label)
  draw(doc, [line("ADMIT ONE", label)], label, { x: left, y: top }, headFaint)
  draw(doc, [count], label, { x: left + inner - count.width, y: top }, headFaint)
  let y = draw(doc, shared.title.lines, shared.title.style, { x: left, y: top + 13 }, headText)
  y = draw(doc, shared.performers.lines, shared.performers.style, { x: left, y: y + 2 }, headFaint)
  draw(doc, shared.when.lines, shared.when.style, { x: left, y: y + 8 }, headText)

  const second = left + shared.half + 18
  const seat = fitting(
    ticket.label,
    "bold",
    [
      [22, 1],
      [18, 2],
      [15, 2],
      [12, 2]
    ],
    inner
  )
  let bodyY = card.y + headHeight + 14
  draw(doc, [line("SEAT", label)], label, { x: left, y: bodyY }, faint)
  bodyY = draw(doc, seat.lines, seat.style, { x: left, y: bodyY + 10 }, ink) + 10
  drawBlock(doc, shared.venue, left, bodyY)
  const holder =
    ticket.holder === undefined ? shared.holder : field("NAME", ticket.holder, shared.half, oneLine)
  const below = drawBlock(doc, holder, second, bodyY) + 8
  drawBlock(
    doc,
    field("PRICE", Wording.amount(ticket.price), shared.half, oneLine, ticket.tier ?? ""),
    second,
    below
  )

  const qrX = card.x + (card.width - qrSide) / 2
  drawQr(doc, ticket, qrX, tearY + 5)
  const small: Style = { weight: "regular", size: 7.5 }
  const centred = (text: string, y: number, colour: string) => {
    const [set] = wrap(text, small, inner, 1)
    if (set !== undefined) draw(doc, [set], small, { x: card.x + (card.width - set.width) / 2, y }, colour)
  }
  centred(
    "Show this code at the door. It admits one person, once: keep it to yourself.",
    tearY + qrSide + 6,
    ink
  )
  centred(`Ticket ${ticket.id}`, tearY + qrSide + 19, faint)
  centred(`Order ref. ${shared.reference}`, card.y + card.height + 8, faint)
}

/** The PDF, made in one go: some milliseconds a ticket. Throws on what is no `TicketDocument`. */
export const render = (document: TicketDocument): Uint8Array => {
  Fonts.forget()
  const issuedAt = new Date(document.issuedAtMs)
  const shared = prepare(document)
  const doc = new PdfDocument({
    size: [page.width, page.height],
    margin: 0,
    autoFirstPage: false,
    pdfVersion: "1.7",
    lang: "en",
    displayTitle: true,
    // None at first: the library would read one of its own that we never use.
    font: "",
    info: {
      Title: plain(`Tickets for ${document.event.name}`),
      Subject: `Order ref. ${shared.reference}`,
      Producer: "Onsale",
      Creator: "Onsale",
      CreationDate: issuedAt,
      ModDate: issuedAt
    }
  })
  for (const [index, ticket] of document.tickets.entries()) {
    doc.addPage()
    drawPage(doc, document, shared, ticket, index)
  }
  doc.end()
  const chunks: Array<Uint8Array> = []
  for (let chunk: Uint8Array | null = doc.read(); chunk !== null; chunk = doc.read()) chunks.push(chunk)
  return new Uint8Array(Buffer.concat(chunks))
}
