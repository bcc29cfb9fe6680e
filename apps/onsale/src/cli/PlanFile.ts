/** A seat map in a file: which format it is. */
import type { PlanFormat } from "@onsale/contracts/catalog/SeatMap"
import { Option, Predicate, Result } from "effect"

/** What the service takes at the most; a larger file need not be sent. */
export const maxFileBytes = 32 * 1024 * 1024

/** The first members that only one of the JSON formats has. */
const ofJson = (json: unknown): Option.Option<PlanFormat> => {
  if (!Predicate.isObject(json)) return Option.none()
  // seats.io keeps its lists in objects, `zones` and `categories` too; pretix has them bare.
  if ("subChart" in json || "subChartFloors" in json) return Option.some("seatsio")
  if (Predicate.hasProperty(json, "zones") && Array.isArray(json.zones)) return Option.some("pretix")
  return Predicate.hasProperty(json, "categories") && Predicate.hasProperty(json.categories, "list")
    ? Option.some("seatsio")
    : Option.none()
}

/** The format that the content is of, as far as a glance tells: importing it is another matter. */
export const guessFormat = (content: string): Option.Option<PlanFormat> => {
  const text = content.replace(/^\uFEFF/, "").trimStart()
  if (text.startsWith("{") || text.startsWith("[")) {
    const json = Result.try((): unknown => JSON.parse(text))
    return Result.isSuccess(json) ? ofJson(json.success) : Option.none()
  }
  const header = text.slice(0, text.search(/[\r\n]|$/)).toLowerCase()
  const columns = header.split(/[,;\t]/).map((column) => column.trim().replace(/^"(.*)"$/, "$1"))
  return columns.includes("section") && (columns.includes("seat_from") || columns.includes("quantity"))
    ? Option.some("csv")
    : Option.none()
}
