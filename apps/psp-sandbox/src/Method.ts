/**
 * The method tokens: what a payment made with each of them will do. No token stands for a card, and nothing that
 * looks like a card number gets past {@link looksLikeCardNumber}.
 */

/** `hold`: the answer never comes. `error`: 500. `_before` and `_first` say when; `first` is the first attempt ever. */
export interface Behaviour {
  readonly outcome: "authorised" | "failed" | "requires_action" | "processing"
  readonly create: "answer" | "hold" | "error_before" | "error_after"
  readonly capture: "answer" | "error_first" | "hold_first"
  readonly refund: "answer" | "error_first"
  /** The buyer's bank asks for the money back as soon as it was captured. */
  readonly disputed?: true
  /** How long the payment stays `processing`. */
  readonly settleAfterMs?: number
}

const plain: Behaviour = { outcome: "authorised", create: "answer", capture: "answer", refund: "answer" }

const behaviours = new Map<string, Behaviour>([
  ["tok_ok", plain],
  ["tok_declined", { ...plain, outcome: "failed" }],
  ["tok_timeout", { ...plain, create: "hold" }],
  ["tok_error", { ...plain, create: "error_before" }],
  ["tok_error_charged", { ...plain, create: "error_after" }],
  ["tok_3ds", { ...plain, outcome: "requires_action" }],
  ["tok_late", { ...plain, outcome: "processing", settleAfterMs: 2_000 }],
  ["tok_capture_error", { ...plain, capture: "error_first" }],
  ["tok_capture_timeout", { ...plain, capture: "hold_first" }],
  ["tok_refund_error", { ...plain, refund: "error_first" }],
  ["tok_dispute", { ...plain, disputed: true }]
])

/** An hour: longer than any hold of a seat lives, so every way of being too late can be played. */
const longestSettleSeconds = 3_600

const latePattern = /^tok_late_(\d{1,4})$/

/** What a token does, or `undefined` for one that is not ours. `tok_late_5` settles after 5 s, up to an hour. */
export const behaviourOf = (token: string): Behaviour | undefined => {
  const known = behaviours.get(token)
  if (known !== undefined) return known
  const seconds = Number(latePattern.exec(token)?.[1] ?? Number.NaN)
  if (!(seconds <= longestSettleSeconds)) return undefined
  return { ...plain, outcome: "processing", settleAfterMs: seconds * 1_000 }
}

const onlyCardDigits = /^\d(?:[ -]?\d){11,18}$/
const testCardDigits = /4242[ -]?4242[ -]?4242/

/** True for 12 to 19 digits, and for text with the well-known test card inside. Such text is neither kept nor echoed. */
export const looksLikeCardNumber = (text: string): boolean =>
  onlyCardDigits.test(text) || testCardDigits.test(text)
