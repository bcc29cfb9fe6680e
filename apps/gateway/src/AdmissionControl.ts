/**
 * Who is let in while there is too much (ADR 0040). What is short is the thread, so it is the thread that is asked: how
 * long work that is ready waits for it, at all times (`StandingDelay.ts`). Reads of what is not in memory, and
 * purchases, are so many at once as it can bear; beyond that classes are refused one after another, the cheapest to
 * lose first.
 */
import * as ReadMetrics from "@onsale/platform/ReadMetrics"
import { Clock, Context, Duration, Effect, Layer, Metric } from "effect"
import * as AdaptiveLimit from "./AdaptiveLimit.ts"
import { AdmissionQueue, type Leave, type Options } from "./AdmissionQueue.ts"
import { refusedFromFullness, thresholdsMs } from "./AdmissionThresholds.ts"
import * as Crowd from "./Crowd.ts"
import { classes, type RequestClass } from "./RequestClass.ts"
import { StandingDelay } from "./StandingDelay.ts"

/** How often it is decided anew; a crowd comes within a second. */
const decideEveryMs = 200
/** After a defect, beside that: it is told in the log, and not five times a second. */
const pauseMs = 1_000

/**
 * Purchases. One is about 8 ms of the thread in some thirty turns, and waits for commits and a provider meanwhile: few
 * are enough to keep a machine at work, and as many as there are slow providers are not too many. With this target a
 * turn stays so short that whoever gets nothing is told so in between.
 */
export const ordersQueue: Options = {
  limit: { least: 8, most: 1_024, first: 16, targetMs: thresholdsMs.ordersFewer },
  /** The winners of a large sale at once, some kilobytes each. */
  room: 4_096,
  /** Browsers and proxies give up after thirty seconds. */
  patienceMs: 25_000
}

/** Reads of what is not in memory: searches, lists, seat maps, PDFs. */
export const coldQueue: Options = {
  limit: { least: 1, most: 64, first: 16, targetMs: thresholdsMs.coldFewer },
  room: 64,
  patienceMs: 2_000
}

/** With so much of a delay a class is refused. */
export const refusedFromMs = {
  cold: thresholdsMs.coldRefused,
  reads: thresholdsMs.readsRefused,
  holds: thresholdsMs.holdsRefused
} as const
/** A class that is refused is let in again when it is this much better. */
const better = 0.5

/** Those that are refused as a class. Of purchases only those are that find no room in their line. */
type Refusable = Exclude<RequestClass, "orders">

/** Seconds to stay away for who is refused at once. */
const retryAfterSeconds: Readonly<Record<Refusable, number>> = {
  cold: 5,
  reads: 2,
  holds: 2
}

const inSteps = ["cold", "reads", "holds"] as const

/** How many classes are refused, of which the first is the first to go; `before` were. Pure. */
export const levelOf = (before: number, standingMs: number, fullness: number): number => {
  let level = 0
  for (const [i, name] of inSteps.entries()) {
    const part = i < before ? better : 1
    if (standingMs >= refusedFromMs[name] * part || fullness >= refusedFromFullness[name] * part)
      level = i + 1
  }
  return level
}

const limitMetric = Metric.gauge("onsale_admission_limit", {
  description: "Requests of a class that may be at work at once"
})
const inFlightMetric = Metric.gauge("onsale_admission_in_flight", {
  description: "Requests of a class that are at work"
})
const waitingMetric = Metric.gauge("onsale_admission_waiting", {
  description: "Requests of a class that wait to be let in"
})
const refusedMetric = Metric.counter("onsale_admission_refused_total", {
  description: "Requests that were refused because there was too much, by class",
  incremental: true
})
const levelMetric = Metric.gauge("onsale_admission_classes_refused", {
  description: "Classes of requests that are refused: 0 none, 1 cold reads, 2 all reads, 3 holds too"
})
const lagMetric = Metric.gauge("onsale_event_loop_lag_ms", {
  description: "How long work that is ready has waited for the thread, the least of the last while"
})

