/** Takes what Twilio tells of messages that it took: whether they arrived, and which numbers nothing reaches. */
import { Context, Effect, Layer, Option, Redacted, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { settled } from "../SettledSql.ts"
import { Suppressions } from "../Suppressions.ts"
import * as SmsConfig from "./SmsConfig.ts"
import { isGone } from "./TwilioProvider.ts"

export class SmsCallbackRejected extends Schema.TaggedError<SmsCallbackRejected>()("SmsCallbackRejected", {
  reason: Schema.String
}) {}

const Status = Schema.Struct({
  MessageSid: Schema.String.check(Schema.isPattern(/^[A-Za-z0-9]{1,64}$/)),
  MessageStatus: Schema.String,
  To: Schema.String.check(Schema.isMaxLength(64)),
  ErrorCode: Schema.optionalKey(Schema.NumberFromString)
})
const decode = Schema.decodeUnknownOption(Status)

export class SmsCallbacks extends Context.Service<
  SmsCallbacks,
  {
    /** A form, and its `X-Twilio-Signature`. What is told twice is on record once. */
    readonly receive: (
      body: Uint8Array,
      signature: string | undefined
    ) => Effect.Effect<void, SmsCallbackRejected>
  }
>()("@onsale/notifications/sms/SmsCallbacks") {
  /** Without a Twilio account in `ONSALE_SMS_PROVIDERS`, or without `ONSALE_PUBLIC_URL`, nothing is taken. */
  static readonly layer = Layer.effect(
    SmsCallbacks,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const suppressions = yield* Suppressions
      const tokens = yield* SmsConfig.twilioTokens
      const url = yield* SmsConfig.twilioCallback
      const sdk = tokens.length === 0 ? undefined : yield* Effect.promise(() => import("twilio"))
      const reject = (reason: string) => new SmsCallbackRejected({ reason })

      const record = Effect.fnUntraced(
        function* (status: typeof Status.Type, arrived: boolean) {
          // Twilio repeats what we were slow to answer: two at once would both find nothing on record.
          yield* sql`SELECT FROM notifications.messages
          WHERE reference = ${status.MessageSid}::text AND channel = 'sms' FOR UPDATE`
          const reason = arrived ? "delivered" : `${status.MessageStatus} ${status.ErrorCode ?? ""}`.trim()
          yield* sql`INSERT INTO notifications.attempts (message_id, at, provider, outcome, reason)
          SELECT id, clock_timestamp(), provider, ${arrived ? "sent" : "refused"}::text, ${reason}::text
          FROM notifications.messages m
          WHERE reference = ${status.MessageSid}::text AND channel = 'sms' AND NOT EXISTS (
            SELECT FROM notifications.attempts a WHERE a.message_id = m.id AND a.reason = ${reason}::text)`
          if (arrived) return
          yield* sql`UPDATE notifications.messages SET bounced_at = clock_timestamp()
          WHERE reference = ${status.MessageSid}::text AND channel = 'sms' AND bounced_at IS NULL`
        },
        (effect) => settled(sql.withTransaction(effect))
      )

      return SmsCallbacks.of({
        receive: Effect.fn("SmsCallbacks.receive")(function* (body, signature) {
          if (sdk === undefined || url === undefined) {
            return yield* reject("there is no Twilio account, or ONSALE_PUBLIC_URL is not set")
          }
          const form = Object.fromEntries(new URLSearchParams(Buffer.from(body).toString("utf8")))
          const holds = tokens.some((token) =>
            sdk.default.validateRequest(Redacted.value(token), signature ?? "", url, form)
          )
          if (!holds) return yield* reject("the signature does not hold")
          const status = decode(form)
          if (Option.isNone(status)) return yield* reject("it is no status of a message")
          const { ErrorCode, MessageSid, MessageStatus, To } = status.value
          if (MessageStatus === "delivered") return yield* record(status.value, true)
          if (MessageStatus !== "undelivered" && MessageStatus !== "failed") return
          yield* record(status.value, false)
          if (ErrorCode !== undefined && isGone(ErrorCode)) {
            yield* suppressions.add("twilio", [
              { address: To, reason: `${MessageStatus} ${ErrorCode}`, messageId: MessageSid }
            ])
          }
        })
      })
    })
  )
}
