/** `npm run sim -- balance`: how evenly events load the runners of a cluster, as we run it and as we could. */
import { Console, Effect } from "effect"
import { Dice } from "../simulation/World.ts"
import * as Designs from "./Designs.ts"
import { type EntityLoad, eventLoads, hottest } from "./EventLoad.ts"
import { maxToAverage, movedWithout, type Runner, ringOwners, runnersNamed, sums } from "./Placement.ts"

export interface BalanceFlags {
  /** Numbers of runners, with commas between them. */
  readonly runners: string
  readonly shards: number
  readonly events: number
  readonly zipf: number
  readonly seed: number
  /** Each with events and runners of its own. */
  readonly draws: number
}

/** Winning holds a second of one process, measured with one event. */
const holdsOfOne = 20_000
/** Of the average of a runner: an event above it is split. */
const splitAt = 1 / 8
const looks = 20

const middle = (values: ReadonlyArray<number>): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN
const figure = (values: ReadonlyArray<number>): string =>
  `${middle(values).toFixed(2)} (${Math.max(...values).toFixed(2)})`
const percent = (values: ReadonlyArray<number>): string => `${(100 * middle(values)).toFixed(1)}%`
const row = (cells: ReadonlyArray<string>): string => `| ${cells.join(" | ")} |`
const head = (cells: ReadonlyArray<string>): string => `${row(cells)}\n${row(cells.map(() => "---"))}`

interface Draw {
  readonly dice: Dice
  readonly entities: ReadonlyArray<EntityLoad>
  readonly runners: ReadonlyArray<Runner>
}
type Design = readonly [name: string, place: (draw: Draw) => ReadonlyArray<number>]

const designs = (shards: number): ReadonlyArray<Design> => {
  const parts = ({ entities, runners }: Draw) => Designs.split(entities, splitAt / runners.length)
  const many = Math.max(1_024, shards)
  return [
    [`the ring, ${shards} shards`, ({ entities, runners }) => Designs.byRing(entities, runners, shards)],
    ["the ring, 1,024 shards", ({ entities, runners }) => Designs.byRing(entities, runners, 1_024)],
    ["the ring, 4,096 shards", ({ entities, runners }) => Designs.byRing(entities, runners, 4_096)],
    [
      `weights by load, ${shards} shards`,
      ({ entities, runners }) => Designs.byWeights(entities, runners, shards, looks)
    ],
    [
      `two choices, ${many} shards`,
      ({ dice, entities, runners }) => Designs.byTwoChoices(dice, entities, runners, many)
    ],
    [
      `a table of ${shards} shards by load`,
      ({ entities, runners }) => Designs.byTable(entities, runners, shards)
    ],
    ["whole events, the best there is", ({ entities, runners }) => Designs.byDirectory(entities, runners)],
    [`split, the ring, ${many} shards`, (draw) => Designs.byRing(parts(draw), draw.runners, many)],
    [
      `split, weights by load, ${many} shards`,
      (draw) => Designs.byWeights(parts(draw), draw.runners, many, looks)
    ],
    [
      `split, two choices, ${many} shards`,
      (draw) => Designs.byTwoChoices(draw.dice, parts(draw), draw.runners, many)
    ],
    [
      `split, a table of ${shards} shards by load`,
      (draw) => Designs.byTable(parts(draw), draw.runners, shards)
    ],
    [`split, a table of ${many} shards by load`, (draw) => Designs.byTable(parts(draw), draw.runners, many)]
  ]
}

/** The ring as it is: its shards, and what a death moves. */
const ringTable = (counts: ReadonlyArray<number>, { draws, shards }: BalanceFlags): string => {
  const lines = counts.flatMap((count) =>
    [...new Set([shards, 1_024])].map((of) => {
      const all = Array.from({ length: draws }, (_, draw) => {
        const runners = runnersNamed(draw % 256, count)
        const owned = sums(ringOwners(runners, of), new Array<number>(of).fill(1), count)
        return { spread: maxToAverage(owned), ...movedWithout(runners, draw % count, of) }
      })
      return row([
        String(count),
        String(of),
        figure(all.map(({ spread }) => spread)),
        percent(all.map(({ ofDead }) => ofDead)),
        percent(all.map(({ ofOthers }) => ofOthers))
      ])
    })
  )
  return [
    head(["runners", "shards", "shards, max/avg", "moved of the dead one's", "moved of the others'"]),
    ...lines
  ].join("\n")
}

const loadTable = (
  counts: ReadonlyArray<number>,
  flags: BalanceFlags,
  loadsOf: (dice: Dice) => ReadonlyArray<EntityLoad>
): string => {
  const drawn = Array.from({ length: flags.draws }, (_, draw) => {
    const dice = new Dice(flags.seed + draw)
    return { draw, dice, entities: loadsOf(dice) }
  })
  const all = designs(flags.shards).map(([name, place]) => ({
    name,
    loads: counts.map((count) =>
      drawn.map(({ dice, draw, entities }) =>
        place({ dice, entities, runners: runnersNamed(draw % 256, count) })
      )
    )
  }))
  const most = hottest(drawn[0]?.entities ?? [])
  const names = counts.map((count) => `${count} runners`)
  return [
    `the hottest event has ${(100 * most).toFixed(1)}% of all load\n`,
    head(["load of runners, max/avg", ...names]),
    row(["a lower bound for whole events", ...counts.map((count) => Math.max(1, count * most).toFixed(2))]),
    ...all.map(({ loads, name }) => row([name, ...loads.map((each) => figure(each.map(maxToAverage)))])),
    "",
    head([`winning holds/s in all when the fullest has ${holdsOfOne}`, ...names]),
    ...all.map(({ loads, name }) =>
      row([
        name,
        ...loads.map((each) => String(Math.round(holdsOfOne / middle(each.map((one) => Math.max(...one))))))
      ])
    )
  ].join("\n")
}

export const runBalance = Effect.fn("runBalance")(function* (flags: BalanceFlags) {
  const { draws, events, shards, zipf } = flags
  const counts = flags.runners.split(",").map(Number)
  yield* Console.log(
    `${events} events, Zipf ${zipf}, ${shards} shards, ${draws} draws from seed ${flags.seed}: the middle one (the worst)\n`
  )
  yield* Console.log(`${ringTable(counts, flags)}\n`)
  yield* Console.log(
    `All events: ${loadTable(counts, flags, (dice) => eventLoads(dice, { events, exponent: zipf }))}\n`
  )
  const tail = (dice: Dice) => eventLoads(dice, { events, exponent: zipf, ceiling: 0.01 })
  yield* Console.log(`Without events above 1% of all load: ${loadTable(counts, flags, tail)}`)
})
