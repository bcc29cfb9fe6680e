/** Where a customer, or somebody who was given a ticket, is reached in a channel, looked up when a message is planned and again when it is sent. */
import type { ChannelName } from "@onsale/contracts/notifications/Message"
import type { Notice } from "@onsale/contracts/notifications/Notice"
import type { Preferences } from "@onsale/contracts/notifications/Preferences"
import { Context, Effect, Layer } from "effect"
import type { Recipient } from "./Channel.ts"
import type { Addressee } from "./MessageStore.ts"
import { PushSubscriptions } from "./push/PushSubscriptions.ts"
import { Suppressions } from "./Suppressions.ts"
import { plain } from "./TextLayout.ts"
import type { Told } from "./Told.ts"

export class Recipients extends Context.Service<
  Recipients,
  {
    /** None where they are not reached by the channel. */
    readonly of: (
      channel: ChannelName,
      told: Told,
      preferences: Preferences,
      notice: Notice
    ) => Effect.Effect<ReadonlyArray<Addressee>>
    /** A provider has said that nothing reaches them any more. `key` is that of the addressee. */
    readonly forget: (
      recipient: Recipient,
      key: string | null,
      said: { readonly provider: string; readonly reason: string }
    ) => Effect.Effect<void>
  }
>()("@onsale/notifications/Recipients") {
  static readonly layer = Layer.effect(
    Recipients,
    Effect.gen(function* () {
      const suppressions = yield* Suppressions
      const subscriptions = yield* PushSubscriptions
      const none = Effect.succeed<ReadonlyArray<Addressee>>([])
      const one = (recipient: Recipient) => Effect.succeed([{ key: null, recipient }])
      return Recipients.of({
        of: (channel, { content, customer }, { phone }, notice) => {
          switch (channel) {
            case "email":
              return customer === null
                ? none
                : one({ channel: "email", name: plain(customer.name), address: customer.email })
            case "sms":
              return customer === null || phone === null ? none : one({ channel: "sms", phone })
            case "push":
              if (notice._tag === "HoldExpiring") return subscriptions.of({ holdId: notice.holdId })
              // Browsers subscribe by the order's id, so they are the buyer's.
              return "order" in content && content.order.toHolder !== undefined
                ? none
                : subscriptions.of({ orderId: notice.orderId })
          }
        },
        forget: (recipient, key, { provider, reason }) => {
          switch (recipient.channel) {
            case "email":
              return Effect.void
            case "sms":
              return suppressions.add(provider, [{ address: recipient.phone, reason, messageId: null }])
            case "push":
              return key === null ? Effect.void : subscriptions.remove(key)
          }
        }
      })
    })
  )
}
