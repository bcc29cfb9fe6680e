import { assert, describe, it } from "@effect/vitest"
import { Notice } from "@onsale/contracts/notifications/Notice"
import { defaults } from "@onsale/contracts/notifications/Preferences"
import { Effect, Layer } from "effect"
import { PushSubscriptions } from "../src/push/PushSubscriptions.ts"
import { Recipients } from "../src/Recipients.ts"
import { Suppressions } from "../src/Suppressions.ts"
import { samples } from "../src/templates/Samples.ts"
import { told } from "../src/Told.ts"

const browser = {
  key: "b1",
  recipient: {
    channel: "push",
    endpoint: "https://push.example/1",
    keys: { p256dh: "", auth: "" }
  }
} as const
const recipients = Recipients.layer.pipe(
  Layer.provide(Layer.mock(PushSubscriptions)({ of: () => Effect.succeed([browser]) })),
  Layer.provide(Layer.mock(Suppressions)({}))
)

describe("Recipients", () => {
  it.effect("what a holder is told goes to their address, and to none of the buyer's browsers", () =>
    Effect.gen(function* () {
      const { of } = yield* Recipients
      const [toBuyer, toHolder] = samples.EventReminder
      const notice = Notice.cases.EventReminder.make({
        orderId: toBuyer!.order.orderId,
        eventId: toBuyer!.event.eventId,
        startsAt: toBuyer!.event.startsAt
      })
      const reached = (content: typeof toBuyer, channel: "email" | "push", email: string) =>
        Effect.map(of(channel, told(content!, { name: "A", email }), defaults, notice), (all) =>
          all.map(({ recipient }) => (recipient.channel === "email" ? recipient.address : recipient.channel))
        )
      assert.deepStrictEqual(yield* reached(toBuyer, "push", "ada@example.org"), ["push"])
      assert.deepStrictEqual(yield* reached(toHolder, "push", "grace@example.org"), [])
      assert.deepStrictEqual(yield* reached(toHolder, "email", "grace@example.org"), ["grace@example.org"])
    }).pipe(Effect.provide(recipients))
  )
})
