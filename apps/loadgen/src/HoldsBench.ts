/**
 * `npm run bench -- holds`: winning holds of two free seats each on one event, over 128 connections,
 * against the same endpoint with a constant answer. The two take turns, round by round, so that a
 * change of the machine's speed hits both.
 */
import { type EventId, seatId } from "@onsale/contracts/Ids"
import { Console, Effect, FileSystem } from "effect"
import type { HttpClient } from "effect/http"
import * as BigEvent from "./BigEvent.ts"
import * as ClosedLoop from "./ClosedLoop.ts"
import { post } from "./Connection.ts"
import * as ServiceProcess from "./ServiceProcess.ts"
import { markdown, spread } from "./Table.ts"

export interface HoldsOptions {
  readonly connections: number
  readonly seconds: number
  readonly rounds: number
}

const organiserKey = "bench-key"
const created = 201

/** Requests for seats 2n and 2n+1, for ever rising n, while there are seats. */
const pairs = (eventId: EventId, host: string, seats: number) => {
  let n = 0
  return () => {
    const first = 2 * n++
    if (first + 1 >= seats) return undefined
    return post(
      `/api/v1/events/${eventId}/holds`,
      host,
      `idempotency-key: bench-${first}\r\n`,
      `{"seats":["${seatId(eventId, first)}","${seatId(eventId, first + 1)}"]}`
    )
  }
}

interface Side {
  readonly name: string
  readonly service: ServiceProcess.Service
  /** Requests for a new event of that many seats. */
  readonly requests: (seats: number) => Effect.Effect<() => Buffer | undefined, never, HttpClient.HttpClient>
}

const round = Effect.fnUntraced(function* (
  side: Side,
  options: HoldsOptions,
  seconds: number,
  seats: number
) {
  const next = yield* side.requests(seats)
  const before = yield* ServiceProcess.cpuSeconds(side.service.pid)
  const result = yield* ClosedLoop.run({ ...side.service, connections: options.connections, seconds, next })
  const after = yield* ServiceProcess.cpuSeconds(side.service.pid)
  const won = result.byStatus.get(created) ?? 0
  const answered = Array.from(result.byStatus.values()).reduce((sum, count) => sum + count, 0)
  const latencies = result.latencies.get(created) ?? new Float64Array()
  return {
    winsPerSecond: won / result.seconds,
    won,
    refused: result.byStatus.get(409) ?? 0,
    other: answered - won - (result.byStatus.get(409) ?? 0) + result.broken,
    p50: ClosedLoop.quantile(latencies, 0.5),
    p99: ClosedLoop.quantile(latencies, 0.99),
    cpuMicrosAnswer:
      before === undefined || after === undefined
        ? Number.NaN
        : ((after - before) * 1e6) / Math.max(1, answered),
    ranDry: result.ranDry
  }
})

type Figures = Effect.Success<ReturnType<typeof round>>
interface Round {
  readonly holds: Figures
  readonly constant: Figures
  readonly ratio: number
}

export const run = Effect.fn("HoldsBench.run")(function* (options: HoldsOptions) {
  const fs = yield* FileSystem.FileSystem
  const start = Effect.fnUntraced(function* (script: string, args: ReadonlyArray<string>) {
    const dataDir = yield* fs.makeTempDirectoryScoped({ prefix: "onsale-bench-" })
    return yield* ServiceProcess.start(script, args, {
      PORT: "0",
      ONSALE_DATA_DIR: dataDir,
      ONSALE_DEMO: "false",
      ONSALE_ORGANISER_KEY: organiserKey
    })
  })
  const real = yield* start("apps/onsale/src/main.ts", ["start"])
  const yardstick = yield* start("apps/onsale/src/yardstick.ts", [])
  const side = (name: string, service: ServiceProcess.Service): Side => ({
    name,
    service,
    requests: (seats) =>
      Effect.map(BigEvent.make(service, organiserKey, seats), (eventId) =>
        pairs(eventId, service.host, seats)
      )
  })
  const sides = [side("holds", real), side("constant answer", yardstick)] as const

  // The first seconds of a process are its compiler's.
  for (const one of sides) yield* round(one, options, 3, 200_000)
  const rounds: Array<Round> = []
  for (let i = 0; i < options.rounds; i++) {
    const holds = yield* round(sides[0], options, options.seconds, 200_000)
    const constant = yield* round(sides[1], options, options.seconds, 200_000)
    rounds.push({ holds, constant, ratio: holds.winsPerSecond / constant.winsPerSecond })
    yield* Console.error(
      `round ${i + 1}: ${Math.round(holds.winsPerSecond)} holds/s, ${Math.round(constant.winsPerSecond)} constant/s, ratio ${(holds.winsPerSecond / constant.winsPerSecond).toFixed(2)}`
    )
  }
  const figures = (pick: (r: (typeof rounds)[number]) => number, digits = 0) =>
    spread(rounds.map(pick), digits)
  yield* Console.log(
    markdown(
      ["", "won/s", "won", "refused", "other", "p50 ms", "p99 ms", "server CPU µs/answer"],
      (["holds", "constant"] as const).map((name) => [
        name === "holds" ? "holds, 2 free seats" : "constant answer",
        figures((r) => r[name].winsPerSecond),
        figures((r) => r[name].won),
        figures((r) => r[name].refused),
        figures((r) => r[name].other),
        figures((r) => r[name].p50, 1),
        figures((r) => r[name].p99, 1),
        figures((r) => r[name].cpuMicrosAnswer)
      ])
    )
  )
  yield* Console.log(
    `\nratio holds / constant: ${figures((r) => r.ratio, 2)} (median [least, most] of ${rounds.length} rounds)`
  )
  if (rounds.some((r) => r.holds.ranDry))
    yield* Console.log("a round ran out of seats before its time was over")
  return rounds
})
