/**
 * Reads pretix seating plans. A seat stands at the sum of the positions of its zone, its row and itself.
 *
 * Plans in the wild have more fields than the format's schema, fractional coordinates and nulls. Their
 * areas are drawings; one is sold only where it has a `capacity`, a field of ours. `PretixExport` writes
 * that and the other fields that pretix has no place for: a seat's `accessible`, `companion` and
 * `restricted_view`, a zone's `venue_zone`, a category's `price`, and `focal_point`.
 */
import type { PlanRefused } from "@onsale/contracts/catalog/CatalogErrors"
import type { Point } from "@onsale/contracts/catalog/SeatMap"
import type { Result } from "effect"
import * as PlanDraft from "./PlanDraft.ts"
import { field, number, objects, point, text } from "./PlanFields.ts"
import * as PlanProblems from "./PlanProblems.ts"
import { finish, type Imported } from "./PlanReport.ts"

const maxCapacity = 10_000_000

/** A drawing with such a text on it is what everyone looks at. */
const stage = /^(main )?(stage|bühne|scène|scene|escenario|palco|palcoscenico|podium|scena|podiet)$/i

interface Plan {
  readonly draft: PlanDraft.PlanDraft
  readonly problems: PlanProblems.PlanProblems
  readonly categories: ReadonlySet<string>
}

const nowhere: Point = { x: 0, y: 0 }

const plus = (a: Point, b: Point): Point => ({ x: a.x + b.x, y: a.y + b.y })

/** The position of a zone, row or area: without one it is where its parent is. */
const positionOf = (of: object, path: string, problems: PlanProblems.PlanProblems): Point => {
  const given = field(of, "position")
  if (given === undefined || given === null) return nowhere
  const at = point(given)
  if (at === null) problems.warning("position", `${path}/position`, "no x and y; taken as 0, 0")
  return at ?? nowhere
}

const categoryOf = (plan: Plan, of: object, path: string): string | null => {
  const name = text(field(of, "category"))
  if (name === null) {
    plan.problems.warning("no_category", path, "no category; not for sale")
    return null
  }
  if (plan.categories.has(name)) return name
  const message = `the plan has no category ${PlanProblems.quote(name)}; not for sale`
  plan.problems.warning("unknown_category", path, message)
  return null
}

const readSeat = (
  plan: Plan,
  row: PlanDraft.DraftRow,
  origin: Point,
  seat: object,
  path: string
): boolean => {
  const own = point(field(seat, "position"))
  if (own === null)
    plan.problems.warning("position", path, "the seat has no position; taken as 0, 0 of its row")
  const at = plus(origin, own ?? nowhere)
  const id = text(field(seat, "seat_guid")) ?? text(field(seat, "uuid"))
  if (id === null)
    plan.problems.warning("no_id", path, "it has no seat_guid; its place in the file serves as one")
  return PlanDraft.addSeat(
    plan.draft,
    row,
    {
      path,
      key: id ?? path,
      label: text(field(seat, "seat_number")) ?? "",
      ...at,
      category: categoryOf(plan, seat, path),
      accessible: field(seat, "accessible") === true,
      companion: field(seat, "companion") === true,
      restrictedView: field(seat, "restricted_view") === true
    },
    plan.problems
  )
}

const readRow = (
  plan: Plan,
  section: PlanDraft.DraftSection,
  origin: Point,
  of: object,
  path: string
): void => {
  const row: PlanDraft.DraftRow = { path, label: text(field(of, "row_number")) ?? "", seats: [] }
  if (row.label === "") plan.problems.warning("empty_row_label", path, "the row has no row_number")
  section.rows.push(row)
  const at = plus(origin, positionOf(of, path, plan.problems))
  for (const [seat, place] of objects(of, "seats", path, plan.problems)) {
    if (!readSeat(plan, row, at, seat, place)) return
  }
}

/** The middle of a drawn stage. Rectangles stand at their upper left corner, the rest at their middle. */
const middleOf = (area: object, at: Point): Point => {
  const rectangle = field(area, "rectangle")
  const width = number(field(rectangle, "width")) ?? 0
  const height = number(field(rectangle, "height")) ?? 0
  return { x: at.x + width / 2, y: at.y + height / 2 }
}

const readArea = (plan: Plan, origin: Point, of: object, path: string): void => {
  const written = text(field(field(of, "text"), "text")) ?? text(field(of, "text"))
  const given = field(of, "capacity")
  if (given === undefined || given === null) {
    if (plan.draft.focalPoint === null && written !== null && stage.test(written)) {
      plan.draft.focalPoint = middleOf(of, plus(origin, positionOf(of, path, plan.problems)))
    }
    return
  }
  const capacity = number(given)
  const isCapacity =
    capacity !== null && Number.isInteger(capacity) && capacity >= 0 && capacity <= maxCapacity
  if (!isCapacity) {
    const message = `the capacity has to be a whole number from 0 to ${maxCapacity}`
    plan.problems.error("capacity", `${path}/capacity`, message)
  }
  plan.draft.areas.push({
    path,
    key: text(field(of, "area_id")) ?? text(field(of, "uuid")) ?? path,
    name: text(field(of, "name")) ?? written ?? "",
    capacity: isCapacity ? capacity : 0,
    category: categoryOf(plan, of, path)
  })
}

const readZone = (plan: Plan, of: object, path: string): void => {
  const origin = positionOf(of, path, plan.problems)
  const section: PlanDraft.DraftSection = {
    path,
    name: text(field(of, "name")) ?? "",
    zone: text(field(of, "venue_zone")),
    focalPoint: point(field(of, "focal_point")),
    level: 0,
    rows: []
  }
  for (const [row, place] of objects(of, "rows", path, plan.problems))
    readRow(plan, section, origin, row, place)
  let areas = 0
  for (const [area, place] of objects(of, "areas", path, plan.problems)) {
    areas++
    readArea(plan, origin, area, place)
  }
  // A zone of drawings and standing places only is no section.
  if (section.rows.length > 0 || areas === 0) plan.draft.sections.push(section)
}

const price = /^\d{1,9}\.\d{2,3}$/

const readCategories = (json: unknown, draft: PlanDraft.PlanDraft, problems: PlanProblems.PlanProblems) => {
  for (const [category, path] of objects(json, "categories", "", problems)) {
    const name = text(field(category, "name"))
    const given = text(field(category, "price"))
    if (name === null) {
      problems.warning("unreadable_category", path, "a category needs a name; passed by")
      continue
    }
    const color = PlanDraft.color(text(field(category, "color")))
    const priced = given !== null && price.test(given) ? { price: given } : {}
    PlanDraft.addCategory(draft, { name, color, ...priced }, path, problems)
  }
  return new Set(draft.categories.map((category) => category.name))
}

/** The seat map of a parsed plan, or the refusal with every problem. */
export const fromJson = (json: unknown): Result.Result<Imported, PlanRefused> => {
  const draft = PlanDraft.make()
  const problems = PlanProblems.make()
  draft.name = text(field(json, "name")) ?? ""
  draft.focalPoint = point(field(json, "focal_point"))
  const plan: Plan = { draft, problems, categories: readCategories(json, draft, problems) }
  if (!Array.isArray(field(json, "zones"))) {
    problems.error("unreadable", "/zones", "this is no pretix seating plan: it has no list of zones")
  } else {
    for (const [zone, path] of objects(json, "zones", "", problems)) readZone(plan, zone, path)
  }
  return finish("pretix", draft, problems)
}
