/**
 * Reads seats.io charts, as the designer saves them.
 *
 * A chart has one `subChart`, or one a floor in `subChartFloors`. A sub-chart has rows, tables, booths,
 * general admission areas and sections; a section has a sub-chart of its own, whose coordinates begin
 * at the section's `topLeft`. Rotation is already in the coordinates: `labelRotationAngle` turns the
 * drawn label only. What has no category of its own has that of what it is in.
 */
import type { PlanRefused } from "@onsale/contracts/catalog/CatalogErrors"
import type { Point } from "@onsale/contracts/catalog/SeatMap"
import type { Result } from "effect"
import * as PlanDraft from "./PlanDraft.ts"
import { field, number, objects, point, text } from "./PlanFields.ts"
import * as PlanProblems from "./PlanProblems.ts"
import { finish, type Imported } from "./PlanReport.ts"

/** The designer has no sections within sections; a few levels are read all the same. */
const maxSectionDepth = 16
const maxCapacity = 10_000_000

interface Zone {
  readonly label: string
  readonly focalPoint: Point | null
}

interface Chart {
  readonly draft: PlanDraft.PlanDraft
  readonly problems: PlanProblems.PlanProblems
  readonly categories: ReadonlyMap<string, string>
  readonly zones: ReadonlyMap<string, Zone>
  /** Percent. */
  readonly sectionScale: number
}

/** Where a sub-chart stands and what its contents inherit. */
interface Frame {
  readonly path: string
  readonly x: number
  readonly y: number
  readonly scale: number
  readonly section: string
  readonly zone: string | null
  readonly focalPoint: Point | null
  readonly level: number
  readonly category: unknown
  readonly depth: number
}

/** The key of the nearest category that is given: the own one first. */
const categoryKey = (of: object, inherited: unknown): unknown => {
  const key = field(of, "categoryKey")
  return key === null || key === undefined ? inherited : key
}

const categoryName = (chart: Chart, key: unknown, path: string): string | null => {
  const asText = text(key)
  if (asText === null) {
    chart.problems.warning("no_category", path, "no category; not for sale")
    return null
  }
  const name = chart.categories.get(asText)
  if (name === undefined) {
    const message = `the chart has no category with the key ${PlanProblems.quote(asText)}; not for sale`
    chart.problems.warning("unknown_category", path, message)
    return null
  }
  return name
}

/** What buyers read: the displayed label where there is one. */
const labelOf = (of: object): string => text(field(of, "displayLabel")) ?? text(field(of, "label")) ?? ""

/** The sections of one sub-chart; rows can name another than the one that they are drawn in. */
const sectionsOf = (chart: Chart, frame: Frame) => {
  const byName = new Map<string, PlanDraft.DraftSection>()
  return (name: string): PlanDraft.DraftSection => {
    const known = byName.get(name)
    if (known !== undefined) return known
    const { focalPoint, level, path, zone } = frame
    const section: PlanDraft.DraftSection = { path, name, zone, focalPoint, level, rows: [] }
    byName.set(name, section)
    chart.draft.sections.push(section)
    return section
  }
}

const readSeat = (
  chart: Chart,
  frame: Frame,
  row: PlanDraft.DraftRow,
  seat: object,
  path: string,
  inherited: unknown,
  at: Point | null,
  label: string
): boolean => {
  if (at === null) chart.problems.error("position", path, "it has no position")
  const uuid = text(field(seat, "uuid"))
  if (uuid === null)
    chart.problems.warning("no_id", path, "it has no uuid; its place in the file serves as one")
  return PlanDraft.addSeat(
    chart.draft,
    row,
    {
      path,
      key: uuid ?? path,
      label,
      x: frame.x + (at?.x ?? 0) * frame.scale,
      y: frame.y + (at?.y ?? 0) * frame.scale,
      category: categoryName(chart, categoryKey(seat, inherited), path),
      accessible: field(seat, "accessible") === true,
      companion: field(seat, "companionSeat") === true,
      restrictedView: field(seat, "restrictedView") === true
    },
    chart.problems
  )
}

