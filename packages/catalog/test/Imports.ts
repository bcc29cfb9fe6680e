/** What tests ask of an import. */
import type { ImportReport, PlanFormat, SeatMap } from "@onsale/contracts/catalog/SeatMap"
import { Result } from "effect"
import { importPlan } from "../src/PlanImport.ts"

/** The map and the report of a plan that has to be accepted. */
export const accepted = (
  format: PlanFormat,
  content: unknown
): { readonly map: SeatMap; readonly report: ImportReport } => {
  const result = importPlan(format, content)
  if (Result.isFailure(result)) throw new Error(`refused: ${JSON.stringify(result.failure.report.problems)}`)
  return result.success
}

/** The report of a plan that has to be refused. */
export const refused = (format: PlanFormat, content: unknown): ImportReport => {
  const result = importPlan(format, content)
  if (Result.isSuccess(result)) throw new Error("accepted")
  return result.failure.report
}

/** `severity code path` of each problem. */
export const problems = (report: ImportReport): ReadonlyArray<string> =>
  report.problems.map(({ code, path, severity }) => `${severity} ${code} ${path}`)

/** `section|row|seat` of each seat, in order. */
export const places = (map: SeatMap): ReadonlyArray<string> =>
  map.sections.flatMap((s) =>
    s.rows.flatMap((r) => r.seats.map((seat) => `${s.name}|${r.label}|${seat.label}`))
  )

export const seatsOf = (map: SeatMap) => map.sections.flatMap((s) => s.rows.flatMap((r) => r.seats))
