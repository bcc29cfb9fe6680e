import { assert, describe, it } from "@effect/vitest"
import * as Calendar from "../src/Calendar.ts"
import * as Wording from "../src/Wording.ts"
import { event, nowMs } from "./Samples.ts"

describe("Calendar", () => {
  it("escapes, and folds lines of more than 75 bytes", () => {
    const entry = Calendar.entry(
      { ...event, name: `A; B, C\\ and ${"ü".repeat(100)}\r\nATTACH:evil` },
      { atMs: nowMs, cancelled: false, sequence: 3 }
    )
    const lines = entry.split("\r\n")
    for (const line of lines) assert.isAtMost(Buffer.byteLength(line), 75)
    assert.include(entry, "SUMMARY:A\\; B\\, C\\\\ and")
    assert.isFalse(lines.some((line) => line.startsWith("ATTACH")))
    assert.include(entry, "DTSTART:20261224T193000Z")
    assert.include(entry, "\r\nSEQUENCE:3\r\n")
  })

  it("reminds of the tickets in the buyer's language", () => {
    const inGerman = Calendar.entry(event, { atMs: nowMs, cancelled: false, sequence: 0 }, "de").replaceAll(
      "\r\n ",
      ""
    )
    assert.include(inGerman, "PRODID:-//Onsale//Tickets//DE")
    assert.include(inGerman, "DESCRIPTION:Halten Sie Ihre Tickets bereit")
  })
})

describe("Wording", () => {
  it("speaks the reader's language, in Western digits, and names the zone", () => {
    const at = "2026-12-24T19:30:00Z"
    assert.deepStrictEqual(
      (["en", "de", "fr", "es", "ar"] as const).map((locale) =>
        Wording.when(at, "Europe/Berlin", locale).replaceAll(/[\u200f\u202f\u00a0]/g, " ")
      ),
      [
        "Thursday, 24 December 2026 at 20:30 CET",
        "Donnerstag, 24. Dezember 2026 um 20:30 MEZ",
        "jeudi 24 décembre 2026 à 20:30 UTC+1",
        "jueves, 24 de diciembre de 2026, 20:30 CET",
        "الخميس، 24 ديسمبر 2026 في 8:30 م غرينتش+1"
      ]
    )
  })

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
