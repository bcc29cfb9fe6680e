/**
 * Tolerant reading of parsed JSON from anywhere: only own properties are looked at, and nothing of the
 * file is ever used as a key of an object, so that a `__proto__` in it means nothing.
 *
 * Plans in the wild have numbers for texts, texts for numbers, nulls and fields of other versions; a
 * Schema would refuse such a file at its first oddity, while an import has to tell of each with its place.
 */
import type { PlanProblems } from "./PlanProblems.ts"

/** The field of an object; undefined where there is no such object or field. */
export const field = (of: unknown, name: string): unknown =>
  typeof of === "object" && of !== null && Object.hasOwn(of, name)
    ? Object.getOwnPropertyDescriptor(of, name)?.value
    : undefined

export const isObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** A text without the space around it, a number as a text; null for anything else and for the empty text. */
export const text = (value: unknown): string | null => {
  if (typeof value === "number" && Number.isFinite(value)) return String(value)
  if (typeof value !== "string") return null
  const trimmed = value.trim()
  return trimmed === "" ? null : trimmed
}

/** A finite number, also one that is written as a text; null for anything else. */
export const number = (value: unknown): number | null => {
  if (typeof value === "number") return Number.isFinite(value) ? value : null
  if (typeof value !== "string" || !/^\s*[-+]?\d+(\.\d+)?\s*$/.test(value)) return null
  return Number(value)
}

/** `{x, y}`; null where a coordinate is missing. */
export const point = (value: unknown): { readonly x: number; readonly y: number } | null => {
  const x = number(field(value, "x"))
  const y = number(field(value, "y"))
  return x === null || y === null ? null : { x, y }
}

/**
 * The objects of a list with their paths. A missing or null list is empty; null entries are passed by
 * with a warning; what is no list, or no object in it, is an error.
 */
export const objects = function* (
  of: unknown,
  name: string,
  path: string,
  problems: PlanProblems
): Generator<readonly [value: object, path: string]> {
  const list = field(of, name)
  if (list === undefined || list === null) return
  if (!Array.isArray(list)) {
    problems.error("unreadable", `${path}/${name}`, "a list was expected")
    return
  }
  for (let i = 0; i < list.length; i++) {
    const value: unknown = list[i]
    const place = `${path}/${name}/${i}`
    if (isObject(value)) yield [value, place]
    else if (value === null) problems.warning("empty_entry", place, "null; passed by")
    else problems.error("unreadable", place, "an object was expected")
  }
}
