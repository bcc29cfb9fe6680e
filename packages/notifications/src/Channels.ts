/** The channels that this installation has, each with its providers. */
import type { ChannelName } from "@onsale/contracts/notifications/Message"
import { Context, Effect, Layer, type Redacted } from "effect"
import type { ChannelProvider } from "./Channel.ts"
import * as ProviderPool from "./ProviderPool.ts"
import { VapidKeys } from "./push/VapidKeys.ts"
import * as WebPushProvider from "./push/WebPushProvider.ts"
import * as SmsConfig from "./sms/SmsConfig.ts"
import * as SmtpProvider from "./SmtpProvider.ts"

export class Channels extends Context.Service<
  Channels,
  {
    /** Undefined where nothing of the channel is configured. */
    readonly of: (channel: ChannelName) => ProviderPool.ProviderPool | undefined
    readonly all: ReadonlyArray<ProviderPool.ProviderPool>
  }
>()("@onsale/notifications/Channels") {
  /** Of providers of any channels, within each in the order of preference. */
  static readonly make = Effect.fnUntraced(function* (providers: ReadonlyArray<ChannelProvider>) {
    const pools: Array<ProviderPool.ProviderPool> = []
    for (const channel of new Set(providers.map((provider) => provider.channel))) {
      const [first, ...others] = providers.filter((provider) => provider.channel === channel)
      if (first !== undefined) pools.push(yield* ProviderPool.make(first, ...others))
    }
    return Channels.of({
      all: pools,
      of: (channel) => pools.find((pool) => pool.channel === channel)
    })
  })

  /** E-mail alone, by the mail servers at these addresses (see `SmtpProvider.urlsOf`). */
  static readonly layerSmtp = (options: {
    readonly urls: Redacted.Redacted<string>
    readonly from: string
  }) => Layer.effect(Channels, Effect.flatMap(SmtpProvider.makeAll(options), Channels.make))

  /** E-mail by these mail servers, and what else is configured. */
  static readonly layerLocal = (options: {
    readonly urls: Redacted.Redacted<string>
    readonly from: string
  }) =>
    Layer.effect(
      Channels,
      Effect.gen(function* () {
        return yield* Channels.make([...(yield* SmtpProvider.makeAll(options)), ...(yield* besidesMail)])
      })
    ).pipe(Layer.provide(VapidKeys.layer))

  /**
   * Of the configuration: `ONSALE_SMTP_URL` and `ONSALE_MAIL_FROM`, `ONSALE_SMS_PROVIDERS`, and browsers always.
   */
  static readonly layer = Layer.effect(
    Channels,
    Effect.gen(function* () {
      const mail = yield* SmtpProvider.makeAll(yield* SmtpProvider.config)
      return yield* Channels.make([...mail, ...(yield* besidesMail)])
    })
  ).pipe(Layer.provide(VapidKeys.layer))
}

/** SMS, where a provider is configured, and pushes to browsers. */
const besidesMail = Effect.gen(function* () {
  const sms = yield* SmsConfig.providers
  return [...sms, yield* WebPushProvider.make({ keys: yield* VapidKeys })]
})
