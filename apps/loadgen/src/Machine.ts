/** What the figures were taken on; without it they say nothing. */
import { Effect, FileSystem } from "effect"
import { open } from "node:fs/promises"
import { availableParallelism, cpus, loadavg, release, totalmem, type } from "node:os"

export const machine = {
  cpu: cpus()[0]?.model ?? "unknown",
  cores: availableParallelism(),
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  system: `${type()} ${release()}`,
  node: process.version
}

const writes = 200
const page = Buffer.alloc(8192)

/** Microseconds that a write of one page takes until it is on disk, in the middle of 200. */
export const syncMicros = Effect.scoped(
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* fs.makeTempFileScoped({ prefix: "onsale-bench-" })
    const taken = yield* Effect.promise(async () => {
      const file = await open(path, "w")
      const micros: Array<number> = []
      try {
        for (let i = 0; i < writes; i++) {
          const begun = performance.now()
          await file.write(page, 0, page.length, 0)
          await file.datasync()
          micros.push((performance.now() - begun) * 1000)
        }
      } finally {
        await file.close()
      }
      return micros.sort((a, b) => a - b)
    })
    return taken[taken.length >> 1] ?? Number.NaN
  })
)

/** A line for people. */
export const statement = Effect.map(
  syncMicros,
  (micros) =>
    `${machine.cores} cores (${machine.cpu}), ${machine.memoryGiB} GiB, ${machine.system}, Node ${machine.node}; ` +
    `8 KiB to disk takes ${Math.round(micros)} µs (fdatasync, median); load average ${loadavg()[0]?.toFixed(1)} at the start. ` +
    "Load, servers, Postgres and Redis share these cores."
)
