/**
 * What an error of Mollie says about money.
 *
 * | Mollie's answer | kind |
 * |---|---|
 * | 400, 404, 410, 422 | declined: for what the request is, or where the payment stands |
 * | 401, 403, 405 | retryable: it did not run, and can be mended |
 * | 429 | retryable: refused before it ran |
 * | refused by the SDK before it was sent | declined |
 * | not connected | retryable: nothing was sent |
 * | 409: the like of it was sent a moment ago, or still runs | unknown |
 * | 5xx, and every status not named | unknown |
 * | connection broken, no answer in time, unreadable or too large an answer | unknown |
 *
 * Mollie's own words are left out of the message: they may echo what was sent.
 */
import { Predicate } from "effect"
import { ClientError, ResponseValidationError, SDKValidationError } from "mollie-api-typescript/models/errors"
import type { ProviderFailure } from "./PaymentProvider.ts"
import { brokenTransport, failure, unknown } from "./ProviderHttp.ts"

export const classify = (error: unknown): ProviderFailure => {
  const broken = brokenTransport(error)
  if (broken !== null) return broken
  // A refusal counts by its status, whatever it looks like; an answer that is none leaves all open.
  const isRefusal = error instanceof ClientError && error.statusCode >= 400
  if ((error instanceof ResponseValidationError && !isRefusal) || error instanceof SyntaxError)
    return unknown("unreadable_answer", "an answer that cannot be read")
  if (error instanceof SDKValidationError) return failure("declined", "request_invalid", "refused by the SDK")
  if (!(error instanceof ClientError))
    return unknown("sdk_failed", Predicate.isError(error) ? error.name : "an error without a name")
  const status = error.statusCode
  const code = `http_${status}`
  switch (status) {
    case 400:
    case 404:
    case 410:
    case 422:
      return failure("declined", code, code)
    case 401:
    case 403:
    case 405:
    case 429:
      return failure("retryable", code, code)
    default:
      return unknown(code, code)
  }
}