/** A row, or a table, whose chairs are a row. */
const readRow = (
  chart: Chart,
  frame: Frame,
  of: object,
  path: string,
  section: (name: string) => PlanDraft.DraftSection
): void => {
  const row: PlanDraft.DraftRow = { path, label: labelOf(of), seats: [] }
  if (row.label === "") chart.problems.warning("empty_row_label", path, "the row has no label")
  if (field(of, "bookAsAWhole") === true) {
    chart.problems.warning(
      "sold_by_seat",
      path,
      "booked as a whole in the file; here its seats are sold one by one"
    )
  }
  const named = text(field(of, "sectionDisplayedLabel")) ?? text(field(of, "sectionLabel"))
  section(named ?? frame.section).rows.push(row)
  const inherited = categoryKey(of, frame.category)
  for (const [seat, place] of objects(of, "seats", path, chart.problems)) {
    if (!readSeat(chart, frame, row, seat, place, inherited, point(seat), labelOf(seat))) return
  }
}

const readArea = (chart: Chart, frame: Frame, of: object, path: string): void => {
  const capacity = number(field(of, "capacity"))
  const isCapacity =
    capacity !== null && Number.isInteger(capacity) && capacity >= 0 && capacity <= maxCapacity
  if (!isCapacity) {
    chart.problems.error("capacity", path, `the capacity has to be a whole number from 0 to ${maxCapacity}`)
  }
  if (field(of, "bookAsAWhole") === true) {
    chart.problems.warning(
      "sold_by_place",
      path,
      "booked as a whole in the file; here its places are sold one by one"
    )
  }
  const label = labelOf(of)
  chart.draft.areas.push({
    path,
    key: text(field(of, "uuid")) ?? path,
    name: frame.section === "" || label === "" ? label : `${frame.section} ${label}`,
    capacity: isCapacity ? capacity : 0,
    category: categoryName(chart, categoryKey(of, frame.category), path)
  })
}

const extent = (points: ReadonlyArray<Point>, axis: "x" | "y"): number => {
  let low = Number.POSITIVE_INFINITY
  let high = Number.NEGATIVE_INFINITY
  for (const p of points) {
    low = Math.min(low, p[axis])
    high = Math.max(high, p[axis])
  }
  return high - low
}

/**
 * How much larger a section is drawn in the chart than in its own sub-chart. At the usual
 * `sectionScaleFactor` of 100 % that is 1. At another one, whichever of the factor and its inverse
 * makes the section's sub-chart as large as its outline.
 */
const scaleOf = (chart: Chart, section: object, subChart: unknown, path: string): number => {
  const factor = chart.sectionScale / 100
  const width = number(field(subChart, "width")) ?? 0
  const height = number(field(subChart, "height")) ?? 0
  const outline: Array<Point> = []
  for (const [corner] of objects(section, "points", path, chart.problems)) {
    const at = point(corner)
    if (at !== null) outline.push(at)
  }
  if (factor === 1 || outline.length < 3 || !(width > 0) || !(height > 0)) return 1
  const misfit = (scale: number) =>
    Math.abs(Math.log((width * scale) / extent(outline, "x"))) +
    Math.abs(Math.log((height * scale) / extent(outline, "y")))
  return [1, factor, 1 / factor].reduce((best, scale) => (misfit(scale) < misfit(best) ? scale : best))
}

const readSection = (chart: Chart, frame: Frame, of: object, path: string): void => {
  if (frame.depth === maxSectionDepth) {
    chart.problems.error("too_deep", path, `sections can be nested ${maxSectionDepth} deep`)
    return
  }
  const topLeft = point(field(of, "topLeft"))
  if (topLeft === null) chart.problems.error("position", path, "the section has no topLeft")
  const subChart = field(of, "subChart")
  const label = labelOf(of)
  if (label === "") chart.problems.warning("empty_section", path, "the section has no label")
  const zoneKey = text(field(of, "zone"))
  const zone = zoneKey === null ? undefined : chart.zones.get(zoneKey)
  if (zoneKey !== null && zone === undefined) {
    chart.problems.warning("unknown_zone", path, `the chart has no zone ${PlanProblems.quote(zoneKey)}`)
  }
  readSubChart(chart, subChart, {
    path: `${path}/subChart`,
    x: frame.x + (topLeft?.x ?? 0) * frame.scale,
    y: frame.y + (topLeft?.y ?? 0) * frame.scale,
    scale: frame.scale * scaleOf(chart, of, subChart, path),
    section: label,
    zone: zone?.label ?? frame.zone,
    focalPoint: zone?.focalPoint ?? frame.focalPoint,
    level: frame.level,
    category: categoryKey(of, frame.category),
    depth: frame.depth + 1
  })
}

