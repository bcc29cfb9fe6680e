/** Finds seats that stand on one another, in time linear in the seats. */
import type { DraftSeat, PlanDraft } from "./PlanDraft.ts"

/** Seats nearer than this part of the usual step between neighbours cannot both be real. */
const nearPart = 0.2
/**
 * Of a crowd on one spot only so many are compared with what comes after: enough, since a seat near
 * any of them is already told of, and without it a file with all seats at one place would take for ever.
 */
const maxInCell = 16

/** The median step between neighbours of a row; 0 where there are no two apart. */
const usualStep = (draft: PlanDraft): number => {
  const steps: Array<number> = []
  for (const section of draft.sections) {
    for (const row of section.rows) {
      for (let i = 1; i < row.seats.length; i++) {
        const a = row.seats[i - 1]!
        const b = row.seats[i]!
        const step = Math.hypot(b.x - a.x, b.y - a.y)
        if (step > 0) steps.push(step)
      }
    }
  }
  if (steps.length === 0) return 0
  const sorted = Float64Array.from(steps).sort()
  return sorted[sorted.length >> 1]!
}

/** Calls `found` once for each seat that stands on an earlier one of its level. */
export const overlaps = (draft: PlanDraft, found: (seat: DraftSeat, earlier: DraftSeat) => void): void => {
  const near = Math.max(usualStep(draft) * nearPart, 1e-6)
  const cells = new Map<number, Array<{ readonly seat: DraftSeat; readonly level: number }>>()
  // Two cells with one hash do no harm: what they share is compared by distance.
  const hash = (x: number, y: number) => (Math.imul(x, 73_856_093) ^ Math.imul(y, 19_349_663)) | 0
  for (const section of draft.sections) {
    for (const row of section.rows) {
      for (const seat of row.seats) {
        const x = Math.floor(seat.x / near)
        const y = Math.floor(seat.y / near)
        let earlier: DraftSeat | undefined
        for (let dx = -1; dx <= 1 && earlier === undefined; dx++) {
          for (let dy = -1; dy <= 1 && earlier === undefined; dy++) {
            earlier = cells
              .get(hash(x + dx, y + dy))
              ?.find(
                (other) =>
                  other.level === section.level &&
                  Math.hypot(other.seat.x - seat.x, other.seat.y - seat.y) < near
              )?.seat
          }
        }
        if (earlier !== undefined) found(seat, earlier)
        const key = hash(x, y)
        const cell = cells.get(key)
        if (cell === undefined) cells.set(key, [{ seat, level: section.level }])
        else if (cell.length < maxInCell) cell.push({ seat, level: section.level })
      }
    }
  }
}
