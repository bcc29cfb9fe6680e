/**
 * Runners watch over each other, so that a dead one is noticed within about three seconds.
 *
 * The library leaves that to one runner, whose own death is noticed by the expiry of its heartbeat only. Here each
 * runner asks the two that follow it in the order of their addresses, round about: every one is watched by two others.
 * One that is not alive is marked unhealthy, which moves its shards; and its sessions at the database are ended, which
 * gives back its locks and rolls back what it has begun. If it was only frozen, it finds that out when it wakes up.
 */
import { Cause, Clock, Duration, Effect, Layer, Metric, Option, Schedule } from "effect"
import { type RunnerAddress, RunnerHealth, RunnerStorage, ShardingConfig } from "effect/cluster"
import { SqlClient } from "effect/sql"
import * as Digest from "./Digest.ts"

const watchEvery = Duration.seconds(1)
/** So that of two that die together the second is noticed too. */
const watched = 2

const evictions = Metric.counter("onsale_cluster_evictions", {
  description: "Runners that this one found dead",
  incremental: true
})

/** After an eviction, until the same runner may be evicted again; doubled each time, up to the last. */
const pauseMs = { first: 5_000, last: 80_000 }
/** Who was not evicted for so long begins anew. */
const forgottenAfterMs = 300_000

/**
 * Who may be evicted now. On a machine that is overloaded a runner that is only slow looks dead, comes back, and looks
 * dead again, and each time its shards move for nothing: so the pauses grow. A runner that is dead indeed within such a
 * pause loses its shards by the expiry of its heartbeat.
 */
export class Evictions {
  readonly #last = new Map<string, { readonly atMs: number; readonly pauseMs: number }>()

  /** True where it may be evicted at that time, and then it counts as evicted. */
  take(key: string, nowMs: number): boolean {
    for (const [other, { atMs }] of this.#last) if (nowMs - atMs > forgottenAfterMs) this.#last.delete(other)
    const last = this.#last.get(key)
    if (last !== undefined && nowMs - last.atMs < last.pauseMs) return false
    const next = last === undefined ? pauseMs.first : Math.min(last.pauseMs * 2, pauseMs.last)
    this.#last.set(key, { atMs: nowMs, pauseMs: next })
    return true
  }
}

/** Bytes that the database keeps of a session's name. */
const longestName = 63

/** What the sessions of a runner are called at the database: no two runners have one name. */
export const sessionName = ({ host, port }: { readonly host: string; readonly port: number }): string => {
  const name = `runner ${host}:${port}`
  return Buffer.byteLength(name) <= longestName ? name : `runner ${Digest.keyOf(name)}`
}

/** The `count` that follow in the order of their keys, from the last to the first; fewer where there are not as many. */
export const successors = (
  self: string,
  all: ReadonlyArray<string>,
  count: number
): ReadonlyArray<string> => {
  const others = all.filter((key) => key !== self).sort()
  const after = others.findIndex((key) => key > self)
  const from = after === -1 ? 0 : after
  return [...others.slice(from), ...others.slice(0, from)].slice(0, count)
}

const keyOf = ({ host, port }: RunnerAddress.RunnerAddress): string => `${host}:${port}`

/** Watches for as long as the layer lives; does nothing in a process that is no runner. */
export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const { runnerAddress } = yield* ShardingConfig.ShardingConfig
    if (Option.isNone(runnerAddress)) return
    // Else the first one is not an increase, to those who watch.
    yield* Metric.update(evictions, 0)
    const self = keyOf(runnerAddress.value)
    const storage = yield* RunnerStorage.RunnerStorage
    const health = yield* RunnerHealth.RunnerHealth
    const sql = yield* SqlClient.SqlClient

    /** It may have been told to stop while it was asked: its sessions are needed for that. */
    const isListed = (address: RunnerAddress.RunnerAddress) =>
      Effect.map(storage.getRunners, (all) =>
        all.some(([runner, healthy]) => healthy && keyOf(runner.address) === keyOf(address))
      )

    const evicted = new Evictions()
    const evict = Effect.fn("RunnerWatch.evict")(function* (address: RunnerAddress.RunnerAddress) {
      if (!(yield* isListed(address))) return
      if (!evicted.take(keyOf(address), Number(yield* Clock.currentTimeNanos) / 1e6)) return
      yield* Effect.logWarning(`runner ${keyOf(address)} is not alive: its shards move`)
      yield* storage.setRunnerHealth(address, false)
      yield* sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = ${sessionName(address)}::text`
      yield* Metric.update(evictions, 1)
    })

    const readmit = (address: RunnerAddress.RunnerAddress) =>
      Effect.andThen(
        Effect.logInfo(`runner ${keyOf(address)} is alive again`),
        storage.setRunnerHealth(address, true)
      )

    const round = Effect.gen(function* () {
      const all = new Map(
        (yield* storage.getRunners).map(([{ address }, healthy]) => [keyOf(address), { address, healthy }])
      )
      // Whom the others take for dead, or who was told to stop, is no judge of them.
      if (all.get(self)?.healthy !== true) return
      yield* Effect.forEach(
        successors(self, [...all.keys()], watched),
        (key) => {
          const { address, healthy } = all.get(key)!
          return Effect.flatMap(health.isAlive(address), (alive) =>
            alive === healthy ? Effect.void : alive ? readmit(address) : evict(address)
          )
        },
        { concurrency: "unbounded", discard: true }
      )
    })

    yield* round.pipe(
      Effect.catchCause((cause) =>
        Cause.hasInterruptsOnly(cause)
          ? Effect.void
          : Effect.logWarning("the other runners could not be watched", cause)
      ),
      Effect.repeat(Schedule.spaced(watchEvery)),
      Effect.forkScoped
    )
  })
)
