/** Collects what is wrong with a plan while it is read. */
import type { PlanProblem } from "@onsale/contracts/catalog/SeatMap"

/** A file with more problems is not read by people one by one; the report says how many there are in all. */
export const maxListed = 1000

export interface PlanProblems {
  /** Refuses the plan whole. `path` is a JSON pointer, or `line N`. */
  readonly error: (code: string, path: string, message: string) => void
  /** Imported as the message says. */
  readonly warning: (code: string, path: string, message: string) => void
  /** The first `maxListed`, errors before warnings, each in the order of the file's reading. */
  readonly list: () => ReadonlyArray<PlanProblem>
  readonly count: () => number
  readonly refused: () => boolean
}

export const make = (): PlanProblems => {
  const errors: Array<PlanProblem> = []
  const warnings: Array<PlanProblem> = []
  let count = 0
  const add =
    (severity: PlanProblem["severity"], into: Array<PlanProblem>) =>
    (code: string, path: string, message: string): void => {
      count++
      if (into.length < maxListed) into.push({ severity, code, path, message })
    }
  return {
    error: add("error", errors),
    warning: add("warning", warnings),
    list: () => [...errors, ...warnings].slice(0, maxListed),
    count: () => count,
    refused: () => errors.length > 0
  }
}

/** A text of the file as a message quotes it: short, and with nothing unprintable in it. */
export const quote = (text: string): string =>
  JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text)
