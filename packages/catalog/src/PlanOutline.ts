/** The small plan of an event's seats that its tickets show, made of the seat map of its venue. Pure. */
import { type EventPlan, planSide } from "@onsale/contracts/catalog/EventPlan"
import type { MapRow, Point, SeatMap } from "@onsale/contracts/catalog/SeatMap"

/** Corners of a polygon: a small drawing shows no more. */
const maxCorners = 24
/** Seats of one straight piece, so that long rows are not looked through again and again. */
const maxPiece = 64
/** As a share of the distance to the next seat: nobody sees it where dots are that far apart. */
const tolerance = 0.15
/** Numbers of all rows, some 600 KB of the journal. Only a plan without any order has more, and is not drawn. */
const maxNumbers = 150_000
/** A point that everybody looks at is drawn where it is no further off than this share of the plan. */
const focusReach = 0.5

const cross = (o: Point, a: Point, b: Point) => (a.x - o.x) * (b.y - o.y) - (a.y - o.y) * (b.x - o.x)

const half = (points: ReadonlyArray<Point>) => {
  const hull: Array<Point> = []
  for (const point of points) {
    while (hull.length >= 2 && cross(hull[hull.length - 2]!, hull[hull.length - 1]!, point) <= 0) hull.pop()
    hull.push(point)
  }
  hull.pop()
  return hull
}

/** The convex hull (Andrew's monotone chain), with corners left out evenly where it has too many. */
const outlineOf = (points: ReadonlyArray<Point>): ReadonlyArray<number> => {
  const sorted = points.toSorted((a, b) => a.x - b.x || a.y - b.y)
  const hull = [...half(sorted), ...half(sorted.toReversed())]
  // All seats at one place.
  const corners = hull.length === 0 ? sorted.slice(0, 1) : hull
  const every = Math.ceil(corners.length / maxCorners)
  return corners.filter((_, i) => i % every === 0).flatMap(({ x, y }) => [x, y])
}

/** Whether the seats between two stand where a straight line with equal distances puts them. */
const isStraight = (seats: ReadonlyArray<Point>, from: number, to: number): boolean => {
  const first = seats[from]!
  const last = seats[to]!
  const count = to - from
  const allowed = Math.max(1, (tolerance * Math.hypot(last.x - first.x, last.y - first.y)) / count)
  for (let i = from + 1; i < to; i++) {
    const share = (i - from) / count
    const x = first.x + (last.x - first.x) * share
    const y = first.y + (last.y - first.y) * share
    if (Math.hypot(seats[i]!.x - x, seats[i]!.y - y) > allowed) return false
  }
  return true
}

const piecesOf = (seats: ReadonlyArray<Point>): ReadonlyArray<number> => {
  const [first] = seats
  if (first === undefined) return []
  const numbers = [first.x, first.y]
  let from = 0
  while (from < seats.length - 1) {
    let to = from + 1
    while (to + 1 < seats.length && to - from < maxPiece && isStraight(seats, from, to + 1)) to++
    numbers.push(to - from, seats[to]!.x, seats[to]!.y)
    from = to
  }
  return numbers
}

/** Undefined where there is nothing to draw: no seats, or no order in them. */
export const of = (map: SeatMap): EventPlan | undefined => {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity]
  const widen = ({ x, y }: Point) => {
    left = Math.min(left, x)
    right = Math.max(right, x)
    top = Math.min(top, y)
    bottom = Math.max(bottom, y)
  }
  for (const { rows } of map.sections) for (const { seats } of rows) for (const seat of seats) widen(seat)
  if (left > right) return undefined
  const reach = focusReach * Math.max(right - left, bottom - top)
  const looked = map.focalPoint
  const isNear =
    looked !== null &&
    looked.x >= left - reach &&
    looked.x <= right + reach &&
    looked.y >= top - reach &&
    looked.y <= bottom + reach
  if (isNear) widen(looked)
  // One seat, or several at one place, have no extent.
  const scale = planSide / (Math.max(right - left, bottom - top) || planSide)
  const onGrid = ({ x, y }: Point): Point => ({
    x: Math.round((x - left) * scale),
    y: Math.round((y - top) * scale)
  })
  const pointsOf = ({ seats }: MapRow) => seats.map(onGrid)
  const sections = map.sections.map((section) => {
    const rows = section.rows.map(pointsOf)
    return { outline: outlineOf(rows.flat()), rows: rows.map(piecesOf) }
  })
  const numbers = sections.reduce(
    (sum, { rows }) => rows.reduce((inSection, row) => inSection + row.length, sum),
    0
  )
  if (numbers > maxNumbers) return undefined
  const corner = onGrid({ x: right, y: bottom })
  const focus = isNear ? onGrid(looked) : null
  return {
    width: corner.x,
    height: corner.y,
    focus: focus === null ? null : [focus.x, focus.y],
    sections
  }
}
