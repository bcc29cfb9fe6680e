/** What a run has shown, as plain figures. */
import { Effect } from "effect"
import type { LoadResult } from "../open/OpenLoop.ts"
import type { Finding } from "./AuditRun.ts"
import type { RunningLevel } from "./LevelProcesses.ts"
import type { Look } from "./Watch.ts"

export interface Notifications {
  readonly done: number
  readonly waiting: number
  readonly dead: number
  /** Of the oldest that is dead; 0 where there is none. */
  readonly oldestDeadSeconds: number
}

export interface Payments {
  /** That were authorised, whatever became of them. */
  readonly authorised: number
  readonly captured: number
}

export interface Measured {
  readonly load: LoadResult
  readonly looks: ReadonlyArray<Look>
  readonly redisP95Ms: number | undefined
  readonly redisCount: number
  readonly visibleP95Ms: number
  readonly visibleCount: number
  readonly notifications: Notifications
  readonly payments: Payments
  readonly audit: ReadonlyArray<Finding>
  readonly bookingRunners: ReadonlyArray<string>
}

export const percentile = (values: ReadonlyArray<number>, percent: number): number => {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? Number.NaN
}

/** How much a figure that only grows has grown from the first look to the last. */
export const growth = (looks: ReadonlyArray<Look>, pick: (look: Look) => number): number => {
  const [first, last] = [looks[0], looks.at(-1)]
  return first === undefined || last === undefined ? 0 : pick(last) - pick(first)
}

/** Of reads of events and availability, those that need no Postgres; NaN where no cache was asked for anything (ADR 0043). */
export const sparedShare = (looks: ReadonlyArray<Look>): number => {
  const asked = growth(looks, ({ cacheReads }) => cacheReads)
  const missed = asked - growth(looks, ({ cacheHits }) => cacheHits)
  return asked === 0 ? Number.NaN : 1 - missed / growth(looks, ({ eventReads }) => eventReads)
}

/** Of those that no gateway had at hand, those that were found in Redis. */
export const foundShare = (looks: ReadonlyArray<Look>): number =>
  growth(looks, ({ cacheHits }) => cacheHits) / growth(looks, ({ cacheReads }) => cacheReads)

/** Cores that each process used. */
export const coresByProcess = (looks: ReadonlyArray<Look>): Readonly<Record<string, number>> => {
  const seconds = growth(looks, ({ atMs }) => atMs) / 1e3
  return Object.fromEntries(
    Object.keys(looks[0]?.cpuSeconds ?? {}).map((name) => [
      name,
      seconds === 0 ? 0 : growth(looks, ({ cpuSeconds }) => cpuSeconds[name] ?? Number.NaN) / seconds
    ])
  )
}

/** Of all commands: what the busiest runner decided over what they decided on average. NaN where there is one. */
export const shardBalance = (looks: ReadonlyArray<Look>, runners: ReadonlyArray<string>): number => {
  const counts = runners.map((name) => growth(looks, ({ commands }) => commands[name] ?? 0))
  const total = counts.reduce((sum, count) => sum + count, 0)
  return total === 0 ? Number.NaN : Math.max(...counts) / (total / counts.length)
}

/** Outcomes of a kind of call to the provider, while it was watched. */
export const calls = (looks: ReadonlyArray<Look>, of: (name: string) => boolean): number => {
  const names = new Set(looks.flatMap((look) => Object.keys(look.calls)))
  return [...names].filter(of).reduce((sum, name) => sum + growth(looks, (look) => look.calls[name] ?? 0), 0)
}

/** From the table of mails to be sent. */
export const notifications = (level: RunningLevel) =>
  level.postgres
    .query(
      level.databaseUrl,
      (sql) => sql<Array<Notifications>>`SELECT
        count(*) FILTER (WHERE done_at IS NOT NULL)::int AS done,
        count(*) FILTER (WHERE done_at IS NULL AND failed_at IS NULL)::int AS waiting,
        count(*) FILTER (WHERE failed_at IS NOT NULL)::int AS dead,
        coalesce(extract(epoch FROM clock_timestamp() - min(failed_at)), 0)::float8 AS "oldestDeadSeconds"
        FROM notifications.jobs`
    )
    .pipe(Effect.map(([row]) => row ?? { done: 0, waiting: 0, dead: 0, oldestDeadSeconds: 0 }))

/** From the table of intents, when what was begun has come to its end. */
export const payments = (level: RunningLevel) =>
  level.postgres
    .query(
      level.databaseUrl,
      (sql) => sql<Array<Payments>>`SELECT count(*) FILTER (WHERE captured > 0)::int AS captured,
        count(*) FILTER (WHERE captured > 0 OR status IN ('authorised', 'voided'))::int AS authorised
        FROM payments.intents`
    )
    .pipe(Effect.map(([row]) => row ?? { authorised: 0, captured: 0 }))
