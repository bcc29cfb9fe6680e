/** A seat map as an importer builds it: everything with the place in the file that it came from. */
import type { Category, Point } from "@onsale/contracts/catalog/SeatMap"
import type { PlanProblems } from "./PlanProblems.ts"

export const maxSeats = 250_000
/** Bounds the rows of the tables that a map is stored in. */
export const maxSeatsInRow = 5000
export const maxSections = 5000
export const maxRows = 100_000
export const maxAreas = 5000
export const maxCategories = 1000
/** The longest label, name or key. */
export const maxLabel = 200
/** Plans are drawn in pixels or millimetres; farther out a coordinate is a mistake. */
export const maxCoordinate = 1e9

export interface DraftSeat {
  readonly path: string
  readonly key: string
  readonly label: string
  readonly x: number
  readonly y: number
  readonly category: string | null
  readonly accessible: boolean
  readonly companion: boolean
  readonly restrictedView: boolean
}

export interface DraftRow {
  readonly path: string
  readonly label: string
  readonly seats: Array<DraftSeat>
}

export interface DraftSection {
  readonly path: string
  readonly name: string
  readonly zone: string | null
  readonly focalPoint: Point | null
  /** Seats of different levels may stand above one another. */
  readonly level: number
  readonly rows: Array<DraftRow>
}

export interface DraftArea {
  readonly path: string
  readonly key: string
  readonly name: string
  readonly capacity: number
  readonly category: string | null
}

export interface PlanDraft {
  name: string
  focalPoint: Point | null
  readonly categories: Array<Category>
  readonly sections: Array<DraftSection>
  readonly areas: Array<DraftArea>
  /** Seats so far. */
  seats: number
}

export const make = (): PlanDraft => ({
  name: "",
  focalPoint: null,
  categories: [],
  sections: [],
  areas: [],
  seats: 0
})

/** Adds a seat to a row. False, with an error for the first seat too many, when the plan is full. */
export const addSeat = (
  draft: PlanDraft,
  row: DraftRow,
  seat: DraftSeat,
  problems: PlanProblems
): boolean => {
  if (draft.seats === maxSeats) {
    problems.error("too_many_seats", seat.path, `a plan can have ${maxSeats} seats`)
    draft.seats++
  }
  if (draft.seats > maxSeats) return false
  draft.seats++
  row.seats.push(seat)
  return true
}

/** Adds a category with its colour; one that is there already stays as it is, with a warning. */
export const addCategory = (
  draft: PlanDraft,
  category: Category,
  path: string,
  problems: PlanProblems
): void => {
  if (draft.categories.some((other) => other.name === category.name)) {
    problems.warning(
      "duplicate_category",
      path,
      "there is a category of this name already; they count as one"
    )
  } else if (draft.categories.length === maxCategories) {
    problems.error("too_many_categories", path, `a plan can have ${maxCategories} categories`)
  } else if (draft.categories.length < maxCategories) {
    draft.categories.push(category)
  }
}

/** A colour as the file has it, if it is one that fits. */
export const color = (value: string | null): string | null =>
  value !== null && value.length <= 64 ? value : null
