/** Imports a plan of any format: bounds first, then the format's own reader. Pure. */
import type { PlanRefused } from "@onsale/contracts/catalog/CatalogErrors"
import type { PlanFormat } from "@onsale/contracts/catalog/SeatMap"
import { Result } from "effect"
import * as CsvPlan from "./CsvPlan.ts"
import * as PlanDraft from "./PlanDraft.ts"
import * as PlanProblems from "./PlanProblems.ts"
import { type Imported, refuse } from "./PlanReport.ts"
import * as PretixPlan from "./PretixPlan.ts"
import * as SeatsioPlan from "./SeatsioPlan.ts"

/** The largest file, in bytes of UTF-8. The largest real chart known has 2.6 MB for 8,897 seats. */
export const maxFileBytes = 32 * 1024 * 1024
/** Sixteen sections within each other make 50 levels; no plan is deeper. */
const maxDepth = 64
/** 250,000 seats with twenty fields each, and room. */
const maxValues = 8_000_000

const refused = (format: PlanFormat, code: string, message: string) => {
  const problems = PlanProblems.make()
  problems.error(code, format === "csv" ? "line 1" : "", message)
  return refuse(format, PlanDraft.make(), problems)
}

/** What is too much about a parsed value, counted without recursion; undefined for none. */
const excess = (json: unknown): readonly [code: string, message: string] | undefined => {
  let level: Array<unknown> = [json]
  let values = 0
  let characters = 0
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > maxDepth) return ["too_deep", `lists and objects are nested more than ${maxDepth} deep`]
    const next: Array<unknown> = []
    for (const value of level) {
      if (typeof value === "string") characters += value.length
      if (typeof value !== "object" || value === null) continue
      const inner: ReadonlyArray<unknown> = Array.isArray(value) ? value : Object.values(value)
      values += inner.length
      if (values > maxValues) return ["too_large", `more than ${maxValues} values`]
      for (const entry of inner) if (typeof entry === "string" || typeof entry === "object") next.push(entry)
    }
    if (characters > maxFileBytes) return ["too_large", `more than ${maxFileBytes} bytes`]
    level = next
  }
  return undefined
}

const fromJson = (format: "seatsio" | "pretix", json: unknown): Result.Result<Imported, PlanRefused> => {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    return refused(format, "unreadable", "an object was expected")
  }
  const found = excess(json)
  if (found !== undefined) return refused(format, ...found)
  return format === "seatsio" ? SeatsioPlan.fromJson(json) : PretixPlan.fromJson(json)
}

/**
 * The seat map of a plan and the report, or the refusal with the report.
 *
 * @param content the text of the file; of the JSON formats also what it parses to
 */
export const importPlan = (format: PlanFormat, content: unknown): Result.Result<Imported, PlanRefused> => {
  if (typeof content !== "string") {
    return format === "csv"
      ? refused(format, "unreadable", "a CSV plan is sent as its text")
      : fromJson(format, content)
  }
  if (content.length > maxFileBytes || new TextEncoder().encode(content).length > maxFileBytes) {
    return refused(format, "too_large", `the file has more than ${maxFileBytes} bytes`)
  }
  if (format === "csv") return CsvPlan.fromText(content)
  const text = content.startsWith("\uFEFF") ? content.slice(1) : content
  const json = Result.try({ try: (): unknown => JSON.parse(text), catch: (error) => String(error) })
  return Result.isFailure(json)
    ? refused(format, "unreadable", `this is no JSON: ${json.failure}`)
    : fromJson(format, json.success)
}
