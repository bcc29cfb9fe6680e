/** Every objective of a level: what is asked, what was measured, whether it holds. */
import { atLeast, asked, askedOfParts as parts, type Level } from "@onsale/contracts/ServiceLevel"
import * as Measured from "./Measured.ts"

export interface Objective {
  readonly name: string
  readonly target: string
  readonly measured: string
  /** Undefined where the run cannot say: nothing of the kind happened. */
  readonly passed: boolean | undefined
}

/** Arrivals are random: this much less than asked is still the rate. */
const rateTolerance = 0.95

const ms = (value: number) => (Number.isFinite(value) ? `${value.toFixed(value < 10 ? 1 : 0)} ms` : "-")
const percent = (share: number) => (Number.isFinite(share) ? `${(share * 100).toFixed(2)}%` : "-")

const atMost = (name: string, limit: number, value: number, show: (value: number) => string): Objective => ({
  name,
  target: `≤ ${show(limit)}`,
  measured: show(value),
  passed: Number.isFinite(value) ? value <= limit : undefined
})
const least = (name: string, limit: number, value: number, show: (value: number) => string): Objective => ({
  name,
  target: `≥ ${show(limit)}`,
  measured: show(value),
  passed: Number.isFinite(value) ? value >= limit : undefined
})

const plain = (value: number) => String(Math.round(value * 100) / 100)

/** Of the two shares that tell how much of the reading Postgres is spared. */
export const cacheNames = {
  spared: "cache: reads of events and availability that need no Postgres",
  found: "cache: of those that no gateway had at hand, found in Redis"
}

/** The target of what is only told. */
export const stated = "stated"

/**
 * The rate asked for is the level's unless another is given: then the table says both. Where it is a share of a rate
 * that is carried, as in a soak, it is the target itself.
 */
export const judge = (
  level: Level,
  measured: Measured.Measured,
  requestsPerSecond: number,
  share = 1
): ReadonlyArray<Objective> => {
  const target = asked[level]
  const { load, looks } = measured
  const lag = (pick: (look: (typeof looks)[number]) => number) => Measured.percentile(looks.map(pick), 95)
  const authorised = Measured.calls(looks, (name) => name === "Authorise ok")
  const authorisations = Measured.calls(looks, (name) => name.startsWith("Authorise "))
  const allCalls = Measured.calls(looks, () => true)
  const unknown = Measured.calls(looks, (name) => name.endsWith(" unknown"))
  const { dead, done, oldestDeadSeconds, waiting } = measured.notifications
  const invariant = (id: string) => measured.audit.find((finding) => finding.invariant === id)
  const broken = measured.audit.filter(({ ok }) => !ok).map(({ invariant }) => invariant)
  const kept = (id: string) => (measured.audit.length === 0 ? undefined : invariant(id)?.ok === true)

  const ofAll: ReadonlyArray<Objective> = [
    {
      name: "requests a second",
      target:
        share < 1
          ? `${requestsPerSecond}, ${share} of what is carried`
          : requestsPerSecond === target.requestsPerSecond
            ? plain(target.requestsPerSecond)
            : `${target.requestsPerSecond}, here ${requestsPerSecond}`,
      measured: load.answeredPerSecond.toFixed(0),
      passed:
        load.answeredPerSecond >= (share < 1 ? requestsPerSecond : target.requestsPerSecond) * rateTolerance
    },
    atMost("p95", target.p95, load.all.p95, ms),
    atMost("p99", target.p99, load.all.p99, ms),
    atMost("errors", target.errors, load.errorShare, percent),
    {
      name: "reads of all requests",
      target: "85-95%",
      measured: percent(load.readShare),
      passed: load.readShare >= 0.85 && load.readShare <= 0.95
    },
    atMost(
      "outbox: lag of projections, p95",
      parts.projectionLagMs,
      lag(({ projectionLagMs }) => projectionLagMs),
      ms
    ),
    least("authorised", parts.authorisedShare, authorised / authorisations, percent),
    {
      name: "double charges (INV-04)",
      target: "0",
      measured: kept("INV-04") === false ? "some" : "0",
      passed: kept("INV-04")
    },
    {
      name: "oversell: told to buyers, in the tables (INV-01)",
      target: "0, 0",
      measured: `${load.soldTwice.length}, ${kept("INV-01") === false ? "some" : "0"}`,
      passed: load.soldTwice.length === 0 ? kept("INV-01") : false
    },
    {
      name: "answers that cannot be right",
      target: "0",
      measured: String(load.wrong),
      passed: load.wrong === 0
    },
    {
      name: "audit",
      target: "no breach",
      measured: broken.length === 0 ? `${measured.audit.length} invariants hold` : broken.join(", "),
      passed: measured.audit.length === 0 ? undefined : broken.length === 0
    }
  ]
  const ofL1 = [
    atMost("timeouts of the provider", parts.providerTimeoutShare, unknown / allCalls, percent),
    atMost(
      "time with an open breaker",
      parts.breakerOpenShare,
      looks.filter(({ breakersOpen }) => breakersOpen > 0).length / looks.length,
      percent
    )
  ]
  const onlyL1: ReadonlyArray<Objective> = [
    // What a gateway has at hand is a copy of the copy: only what neither has is read from Postgres.
    least(cacheNames.spared, parts.cacheHitShare, Measured.sparedShare(looks), percent),
    {
      name: cacheNames.found,
      target: stated,
      measured: percent(Measured.foundShare(looks)),
      passed: undefined
    },
    atMost("Redis p95, seen from a client", parts.redisP95Ms, measured.redisP95Ms ?? Number.NaN, ms),
    atMost(
      "Redis: evictions",
      0,
      Measured.growth(looks, ({ evictedKeys }) => evictedKeys),
      plain
    )
  ]
  const ofL2 = [
    atMost("read models: from commit to visible, p95", parts.readModelLagMs, measured.visibleP95Ms, ms),
    atMost(
      "consumers: lag p95",
      parts.consumerLagMs,
      lag(({ consumerLagMs }) => consumerLagMs),
      ms
    ),
    least(
      "authorised and captured",
      parts.capturedShare,
      measured.payments.captured / measured.payments.authorised,
      percent
    )
  ]
  const ofL3 = [
    atMost("search p95", parts.searchP95Ms, load.kinds.search.p95, ms),
    atMost(
      "journal: lag of relays and projections, p95",
      parts.relayLagMs,
      lag(({ projectionLagMs, relayLagMs }) => Math.max(projectionLagMs, relayLagMs)),
      ms
    ),
    atMost(
      "shard balance, busiest to average",
      parts.shardBalance,
      Measured.shardBalance(looks, measured.bookingRunners),
      plain
    ),
    least("notifications delivered", parts.deliveredShare, done / (done + dead + waiting), percent),
    atMost(
      "oldest dead letter",
      parts.deadLetterSeconds,
      dead === 0 ? 0 : oldestDeadSeconds,
      (value) => `${value.toFixed(0)} s`
    )
  ]
  return [
    ...ofAll,
    ...(atLeast(level, "L1") ? ofL1 : []),
    ...(level === "L1" ? onlyL1 : []),
    ...(atLeast(level, "L2") ? ofL2 : []),
    ...(atLeast(level, "L3") ? ofL3 : [])
  ]
}
