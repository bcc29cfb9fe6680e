/** A mail that was handed to a mail server, as it is on record. */
import { Schema } from "effect"
import { OrderId } from "../Ids.ts"

export const SentMail = Schema.Struct({
  /** Of the message, such as `<orderId>:confirmed:email`. */
  id: Schema.String,
  orderId: OrderId,
  to: Schema.String,
  subject: Schema.String,
  /** Made from `id`: a mail that arrives twice can be recognised. */
  messageId: Schema.String,
  attempts: Schema.Int,
  /** UTC instant, ISO 8601. */
  sentAt: Schema.String
})
export type SentMail = typeof SentMail.Type
