/** Where a customer is reached in a channel, looked up when a message is planned and again when it is sent. */
import type { Customer } from "@onsale/contracts/booking/Order"
import type { ChannelName } from "@onsale/contracts/notifications/Message"
import type { Preferences } from "@onsale/contracts/notifications/Preferences"
import { Context, Effect, Layer } from "effect"
import type { Addressee } from "./MessageStore.ts"

export class Recipients extends Context.Service<
  Recipients,
  {
    /** None where the customer is not reached by the channel. */
    readonly of: (
      channel: ChannelName,
      customer: Customer,
      preferences: Preferences
    ) => Effect.Effect<ReadonlyArray<Addressee>>
  }
>()("@onsale/notifications/Recipients") {
  static readonly layer = Layer.succeed(Recipients, {
    of: (channel, { email, name }, { phone }) => {
      switch (channel) {
        case "email":
          return Effect.succeed([{ key: null, recipient: { channel: "email", name, address: email } }])
        case "sms":
          return Effect.succeed(phone === null ? [] : [{ key: null, recipient: { channel: "sms", phone } }])
        case "push":
          return Effect.succeed([])
      }
    }
  })
}
