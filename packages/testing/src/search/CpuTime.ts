/** What work costs, on a machine that others use too: the CPU time of processes, and of a Postgres beside them. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { readdirSync, readFileSync } from "node:fs"

/** Milliseconds of a tick in `/proc`, on every Linux that we run on. */
const tickMs = 10

/** `utime` and `stime` of a process, and its parent; undefined where it is gone or not of this machine. */
const statOf = (pid: number) => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
    return { parent: Number(fields[1]), cpuMs: (Number(fields[11]) + Number(fields[12])) * tickMs }
  } catch {
    return undefined
  }
}

/** Milliseconds so far of a process; NaN where there is none. */
export const ofProcess = (pid: number): number => statOf(pid)?.cpuMs ?? Number.NaN

/** Milliseconds so far of the backends of Postgres that live; NaN where it runs elsewhere. */
export const ofPostgres = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql<{ readonly pid: number }>`SELECT pg_backend_pid() AS pid`
  const postmaster = statOf(row?.pid ?? 0)?.parent
  if (postmaster === undefined) return Number.NaN
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((name) => statOf(Number(name)))
    .filter((stat) => stat?.parent === postmaster)
    .reduce((sum, stat) => sum + (stat?.cpuMs ?? 0), 0)
})
