/**
 * What an error of Stripe says about money.
 *
 * | Stripe's error | kind |
 * |---|---|
 * | card_error (402) | declined |
 * | invalid_request_error (400, 404) | declined: for what the request is it will never be otherwise |
 * | `payment_intent_unexpected_state` | declined, after looking whether the goal is reached already |
 * | authentication (401), permission (403) | retryable: it did not run, and can be mended |
 * | rate limit, `lock_timeout` (429) | retryable: refused before it ran |
 * | not connected | retryable: nothing was sent |
 * | `idempotency_error` (400): the key was used for another request | unknown: that one may have run |
 * | `idempotency_key_in_use` (409) | unknown: the first one still runs |
 * | api_error (5xx, and every status not named) | unknown |
 * | connection broken, no answer in time, unreadable or too large an answer | unknown |
 *
 * Stripe's own words are left out of the message: they may echo what was sent. Its support finds them by the
 * id of the request.
 */
import { Predicate, Schema } from "effect"
import { Stripe } from "stripe"
import type { ProviderFailure } from "./PaymentProvider.ts"
import { brokenTransport, failure, unknown } from "./ProviderHttp.ts"

const isCode = Schema.is(Schema.String.check(Schema.isPattern(/^[a-z0-9_]{1,100}$/)))

/** Of the errors of its SDK, and of whatever else a call may throw. */
export const classify = (error: unknown): ProviderFailure => {
  const broken = brokenTransport(error)
  if (broken !== null) return broken
  if (!(error instanceof Stripe.errors.StripeError)) {
    return unknown("sdk_failed", Predicate.isError(error) ? error.name : "an error without a name")
  }
  const { code, decline_code: declineCode } = error
  const word = isCode(declineCode) ? declineCode : isCode(code) ? code : null
  const message = `${error.statusCode ?? "no status"} ${error.rawType ?? error.type} (request ${error.requestId ?? "unknown"})`
  if (error instanceof Stripe.errors.StripeCardError) return failure("declined", word ?? "declined", message)
  if (error instanceof Stripe.errors.StripeIdempotencyError) return unknown("key_reused", message)
  if (error instanceof Stripe.errors.StripeInvalidRequestError)
    return failure("declined", word ?? "request_invalid", message)
  if (error instanceof Stripe.errors.StripeRateLimitError)
    return failure("retryable", word ?? "rate_limit", message)
  if (error instanceof Stripe.errors.StripeAuthenticationError)
    return failure("retryable", "authentication_failed", message)
  if (error instanceof Stripe.errors.StripePermissionError)
    return failure("retryable", "permission_denied", message)
  if (error instanceof Stripe.errors.StripeConnectionError) return unknown("connection_broken", message)
  if (error.statusCode === undefined) return unknown("unreadable_answer", message)
  return unknown(word ?? `http_${error.statusCode}`, message)
}

/** The payment that a declined card's error carries. */
export const paymentOf = (error: unknown): unknown =>
  error instanceof Stripe.errors.StripeError ? error.payment_intent : undefined
