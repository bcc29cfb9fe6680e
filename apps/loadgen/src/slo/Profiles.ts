/** The profiles that a run left in its directory, for people: they are written as the processes end. */
import { Effect, FileSystem, Schema } from "effect"
import { nowMs } from "../open/Client.ts"
import { markdown } from "../Table.ts"
import type { Look } from "./Watch.ts"
import * as ProfileSummary from "./ProfileSummary.ts"

const suffix = ".cpuprofile"
const decode = Schema.decodeUnknownEffect(Schema.fromJsonString(ProfileSummary.CpuProfile))

/** The time of the looks by the clock that profiles have. */
const spanOf = (looks: ReadonlyArray<Look> | undefined): ProfileSummary.Span | undefined => {
  const [first, last] = [looks?.[0], looks?.at(-1)]
  if (first === undefined || last === undefined) return undefined
  const us = (atMs: number) => Number(process.hrtime.bigint() / 1_000n) + (atMs - nowMs()) * 1e3
  return { fromUs: us(first.atMs), toUs: us(last.atMs) }
}

/** Of each process, the busiest first; of the time in which it was looked at. */
export const read = Effect.fn("Profiles.read")(function* (
  directory: string,
  looks: ReadonlyArray<Look> | undefined
) {
  const fs = yield* FileSystem.FileSystem
  const span = spanOf(looks)
  const names = (yield* fs.readDirectory(directory)).filter((name) => name.endsWith(suffix))
  const found = yield* Effect.forEach(names, (name) =>
    fs.readFileString(`${directory}/${name}`).pipe(
      Effect.flatMap(decode),
      Effect.map((profile) => ProfileSummary.summarise(name.slice(0, -suffix.length), profile, span))
    )
  )
  return found.sort((a, b) => a.idle - b.idle)
})

const percent = (share: number) => `${(share * 100).toFixed(1)}%`

export const table = (summaries: ReadonlyArray<ProfileSummary.ProfileSummary>): string =>
  summaries
    .map(({ collecting, functions, idle, owners, process, seconds }) =>
      [
        `## ${process}: ${percent(1 - idle)} of its main thread in ${seconds.toFixed(0)} s, ${percent(collecting)} of that the collection of garbage`,
        "",
        `By owner: ${owners.map(({ name, share }) => `${name} ${percent(share)}`).join(", ")}.`,
        "",
        markdown(
          ["self time", "function", "where"],
          functions.map(({ name, share, where }) => [percent(share), name, where])
        )
      ].join("\n")
    )
    .join("\n\n")

/** In a sentence, what the busiest of them does. */
export const bound = ([busiest]: ReadonlyArray<ProfileSummary.ProfileSummary>): string => {
  if (busiest === undefined) return "There are no profiles."
  const { functions, idle, owners, process } = busiest
  const list = (lines: ReadonlyArray<ProfileSummary.Line>) =>
    lines
      .slice(0, 3)
      .map(({ name, share }) => `${name} ${percent(share)}`)
      .join(", ")
  return `By their profiles the fullest thread is that of ${process}, idle ${percent(idle)} of the time: ${list(functions)}; by owner ${list(owners)}.`
}
