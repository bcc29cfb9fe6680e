import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { check, isPublic, lookupBy } from "../../src/webhooks/WebhookTarget.ts"

const strict = { allowPrivate: false, allowHttp: false }

/** What each is for, so that none is taken out by mistake. */
const inside: ReadonlyArray<readonly [address: string, what: string]> = [
  ["10.0.0.1", "private"],
  ["172.16.0.1", "private"],
  ["172.31.255.255", "private"],
  ["192.168.1.1", "private"],
  ["127.0.0.1", "loopback"],
  ["127.255.255.254", "loopback"],
  ["169.254.169.254", "metadata of clouds"],
  ["100.64.0.1", "carrier-grade NAT"],
  ["100.100.100.200", "metadata of another cloud"],
  ["0.0.0.0", "this host"],
  ["0.1.2.3", "this network"],
  ["192.0.0.192", "metadata of a third"],
  ["192.0.2.1", "documentation"],
  ["198.18.0.1", "benchmarks"],
  ["224.0.0.1", "multicast"],
  ["240.0.0.1", "reserved"],
  ["255.255.255.255", "broadcast"],
  ["::", "unspecified"],
  ["::1", "loopback"],
  ["fe80::1", "link-local"],
  ["fc00::1", "unique local"],
  ["fd00:ec2::254", "metadata over IPv6"],
  ["fec0::1", "site-local"],
  ["ff02::1", "multicast"],
  ["::ffff:127.0.0.1", "mapped loopback"],
  ["::ffff:a9fe:a9fe", "mapped metadata"],
  ["::127.0.0.1", "compatible loopback"],
  ["64:ff9b::7f00:1", "NAT64 of loopback"],
  ["64:ff9b::a9fe:a9fe", "NAT64 of metadata"],
  ["64:ff9b:1::1", "NAT64 of a network"],
  ["2002:7f00:1::", "6to4 of loopback"],
  ["2001::1", "Teredo"],
  ["2001:db8::1", "documentation"],
  ["100::1", "discard"],
  ["5f00::1", "segment routing"],
  ["fe80::1%eth0", "link-local with its interface"],
  ["no address", "no address"]
]

describe("WebhookTarget", () => {
  it.each(inside)("nothing is sent to %s (%s)", (address) => {
    assert.isFalse(isPublic(address))
  })

  it.each(["8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])(
    "%s is of the internet",
    (address) => {
      assert.isTrue(isPublic(address))
    }
  )

  it.effect.each([
    ["http://example.org/", "Expected https"],
    ["ftp://example.org/", "Expected https"],
    ["example.org", "Expected a URL"],
    ["https://user:secret@example.org/", "credentials"],
    ["https://user@example.org/", "credentials"],
    ["https://example.org:22/", "ports"],
    ["https://example.org:6379/", "ports"],
    ["https://127.0.0.1/", "public internet"],
    ["https://2130706433/", "public internet"],
    ["https://0x7f.1/", "public internet"],
    ["https://0177.0.0.1/", "public internet"],
    ["https://127.1/", "public internet"],
    ["https://[::1]/", "public internet"],
    ["https://[::ffff:10.0.0.1]/", "public internet"],
    ["https://169.254.169.254/latest/meta-data", "public internet"],
    ["https://localhost/", "public internet"],
    ["https://LOCALHOST./", "public internet"],
    ["https://api.localhost/", "public internet"],
    ["https://printer.local/", "public internet"],
    ["https://metadata.google.internal/", "public internet"],
    ["https://router.home.arpa/", "public internet"],
    ["https://postgres/", "public internet"]
  ] as const)("%s is refused: %s", ([url, why]) =>
    Effect.gen(function* () {
      assert.include((yield* Effect.flip(check(url, strict))).message, why)
    })
  )

  it.effect.each([
    "https://example.org/hooks?a=b",
    "https://example.org:8443/",
    "https://8.8.8.8/",
    "https://localhost.example.org./"
  ])("%s is taken", (url) => check(url, strict))

  it.effect("where it is allowed, http and private addresses on any port are taken", () =>
    check("http://127.0.0.1:9999/", { allowPrivate: true, allowHttp: true })
  )

  const resolved = (...addresses: ReadonlyArray<string>) =>
    Effect.callback<string | null>((resume) => {
      const lookup = lookupBy(strict, (_, done) =>
        done(
          null,
          addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }))
        )
      )
      lookup("rebinding.example", { all: true }, (error, found) =>
        resume(Effect.succeed(error === null ? JSON.stringify(found) : null))
      )
    })

  it.effect("a name is connected to at the very addresses that were checked", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* resolved("8.8.8.8"), '[{"address":"8.8.8.8","family":4}]')
    })
  )

  it.effect("a name with one private address among public ones is refused as a whole", () =>
    Effect.gen(function* () {
      assert.isNull(yield* resolved("8.8.8.8", "10.0.0.1"))
      assert.isNull(yield* resolved("2606:4700::1111", "::1"))
      assert.isNull(yield* resolved())
    })
  )
})
