import { assert, describe, it } from "@effect/vitest"
import * as Calendar from "../src/Calendar.ts"
import * as Messages from "../src/Messages.ts"
import * as Wording from "../src/Wording.ts"
import { event, eventId, makeOrderId, makeTickets, nowMs } from "./Samples.ts"

const confirmed = (changes: {
  readonly name?: string
  readonly customer?: string
  readonly tickets?: number
}) =>
  Messages.orderConfirmed({
    messageId: "m@onsale.example",
    order: {
      orderId: makeOrderId(),
      eventId,
      customer: { name: changes.customer ?? "Ada", email: "ada@example.org" },
      total: { amount: 9900, currency: "EUR" },
      tickets: makeTickets(changes.tickets ?? 2),
      placedAtMs: nowMs
    },
    event: { ...event, name: changes.name ?? event.name },
    pdf: new Uint8Array([1])
  })

describe("Messages", () => {
  it("says what, when, where and how much, in text and in HTML", () => {
    const mail = confirmed({})
    for (const part of [
      "Midnight Symphony",
      "Thursday, 24 December 2026",
      "20:30 CET",
      "Waldbühne",
      "Block A 12-2",
      "€99.00"
    ]) {
      assert.include(mail.text, part)
      assert.include(mail.html, part)
    }
    assert.deepStrictEqual(
      mail.attachments.map(({ filename }) => filename),
      ["tickets.pdf", "event.ics"]
    )
  })

  it("escapes what people have typed", () => {
    const { html } = confirmed({ name: `<script>alert("1")</script>`, customer: `<img src=x onerror='x'>` })
    assert.notInclude(html, "<script")
    assert.notInclude(html, "<img")
    assert.include(html, "&lt;script&gt;")
  })

  it("no header can be smuggled into the subject or the name", () => {
    const mail = confirmed({ name: "x\r\nBcc: all@example.org", customer: "y\nBcc: all@example.org" })
    assert.notMatch(mail.subject, /[\r\n]/)
    assert.notMatch(mail.to.name, /[\r\n]/)
  })

  it("tells the buyer the order's number, and what its tickets call it", () => {
    const { html, text } = confirmed({})
    for (const part of [text, html])
      assert.match(part, /Order [0-9a-f-]{36} \(on the tickets: [A-Z2-7]{4}-[A-Z2-7]{4}\)/)
  })

  it("a large order lists some of its tickets", () => {
    assert.include(confirmed({ tickets: 25 }).text, "and 5 more")
  })
})

describe("Calendar", () => {
  it("escapes, and folds lines of more than 75 bytes", () => {
    const entry = Calendar.entry({ ...event, name: `A; B, C\\ and ${"ü".repeat(100)}\r\nATTACH:evil` }, nowMs)
    const lines = entry.split("\r\n")
    for (const line of lines) assert.isAtMost(Buffer.byteLength(line), 75)
    assert.include(entry, "SUMMARY:A\\; B\\, C\\\\ and")
    assert.isFalse(lines.some((line) => line.startsWith("ATTACH")))
    assert.include(entry, "DTSTART:20261224T193000Z")
  })
})

describe("Wording", () => {
  it("knows the minor units of a currency", () => {
    assert.strictEqual(Wording.amount({ amount: 4950, currency: "EUR" }), "€49.50")
    assert.strictEqual(Wording.amount({ amount: 4950, currency: "JPY" }), "JP¥4,950")
    assert.strictEqual(Wording.amount({ amount: 4950, currency: "KWD" }).replace(/\s/, " "), "KWD 4.950")
  })

  it("tells the time of the venue, and UTC where its zone is not known", () => {
    assert.strictEqual(Wording.time("2026-12-24T23:30:00Z", "Asia/Tokyo"), "08:30")
    assert.strictEqual(Wording.day("2026-12-24T23:30:00Z", "Asia/Tokyo"), "Friday, 25 December 2026")
    assert.strictEqual(Wording.time("2026-12-24T23:30:00Z", "Mars/Olympus"), "23:30")
  })
})
