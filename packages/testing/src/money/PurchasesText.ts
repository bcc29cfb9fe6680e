/** A run of random purchases, told in some lines. */
import type { PurchasesReport } from "./RandomPurchases.ts"

const list = (counts: ReadonlyMap<string, number>, only: (name: string) => boolean = () => true): string =>
  [...counts]
    .filter(([name]) => only(name))
    .toSorted(([, a], [, b]) => b - a)
    .map(([name, times]) => `${times} ${name}`)
    .join(", ") || "none"

const seconds = (ms: number): string => (ms / 1_000).toFixed(1)

export const lines = (report: PurchasesReport): ReadonlyArray<string> => {
  const { answerMs, buyingMs, drainingMs, elsewhere, ends, lives, struck, tally, through } = report
  const starts =
    (...words: ReadonlyArray<string>) =>
    (name: string) =>
      words.some((word) => name.startsWith(word))
  return [
    `orders       ${list(ends)}`,
    `payments     ${through.authorised} authorised, ${through.captured} of them captured (${((100 * through.captured) / Math.max(1, through.authorised)).toFixed(2)}%)`,
    `at first     ${list(tally, starts("answered", "order refused", "found nothing"))}`,
    `then         ${list(tally, starts("pending,", "tried again", "refund", "races"))}`,
    `faults       ${list(struck)}`,
    `webhooks     ${list(tally, starts("webhook"))}`,
    `holds        ${list(tally, starts("hold refused"))}`,
    `our process  killed ${lives - 1} times; ${elsewhere} orders were paid at another provider than the preferred one`,
    `answers      p50 ${seconds(answerMs.p50)} s, p99 ${seconds(answerMs.p99)} s; ${seconds(buyingMs)} s of buying, ${seconds(drainingMs)} s to rest (the world's time)`
  ]
}
