/** What a run costs beside its own process: the CPU of whole families of processes, by /proc. */
import { Effect, FileSystem } from "effect"

export interface ProcessTimes {
  readonly pid: number
  readonly parent: number
  /** Its own. */
  readonly cpuSeconds: number
  /** Of its children that have ended. */
  readonly reapedSeconds: number
}

/** The line of /proc/<pid>/stat; undefined where it is none. */
export const parseStat = (text: string): ProcessTimes | undefined => {
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ")
  // In ticks of a hundredth of a second on every Linux we know.
  const seconds = (index: number) => (Number(fields[index]) + Number(fields[index + 1])) / 100
  const times = {
    pid: Number.parseInt(text, 10),
    parent: Number(fields[1]),
    cpuSeconds: seconds(11),
    reapedSeconds: seconds(13)
  }
  return Object.values(times).every(Number.isFinite) ? times : undefined
}

/** Seconds of CPU that a process and its children have used, those that ended among them; NaN without /proc. */
export const familySeconds = Effect.fnUntraced(function* (pid: number) {
  const fs = yield* FileSystem.FileSystem
  const names = yield* fs.readDirectory("/proc").pipe(Effect.orElseSucceed((): Array<string> => []))
  const all = yield* Effect.forEach(
    names.filter((name) => /^\d+$/.test(name)),
    (name) =>
      fs.readFileString(`/proc/${name}/stat`).pipe(
        Effect.map(parseStat),
        Effect.orElseSucceed(() => undefined)
      ),
    { concurrency: 16 }
  )
  const parent = all.find((times) => times?.pid === pid)
  return parent === undefined
    ? Number.NaN
    : all.reduce(
        (sum, times) => (times?.parent === pid ? sum + times.cpuSeconds : sum),
        parent.cpuSeconds + parent.reapedSeconds
      )
})

/** Seconds of CPU that the first thread of a process has used: of Node, the one that answers. NaN without /proc. */
export const mainThreadSeconds = Effect.fnUntraced(function* (pid: number) {
  const fs = yield* FileSystem.FileSystem
  return yield* fs.readFileString(`/proc/${pid}/task/${pid}/stat`).pipe(
    Effect.map((text) => parseStat(text)?.cpuSeconds ?? Number.NaN),
    Effect.orElseSucceed(() => Number.NaN)
  )
})

/** The parent of a process, or undefined where it is not on this machine. */
export const parentOf = Effect.fnUntraced(function* (pid: number) {
  const fs = yield* FileSystem.FileSystem
  return yield* fs.readFileString(`/proc/${pid}/stat`).pipe(
    Effect.map((text) => parseStat(text)?.parent),
    Effect.orElseSucceed(() => undefined)
  )
})
