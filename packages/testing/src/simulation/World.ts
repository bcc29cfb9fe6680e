/**
 * A world without chance: what happens next is decided by a seed alone, and time passes only from one
 * happening to the next.
 */

/** A small generator of pseudo-random numbers (mulberry32): the same seed, the same numbers. */
export class Dice {
  private state: number

  constructor(seed: number) {
    this.state = seed >>> 0
  }

  /** A number from 0 to 1, without 1. */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0
    let t = this.state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }

  /** A whole number from `from` to `to`, both included. */
  between(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from + 1))
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  pick<A>(all: ReadonlyArray<A>): A {
    const found = all[this.between(0, all.length - 1)]
    if (found === undefined) throw new Error("nothing to pick from")
    return found
  }
}

interface Happening {
  readonly atMs: number
  readonly order: number
  run: (() => void) | undefined
}

/** A breach of a rule: the run ends with it. */
export class Breach extends Error {
  override readonly name = "Breach"
}

export class World {
  readonly dice: Dice
  /** Of a perfect clock, in milliseconds since 1970. */
  nowMs = 1_800_000_000_000
  readonly startMs = this.nowMs
  readonly lines: Array<string> = []
  private readonly happenings: Array<Happening> = []
  private made = 0
  private readonly traced: boolean

  constructor(seed: number, traced: boolean) {
    this.dice = new Dice(seed)
    this.traced = traced
  }

  /** Lets something happen later. Answers how to call it off. */
  after(delayMs: number, run: () => void): () => void {
    const { happenings } = this
    const made: Happening = { atMs: this.nowMs + Math.max(0, Math.ceil(delayMs)), order: this.made++, run }
    // Sorted, the next one last: there are few at a time, and most are soon.
    let at = happenings.length
    while (at > 0) {
      if (happenings[at - 1]!.atMs > made.atMs) break
      at--
    }
    happenings.splice(at, 0, made)
    return () => {
      made.run = undefined
    }
  }

  /** Lets the next thing happen; false when nothing is to come. */
  step(): boolean {
    const next = this.happenings.pop()
    if (next === undefined) return false
    this.nowMs = next.atMs
    next.run?.()
    return true
  }

  tell(line: () => string): void {
    if (this.traced) this.lines.push(`${String(this.nowMs - this.startMs).padStart(7)} ms  ${line()}`)
  }

  /** The first breach: it stands here too because it may be thrown inside of a fiber. */
  found: Breach | undefined

  breach(what: string): never {
    this.tell(() => `BREACH ${what}`)
    this.found ??= new Breach(what)
    throw this.found
  }
}
