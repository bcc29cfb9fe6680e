/**
 * The tickets of an order as a PDF: a page of A5 a ticket, to be printed or shown on a telephone.
 *
 * The same document has the same bytes: nothing in it comes from a clock or a random source, nor from what was drawn
 * before it.
 */
import type { DocumentTicket, TicketDocument } from "@onsale/contracts/notifications/TicketDocument"
import PdfDocument from "pdfkit"
import * as Fonts from "./Fonts.ts"
import * as HanFonts from "./HanFonts.ts"
import * as OrderReference from "./OrderReference.ts"
import {
  type Align,
  type Box,
  type Choices,
  type Document,
  draw,
  drawField,
  faint,
  field,
  fitting,
  heightOf,
  ink,
  labelStyle
} from "./PageText.ts"
import * as PlanDrawing from "./PlanDrawing.ts"
import * as QrCode from "./QrCode.ts"
import { line, plain, type Style, wrap } from "./TextLayout.ts"
import { card, drawCard, page } from "./TicketCard.ts"
import * as TicketTerms from "./TicketTerms.ts"
import { ticketWords } from "./TicketWords.ts"
import * as Wording from "./Wording.ts"

// Points.
const inset = 24
const left = card.x + inset
const inner = card.width - 2 * inset
const columnGap = 18
const half = (inner - columnGap) / 2

const qrSide = 160
const footHeight = 58
const tearY = card.y + card.height - qrSide - footHeight - 5
const qrY = tearY + 5
const footY = qrY + qrSide + 4
/** Of what stands beside the code: its quiet zone is a gap already. */
const panelGap = 6
const panel = { y: tearY + 16, width: inner - qrSide - panelGap, height: qrSide - 14 }
const mapHeight = panel.height - 14

const headText = "#ffffff"
const headFaint = "#d6ccff"

const performers: Style = { weight: "regular", size: 10 }
const foot: Style = { weight: "regular", size: 7 }
const note: Style = { weight: "regular", size: 9 }

const titleChoices: Choices = [
  [25, 2],
  [21, 2],
  [18, 3],
  [15, 3],
  [13, 4],
  [11.5, 4]
]
const seatChoices: Choices = [
  [22, 1],
  [17, 1],
  [14, 2],
  [12, 2],
  [10, 2]
]

const nameChoices: Choices = [
  [12, 1],
  [10, 2],
  [8, 3]
]
const amountChoices: Choices = [
  [12, 1],
  [9, 1],
  [7.5, 1]
]

const drawQr = (doc: Document, ticket: DocumentTicket, x: number, y: number) => {
  const { dark, size } = QrCode.make(ticket.code)
  const module = qrSide / (size + 2 * QrCode.quietZone)
  doc.save().translate(x, y).scale(module)
  for (const stretch of dark) {
    doc.rect(QrCode.quietZone + stretch.x, QrCode.quietZone + stretch.y, stretch.length, 1)
  }
  doc.fill("#000000").restore()
}

/** What all pages share is set once. */
const prepare = (doc: Document, document: TicketDocument) => {
  const { event, locale, plan } = document
  const words = ticketWords[locale]
  const isRightToLeft = locale === "ar"
  const when = `${Wording.day(event.startsAt, event.timeZone, locale)}  ·  ${Wording.time(event.startsAt, event.timeZone, locale)} ${Wording.zone(event.startsAt, event.timeZone, locale)}`
  return {
    words,
    start: (isRightToLeft ? "right" : "left") satisfies Align as Align,
    end: (isRightToLeft ? "left" : "right") satisfies Align as Align,
    /** Between two edges, counted from where reading begins. */
    box: (from: number, y: number, width: number): Box => ({
      x: isRightToLeft ? left + inner - from - width : left + from,
      y,
      width
    }),
    reference: OrderReference.make(document.orderId),
    title: fitting(event.name, "bold", titleChoices, inner),
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
    venue: field(
      words.venue,
      event.venue.name,
      half,
      [
        [12, 2],
        [10, 2]
      ],
      { more: event.venue.location }
    ),
    holder: field(words.name, document.holder, half, nameChoices),
    terms: wrap(TicketTerms.inWords(document), foot, inner, 3),
    hall: plan === undefined ? undefined : PlanDrawing.make(doc, plan, { ...panel, height: mapHeight })
  }
}

type Shared = ReturnType<typeof prepare>

const drawHead = (doc: Document, shared: Shared, index: number, count: number) => {
  const { box, end, start, words } = shared
  const top = card.y + 22
  const headHeight =
    22 + 13 + heightOf(shared.title) + shared.performers.lines.length * 15 + 10 + heightOf(shared.when) + 14
  drawCard(doc, headHeight, tearY)
  const whole = (y: number) => box(0, y, inner)
  draw(doc, [line(words.admitOne, labelStyle)], labelStyle, whole(top), headFaint, start)
  draw(doc, [line(words.count(index + 1, count), labelStyle)], labelStyle, whole(top), headFaint, end)
  let y = draw(doc, shared.title.lines, shared.title.style, whole(top + 13), headText, start)
  y = draw(doc, shared.performers.lines, shared.performers.style, whole(y + 2), headFaint, start)
  draw(doc, shared.when.lines, shared.when.style, whole(y + 8), headText, start)
  return card.y + headHeight
}

