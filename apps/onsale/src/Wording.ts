/** Numbers in sentences. */
export const count = (value: number): string => value.toLocaleString("en")

/** "1 seat", "2 seats". */
export const plural = (value: number, noun: string): string =>
  `${count(value)} ${noun}${value === 1 ? "" : "s"}`
