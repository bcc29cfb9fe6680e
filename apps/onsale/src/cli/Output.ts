/** What commands print: text for people, JSON for programs. */
import { Console, Effect } from "effect"
import { CliOutput } from "effect/cli"
import { Json } from "./Settings.ts"

/** Text holds what strangers typed, and what their services answered: nothing of it steers a terminal. */
export const asText = (text: string): string => text.replaceAll(/[^\P{Cc}\n\t]/gu, "\ufffd")

/** JSON escapes them itself, but for these. */
export const asJson = (value: unknown): string =>
  JSON.stringify(value, null, 2).replaceAll(
    /[\u007f-\u009f]/g,
    (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, "0")}`
  )

/** The value as JSON with `--json`, the lines otherwise; on stdout. */
export const print = Effect.fnUntraced(function* (value: unknown, lines: ReadonlyArray<string>) {
  yield* Console.log((yield* Json) ? asJson(value) : asText(lines.join("\n")))
})

/** A remark that is no part of the result; nothing with `--json`. */
export const note = Effect.fnUntraced(function* (text: string) {
  if (!(yield* Json)) yield* Console.error(asText(text))
})

/** A name may hold whatever somebody typed; nothing of it moves the cursor. */
const printable = (cell: string | number): string => String(cell).replaceAll(/[\p{Cc}\s]+/gu, " ")

/** Rows under a header, in columns as wide as their widest cell. */
export const table = (
  header: ReadonlyArray<string>,
  rows: ReadonlyArray<ReadonlyArray<string | number>>
): ReadonlyArray<string> => {
  const cells = [header, ...rows.map((row) => row.map(printable))]
  const widths = header.map((_, column) =>
    cells.reduce((widest, row) => Math.max(widest, CliOutput.displayWidth(row[column] ?? "")), 0)
  )
  const isNumber = header.map(
    (_, column) => rows.length > 0 && rows.every((row) => typeof row[column] === "number")
  )
  return cells.map((row) =>
    row
      .map((cell, column) => {
        const padding = " ".repeat(Math.max(0, (widths[column] ?? 0) - CliOutput.displayWidth(cell)))
        return isNumber[column] === true ? padding + cell : cell + padding
      })
      .join("  ")
      .trimEnd()
  )
}

/** Minor units as people write them: `45.00 EUR`. */
export const money = ({
  amount,
  currency
}: {
  readonly amount: number
  readonly currency: string
}): string => {
  const digits =
    new Intl.NumberFormat("en", { style: "currency", currency }).resolvedOptions().maximumFractionDigits ?? 2
  return `${(amount / 10 ** digits).toFixed(digits)} ${currency}`
}
