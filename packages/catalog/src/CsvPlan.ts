/**
 * Reads plans in CSV: `section,row,seat_from,seat_to,quantity,price`, the columns in any order.
 *
 * A line is a run of seats, both ends included (numbers, or single letters), or, with a quantity and no
 * seats, an area for general admission. Lines of the same section and row add to one row. Each distinct
 * price is a category, named by it ("45.00") and with the price on it, so that an event can make its
 * tiers of them. The format has no positions: sections are laid out below each other, rows on a grid.
 */
import type { PlanRefused } from "@onsale/contracts/catalog/CatalogErrors"
import { CsvError, parse } from "csv-parse/sync"
import { Result, Schema } from "effect"
import * as PlanDraft from "./PlanDraft.ts"
import * as PlanProblems from "./PlanProblems.ts"
import { finish, type Imported, refuse } from "./PlanReport.ts"

const columns = ["section", "row", "seat_from", "seat_to", "quantity", "price"] as const
type Column = (typeof columns)[number]
type Line = { readonly [K in Column]: string }

const maxCapacity = 10_000_000
/** Six fields of 200 characters fit many times; without a bound an open quote swallows the file. */
const maxLineBytes = 65_536
/** A line for each seat that a plan can have, and as many again. */
const maxLines = 500_000

/** Centimetres, about: the usual distance of seats, of rows, and an aisle between sections. */
const seatStep = 50
const rowStep = 90
const sectionGap = 200

const Records = Schema.Array(
  Schema.Struct({ record: Schema.Array(Schema.String), info: Schema.Struct({ lines: Schema.Int }) })
)

/** Spreadsheets of some countries separate by semicolons; the header tells. */
const delimiterOf = (text: string): string => {
  const header = text.slice(0, text.search(/[\r\n]|$/))
  const count = (delimiter: string) => header.split(delimiter).length
  return [";", "\t"].reduce((best, delimiter) => (count(delimiter) > count(best) ? delimiter : best), ",")
}

/** The place of each column in a record, or undefined after telling what is wrong with the header. */
const readHeader = (header: ReadonlyArray<string>, line: number, problems: PlanProblems.PlanProblems) => {
  const names = header.map((name) => name.trim().toLowerCase())
  const path = `line ${line}`
  for (const column of columns) {
    const found = names.filter((name) => name === column).length
    if (found === 0) problems.error("header", path, `the header lacks the column ${column}`)
    if (found > 1) problems.error("header", path, `the header has the column ${column} twice`)
  }
  names.forEach((name, i) => {
    if (name !== "" && !columns.some((column) => column === name)) {
      problems.warning(
        "unknown_column",
        path,
        `the column ${PlanProblems.quote(header[i]!)} means nothing here`
      )
    }
  })
  return problems.refused() ? undefined : (column: Column) => names.indexOf(column)
}

/** "45", "45.0" and "45,00" are all "45.00"; null where it is no price. */
const normalPrice = (given: string): string | null => {
  const match = /^(\d{1,9})(?:[.,](\d{1,3}))?$/.exec(given)
  return match === null ? null : `${Number(match[1])}.${(match[2] ?? "").padEnd(2, "0")}`
}

/** How many seats a run has and what the i-th is called; a text says what is wrong with it. */
const readRun = (
  from: string,
  to: string
): { readonly count: number; readonly label: (i: number) => string } | string => {
  if (from === "" || to === "") return "seat_from and seat_to belong together"
  if (/^\d{1,9}$/.test(from) && /^\d{1,9}$/.test(to)) {
    const first = Number(from)
    const count = Number(to) - first + 1
    // "01" to "12" keeps its zeros.
    const width = from.startsWith("0") ? from.length : 0
    return count > 0
      ? { count, label: (i) => String(first + i).padStart(width, "0") }
      : `seat_from ${from} is behind seat_to ${to}`
  }
  if (/^[A-Z]$/.test(from) ? /^[A-Z]$/.test(to) : /^[a-z]$/.test(from) && /^[a-z]$/.test(to)) {
    const first = from.charCodeAt(0)
    const count = to.charCodeAt(0) - first + 1
    return count > 0
      ? { count, label: (i) => String.fromCharCode(first + i) }
      : `seat_from ${from} is behind seat_to ${to}`
  }
  return "seat_from and seat_to have to be numbers, or single letters of one case"
}

/** A row with the start of its seats' ids. */
interface NumberedRow {
  readonly row: PlanDraft.DraftRow
  readonly key: string
}

interface SectionRows {
  readonly section: PlanDraft.DraftSection
  readonly number: number
  readonly rows: Map<string, NumberedRow>
}

interface Reading {
  readonly draft: PlanDraft.PlanDraft
  readonly problems: PlanProblems.PlanProblems
  readonly sections: Map<string, SectionRows>
  readonly prices: Set<string>
}

const categoryOf = (reading: Reading, line: Line, path: string): string | null => {
  if (line.price === "") {
    reading.problems.warning("no_category", path, "no price; not for sale")
    return null
  }
  const price = normalPrice(line.price)
  if (price === null) {
    const message = `the price ${PlanProblems.quote(line.price)} has to be a number such as 45.00`
    reading.problems.error("price", path, message)
    return null
  }
  if (!reading.prices.has(price)) {
    reading.prices.add(price)
    PlanDraft.addCategory(reading.draft, { name: price, color: null, price }, path, reading.problems)
  }
  return price
}

