/** Takes what Twilio tells of messages that it took: whether they arrived, and which numbers nothing reaches. */
import { Context, Effect, Layer, Option, Redacted, Schema } from "effect"
import { Suppressions } from "../Suppressions.ts"
import * as SmsConfig from "./SmsConfig.ts"
import * as SmsStatuses from "./SmsStatuses.ts"
import { isGone } from "./TwilioProvider.ts"

export class SmsCallbackRejected extends Schema.TaggedError<SmsCallbackRejected>()("SmsCallbackRejected", {
  /** `body`: whoever sent it may. */
  fault: Schema.Literals(["signature", "body"]),
  reason: Schema.String
}) {}

/** What is signed is still typed by somebody: all of it is bounded that is written down. */
const Status = Schema.Struct({
  MessageSid: Schema.String.check(Schema.isPattern(/^[A-Za-z0-9]{1,64}$/)),
  MessageStatus: Schema.String.check(Schema.isPattern(/^[a-z_]{1,32}$/)),
  To: Schema.String.check(Schema.isPattern(/^[\x20-\x7e]{1,64}$/)),
  ErrorCode: Schema.optionalKey(Schema.String.check(Schema.isPattern(/^\d{0,9}$/)))
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
      const suppressions = yield* Suppressions
      const tokens = yield* SmsConfig.twilioTokens
      const url = yield* SmsConfig.twilioCallback
      const sdk = tokens.length === 0 ? undefined : yield* Effect.promise(() => import("twilio"))
      const statuses = yield* SmsStatuses.make
      const reject = (reason: string) => new SmsCallbackRejected({ fault: "signature", reason })

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
          if (Option.isNone(status)) {
            return yield* new SmsCallbackRejected({ fault: "body", reason: "it is no status of a message" })
          }
          const { ErrorCode = "", MessageSid: reference, MessageStatus, To } = status.value
          if (MessageStatus === "delivered") {
            return yield* statuses.take({ reference, arrived: true, reason: MessageStatus })
          }
          if (MessageStatus !== "undelivered" && MessageStatus !== "failed") return
          const reason = `${MessageStatus} ${ErrorCode}`.trim()
          yield* statuses.take({ reference, arrived: false, reason })
          if (ErrorCode !== "" && isGone(Number(ErrorCode))) {
            yield* suppressions.add("twilio", [{ address: To, reason, messageId: reference }])
          }
        })
      })
    })
  )
}
