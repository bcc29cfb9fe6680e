/** What a buyer of the random purchases is going to do, drawn from a seed and the buyer's number alone. */
import { Dice } from "../simulation/World.ts"

export interface PurchasePlan {
  readonly seats: number
  readonly places: number
  readonly method: string
  /** Null lets the payments choose. */
  readonly provider: string | null
  /** On the bank's page. */
  readonly at3ds: "approve" | "decline" | "leave"
  /** `twice`: the same request two times at once; `again`: once more after the answer; `two keys`: a race on one hold. */
  readonly repeat: "once" | "twice" | "again" | "two keys"
  /** After a decline: once more, with another method. */
  readonly triesAgain: boolean
  /** `racing`: all tickets and one of them, at once. */
  readonly refund: "none" | "all" | "one" | "racing"
  /** For what is left to chance later, such as which seats are asked for. */
  readonly dice: Dice
}

type Weights<A extends string> = Readonly<Record<A, number>>

/** In so many of a hundred purchases. What `tok_error` pays for never succeeds, and is over with the time to pay. */
const methods = {
  tok_ok: 66,
  tok_declined: 7,
  tok_3ds: 7,
  tok_timeout: 4,
  tok_error: 2,
  tok_error_charged: 3,
  tok_late_1: 3,
  tok_late_7: 2,
  tok_capture_error: 2,
  tok_capture_timeout: 2,
  tok_refund_error: 2
} satisfies Weights<string>

const draw = <A extends string>(dice: Dice, weights: Weights<A>): A => {
  const names = Object.keys(weights).filter((name): name is A => name in weights)
  let left = dice.next() * names.reduce((sum, name) => sum + weights[name], 0)
  for (const name of names) {
    left -= weights[name]
    if (left < 0) return name
  }
  throw new Error("nothing to draw from")
}

/** `isPlain`: everybody buys with `tok_ok`, once, and keeps the tickets. */
export const plan = (
  seed: number,
  number: number,
  providers: ReadonlyArray<string>,
  isPlain: boolean
): PurchasePlan => {
  const dice = new Dice(Math.imul(seed, 0x9e3779b1) ^ Math.imul(number + 1, 0x85ebca6b))
  const isSeated = dice.chance(0.7)
  const tickets = dice.between(1, 4)
  const wish = { seats: isSeated ? tickets : 0, places: isSeated ? 0 : tickets }
  if (isPlain) {
    return {
      ...wish,
      method: "tok_ok",
      provider: null,
      at3ds: "leave",
      repeat: "once",
      triesAgain: false,
      refund: "none",
      dice
    }
  }
  return {
    ...wish,
    method: draw(dice, methods),
    provider: dice.chance(0.15) ? dice.pick(providers) : null,
    at3ds: draw(dice, { approve: 7, decline: 2, leave: 1 }),
    repeat: draw(dice, { once: 78, twice: 9, again: 6, "two keys": 7 }),
    triesAgain: dice.chance(0.6),
    refund: draw(dice, { none: 78, all: 10, one: 9, racing: 3 }),
    dice
  }
}
