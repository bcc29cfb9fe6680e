/** The checks that every plan passes, whatever format it came in. */
import * as PlanDraft from "./PlanDraft.ts"
import { type PlanProblems, quote } from "./PlanProblems.ts"
import { overlaps } from "./PlanOverlap.ts"

// Control characters, ends of lines and lone surrogates cannot be printed, and U+0000 cannot be stored.
const unprintable = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u

const checkText = (what: string, value: string, path: string, problems: PlanProblems): void => {
  if (value.length > PlanDraft.maxLabel) {
    problems.error(
      "label_too_long",
      path,
      `the ${what} ${quote(value)} has more than ${PlanDraft.maxLabel} characters`
    )
  } else if (unprintable.test(value)) {
    problems.error(
      "label_unprintable",
      path,
      `the ${what} ${quote(value)} has characters that cannot be printed`
    )
  }
}

/** Tells the second and later of what bears one name where it was first. */
const firsts = () => {
  const seen = new Map<string, string>()
  return (key: string, path: string): string | undefined => {
    const first = seen.get(key)
    if (first === undefined) seen.set(key, path)
    return first
  }
}

const checkRow = (
  row: PlanDraft.DraftRow,
  byKey: ReturnType<typeof firsts>,
  problems: PlanProblems
): void => {
  checkText("row label", row.label, row.path, problems)
  if (row.seats.length > PlanDraft.maxSeatsInRow) {
    problems.error("row_too_long", row.path, `a row can have ${PlanDraft.maxSeatsInRow} seats`)
  }
  const byLabel = firsts()
  for (const seat of row.seats) {
    checkText("seat label", seat.label, seat.path, problems)
    checkText("seat id", seat.key, seat.path, problems)
    const sameKey = byKey(seat.key, seat.path)
    if (sameKey !== undefined) {
      problems.error(
        "duplicate_seat",
        seat.path,
        `the seat id ${quote(seat.key)} is the one of ${sameKey} too`
      )
    }
    if (seat.label === "") {
      problems.error("empty_label", seat.path, "the seat has no label")
    } else {
      const sameLabel = byLabel(seat.label, seat.path)
      if (sameLabel !== undefined && sameKey === undefined) {
        problems.error(
          "duplicate_label",
          seat.path,
          `the row ${quote(row.label)} has a seat ${quote(seat.label)} already, at ${sameLabel}`
        )
      }
    }
    if (Math.abs(seat.x) > PlanDraft.maxCoordinate || Math.abs(seat.y) > PlanDraft.maxCoordinate) {
      problems.error("position", seat.path, "the seat stands outside of any plan")
    }
  }
}

/** Rows may be drawn in pieces, so a label may return in a section; two seats of one name there are worth a look. */
const checkSectionLabels = (section: PlanDraft.DraftSection, problems: PlanProblems): void => {
  const rowsByLabel = new Map<string, Array<PlanDraft.DraftRow>>()
  for (const row of section.rows) {
    const same = rowsByLabel.get(row.label)
    if (same === undefined) rowsByLabel.set(row.label, [row])
    else same.push(row)
  }
  for (const rows of rowsByLabel.values()) {
    if (rows.length === 1) continue
    const earlier = new Map<string, string>()
    for (const row of rows) {
      for (const seat of row.seats) {
        const first = earlier.get(seat.label)
        if (first !== undefined && !first.startsWith(`${row.path}/`)) {
          problems.warning(
            "duplicate_place",
            seat.path,
            `buyers cannot tell it from ${first}: the same section, row ${quote(row.label)} and seat ${quote(seat.label)}`
          )
        }
      }
      for (const seat of row.seats) if (!earlier.has(seat.label)) earlier.set(seat.label, seat.path)
    }
  }
}

const checkAreas = (draft: PlanDraft.PlanDraft, problems: PlanProblems): void => {
  const byKey = firsts()
  const byName = firsts()
  for (const area of draft.areas) {
    checkText("area name", area.name, area.path, problems)
    checkText("area id", area.key, area.path, problems)
    if (area.name === "") problems.error("empty_label", area.path, "the area has no name")
    const sameKey = byKey(area.key, area.path)
    const sameName = byName(area.name, area.path)
    if (sameKey !== undefined) {
      problems.error(
        "duplicate_area",
        area.path,
        `the area id ${quote(area.key)} is the one of ${sameKey} too`
      )
    } else if (sameName !== undefined && area.name !== "") {
      problems.error(
        "duplicate_area",
        area.path,
        `there is an area ${quote(area.name)} already, at ${sameName}`
      )
    }
    if (area.capacity === 0) problems.warning("capacity", area.path, "the area has no places")
  }
}

const checkSizes = (draft: PlanDraft.PlanDraft, problems: PlanProblems): void => {
  const rows = draft.sections.reduce((sum, section) => sum + section.rows.length, 0)
  if (draft.sections.length > PlanDraft.maxSections) {
    problems.error("too_many_sections", "", `a plan can have ${PlanDraft.maxSections} sections`)
  }
  if (rows > PlanDraft.maxRows)
    problems.error("too_many_rows", "", `a plan can have ${PlanDraft.maxRows} rows`)
  if (draft.areas.length > PlanDraft.maxAreas) {
    problems.error("too_many_areas", "", `a plan can have ${PlanDraft.maxAreas} areas`)
  }
  if (draft.seats === 0 && draft.areas.length === 0 && !problems.refused()) {
    problems.error("empty_plan", "", "the plan has neither seats nor areas")
  }
}

/** Tells every problem of a whole draft: labels, duplicates, capacities, overlapping seats, sizes. */
export const check = (draft: PlanDraft.PlanDraft, problems: PlanProblems): void => {
  checkText("name of the plan", draft.name, "", problems)
  for (const category of draft.categories) checkText("category name", category.name, "", problems)
  checkSizes(draft, problems)
  const byKey = firsts()
  const byName = firsts()
  for (const section of draft.sections) {
    checkText("section name", section.name, section.path, problems)
    if (section.zone !== null) checkText("zone name", section.zone, section.path, problems)
    const sameName = byName(JSON.stringify([section.zone, section.name]), section.path)
    if (sameName !== undefined) {
      problems.warning(
        "duplicate_section",
        section.path,
        `there is a section ${quote(section.name)} already, at ${sameName}; they stay two`
      )
    }
    for (const row of section.rows) checkRow(row, byKey, problems)
    checkSectionLabels(section, problems)
  }
  checkAreas(draft, problems)
  overlaps(draft, (seat, other) =>
    problems.warning("overlap", seat.path, `the seat stands on the one at ${other.path}`)
  )
}
