/**
 * SMS by anybody's HTTP service that keeps this contract (docs/sms.md): a POST of `{ id, to, from?, text }` with a
 * bearer token and an `Idempotency-Key`; any 2xx has taken it.
 */
import { Clock, Effect, Option, Redacted, Schema, type Scope } from "effect"
import { type ChannelMessage, type ChannelProvider, DeliveryError } from "../Channel.ts"
import * as ProviderHttp from "../ProviderHttp.ts"
import { smsOf } from "./SmsText.ts"

const Taken = Schema.fromJsonString(
  Schema.Struct({ reference: Schema.String.check(Schema.isMaxLength(200)) })
)
const Refused = Schema.fromJsonString(
  Schema.Struct({ error: Schema.String, gone: Schema.optionalKey(Schema.Boolean) })
)
const taken = Schema.decodeUnknownOption(Taken)
const refused = Schema.decodeUnknownOption(Refused)

export interface HttpSmsOptions extends ProviderHttp.HttpOptions {
  readonly url: string
  readonly token: Redacted.Redacted<string>
  readonly name: string
  readonly from?: string | undefined
  readonly ratePerSecond?: number | undefined
}

export const make = Effect.fnUntraced(function* (
  options: HttpSmsOptions
): Effect.fn.Return<ChannelProvider, never, Scope.Scope> {
  const http = yield* ProviderHttp.make(options)
  const send = Effect.fn("HttpSmsProvider.send")(function* (message: ChannelMessage) {
    const { text, to } = yield* smsOf(message)
    const answer = yield* ProviderHttp.call(() =>
      http({
        url: options.url,
        method: "POST",
        headers: {
          authorization: `Bearer ${Redacted.value(options.token)}`,
          "content-type": "application/json",
          "idempotency-key": message.id
        },
        body: JSON.stringify({ id: message.id, to, from: options.from, text })
      })
    )
    if (answer.status >= 200 && answer.status < 300) {
      return {
        reference: Option.match(taken(answer.text), {
          onNone: () => message.id,
          onSome: (it) => it.reference
        })
      }
    }
    const nowMs = yield* Clock.currentTimeMillis
    const said = Option.getOrUndefined(refused(answer.text))
    const words = (said?.error ?? answer.text).replaceAll(Redacted.value(options.token), "<redacted>")
    const error = ProviderHttp.refusal(answer, nowMs, words)
    return yield* error.kind === "refused" && said?.gone === true ? DeliveryError.gone(error.reason) : error
  })
  return {
    channel: "sms",
    name: options.name,
    ...(options.ratePerSecond === undefined ? {} : { ratePerSecond: options.ratePerSecond }),
    send
  }
})