const rowOf = (reading: Reading, line: Line, path: string): NumberedRow => {
  let known = reading.sections.get(line.section)
  if (known === undefined) {
    const { section: name } = line
    const section: PlanDraft.DraftSection = { path, name, zone: null, focalPoint: null, level: 0, rows: [] }
    known = { section, number: reading.draft.sections.push(section), rows: new Map() }
    reading.sections.set(name, known)
  }
  const found = known.rows.get(line.row)
  if (found !== undefined) return found
  const row: PlanDraft.DraftRow = { path, label: line.row, seats: [] }
  // The format has no ids; section, row and seat tell a seat, and their numbers fit into any label.
  const added = { row, key: `${known.number}-${known.section.rows.push(row)}` }
  known.rows.set(line.row, added)
  return added
}

const readSeats = (reading: Reading, line: Line, path: string): void => {
  const { draft, problems } = reading
  const run = readRun(line.seat_from, line.seat_to)
  if (typeof run === "string") return problems.error("seats", path, run)
  if (line.quantity !== "" && Number(line.quantity) !== run.count) {
    const message = `the quantity is ${PlanProblems.quote(line.quantity)}, but there are ${run.count} seats`
    return problems.error("capacity", path, message)
  }
  if (line.row === "") problems.warning("empty_row_label", path, "the row has no label")
  const { key, row } = rowOf(reading, line, path)
  if (row.seats.length + run.count > PlanDraft.maxSeatsInRow) {
    return problems.error("row_too_long", path, `a row can have ${PlanDraft.maxSeatsInRow} seats`)
  }
  const category = categoryOf(reading, line, path)
  for (let i = 0; i < run.count; i++) {
    const label = run.label(i)
    const seat: PlanDraft.DraftSeat = {
      path,
      key: `${key}-${label}`,
      label,
      x: 0,
      y: 0,
      category,
      accessible: false,
      companion: false,
      restrictedView: false
    }
    if (!PlanDraft.addSeat(draft, row, seat, problems)) return
  }
}

const readArea = (reading: Reading, line: Line, path: string): void => {
  const capacity = Number(line.quantity)
  if (!/^\d{1,8}$/.test(line.quantity) || capacity > maxCapacity) {
    const message = `the quantity has to be a whole number from 0 to ${maxCapacity}`
    return reading.problems.error("capacity", path, message)
  }
  const name = line.row === "" ? line.section : `${line.section} ${line.row}`
  const category = categoryOf(reading, line, path)
  reading.draft.areas.push({ path, key: `area-${reading.draft.areas.length + 1}`, name, capacity, category })
}

const readLine = (reading: Reading, line: Line, path: string): void => {
  if (line.section === "") reading.problems.error("empty_label", path, "the line has no section")
  else if (line.seat_from !== "" || line.seat_to !== "") readSeats(reading, line, path)
  else if (line.quantity !== "") readArea(reading, line, path)
  else reading.problems.error("seats", path, "the line has neither seats nor a quantity")
}

/** Gives every seat its place on the grid: rows centred, sections one below the other. */
const laidOut = (draft: PlanDraft.PlanDraft): PlanDraft.PlanDraft => {
  const widest = Math.max(
    0,
    ...draft.sections.map((s) => s.rows.reduce((w, row) => Math.max(w, row.seats.length), 0))
  )
  let y = 0
  const sections = draft.sections.map((section) => {
    const rows = section.rows.map((row) => {
      const left = ((widest - row.seats.length) * seatStep) / 2
      const seats = row.seats.map((seat, i) => ({ ...seat, x: left + i * seatStep, y }))
      y += rowStep
      return { ...row, seats }
    })
    y += sectionGap
    return { ...section, rows }
  })
  return { ...draft, sections }
}

/** The seat map of a CSV file, or the refusal with every problem. */
export const fromText = (text: string): Result.Result<Imported, PlanRefused> => {
  const draft = PlanDraft.make()
  const problems = PlanProblems.make()
  const parsed = Result.try({
    try: (): unknown =>
      parse(text, {
        bom: true,
        delimiter: delimiterOf(text),
        info: true,
        max_record_size: maxLineBytes,
        relax_column_count: true,
        skip_empty_lines: true,
        to: maxLines + 1,
        trim: true
      }),
    catch: (error) => (error instanceof CsvError ? { lines: error.lines, message: error.message } : null)
  })
  if (Result.isFailure(parsed)) {
    const error = parsed.failure
    problems.error("unreadable", `line ${Number(error?.lines ?? 1)}`, error?.message ?? "this is no CSV")
    return refuse("csv", draft, problems)
  }
  const records = Schema.decodeUnknownResult(Records)(parsed.success)
  const [header, ...lines] = Result.getOrElse(records, () => [])
  if (header === undefined) {
    problems.error("unreadable", "line 1", "the file is empty")
    return refuse("csv", draft, problems)
  }
  if (lines.length === maxLines) {
    problems.error("too_large", `line ${maxLines}`, `a plan can have ${maxLines} lines`)
    return refuse("csv", draft, problems)
  }
  const place = readHeader(header.record, header.info.lines, problems)
  if (place === undefined) return refuse("csv", draft, problems)
  const reading: Reading = { draft, problems, sections: new Map(), prices: new Set() }
  for (const { record, info } of lines) {
    const cell = (column: Column): string => record[place(column)] ?? ""
    if (record.every((value) => value === "")) continue
    const path = `line ${info.lines}`
    if (record.length !== header.record.length) {
      const message = `${record.length} fields under a header of ${header.record.length}`
      problems.error("fields", path, message)
      continue
    }
    readLine(
      reading,
      {
        section: cell("section"),
        row: cell("row"),
        seat_from: cell("seat_from"),
        seat_to: cell("seat_to"),
        quantity: cell("quantity"),
        price: cell("price")
      },
      path
    )
  }
  return finish("csv", laidOut(draft), problems)
}
