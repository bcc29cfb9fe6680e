/**
 * The delay that stands: the least of those that were measured in a while, as CoDel has it (RFC 8289 §3). A queue that
 * is emptied now and then is a good one, however long it gets in between; a pause of the garbage collector is no load.
 * What is measured is this machine's thread, by its own clock, whatever the clock of the process says.
 */
import { Context, Effect, type Scope } from "effect"
import { monitorEventLoopDelay } from "node:perf_hooks"

/** Node asks for a turn this often; how late it gets one is the delay. */
const askEveryMs = 20
/** Fewer are one long turn, and no queue. */
export const leastSamples = 3

export interface Measured {
  readonly samples: number
  readonly leastMs: number
}

/** What was measured since the last look that had enough, and begins anew; undefined where it had not. */
export type Look = () => number | undefined

/** Pure: `measured` is what there is, `again` is called where it was taken. */
export const look = ({ leastMs, samples }: Measured, again: () => void): number | undefined => {
  if (samples < leastSamples) return undefined
  again()
  return Math.max(0, leastMs)
}

const ofNode: Effect.Effect<Look, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => {
    const delays = monitorEventLoopDelay({ resolution: askEveryMs })
    delays.enable()
    return delays
  }),
  (delays) => Effect.sync(() => delays.disable())
).pipe(
  Effect.map(
    (delays) => () =>
      look({ samples: delays.count, leastMs: delays.min / 1e6 - askEveryMs }, () => delays.reset())
  )
)

/** Of the thread that runs this. */
export const StandingDelay = Context.Reference<Effect.Effect<Look, never, Scope.Scope>>(
  "@onsale/gateway/StandingDelay",
  { defaultValue: () => ofNode }
)
