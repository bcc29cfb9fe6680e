/**
 * Lets so many in at once as a limit that adapts allows; the others wait in the order in which they came, as long as
 * there is room and there is hope that they come in while somebody waits for them. By callbacks: who waits has no fiber.
 */
import * as AdaptiveLimit from "./AdaptiveLimit.ts"

export interface Options {
  readonly limit: AdaptiveLimit.Options
  /** Those who wait. */
  readonly room: number
  /** The longest that somebody waits; who would have to wait longer is told so when he comes. */
  readonly patienceMs: number
}

/**
 * Who would wait so many patiences, as fast as it goes, is told at once. Not at one: what is measured while a crowd is
 * told that there is nothing left is slower than what comes after it, and who stands in line keeps his place.
 */
const hopeless = 2

/** Of what is measured the newest counts a tenth. */
const newest = 0.1
/** `Retry-After` counts whole seconds. */
const leastPauseMs = 1_000

interface Waiting {
  readonly untilMs: number
  readonly go: () => void
  readonly refuse: (retryAfterMs: number) => void
}

/** Gives back what was taken; does nothing the second time. */
export type Leave = () => void

const nothing: Leave = () => {}

export class AdmissionQueue {
  readonly limit: AdaptiveLimit.AdaptiveLimit
  inFlight = 0
  refused = 0
  /** Since the last turn. */
  private mostInFlight = 0
  private isHeld = false
  private readonly options: Options
  private readonly waiting = new Set<Waiting>()
  /** Between two that leave while others wait. */
  private intervalMs = 0
  private leftAtMs = Number.NaN
  private readonly nowMs: () => number

  constructor(options: Options, nowMs: () => number) {
    this.options = options
    this.limit = AdaptiveLimit.make(options.limit)
    this.nowMs = nowMs
  }

  get waitingCount(): number {
    return this.waiting.size
  }

  /** How long the next to come would wait, as fast as it goes. */
  get waitMs(): number {
    return this.waiting.size * this.intervalMs
  }

  /** Of 0 to 1, how much of the room or of the patience is used up. */
  get fullness(): number {
    return Math.max(this.waiting.size / this.options.room, this.waitMs / this.options.patienceMs)
  }

  /**
   * Calls `go` once, now or later, or `refuse` once with how long to stay away. `untilMs` is when nobody waits any
   * more. What it returns is to be called when the work is over, and where the one who came has gone.
   */
  enter(untilMs: number, go: () => void, refuse: (retryAfterMs: number) => void): Leave {
    const nowMs = this.nowMs()
    if (!this.isHeld && this.inFlight < AdaptiveLimit.whole(this.limit) && this.waiting.size === 0) {
      const leave = this.leave()
      go()
      return leave
    }
    // While it is held nothing is known of what one more would do.
    if (!this.isHeld) this.limit.reached = true
    const last = Math.min(untilMs, nowMs + this.options.patienceMs)
    if (
      this.waiting.size >= this.options.room ||
      nowMs + this.waitMs > Math.min(untilMs, nowMs + hopeless * this.options.patienceMs)
    ) {
      this.turnAway(refuse)
      return nothing
    }
    let leave: Leave | undefined
    const waiting: Waiting = {
      untilMs: last,
      go: () => {
        leave = this.leave()
        go()
      },
      refuse
    }
    this.waiting.add(waiting)
    return () => {
      if (leave === undefined) this.waiting.delete(waiting)
      else leave()
    }
  }

  /** While it is held nobody is let in; who is in goes on. How fast it went before says nothing of how it goes after. */
  hold(isHeld: boolean): void {
    if (isHeld === this.isHeld) return
    this.isHeld = isHeld
    this.intervalMs = 0
    this.leftAtMs = Number.NaN
    this.letIn()
  }

  /** To be called a few times a second with the delay that stands: adapts, and refuses those who have waited too long. */
  turn(standingMs: number): void {
    AdaptiveLimit.turn(this.limit, standingMs, this.mostInFlight)
    this.mostInFlight = this.inFlight
    const nowMs = this.nowMs()
    let staying = 0
    for (const { untilMs } of this.waiting) if (untilMs > nowMs) staying++
    // As long as the line is without them, for each: who waited longest is not told to stay away longest.
    const retryAfterMs = Math.max(leastPauseMs, staying * this.intervalMs)
    // One by one: who is told may fail, and the others wait to be told.
    for (const waiting of this.waiting) {
      if (waiting.untilMs > nowMs) continue
      this.waiting.delete(waiting)
      this.turnAway(waiting.refuse, retryAfterMs)
    }
    this.letIn()
  }

  private turnAway(
    refuse: (retryAfterMs: number) => void,
    retryAfterMs = Math.max(leastPauseMs, this.waitMs)
  ): void {
    this.refused++
    refuse(retryAfterMs)
  }

  private leave(): Leave {
    this.inFlight++
    this.mostInFlight = Math.max(this.mostInFlight, this.inFlight)
    if (this.inFlight >= AdaptiveLimit.whole(this.limit)) this.limit.reached = true
    let here = true
    return () => {
      if (!here) return
      here = false
      this.inFlight--
      this.measure()
      this.letIn()
    }
  }

  private measure(): void {
    if (this.isHeld) return
    const nowMs = this.nowMs()
    if (this.waiting.size > 0 && !Number.isNaN(this.leftAtMs)) {
      const tookMs = Math.min(this.options.patienceMs, Math.max(0, nowMs - this.leftAtMs))
      this.intervalMs = this.intervalMs === 0 ? tookMs : this.intervalMs + newest * (tookMs - this.intervalMs)
    }
    this.leftAtMs = this.waiting.size > 0 ? nowMs : Number.NaN
  }

  private letIn(): void {
    if (this.isHeld) return
    const limit = AdaptiveLimit.whole(this.limit)
    for (const first of this.waiting) {
      if (this.inFlight >= limit) return
      this.waiting.delete(first)
      if (first.untilMs <= this.nowMs()) this.turnAway(first.refuse)
      else first.go()
    }
  }
}
