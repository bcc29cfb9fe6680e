import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Exit } from "effect"
import { addressOf, keyOf, networks, trustedProxies } from "../src/ClientAddress.ts"

const proxies = networks("10.0.0.0/8, fd00::/8,192.0.2.7")

describe("the address of a client", () => {
  const cases: ReadonlyArray<
    readonly [about: string, remote: string, header: string | undefined, is: string]
  > = [
    ["is the connection's where nobody says another", "198.51.100.1", undefined, "198.51.100.1"],
    ["is the connection's whatever a stranger says", "198.51.100.1", "203.0.113.9", "198.51.100.1"],
    ["is what a proxy says", "10.1.2.3", "203.0.113.9", "203.0.113.9"],
    ["is what a proxy says on a socket of both families", "::ffff:10.1.2.3", "203.0.113.9", "203.0.113.9"],
    ["is not what a client has told a proxy", "10.1.2.3", "1.2.3.4, 203.0.113.9", "203.0.113.9"],
    [
      "is read through a chain of proxies",
      "10.1.2.3",
      "1.2.3.4, 203.0.113.9, 192.0.2.7,fd00::1",
      "203.0.113.9"
    ],
    ["may come with a port", "192.0.2.7", "203.0.113.9:4711", "203.0.113.9"],
    ["may come in brackets", "192.0.2.7", "[2001:db8::1]:80", "2001:db8::1"],
    ["is the proxy's where it says nonsense", "10.1.2.3", "203.0.113.9, unknown", "10.1.2.3"],
    ["is the proxy's where it says nothing", "10.1.2.3", "", "10.1.2.3"],
    ["is the first of a chain of nothing but proxies", "10.1.2.3", "10.0.0.9, 10.0.0.8", "10.0.0.9"]
  ]
  for (const [about, remote, header, is] of cases) {
    it(about, () => assert.strictEqual(addressOf(remote, header, proxies), is))
  }

  it("counts a /64 of IPv6 as one client", () => {
    for (const address of [
      "2001:db8:0:7::1",
      "2001:0db8::7:1:2:3:4",
      "2001:db8:0:7:ffff:ffff:ffff:ffff",
      "2001:db8:0:7::1.2.3.4"
    ]) {
      assert.strictEqual(keyOf(address), "2001:db8:0:7", address)
    }
    assert.strictEqual(keyOf("2001:db8::1"), "2001:db8:0:0")
    assert.strictEqual(keyOf("fe80::1%eth0"), "fe80:0:0:0")
    assert.strictEqual(keyOf("::1"), "0:0:0:0")
    assert.strictEqual(keyOf("203.0.113.9"), "203.0.113.9")
  })

  it.effect("is not believed of networks that cannot be read: the start fails", () =>
    Effect.gen(function* () {
      const read = (list: string) =>
        Effect.exit(trustedProxies.parse(ConfigProvider.fromUnknown({ ONSALE_TRUSTED_PROXIES: list })))
      for (const list of ["10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8/8", "proxy.example", "10.0.0.0/"]) {
        assert.isTrue(Exit.isFailure(yield* read(list)), list)
      }
      assert.isTrue(Exit.isSuccess(yield* read("10.0.0.0/8, ::1")))
    })
  )
})
