/**
 * SMS by Twilio's own SDK, over our HTTP client: bounded answers, no retries out of sight, and any base URL. The SDK
 * is 21 MB, so it is loaded only where a Twilio account is configured.
 *
 * Twilio knows no idempotency key: whoever gets a repetition knows it by the same words only.
 */
import { Clock, Effect, Option, Redacted, Schema, type Scope } from "effect"
import type { RequestOptions } from "twilio/lib/base/RequestClient.js"
import { type ChannelMessage, type ChannelProvider, DeliveryError } from "../Channel.ts"
import * as ProviderHttp from "../ProviderHttp.ts"
import { smsOf } from "./SmsText.ts"

/**
 * No SMS will ever reach the number: 21211 and 21217 it is none, 21614 no mobile one, 21610 its owner has answered
 * STOP; told later, 30005 nobody has it, 30006 a landline.
 */
const goneCodes: ReadonlySet<number> = new Set([21211, 21217, 21614, 21610, 30005, 30006])
export const isGone = (code: number): boolean => goneCodes.has(code)

const ErrorBody = Schema.fromJsonString(Schema.Struct({ code: Schema.Int, message: Schema.String }))
const errorBody = Schema.decodeUnknownOption(ErrorBody)

/** Of the SDK's request, what we use of it. */
const FormData = Schema.Record(Schema.String, Schema.Unknown)
const formData = Schema.decodeUnknownOption(FormData)
const form = (data: unknown): string => {
  const fields = Object.entries(Option.getOrElse(formData(data), () => ({})))
  return new URLSearchParams(
    fields.flatMap(([key, value]) => (value === undefined ? [] : [[key, String(value)]]))
  ).toString()
}

export interface TwilioOptions extends ProviderHttp.HttpOptions {
  readonly accountSid: string
  readonly authToken: Redacted.Redacted<string>
  /** Such as `https://api.twilio.com`, or that of an edge. */
  readonly baseUrl: string
  readonly name: string
  /** A number or name, or the id of a messaging service (`MG…`). */
  readonly from: string
  readonly ratePerSecond?: number | undefined
  /** Where Twilio tells what became of a message. */
  readonly statusCallback?: string | undefined
}

export const make = Effect.fnUntraced(function* (
  options: TwilioOptions
): Effect.fn.Return<ChannelProvider, never, Scope.Scope> {
  const http = yield* ProviderHttp.make(options)
  const { default: sdk } = yield* Effect.promise(() => import("twilio"))
  const base = new URL(options.baseUrl)
  const token = Redacted.value(options.authToken)
  const hide = (text: string) => text.replaceAll(token, "<redacted>")

  const send = Effect.fn("TwilioProvider.send")(function* (message: ChannelMessage) {
    const { text, to } = yield* smsOf(message)
    const nowMs = yield* Clock.currentTimeMillis
    let refusal: DeliveryError | undefined
    const httpClient = new (class extends sdk.RequestClient {
      override async request<Data>(call: RequestOptions<Data>) {
        const url = new URL(call.uri)
        const answer = await http({
          url: new URL(url.pathname + url.search, base).href,
          method: "POST",
          headers: {
            accept: "application/json",
            authorization: `Basic ${Buffer.from(`${call.username}:${call.password}`).toString("base64")}`,
            "content-type": "application/x-www-form-urlencoded"
          },
          body: form(call.data)
        })
        if (answer.status < 200 || answer.status > 299) {
          const said = Option.getOrUndefined(errorBody(answer.text))
          const words = hide(said === undefined ? answer.text : `${said.code} ${said.message}`)
          const error = ProviderHttp.refusal(answer, nowMs, words)
          refusal =
            error.kind === "refused" && said !== undefined && isGone(said.code)
              ? DeliveryError.gone(error.reason)
              : error
        }
        return {
          statusCode: answer.status,
          // The SDK parses text by itself.
          body: answer.text as unknown as Data,
          headers: {},
          toString: () => `HTTP ${answer.status}`
        }
      }
    })()
    const client = sdk(options.accountSid, token, { httpClient })
    const sent = yield* ProviderHttp.call(() =>
      client.messages.create({
        to,
        body: text,
        ...(options.from.startsWith("MG") ? { messagingServiceSid: options.from } : { from: options.from }),
        ...(options.statusCallback === undefined ? {} : { statusCallback: options.statusCallback })
      })
    ).pipe(Effect.mapError((error) => refusal ?? error))
    return { reference: sent.sid }
  })
  return {
    channel: "sms",
    name: options.name,
    ...(options.ratePerSecond === undefined ? {} : { ratePerSecond: options.ratePerSecond }),
    send
  }
})
