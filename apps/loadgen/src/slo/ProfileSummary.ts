/**
 * What a process did with its main thread, from a profile as `node --cpu-prof` writes it: how long it was idle, how long it
 * collected garbage, and which functions were on top of its stack.
 */
import { Schema } from "effect"

/** Of the profile's own clock, in microseconds; monotonic, and one for all processes of a machine. */
export interface Span {
  readonly fromUs: number
  readonly toUs: number
}

export interface Line {
  readonly name: string
  readonly where: string
  /** Of the time in which the thread was busy, from 0 to 1. */
  readonly share: number
}

export interface ProfileSummary {
  readonly process: string
  readonly seconds: number
  /** Of all the time. */
  readonly idle: number
  /** Of the time in which it was busy. */
  readonly collecting: number
  /** By self time, the most first. */
  readonly functions: ReadonlyArray<Line>
  /** The same by whose code it is: a package, an app, Node itself. */
  readonly owners: ReadonlyArray<Line>
}

export const CpuProfile = Schema.Struct({
  startTime: Schema.Finite,
  nodes: Schema.Array(
    Schema.Struct({
      id: Schema.Int,
      callFrame: Schema.Struct({
        functionName: Schema.String,
        url: Schema.String,
        lineNumber: Schema.Int
      })
    })
  ),
  samples: Schema.Array(Schema.Int),
  timeDeltas: Schema.Array(Schema.Finite)
})
export type CpuProfile = typeof CpuProfile.Type

const shownFunctions = 15
const shownOwners = 8
const idle = "(idle)"
const collector = "(garbage collector)"

/** From the last directory that tells whose it is. */
const shortUrl = (url: string): string =>
  url.replace(/^.*\/(node_modules|packages|apps|migrations)\//, (_, directory) =>
    directory === "node_modules" ? "" : `${directory}/`
  )

const ownerOf = (url: string): string => {
  // System calls, the collector and what is compiled into Node have no address.
  if (url === "" || url.startsWith("node:")) return "Node"
  const parts = shortUrl(url).split("/")
  return parts.slice(0, /^(packages|apps)$|^@/.test(parts[0] ?? "") ? 2 : 1).join("/")
}

const most = (times: ReadonlyMap<string, number>, busy: number, count: number): ReadonlyArray<Line> =>
  [...times]
    .sort(([, a], [, b]) => b - a)
    .slice(0, count)
    .map(([key, us]) => {
      const [name = "", where = ""] = key.split("\n")
      return { name, where, share: busy === 0 ? 0 : us / busy }
    })

/** Of the samples within the span; of all where there is none. */
export const summarise = (process: string, profile: CpuProfile, span?: Span): ProfileSummary => {
  const frames = new Map(profile.nodes.map(({ callFrame, id }) => [id, callFrame]))
  const functions = new Map<string, number>()
  const owners = new Map<string, number>()
  const times = { all: 0, idle: 0, collecting: 0 }
  let atUs = profile.startTime
  profile.samples.forEach((id, index) => {
    const us = profile.timeDeltas[index] ?? 0
    atUs += us
    const frame = frames.get(id)
    if (frame === undefined || (span !== undefined && (atUs < span.fromUs || atUs > span.toUs))) return
    times.all += us
    const { functionName, lineNumber, url } = frame
    if (functionName === idle) {
      times.idle += us
      return
    }
    if (functionName === collector) times.collecting += us
    const key = `${functionName || "(anonymous)"}\n${url === "" ? "" : `${shortUrl(url)}:${lineNumber + 1}`}`
    functions.set(key, (functions.get(key) ?? 0) + us)
    const owner = ownerOf(url)
    owners.set(owner, (owners.get(owner) ?? 0) + us)
  })
  const busy = times.all - times.idle
  return {
    process,
    seconds: times.all / 1e6,
    idle: times.all === 0 ? 0 : times.idle / times.all,
    collecting: busy === 0 ? 0 : times.collecting / busy,
    functions: most(functions, busy, shownFunctions),
    owners: most(owners, busy, shownOwners)
  }
}
