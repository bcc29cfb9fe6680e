import { assert, describe, it } from "@effect/vitest"
import type { Locale } from "@onsale/contracts/notifications/Locale"
import { TicketId } from "@onsale/contracts/Ids"
import type { RefundPolicy } from "@onsale/contracts/catalog/SaleTerms"
import type { DocumentTicket } from "@onsale/contracts/notifications/TicketDocument"
import { TicketCode } from "@onsale/contracts/notifications/TicketCode"
import * as TicketTerms from "../src/TicketTerms.ts"
import { event, makeTicketId, nowMs } from "./Samples.ts"

const ticket: DocumentTicket = {
  id: TicketId.make(makeTicketId()),
  label: "A 1-1",
  tier: null,
  price: { amount: 4950, currency: "EUR" },
  code: TicketCode.make("A".repeat(104), { disableChecks: true })
}
const said = (refunds: RefundPolicy, locale: Locale = "en") =>
  TicketTerms.inWords({ event, issuedAtMs: nowMs, locale, refunds, tickets: [ticket] })

describe("TicketTerms", () => {
  it("say until when the price is paid back, at the venue's time, and what is kept of it", () => {
    assert.strictEqual(said({}), "Refunds: as long as the ticket is not used; the full price.")
    const policy = { untilMs: Date.UTC(2026, 11, 22, 19), feeBasisPoints: 1_250, feeAmount: 200 }
    assert.strictEqual(
      said(policy),
      "Refunds: until Tuesday, 22 December 2026 at 20:00 CET, if the ticket is not used; the price less a fee of 12.5% + €2.00 a ticket."
    )
    assert.include(said(policy, "de"), "bis Dienstag, 22. Dezember 2026")
    assert.include(said(policy, "de"), "12,5")
  })

  it("say that nothing is paid back where that was agreed", () => {
    for (const policy of [{ untilMs: nowMs }, { feeBasisPoints: 10_000 }]) {
      assert.strictEqual(said(policy), "Refunds: this ticket cannot be returned.")
    }
  })
})
