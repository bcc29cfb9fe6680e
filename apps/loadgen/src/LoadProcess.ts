/** The process that makes the load, and what the bench says where it is what holds the figures back. */
import { Effect } from "effect"
import * as Forked from "./Forked.ts"
import { type Job, LoadReady, LoadReport } from "./load/Load.ts"

export interface LoadProcess {
  readonly run: (job: Job) => Effect.Effect<LoadReport>
}

/** Above this much of a core the load may be the bottleneck. */
export const busyCores = 0.9

export const start = Effect.fn("LoadProcess.start")(function* () {
  const { forked } = yield* Forked.start(new URL("./load/LoadMain.ts", import.meta.url), [], LoadReady)
  const load: LoadProcess = {
    run: (job) => forked.ask(job, LoadReport).pipe(Effect.orDie)
  }
  return load
})
