/**
 * Runners watch over each other, so that a dead one is noticed in a second or two.
 *
 * The library leaves that to one runner, whose own death is noticed by the expiry of its heartbeat only. Here each
 * runner asks the two that follow it in the order of their addresses, round about: every one is watched by two others.
 * One that does not answer is marked unhealthy, which moves its shards; and its sessions at the database are ended,
 * which gives back its locks and rolls back what it has begun. If it was only frozen, it finds that out when it wakes
 * up. That a watched runner is well again is for the library to find out.
 */
import { Cause, Duration, Effect, Layer, Metric, Option, Schedule } from "effect"
import { type RunnerAddress, Runners, RunnerStorage, ShardingConfig } from "effect/cluster"
import { SqlClient } from "effect/sql"

const watchEvery = Duration.seconds(1)
/** One that collects garbage or parses the layout of a large hall is not dead. */
const answerLimit = Duration.seconds(1)
const pause = Duration.millis(250)
/** So that of two that die together the second is noticed too. */
const watched = 2

const evictions = Metric.counter("onsale_cluster_evictions", {
  description: "Runners that this one found dead",
  incremental: true
})

/** What the sessions of a runner are called at the database, which keeps 63 bytes of it. */
export const sessionName = ({ host, port }: { readonly host: string; readonly port: number }): string =>
  `runner ${host}:${port}`.slice(0, 63)

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
    const self = keyOf(runnerAddress.value)
    const storage = yield* RunnerStorage.RunnerStorage
    const runners = yield* Runners.Runners
    const sql = yield* SqlClient.SqlClient

    const answers = (address: RunnerAddress.RunnerAddress) =>
      runners
        .ping(address)
        .pipe(
          Effect.timeout(answerLimit),
          Effect.retry({ times: 1, schedule: Schedule.spaced(pause) }),
          Effect.isSuccess
        )

    const evict = Effect.fn("RunnerWatch.evict")(function* (address: RunnerAddress.RunnerAddress) {
      yield* Effect.logWarning(`runner ${keyOf(address)} does not answer: its shards move`)
      yield* storage.setRunnerHealth(address, false)
      yield* sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = ${sessionName(address)}::text`
      yield* Metric.update(evictions, 1)
    })

    const round = Effect.gen(function* () {
      const all = yield* storage.getRunners
      const healthy = new Map(
        all.filter(([, isHealthy]) => isHealthy).map(([{ address }]) => [keyOf(address), address])
      )
      yield* Effect.forEach(
        successors(self, [...healthy.keys()], watched),
        (key) => {
          const address = healthy.get(key)!
          return Effect.flatMap(answers(address), (alive) => (alive ? Effect.void : evict(address)))
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
