/** Runs load against a running level, and puts together what it showed. */
import { Console, Effect, Schedule } from "effect"
import * as BigEvent from "../BigEvent.ts"
import type { Assignment } from "../open/Assignment.ts"
import { nowMs } from "../open/Client.ts"
import * as OpenLoop from "../open/OpenLoop.ts"
import * as AuditRun from "./AuditRun.ts"
import * as Freshness from "./Freshness.ts"
import { asked, type Level } from "@onsale/contracts/ServiceLevel"
import * as Capacity from "./Capacity.ts"
import type { RunningLevel } from "./LevelProcesses.ts"
import * as Measured from "./Measured.ts"
import * as Watch from "./Watch.ts"

export interface LoadOptions {
  readonly workers: number
  readonly connections: number
  readonly seed: number
  readonly warmUpSeconds: number
  readonly seconds: number
}

const seatsAnEvent = 2_000
const events = { least: 20, most: 200 }
/** Of the requests of either day, seats that are held for good. */
const seatsARequest = 0.1
/** As short as a hold can be while a buyer still pays: those that are given up come back within the run. */
const holdSeconds = 60
const freshnessSeats = 100
/** Mails are made at a lower priority than answers. */
const mailsLimit = Schedule.upTo(Schedule.spaced("1 second"), { duration: "60 seconds" })

export type Events = Assignment["events"]

/** Events to sell, the most wanted first. */
export const openSale = Effect.fn("SloRun.openSale")(function* (
  level: RunningLevel,
  count: number,
  seats = seatsAnEvent
) {
  const service = { host: level.host, port: level.ports[0] ?? 0 }
  return yield* Effect.forEach(Array.from({ length: count }), () =>
    Effect.map(BigEvent.make(service, level.organiserKey, seats, 0, holdSeconds), (id) => ({ id, seats }))
  )
})

/** So many that a run does not sell them all; the most wanted it may. */
export const eventsFor = (requestsPerSecond: number, seconds: number): number =>
  Math.min(
    events.most,
    Math.max(events.least, Math.ceil((requestsPerSecond * seconds * seatsARequest) / seatsAnEvent))
  )

/** Load alone, without what watches it. */
export const drive = (
  level: RunningLevel,
  events: Events,
  load: Assignment["load"],
  { connections, seconds, seed, warmUpSeconds, workers }: LoadOptions
) =>
  OpenLoop.run({
    host: level.host,
    ports: level.ports,
    connections,
    workers,
    seed,
    events,
    warmUpSeconds,
    seconds,
    load
  })

/** Load that is watched, until the mails have gone out, and the audit. */
export const measure = Effect.fn("SloRun.measure")(function* (
  level: RunningLevel,
  events: Events,
  load: Assignment["load"],
  options: LoadOptions
) {
  const [probed] = yield* openSale(level, 1, freshnessSeats)
  const begun = nowMs()
  const watched = yield* Effect.scoped(
    Effect.gen(function* () {
      const watch = yield* Watch.make(level)
      const visible = probed === undefined ? undefined : yield* Freshness.make(level, probed.id, probed.seats)
      const result = yield* watch.during(drive(level, events, load, options))
      yield* watch.look
      return { result, visible, looks: watch.looks, redis: watch.redis }
    })
  )
  const notifications = yield* Measured.notifications(level).pipe(
    Effect.repeat({ schedule: mailsLimit, while: ({ waiting }) => waiting > 0 })
  )
  // The first look, and those of the time that counts; what is followed to its end afterwards is not.
  const fromMs = begun + options.warmUpSeconds * 1e3
  const toMs = fromMs + (options.seconds + 2) * 1e3
  const inTime = watched.looks.filter(({ atMs }) => atMs >= fromMs && atMs <= toMs)
  const measured: Measured.Measured = {
    load: watched.result,
    looks: load.type === "flash" || inTime.length < 2 ? watched.looks : inTime,
    redisP95Ms: watched.redis?.percentile(95),
    redisCount: watched.redis?.count() ?? 0,
    visibleP95Ms: watched.visible?.percentile(95) ?? Number.NaN,
    visibleCount: watched.visible?.count() ?? 0,
    notifications,
    payments: yield* Measured.payments(level),
    audit: yield* AuditRun.run(level),
    bookingRunners: level.bookingRunners
  }
  return measured
})

/** Of the requests that were due, answered within the time that counts. */
const answeredShare = 0.97
/** Of those that were planned: arrivals are random, and what a buyer asks next is due after he was answered. */
const arrivedShare = 0.85

/** Whether a rate is carried: it is answered, in time and without more errors than the level may have. */
export const carries = (
  level: Level,
  requestsPerSecond: number,
  seconds: number,
  result: OpenLoop.LoadResult
): boolean => {
  const { errors, p95, p99 } = asked[level]
  return (
    result.answeredPerSecond >= answeredShare * (result.due / seconds) &&
    result.due >= arrivedShare * requestsPerSecond * seconds &&
    result.all.p95 <= p95 &&
    result.all.p99 <= p99 &&
    result.errorShare <= errors
  )
}

/** The highest rate that the level carries on this machine, looked for up to `most` a second. */
export const capacity = Effect.fn("SloRun.capacity")(function* (
  level: RunningLevel,
  events: Events,
  mix: Extract<Assignment["load"], { type: "mix" }>["mix"],
  options: LoadOptions,
  most: number = asked[level.level].requestsPerSecond
) {
  let seed = options.seed
  const found = yield* Capacity.search(
    most,
    Effect.fnUntraced(function* ({ requestsPerSecond, ...times }) {
      const result = yield* drive(
        level,
        events,
        { type: "mix", mix, requestsPerSecond },
        { ...options, ...times, seed: ++seed }
      )
      const carried = carries(level.level, requestsPerSecond, times.seconds, result)
      yield* Console.error(
        `  ${requestsPerSecond} a second after ${times.warmUpSeconds} s: ${result.answeredPerSecond.toFixed(0)} answered, p95 ${result.all.p95.toFixed(0)} ms, p99 ${result.all.p99.toFixed(0)} ms, errors ${(result.errorShare * 100).toFixed(2)}%, ${carried ? "carried" : "too much"}`
      )
      return { carried, answeredPerSecond: result.answeredPerSecond }
    })
  )
  const doubt = Capacity.doubt(found)
  if (doubt !== undefined) yield* Console.error(doubt)
  return found
})
