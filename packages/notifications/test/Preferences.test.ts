import { assert, describe, it } from "@effect/vitest"
import { defaults } from "@onsale/contracts/notifications/Preferences"
import { channelsFor, keyOf, localeFor } from "../src/Preferences.ts"
import { samples } from "../src/templates/Samples.ts"

const none = { email: false, sms: false, push: false }

describe("Preferences", () => {
  it("tickets, money and a moved event go by e-mail, whatever was declined", () => {
    const declined = { ...defaults, essentials: { sms: false, push: false }, reminders: none, news: none }
    for (const [tag, contents] of Object.entries(samples)) {
      const isDeclined = tag === "EventReminder" || tag === "HoldExpiring"
      assert.strictEqual(channelsFor(declined, contents[0]!).email, !isDeclined, tag)
    }
    assert.isTrue(channelsFor(declined, samples.EventChanged[1]!).email)
    assert.isTrue(channelsFor(declined, samples.EventChanged[3]!).email)
    assert.isFalse(channelsFor(declined, samples.EventChanged[2]!).email)
  })

  it("no SMS goes to who has told no number", () => {
    const wanted = { ...defaults, essentials: { sms: true, push: false } }
    assert.isFalse(channelsFor(wanted, samples.OrderConfirmed[0]!).sms)
    assert.isTrue(channelsFor({ ...wanted, phone: "+4930123456" }, samples.OrderConfirmed[0]!).sms)
  })

  it("the customer's language wins over the order's, and that over English", () => {
    assert.strictEqual(localeFor({ ...defaults, locale: "ar" }, "de-AT"), "ar")
    assert.strictEqual(localeFor(defaults, "DE-at"), "de")
    assert.strictEqual(localeFor(defaults, "nl"), "en")
    assert.strictEqual(localeFor(defaults, undefined), "en")
  })

  it("an address is the same however its letters are written", () => {
    assert.strictEqual(keyOf(" Ada@Example.ORG "), "ada@example.org")
  })
})
