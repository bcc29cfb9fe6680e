import { assert, layer } from "@effect/vitest"
import { CustomerId } from "@onsale/contracts/Ids"
import { defaults } from "@onsale/contracts/notifications/Preferences"
import { layerDatabase } from "@onsale/testing/PostgresFixture"
import { Effect, Layer } from "effect"
import { Preferences } from "../src/Preferences.ts"
import { UnsubscribeLinks } from "../src/UnsubscribeLinks.ts"

const services = Layer.merge(Preferences.layer, UnsubscribeLinks.layer).pipe(
  Layer.provideMerge(layerDatabase)
)
const customerId = CustomerId.make("customer-1")
const german = { ...defaults, locale: "de" as const }

layer(services, { timeout: "120 seconds", excludeTestServices: true })("Preferences", (it) => {
  it.effect(
    "are found by the address however it is written, and by the customer, whose row moves along",
    () =>
      Effect.gen(function* () {
        const preferences = yield* Preferences
        assert.deepStrictEqual(yield* preferences.of("ada@example.org"), defaults)
        yield* preferences.set({ email: "Ada@Example.org", customerId }, german)
        assert.deepStrictEqual(yield* preferences.of("ada@example.ORG"), german)
        assert.deepStrictEqual(yield* preferences.of("other@example.org", customerId), german)
        yield* preferences.set({ email: "new@example.org", customerId }, { ...german, locale: "fr" })
        assert.deepStrictEqual(yield* preferences.of("ada@example.org"), defaults)
        assert.strictEqual((yield* preferences.of("new@example.org")).locale, "fr")
      })
  )

  it.effect("a link declines its topic alone, for its reader alone; a changed one is refused", () =>
    Effect.gen(function* () {
      const preferences = yield* Preferences
      const links = yield* UnsubscribeLinks
      const email = "reader@example.org"
      const url = yield* links.url({ email, topic: "reminders" })
      assert.notInclude(url, "reader")
      const token = url.slice(url.lastIndexOf("/") + 1)
      const claim = yield* links.open(token)
      assert.deepStrictEqual(claim, { email, topic: "reminders" })
      yield* preferences.decline(claim.email, claim.topic)
      yield* preferences.decline(claim.email, claim.topic)
      const now = yield* preferences.of(email)
      assert.isFalse(now.reminders.email)
      assert.isTrue(now.news.email)
      const middle = token.lastIndexOf(".") - 8
      const changed = `${token.slice(0, middle)}${token[middle] === "A" ? "B" : "A"}${token.slice(middle + 1)}`
      for (const wrong of [changed, token.slice(0, -3), "x", "a.b.c.d.e", "x".repeat(5_000)])
        assert.strictEqual((yield* Effect.flip(links.open(wrong)))._tag, "UnsubscribeLinkRefused")
    })
  )
})
