/** Reads what `/metrics` answers (the text format of Prometheus). */

export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export const parse = (text: string): ReadonlyArray<Sample> =>
  text.split("\n").flatMap((line) => {
    const found = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/.exec(line)
    if (found === null || found[1] === undefined) return []
    const labels = Object.fromEntries(
      Array.from((found[2] ?? "").matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g), ([, key, value]) => [key, value])
    )
    return [{ name: found[1], labels, value: Number(found[3]) }]
  })

/** The sum of the series of a metric that have these labels. */
export const sum = (
  samples: ReadonlyArray<Sample>,
  name: string,
  labels: Readonly<Record<string, string>> = {}
): number =>
  samples.reduce(
    (total, sample) =>
      sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value)
        ? total + sample.value
        : total,
    0
  )

/** The highest of the series of a metric; undefined where there is none. */
export const highest = (samples: ReadonlyArray<Sample>, name: string): number | undefined => {
  const values = samples.filter((sample) => sample.name === name).map(({ value }) => value)
  return values.length === 0 ? undefined : Math.max(...values)
}
