import { assert, describe, it } from "@effect/vitest"
import { read } from "../src/BounceReport.ts"

const addresses = (body: unknown) => read(body)?.map(({ address }) => address)

describe("BounceReport", () => {
  it("reads our own words, and bounds them", () => {
    assert.deepStrictEqual(
      read({ bounces: [{ address: "a@b.example", reason: "no\r\nsuch", messageId: "<m@x>" }] }),
      [{ address: "a@b.example", reason: "no such", messageId: "m@x" }]
    )
    const many = Array.from({ length: 1_001 }, () => ({ address: "a@b.example", reason: "" }))
    assert.isUndefined(read({ bounces: many }))
    assert.strictEqual(
      read({ bounces: [{ address: "a@b.example", reason: "x".repeat(9_999) }] })?.[0]?.reason.length,
      500
    )
  })

  it("reads what providers send, and counts only what bounced for good and complaints", () => {
    const postmark = (Type: string) => ({
      RecordType: "Bounce",
      Type,
      Email: "a@b.example",
      Description: "d"
    })
    assert.deepStrictEqual(addresses(postmark("HardBounce")), ["a@b.example"])
    assert.deepStrictEqual(addresses(postmark("SoftBounce")), [])
    assert.deepStrictEqual(
      addresses([
        { event: "bounce", email: "a@b.example", reason: "550" },
        { event: "bounce", email: "c@d.example", type: "blocked" },
        { event: "delivered", email: "e@f.example" },
        { event: "spamreport", email: "g@h.example" }
      ]),
      ["a@b.example", "g@h.example"]
    )
    const mailgun = (severity: string) => ({
      "event-data": { event: "failed", severity, recipient: "a@b.example", reason: "bounce" }
    })
    assert.deepStrictEqual(addresses(mailgun("permanent")), ["a@b.example"])
    assert.deepStrictEqual(addresses(mailgun("temporary")), [])
  })

  it("takes no address that cannot be stored or shown on a line, and bounds what is said of it", () => {
    for (const address of [
      "a\0@b.example",
      "a@b\u001b.example",
      "a@b\ud800.example",
      `a@${"b".repeat(190)}`
    ]) {
      assert.isUndefined(read({ bounces: [{ address, reason: "" }] }), JSON.stringify(address))
      assert.isUndefined(read({ RecordType: "Bounce", Type: "HardBounce", Email: address }))
    }
    const [said] =
      read({ bounces: [{ address: "a@b.example", reason: "\ud800\0", messageId: "m\0\ud800" }] }) ?? []
    assert.deepInclude(said, { reason: "\ufffd ", messageId: "m\ufffd" })
  })

  it.each([null, "text", 7, {}, { bounces: "all" }, { bounces: [{ address: "nobody", reason: "" }] }])(
    "takes %j for no report",
    (body) => assert.isUndefined(read(body))
  )
})