const make = Effect.gen(function* () {
  const clock = yield* Clock.Clock
  const context = yield* Effect.context<never>()
  /** By the clock that only goes forward. */
  const nowMs = () => Number(clock.monotonicTimeNanosUnsafe()) / 1e6
  const look = yield* yield* StandingDelay
  let standingMs = 0
  const orders = new AdmissionQueue(ordersQueue, nowMs)
  const cold = new AdmissionQueue(coldQueue, nowMs)
  const queues = { orders, cold }
  const refusals = Object.fromEntries(
    classes.map((name) => [name, Metric.withAttributes(refusedMetric, { class: name })])
  ) as Record<RequestClass, typeof refusedMetric>
  let level = 0
  const crowd = Crowd.make(nowMs())
  /** Since it was looked for last. */
  let lost = 0

  for (const [name, queue] of Object.entries(queues)) {
    const of = (metric: Metric.Gauge<number>) => Metric.withAttributes(metric, { class: name })
    yield* ReadMetrics.gauge(of(limitMetric), () => AdaptiveLimit.whole(queue.limit))
    yield* ReadMetrics.gauge(of(inFlightMetric), () => queue.inFlight)
    yield* ReadMetrics.gauge(of(waitingMetric), () => queue.waitingCount)
  }
  yield* ReadMetrics.gauge(levelMetric, () => level)
  yield* ReadMetrics.gauge(lagMetric, () => standingMs)

  yield* Effect.sync(() => {
    orders.hold(Crowd.turn(crowd, lost, nowMs()))
    lost = 0
    const measured = look()
    if (measured === undefined) return
    standingMs = measured
    level = levelOf(level, standingMs, orders.fullness)
    for (const queue of Object.values(queues)) queue.turn(standingMs)
  }).pipe(
    // It calls those who wait. Whatever one of them does, who is let in has to be decided on.
    Effect.catchCause((cause) =>
      Effect.andThen(
        Effect.logError("who is let in could not be decided", cause),
        Effect.sleep(Duration.millis(pauseMs))
      )
    ),
    Effect.andThen(Effect.sleep(Duration.millis(decideEveryMs))),
    Effect.forever,
    Effect.forkScoped
  )

  const refusedAt = (name: RequestClass): boolean => classes.indexOf(name) < level
  const counted = (name: RequestClass): void => refusals[name].updateUnsafe(1, context)

  return AdmissionControl.of({
    lost: () => {
      lost++
    },
    refuses: (name) => level > 0 && refusedAt(name),
    turnedAway: (name) => {
      counted(name)
      return retryAfterSeconds[name]
    },
    enter: (name, untilMs, go, refuse) => {
      const turnAway = (seconds: number): void => {
        counted(name)
        refuse(seconds)
      }
      if (name !== "orders" && refusedAt(name)) {
        turnAway(retryAfterSeconds[name])
        return () => {}
      }
      if (name === "orders" || name === "cold") {
        const waitMs =
          untilMs === undefined
            ? Number.POSITIVE_INFINITY
            : Math.max(0, untilMs - clock.currentTimeMillisUnsafe())
        return queues[name].enter(nowMs() + waitMs, go, (ms) => turnAway(Math.ceil(ms / 1_000)))
      }
      go()
      return () => {}
    }
  })
})

export class AdmissionControl extends Context.Service<
  AdmissionControl,
  {
    /** Somebody was told that there is nothing left of what he wanted. */
    readonly lost: () => void
    /** Whether the class is refused now. Costs nothing, and counts nothing. */
    readonly refuses: (name: Refusable) => boolean
    /** Counts one that is refused before it comes in: whole seconds to stay away. */
    readonly turnedAway: (name: Refusable) => number
    /**
     * Calls `go` once, now or when it is its turn, or `refuse` with whole seconds to stay away. `untilMs`, since 1970, is
     * when nobody waits for it any more, where that is known. What comes back is to be called when the work is over, or nobody wants it.
     */
    readonly enter: (
      name: RequestClass,
      untilMs: number | undefined,
      go: () => void,
      refuse: (retryAfterSeconds: number) => void
    ) => Leave
  }
>()("@onsale/gateway/AdmissionControl") {
  static readonly layer = Layer.effect(AdmissionControl, make)
}
