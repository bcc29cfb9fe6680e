import { describe, expect, it } from "vitest"
import * as TicketsGone from "../src/TicketsGone.ts"

const holder = { name: "Grace Hopper", email: "grace@example.org" }
const given = { status: "valid", holder } as const
const kept = { status: "valid" } as const
const refunded = { status: "refunded" } as const
/** Given to somebody, and refunded then. */
const back = { status: "refunded", holder } as const

const ofOrder = (...tickets: Parameters<typeof TicketsGone.detailOfOrder>[0]) =>
  TicketsGone.detailOfOrder(tickets).detail

describe("TicketsGone", () => {
  it("tells a ticket that is valid in other hands from one that is not valid", () => {
    expect(TicketsGone.detailOf(given).detail).toContain("given to another person")
    for (const gone of [refunded, back]) expect(TicketsGone.detailOf(gone).detail).toBe("It was refunded.")
    expect(TicketsGone.detailOf(kept)).toEqual({})
  })

  it("says of an order what became of all of its tickets, and nothing of one that never had any", () => {
    expect(ofOrder()).toBeUndefined()
    expect(ofOrder(refunded, back)).toBe("All of its tickets were refunded.")
    expect(ofOrder(given, given)).toMatch(/^All .* given to other people/)
    expect(ofOrder(given, refunded)).toMatch(/^Its valid tickets were given .* The others were refunded\.$/)
  })
})
