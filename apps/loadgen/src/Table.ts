/** Figures for people to read. */

/** `median [least, most]`; a single value stands alone. */
export const spread = (values: ReadonlyArray<number>, digits: number): string => {
  const sorted = [...values].sort((a, b) => a - b)
  const median = sorted[sorted.length >> 1] ?? Number.NaN
  const show = (value: number) => value.toFixed(digits)
  return sorted.length < 2 || sorted[0] === sorted[sorted.length - 1]
    ? show(median)
    : `${show(median)} [${show(sorted[0]!)}, ${show(sorted[sorted.length - 1]!)}]`
}

/** A table in Markdown. */
export const markdown = (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const widths = head.map((cell, i) => Math.max(3, cell.length, ...rows.map((row) => row[i]?.length ?? 0)))
  const line = (cells: ReadonlyArray<string>) =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(" | ")} |`
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n")
}
