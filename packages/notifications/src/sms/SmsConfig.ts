/**
 * The providers of SMS, in the order of preference, from `ONSALE_SMS_PROVIDERS`: addresses with commas between them.
 *
 * - `twilio://<account>:<token>@api.twilio.com?from=+15550001111` (`twilio+http:` where it is without TLS)
 * - `https://:<bearer>@sms.example/send?from=Onsale`: a service that keeps the contract of docs/sms.md
 *
 * `rate=<messages a second>` may stand in each.
 */
import { Config, Effect, Option, Redacted, Schema } from "effect"
import * as HttpSmsProvider from "./HttpSmsProvider.ts"
import * as TwilioProvider from "./TwilioProvider.ts"

/** Something in it is no address of a provider. The message does not repeat it. */
class SmsProvidersInvalid extends Schema.TaggedError<SmsProvidersInvalid>()("SmsProvidersInvalid", {
  message: Schema.String
}) {}

/** More than a few are a mistake in the configuration. */
const maxProviders = 8
const invalid = new SmsProvidersInvalid({
  message: `ONSALE_SMS_PROVIDERS: expected at most ${maxProviders} addresses such as twilio://account:token@api.twilio.com?from=+15550001111 or https://:bearer@sms.example/send, with commas between them`
})

const isAddress = (url: URL) => {
  const rate = url.searchParams.get("rate")
  if (rate !== null && !(Number(rate) > 0)) return false
  if (/^twilio(\+http)?:$/.test(url.protocol)) {
    return url.username !== "" && url.password !== "" && (url.searchParams.get("from") ?? "") !== ""
  }
  return /^https?:$/.test(url.protocol) && url.password !== ""
}

/** The addresses; none where none is set. */
const urls = Effect.gen(function* () {
  const text = yield* Config.Redacted("ONSALE_SMS_PROVIDERS").pipe(Config.option)
  if (Option.isNone(text)) return []
  const parts = Redacted.value(text.value)
    .split(/[\s,]+/)
    .filter((part) => part !== "")
  const parsed = parts.flatMap((part) => (URL.canParse(part) ? [new URL(part)] : []))
  const isWrong = parsed.length !== parts.length || parts.length > maxProviders || !parsed.every(isAddress)
  return isWrong ? yield* invalid : parsed
})

const isTwilio = (url: URL) => url.protocol.startsWith("twilio")

/** Where the gateway takes what Twilio tells of messages. */
const twilioCallbackPath = "/api/v1/webhooks/sms/twilio"

const publicUrl = Config.URL("ONSALE_PUBLIC_URL").pipe(Config.option, Config.map(Option.getOrUndefined))

/** The address that Twilio is given for it, and signs; undefined where nobody outside knows ours. */
export const twilioCallback = Effect.map(publicUrl, (url) =>
  url === undefined ? undefined : url.href.replace(/\/+$/, "") + twilioCallbackPath
)

/** The tokens that Twilio's callbacks may be signed with. */
export const twilioTokens = Effect.map(urls, (all) =>
  all.filter(isTwilio).map((url) => Redacted.make(decodeURIComponent(url.password)))
)

export const providers = Effect.gen(function* () {
  const all = yield* urls
  const statusCallback = yield* twilioCallback
  return yield* Effect.forEach(all, (url, i) => {
    const earlier = all.slice(0, i).filter(({ host }) => host === url.host).length
    const name = earlier === 0 ? url.host : `${url.host}#${earlier + 1}`
    const from = url.searchParams.get("from") ?? undefined
    const rate = url.searchParams.get("rate")
    const shared = { name, ratePerSecond: rate === null ? undefined : Number(rate) }
    const secret = Redacted.make(decodeURIComponent(url.password))
    if (isTwilio(url)) {
      return TwilioProvider.make({
        ...shared,
        accountSid: decodeURIComponent(url.username),
        authToken: secret,
        baseUrl: `${url.protocol === "twilio:" ? "https" : "http"}://${url.host}`,
        from: from ?? "",
        statusCallback
      })
    }
    const target = new URL(url)
    target.username = target.password = ""
    target.searchParams.delete("from")
    target.searchParams.delete("rate")
    return HttpSmsProvider.make({ ...shared, url: target.href, token: secret, from })
  })
})
