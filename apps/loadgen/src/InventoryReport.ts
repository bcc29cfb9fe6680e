/** The figures of `npm run bench -- inventory`, for people. */
import * as Checker from "./Checker.ts"
import type { Contender } from "./contenders/Contender.ts"
import type { Figures } from "./Rounds.ts"
import { markdown, spread } from "./Table.ts"
import type { Workload } from "./Workloads.ts"

type Compares = Workload["compares"]

export interface Row {
  readonly contender: Pick<Contender, "name" | "label" | "seenIn" | "kind" | "trustsRedis">
  /** In the order of the rounds; the n-th rounds of all contenders belong together. */
  readonly rounds: ReadonlyArray<Figures>
  /** What was found while it warmed up, where an area is sold out too. */
  readonly warmUp: ReadonlyArray<Figures>
}

const median = (values: ReadonlyArray<number>): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN

/** `NaN` says nothing to people. */
const shown = (text: string): string => (text.includes("NaN") ? "–" : text)

const rate = (figures: Figures, compares: Compares): number =>
  figures.winsPerSecond + (compares === "answered" ? figures.refusalsPerSecond : 0)

const usesRedis = ({ contender }: Row): boolean => contender.trustsRedis || contender.name === "L1"

/** Microseconds a winning hold, of all that work for it. */
const cpu = (row: Row, { postgresCpu, redisCpu, serverCpu }: Figures): number =>
  serverCpu + postgresCpu + (usesRedis(row) ? redisCpu : 0)

/** How many times a figure of `one` is that of `other`, round by round. */
const pairwise = (
  one: Row,
  other: Row,
  pick: (row: Row, figures: Figures) => number
): ReadonlyArray<number> =>
  one.rounds.map((figures, i) => {
    const beside = other.rounds[i]
    return beside === undefined ? Number.NaN : pick(one, figures) / pick(other, beside)
  })

/** How many times the winning holds (or the answers) of `one` are those of `other`, round by round. */
export const ratios = (one: Row, other: Row, compares: Compares): ReadonlyArray<number> =>
  pairwise(one, other, (_, figures) => rate(figures, compares))

const verdict = ({ contender, rounds, warmUp }: Row): string => {
  if (contender.kind === "limit") return "–"
  const all = [...warmUp, ...rounds]
  const twice = all.reduce((sum, { findings }) => sum + (findings?.soldTwice ?? 0), 0)
  const lost = all.reduce((sum, { findings }) => sum + (findings?.lost ?? 0), 0)
  return twice + lost === 0 ? "sound" : `${twice} SOLD TWICE, ${lost} lost`
}

/** The fastest of some by their medians. */
const fastest = (rows: ReadonlyArray<Row>, compares: Compares): Row | undefined => {
  const middle = (row: Row) => median(row.rounds.map((figures) => rate(figures, compares)))
  return [...rows].sort((a, b) => middle(b) - middle(a))[0]
}

/** Of ours the one that the others are measured by: the last that was asked for. */
const reference = (rows: ReadonlyArray<Row>): Row | undefined =>
  rows.findLast(({ contender }) => contender.kind === "ours")

export const table = (rows: ReadonlyArray<Row>, compares: Compares): string => {
  const ours = reference(rows)
  return markdown(
    [
      "",
      "won/s",
      "refused/s",
      "other",
      "p50 ms",
      "p95 ms",
      "p99 ms",
      "CPU µs a hold: server",
      "Postgres",
      "Redis",
      "together ÷ ours",
      "transactions a hold",
      `${ours?.contender.name ?? "ours"} ÷ it`,
      "check"
    ],
    rows.map((row) => {
      const show = (pick: (figures: Figures) => number, digits = 0) =>
        shown(spread(row.rounds.map(pick), digits))
      const isLimit = row.contender.kind === "limit"
      return [
        row.contender.name,
        show(({ winsPerSecond }) => winsPerSecond),
        show(({ refusalsPerSecond }) => refusalsPerSecond),
        show(({ other }) => other),
        show(({ p50 }) => p50, 1),
        show(({ p95 }) => p95, 1),
        show(({ p99 }) => p99, 1),
        show(({ serverCpu }) => serverCpu),
        isLimit ? "–" : show(({ postgresCpu }) => postgresCpu),
        usesRedis(row) ? show(({ redisCpu }) => redisCpu) : "–",
        isLimit || ours === undefined || ours === row ? "–" : shown(spread(pairwise(row, ours, cpu), 2)),
        isLimit ? "–" : shown((row.rounds.at(-1)?.transactions ?? Number.NaN).toFixed(2)),
        ours === undefined || ours === row ? "–" : spread(ratios(ours, row, compares), 2),
        verdict(row)
      ]
    })
  )
}

/** The lines under a table: who is who, the ratios that count, and what is suspicious. */
export const notes = (
  rows: ReadonlyArray<Row>,
  compares: Compares,
  busyCores: number
): ReadonlyArray<string> => {
  const ours = reference(rows)
  const against = (row: Row | undefined, what: string) =>
    ours === undefined || row === undefined
      ? []
      : [
          `${ours.contender.name} ÷ ${row.contender.name} (${what}): ${spread(ratios(ours, row, compares), 2)}, of ${compares === "won" ? "winning holds" : "answers"} a second`
        ]
  const peers = rows.filter(({ contender }) => contender.kind === "peer")
  const raw = rows.find(({ contender }) => contender.name === "raw-http")
  const cores = (row: Row) => median(row.rounds.map(({ clientCores }) => clientCores))
  const ceiling = (row: Row) =>
    median(row.rounds.map((figures) => rate(figures, "answered") / figures.clientCores))
  return [
    ...rows.map(
      ({ contender }) =>
        `- ${contender.name}: ${contender.label}${contender.seenIn === "" ? "" : `. Seen in: ${contender.seenIn}`}`
    ),
    "",
    ...against(
      rows.find(({ contender }) => contender.name === "row-locks"),
      "the textbook"
    ),
    ...against(
      fastest(
        peers.filter(({ contender }) => !contender.trustsRedis),
        compares
      ),
      "the best that decides in Postgres"
    ),
    ...against(
      fastest(
        peers.filter(({ contender }) => contender.trustsRedis),
        compares
      ),
      "the best that decides in Redis"
    ),
    ...against(raw, "the limit"),
    ...(raw === undefined
      ? []
      : [
          `the load's own ceiling: ${Math.round(ceiling(raw))} answers/s of a core; it took ${cores(raw).toFixed(2)} of one at raw-http`
        ]),
    ...rows
      .filter((row) => cores(row) > busyCores)
      .map(
        (row) =>
          `WARNING: the load took ${cores(row).toFixed(2)} of a core at ${row.contender.name}, which may be faster than it shows`
      ),
    ...rows
      .filter(
        ({ contender, rounds }) =>
          compares === "won" && contender.kind !== "limit" && rounds.some((figures) => figures.ranDry)
      )
      .map(({ contender }) => `${contender.name} ran out of what to ask for before its time was over`)
  ]
}

/** What the checker says that must not be: something sold twice by who is not naive, or nothing by who is. */
export const surprises = (rows: ReadonlyArray<Row>): ReadonlyArray<string> =>
  rows.flatMap((row) => {
    const breach = [...row.warmUp, ...row.rounds].some(
      ({ findings }) => findings !== undefined && !Checker.sound(findings)
    )
    if (row.contender.kind === "naive")
      return breach
        ? []
        : [`the checker found nothing at ${row.contender.name}, where there must be something`]
    return breach ? [`BREACH: ${row.contender.name}: ${verdict(row)}`] : []
  })
