/**
 * The map on a ticket: above the whole hall with the place of the seat, below the seats beside it. The hall is drawn
 * once a document, as a form that each page refers to (a PDF form XObject).
 */
import type { DocumentPlan, SeatPlace } from "@onsale/contracts/notifications/TicketDocument"
import type { Document } from "./PageText.ts"

export interface Frame {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

// Points. A line round a section also gives a single row some breadth.
const edge = 0.9
const focusRadius = 2.6
const markRadius = 3.1
const seatDistance = 7.2
const seatSize = 5.2
const gap = 8
const corner = 5
/** Of the height, for the whole hall. */
const hallShare = 0.6

const hallFill = "#e4e5f0"
const hallEdge = "#b9bcd3"
const ownFill = "#c9b8ff"
const ownEdge = "#7c5be6"
const focusColour = "#3d3d5c"
const mark = "#d6006c"
const seatColour = "#b9bcd3"
const ground = "#f7f7fc"

const rounded = (value: number): string => String(Math.round(value * 100) / 100)

/** `polygon`, as PDF writes it; a point alone is a line to itself. */
const pathOf = (polygon: ReadonlyArray<number>): string => {
  const parts: Array<string> = []
  for (let i = 0; i + 1 < polygon.length; i += 2) {
    parts.push(`${polygon[i]} ${polygon[i + 1]} ${i === 0 ? "m" : "l"}`)
  }
  if (parts.length === 1) parts.push(`${polygon[0]} ${polygon[1]} l`)
  return `${parts.join("\n")}\nh`
}

const colourOf = (hex: string, operator: "rg" | "RG"): string =>
  `${[1, 3, 5].map((at) => rounded(Number.parseInt(hex.slice(at, at + 2), 16) / 255)).join(" ")} ${operator}`

export interface Hall {
  /** Draws the map of a seat into a frame. */
  readonly draw: (place: SeatPlace, frame: Frame) => void
}

/** The hall of a document, for frames of that size. */
export const make = (doc: Document, plan: DocumentPlan, frame: Pick<Frame, "width" | "height">): Hall => {
  const height = (frame.height - gap) * hallShare
  const room = { width: frame.width - 2 * markRadius, height: height - 2 * markRadius }
  const scale = Math.min(room.width / Math.max(plan.width, 1), room.height / Math.max(plan.height, 1))
  const lineWidth = edge / scale
  const form = doc.ref({
    Type: "XObject",
    Subtype: "Form",
    BBox: [-lineWidth, -lineWidth, plan.width + lineWidth, plan.height + lineWidth],
    Resources: {}
  })
  form.end(
    [
      colourOf(hallFill, "rg"),
      colourOf(hallEdge, "RG"),
      `${rounded(lineWidth)} w`,
      "1 j",
      "1 J",
      ...plan.outlines.filter(({ length }) => length > 0).map((outline) => `${pathOf(outline)}\nB`)
    ].join("\n")
  )

  const drawHall = (place: SeatPlace, frame: Frame) => {
    const at = {
      x: frame.x + (frame.width - plan.width * scale) / 2,
      y: frame.y + (height - plan.height * scale) / 2
    }
    doc.save().translate(at.x, at.y).scale(scale)
    doc.page.xobjects["Hall"] = form
    doc.addContent("/Hall Do")
    const outline = plan.outlines[place.section] ?? []
    if (outline.length > 0) {
      doc.addContent(
        `${colourOf(ownFill, "rg")}\n${colourOf(ownEdge, "RG")}\n${rounded(lineWidth)} w\n1 j\n1 J\n${pathOf(outline)}\nB`
      )
    }
    doc.restore()
    const [focusX, focusY] = plan.focus ?? []
    if (focusX !== undefined && focusY !== undefined) {
      doc.circle(at.x + focusX * scale, at.y + focusY * scale, focusRadius).fill(focusColour)
    }
    doc
      .circle(at.x + place.x * scale, at.y + place.y * scale, markRadius)
      .lineWidth(0.9)
      .fillAndStroke(mark, "#ffffff")
  }

  const drawSeats = (place: SeatPlace, frame: Frame) => {
    const top = frame.y + height + gap
    const room = { x: frame.x, y: top, width: frame.width, height: frame.height - height - gap }
    const centre = { x: room.x + room.width / 2, y: room.y + room.height / 2 }
    const near = seatDistance / place.pitch
    doc.save().roundedRect(room.x, room.y, room.width, room.height, corner).clip()
    doc.rect(room.x, room.y, room.width, room.height).fill(ground)
    // A line without a length, with round ends, is a dot in a few bytes.
    doc.lineCap("round").lineWidth(seatSize).strokeColor(seatColour)
    for (let i = 0; i + 1 < place.near.length; i += 2) {
      const x = centre.x + (place.near[i]! - place.x) * near
      const y = centre.y + (place.near[i + 1]! - place.y) * near
      doc.moveTo(x, y).lineTo(x, y)
    }
    doc.stroke()
    doc.circle(centre.x, centre.y, markRadius).fill(mark).restore()
  }

  return {
    draw: (place, frame) => {
      drawHall(place, frame)
      drawSeats(place, frame)
    }
  }
}