const readSubChart = (chart: Chart, subChart: unknown, frame: Frame): void => {
  const { problems } = chart
  const section = sectionsOf(chart, frame)
  for (const [row, path] of objects(subChart, "rows", frame.path, problems))
    readRow(chart, frame, row, path, section)
  for (const [table, path] of objects(subChart, "tables", frame.path, problems)) {
    readRow(chart, frame, table, path, section)
  }
  for (const [booth, path] of objects(subChart, "booths", frame.path, problems)) {
    // A booth is one thing to buy: a seat without a row, so that it is never the neighbour of another.
    const row: PlanDraft.DraftRow = { path, label: "", seats: [] }
    section(frame.section).rows.push(row)
    const at = point(field(booth, "center")) ?? point(field(booth, "topLeft"))
    readSeat(chart, frame, row, booth, path, frame.category, at, labelOf(booth))
  }
  for (const [area, path] of objects(subChart, "generalAdmissionAreas", frame.path, problems)) {
    readArea(chart, frame, area, path)
  }
  for (const [nested, path] of objects(subChart, "sections", frame.path, problems)) {
    readSection(chart, frame, nested, path)
  }
}

const readCategories = (json: unknown, draft: PlanDraft.PlanDraft, problems: PlanProblems.PlanProblems) => {
  const byKey = new Map<string, string>()
  for (const [category, path] of objects(field(json, "categories"), "list", "/categories", problems)) {
    const key = text(field(category, "key"))
    const name = text(field(category, "label"))
    if (key === null || name === null) {
      problems.warning("unreadable_category", path, "a category needs a key and a label; passed by")
    } else if (byKey.has(key)) {
      problems.error(
        "duplicate_category",
        path,
        `there is a category with the key ${PlanProblems.quote(key)} already`
      )
    } else {
      byKey.set(key, name)
      const color = PlanDraft.color(text(field(category, "color")))
      PlanDraft.addCategory(draft, { name, color }, path, problems)
    }
  }
  return byKey
}

const readZones = (json: unknown, problems: PlanProblems.PlanProblems) => {
  const byKey = new Map<string, Zone>()
  for (const [zone] of objects(field(json, "zones"), "list", "/zones", problems)) {
    const key = text(field(zone, "key"))
    if (key !== null) {
      byKey.set(key, {
        label: text(field(zone, "label")) ?? key,
        focalPoint: point(field(zone, "focalPoint"))
      })
    }
  }
  return byKey
}

/** The seat map of a parsed chart, or the refusal with every problem. */
export const fromJson = (json: unknown): Result.Result<Imported, PlanRefused> => {
  const draft = PlanDraft.make()
  const problems = PlanProblems.make()
  draft.name = text(field(json, "name")) ?? ""
  const chart: Chart = {
    draft,
    problems,
    categories: readCategories(json, draft, problems),
    zones: readZones(json, problems),
    sectionScale: number(field(json, "sectionScaleFactor")) ?? 100
  }
  if (!(chart.sectionScale > 0)) problems.error("unreadable", "/sectionScaleFactor", "it has to be above 0")
  const top = { x: 0, y: 0, scale: 1, section: "", focalPoint: null, category: null, depth: 0 }
  const subChart = field(json, "subChart")
  if (subChart !== undefined && subChart !== null) {
    draft.focalPoint = point(field(subChart, "focalPoint"))
    readSubChart(chart, subChart, { ...top, path: "/subChart", zone: null, level: 0 })
  }
  let level = 0
  for (const [floor, path] of objects(json, "subChartFloors", "", problems)) {
    level++
    const name = text(field(floor, "floorDisplayName")) ?? text(field(floor, "floorName"))
    draft.focalPoint ??= point(field(floor, "focalPoint"))
    readSubChart(chart, floor, { ...top, path, zone: name, level })
  }
  if (level === 0 && (subChart === undefined || subChart === null)) {
    problems.error("unreadable", "", "this is no seats.io chart: it has no subChart")
  }
  return finish("seatsio", draft, problems)
}
