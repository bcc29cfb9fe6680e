/** What an import ends with: the seat map, or the refusal, and either way the report. */
import { PlanRefused } from "@onsale/contracts/catalog/CatalogErrors"
import type { ImportReport, PlanFormat, SeatMap } from "@onsale/contracts/catalog/SeatMap"
import { Result } from "effect"
import { check } from "./PlanCheck.ts"
import type { PlanDraft } from "./PlanDraft.ts"
import type { PlanProblems } from "./PlanProblems.ts"

export interface Imported {
  readonly map: SeatMap
  readonly report: ImportReport
}

const report = (format: PlanFormat, draft: PlanDraft, problems: PlanProblems): ImportReport => {
  const categories = new Map<string | null, { seats: number; places: number }>()
  for (const category of draft.categories) categories.set(category.name, { seats: 0, places: 0 })
  const count = (category: string | null) => {
    const known = categories.get(category)
    if (known !== undefined) return known
    const added = { seats: 0, places: 0 }
    categories.set(category, added)
    return added
  }
  let seats = 0
  let rows = 0
  const sections = draft.sections.map((section) => {
    const before = seats
    for (const row of section.rows) {
      seats += row.seats.length
      for (const seat of row.seats) count(seat.category).seats++
    }
    rows += section.rows.length
    return { name: section.name, rows: section.rows.length, seats: seats - before }
  })
  let areaCapacity = 0
  for (const area of draft.areas) {
    areaCapacity += area.capacity
    count(area.category).places += area.capacity
  }
  return {
    format,
    seats,
    rows,
    areas: draft.areas.length,
    areaCapacity,
    sections,
    categories: Array.from(categories, ([name, counts]) => ({ name, ...counts })),
    problems: problems.list(),
    problemCount: problems.count()
  }
}

const toMap = (draft: PlanDraft): SeatMap => ({
  name: draft.name,
  categories: draft.categories,
  focalPoint: draft.focalPoint,
  sections: draft.sections.map(({ name, zone, focalPoint, rows }) => ({
    name,
    zone,
    focalPoint,
    rows: rows.map((row) => ({
      label: row.label,
      seats: row.seats.map(({ path: _path, ...seat }) => ({
        ...seat,
        // JSON has no -0, so a map that was stored must not have one before.
        x: seat.x + 0,
        y: seat.y + 0
      }))
    }))
  })),
  areas: draft.areas.map(({ path: _path, ...area }) => area)
})

/** Checks a draft that was read whole, and makes the map of it unless an error refuses it. */
export const finish = (
  format: PlanFormat,
  draft: PlanDraft,
  problems: PlanProblems
): Result.Result<Imported, PlanRefused> => {
  check(draft, problems)
  const found = report(format, draft, problems)
  return problems.refused()
    ? Result.fail(new PlanRefused({ report: found }))
    : Result.succeed({ map: toMap(draft), report: found })
}

/** Refuses a file that could not be read to its end. */
export const refuse = (
  format: PlanFormat,
  draft: PlanDraft,
  problems: PlanProblems
): Result.Result<never, PlanRefused> =>
  Result.fail(new PlanRefused({ report: report(format, draft, problems) }))
