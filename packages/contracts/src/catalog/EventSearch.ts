/** Search for events: what is asked and what is answered. */
import { Schema } from "effect"
import { Amount, Currency } from "../Money.ts"
import { isStorable } from "../Text.ts"
import { EventSummary, Instant } from "./Event.ts"

/** Words beyond say nothing more. */
const maxWords = 12

/** Only published events that have not started are found. */
export const EventSearch = Schema.Struct({
  /**
   * What was typed; unless it ends with a space, its last word may be unfinished. Case, accents, the order of the
   * words and a slip or two in a word do not matter. It is looked for in the event's name, which counts 4, its
   * performers (3), the name and location of its venue (2) and its description (1).
   */
  q: Schema.String.check(
    Schema.isMinLength(1),
    Schema.isMaxLength(200),
    isStorable,
    Schema.makeFilter((text: string) =>
      text.trim().split(/\s+/).length <= maxWords ? undefined : `Expected at most ${maxWords} words`
    )
  ),
  /** Events that start then or later. */
  from: Schema.optionalKey(Instant),
  /** Events that start before. */
  to: Schema.optionalKey(Instant),
  /** All words of it stand in the location of the venue: typed as they are there, but for case and accents. */
  city: Schema.optionalKey(Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(100), isStorable)),
  /**
   * Events with a price of at least this, in minor units of `currency`, which has to be given too: sums of different
   * currencies are not compared, so events that are sold in another one are left out.
   */
  minPrice: Schema.optionalKey(Amount),
  /** The same, of at most this. */
  maxPrice: Schema.optionalKey(Amount),
  /** Events that are sold in it. */
  currency: Schema.optionalKey(Currency),
  /** 1 when left out. Results beyond the first 500 are not shown. */
  page: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1000 }))),
  /** 10 when left out. */
  size: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 100 })))
}).check(
  Schema.makeFilter(({ currency, maxPrice, minPrice }) =>
    currency !== undefined || (minPrice === undefined && maxPrice === undefined)
      ? undefined
      : { path: ["currency"], issue: "Expected the currency of minPrice and maxPrice" }
  )
)
export type EventSearch = typeof EventSearch.Type

export const EventSearchPage = Schema.Struct({
  /** Best first, then by their start. */
  events: Schema.Array(EventSummary),
  /** How many there are; where `totalIsExact` is false, at least so many. */
  total: Schema.Int,
  totalIsExact: Schema.Boolean,
  page: Schema.Int,
  size: Schema.Int
})
export type EventSearchPage = typeof EventSearchPage.Type
