/** What several groups of the HTTP API share. */
import { Schema } from "effect"

/** Characters of an `Idempotency-Key`. */
export const maxKeyLength = 255

/** 1 to 255 characters, best a UUID. The same key with the same body gives the same answer. */
export const IdempotencyKey = Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(maxKeyLength))

/** Required on POSTs that create a hold, an order or a refund. */
export const IdempotencyHeaders = Schema.Struct({ "idempotency-key": IdempotencyKey })

/** How long a client waits, as `wait=SECONDS` (RFC 7240 §4.3); what is not understood says nothing. */
const Prefer = Schema.String.annotate({
  description: "`wait=SECONDS`: how long the client waits for the answer, 2 to 60 seconds"
})

/** Of the POSTs that may have to wait in line. */
export const WaitingHeaders = Schema.Struct({
  ...IdempotencyHeaders.fields,
  prefer: Schema.optionalKey(Prefer)
})

/** For their descriptions. */
export const aboutWaiting =
  "`Prefer: wait=SECONDS` (RFC 7240) says how long the client waits, counted from when the request arrives: whole seconds, at least 2 and at most 60 (what is less counts as 2, what is more as 60, and anything else as if it was not said). The answer says by `Preference-Applied: wait=SECONDS` what was understood."
