import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import { Customer } from "../src/booking/Order.ts"
import { DisplayName, NewEvent, NewVenue } from "../src/catalog/Event.ts"
import { NewRefund } from "../src/http/OrdersApi.ts"

const isCustomer = Schema.is(Customer)
const isRefund = Schema.is(NewRefund)

describe("text that is kept", () => {
  it("has no U+0000 and no half of a surrogate pair, which Postgres cannot give back", () => {
    const email = "ada@example.com"
    assert.isTrue(isCustomer({ name: "Zoë 🎟 Müller", email }))
    for (const broken of ["A\0b", "\ud800", "a\udc00b"]) {
      assert.isFalse(isCustomer({ name: broken, email }))
      assert.isFalse(isRefund({ reason: broken }))
    }
    assert.isFalse(isCustomer({ name: "Ada", email: "a@b.org\0" }))
  })

  it("of a name is one line, whatever is named: nothing in it ends a header or steers a terminal", () => {
    const venueId = "01937b5c-0000-7000-8000-000000000000"
    const event = {
      venueId,
      name: "Zoë 🎟 «Müller» \u200fשלום",
      startsAt: "2026-12-24T19:30:00Z",
      performers: [{ name: "Band", description: "of two\nlines" }],
      tiers: [{ name: "Stalls", price: { amount: 100, currency: "EUR" }, categories: [] }]
    }
    const venue = {
      name: "Hall",
      timeZone: "Europe/Berlin",
      seatMap: { format: "csv", content: "" }
    }
    const asEvent = Schema.decodeUnknownResult(NewEvent)
    const asVenue = Schema.decodeUnknownResult(NewVenue)
    assert.isTrue(Result.isSuccess(asEvent(event)))
    assert.isTrue(Result.isSuccess(asVenue(venue)))
    for (const end of ["\r\n", "\n", "\r", "\t", "\u001b", "\u007f", "\u0085", "\u2028", "\u2029", "\0"]) {
      const name = `A${end}Bcc: all@example.org`
      assert.isFalse(Schema.is(DisplayName)(name), JSON.stringify(name))
      const [tier] = event.tiers
      for (const broken of [
        { ...event, name },
        { ...event, performers: [{ name }] },
        { ...event, tiers: [{ ...tier, name }] }
      ]) {
        assert.isTrue(Result.isFailure(asEvent(broken)), JSON.stringify(broken))
      }
      assert.isTrue(Result.isFailure(asVenue({ ...venue, name })))
    }
  })
})
