/** What several groups of the HTTP API share. */
import { Schema } from "effect"

/** Characters of an `Idempotency-Key`. */
export const maxKeyLength = 255

/** 1 to 255 characters, best a UUID. The same key with the same body gives the same answer. */
export const IdempotencyKey = Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(maxKeyLength))

/** Required on POSTs that create a hold, an order or a refund. */
export const IdempotencyHeaders = Schema.Struct({ "idempotency-key": IdempotencyKey })