const drawBody = (
  doc: Document,
  document: TicketDocument,
  shared: Shared,
  ticket: DocumentTicket,
  y: number
) => {
  const { box, start, words } = shared
  const seat = fitting(ticket.label, "bold", seatChoices, inner)
  const label = ticket.isArea === true ? words.place : words.seat
  draw(doc, [line(label, labelStyle)], labelStyle, box(0, y, inner), faint, start)
  const below = draw(doc, seat.lines, seat.style, box(0, y + 10, inner), ink, start) + 10
  drawField(doc, shared.venue, box(0, below, half), start)
  const holder =
    ticket.holder === undefined ? shared.holder : field(words.name, ticket.holder, half, nameChoices)
  const second = (y: number) => box(half + columnGap, y, half)
  const next = drawField(doc, holder, second(below), start) + 8
  // A long name takes the second line of a long tier.
  const moreLines = holder.lines.length > 1 ? 1 : 2
  const tier = ticket.tier ?? ""
  if (ticket.price !== undefined) {
    const price = Wording.amount(ticket.price, document.locale)
    drawField(
      doc,
      field(words.price, price, half, amountChoices, { more: tier, moreLines }),
      second(next),
      start
    )
  } else if (tier !== "") drawField(doc, field(words.category, tier, half, nameChoices), second(next), start)
}

/** Beside the code, where to go: the map, or the area in words. Answers whether there is anything to say. */
const drawPlace = (doc: Document, shared: Shared, ticket: DocumentTicket): boolean => {
  const { box, hall, start, words } = shared
  const at = box(qrSide + panelGap, panel.y, panel.width)
  const heading = (text: string) => draw(doc, [line(text, labelStyle)], labelStyle, at, faint, start)
  if (ticket.isArea === true) {
    heading(words.yourArea)
    const name = fitting(
      ticket.label,
      "bold",
      [
        [16, 3],
        [12, 5],
        [10, 6]
      ],
      at.width
    )
    const below = draw(doc, name.lines, name.style, { ...at, y: at.y + 14 }, ink, start)
    const free = wrap(words.freeChoice, note, at.width, 4)
    draw(doc, free, note, { ...at, y: below + 8 }, faint, start)
    return true
  }
  if (hall === undefined || ticket.place === undefined) return false
  heading(words.yourSeat)
  hall.draw(ticket.place, { x: at.x, y: at.y + 14, width: at.width, height: mapHeight })
  return true
}

const drawFoot = (doc: Document, shared: Shared, ticket: DocumentTicket) => {
  const { reference, terms, words } = shared
  const centred = (text: string, y: number, colour: string) =>
    draw(doc, wrap(text, foot, inner, 1), foot, { x: left, y, width: inner }, colour, "centre")
  centred(words.show, footY, ink)
  if (ticket.holder === undefined)
    draw(doc, terms, foot, { x: left, y: footY + 13, width: inner }, faint, "centre")
  centred(words.ticket(ticket.id), card.y + card.height - 14, faint)
  centred(words.order(reference), card.y + card.height + 8, faint)
}

const drawPage = (
  doc: Document,
  document: TicketDocument,
  shared: Shared,
  ticket: DocumentTicket,
  index: number
) => {
  const below = drawHead(doc, shared, index, document.tickets.length)
  drawBody(doc, document, shared, ticket, below + 10)
  const isBeside = drawPlace(doc, shared, ticket)
  const qr = isBeside ? shared.box(0, qrY, qrSide) : { x: card.x + (card.width - qrSide) / 2 }
  drawQr(doc, ticket, qr.x, qrY)
  drawFoot(doc, shared, ticket)
}

/** What people wrote that stands on it. */
const writingOf = ({ event, holder, tickets }: TicketDocument): string =>
  [
    event.name,
    event.venue.name,
    event.venue.location,
    ...event.performers,
    ...tickets.flatMap((ticket) => [ticket.holder ?? holder, ticket.label, ticket.tier ?? ""])
  ].join(" ")

/** The PDF, made in one go: some milliseconds a ticket. Throws on what is no `TicketDocument`. */
export const render = (document: TicketDocument): Uint8Array => {
  Fonts.begin(HanFonts.languageOf(writingOf(document), document.event.timeZone))
  const issuedAt = new Date(document.issuedAtMs)
  const words = ticketWords[document.locale]
  const doc = new PdfDocument({
    size: [page.width, page.height],
    margin: 0,
    autoFirstPage: false,
    pdfVersion: "1.7",
    lang: document.locale,
    displayTitle: true,
    // None at first: the library would read one of its own that we never use.
    font: "",
    info: {
      Title: plain(words.title(document.event.name)),
      Subject: words.order(OrderReference.make(document.orderId)),
      Producer: "Onsale",
      Creator: "Onsale",
      CreationDate: issuedAt,
      ModDate: issuedAt
    }
  })
  const shared = prepare(doc, document)
  for (const [index, ticket] of document.tickets.entries()) {
    doc.addPage()
    drawPage(doc, document, shared, ticket, index)
  }
  doc.end()
  const chunks: Array<Uint8Array> = []
  for (let chunk: Uint8Array | null = doc.read(); chunk !== null; chunk = doc.read()) chunks.push(chunk)
  return new Uint8Array(Buffer.concat(chunks))
}
