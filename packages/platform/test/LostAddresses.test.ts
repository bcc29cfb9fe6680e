import { describe, expect, it } from "vitest"
import { isLost } from "../src/LostAddresses.ts"

describe("a connection over an address that is gone", () => {
  const own = new Set(["127.0.0.1", "10.0.0.5", "fe80::1"])

  it("is lost", () => expect(isLost({ localAddress: "10.0.0.4" }, own)).toBe(true))

  it("is not lost where the address is there, in whatever form", () => {
    expect(isLost({ localAddress: "10.0.0.5" }, own)).toBe(false)
    expect(isLost({ localAddress: "::ffff:10.0.0.5" }, own)).toBe(false)
    expect(isLost({ localAddress: "fe80::1%eth0" }, own)).toBe(false)
  })

  it("is not lost before it is connected", () => expect(isLost({}, own)).toBe(false))
})
