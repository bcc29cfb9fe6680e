/** What several groups of the HTTP API share. */
import { Schema } from "effect"

/** Characters of an `Idempotency-Key`. */
export const maxKeyLength = 255

/**
 * Required on POSTs that create a hold, an order or a refund. The same key with the same body gives
 * the same answer; 1 to 255 characters, best a UUID.
 */
export const IdempotencyHeaders = Schema.Struct({
  "idempotency-key": Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(maxKeyLength))
})
