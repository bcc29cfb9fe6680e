/** A glyph's outline as a simple glyph of a TrueType font's `glyf` table. Pure. */
import type { Path } from "fontkit"

/** A point that the outline goes through; the others draw it towards them. */
const onCurve = 1

interface Point {
  readonly x: number
  readonly y: number
  readonly flag: number
}

const pointsOf = (path: Path): ReadonlyArray<ReadonlyArray<Point>> => {
  const contours: Array<Array<Point>> = []
  for (const { args, command } of path.commands) {
    if (command === "moveTo") contours.push([])
    for (let i = 0; i + 1 < args.length; i += 2) {
      const isLast = i + 2 === args.length
      contours[contours.length - 1]?.push({
        x: Math.round(args[i]!),
        y: Math.round(args[i + 1]!),
        flag: isLast ? onCurve : 0
      })
    }
  }
  for (const contour of contours) {
    const [first] = contour
    const last = contour[contour.length - 1]
    // It is closed by itself.
    if (contour.length > 1 && first?.x === last?.x && first?.y === last?.y && last?.flag === onCurve) {
      contour.pop()
    }
  }
  return contours.filter((contour) => contour.length > 0)
}

/** Without instructions, padded to four bytes; every coordinate in two, since what is embedded is deflated anyway. */
export const encode = (path: Path): Buffer => {
  const contours = pointsOf(path)
  const points = contours.flat()
  const size = 12 + 2 * contours.length + 5 * points.length
  const out = Buffer.alloc(Math.ceil(size / 4) * 4)
  let at = out.writeInt16BE(contours.length, 0)
  const xs = points.map(({ x }) => x)
  const ys = points.map(({ y }) => y)
  for (const bound of [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)]) {
    at = out.writeInt16BE(Number.isFinite(bound) ? bound : 0, at)
  }
  let end = -1
  for (const contour of contours) at = out.writeUInt16BE((end += contour.length), at)
  at = out.writeUInt16BE(0, at)
  for (const { flag } of points) at = out.writeUInt8(flag, at)
  for (const values of [xs, ys]) {
    let before = 0
    for (const value of values) {
      at = out.writeInt16BE(value - before, at)
      before = value
    }
  }
  return out
}
