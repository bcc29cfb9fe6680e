/**
 * Whose request it is: the address of the connection, or what a proxy that we trust says of it. Pure.
 *
 * Anybody can write `X-Forwarded-For`. It is read from its end, and as far as each of those who wrote it is trusted.
 */
import { Config, Schema } from "effect"
import { BlockList, isIP, isIPv6 } from "node:net"

const familyOf = (address: string) => (isIPv6(address) ? "ipv6" : "ipv4")

const mapped = "::ffff:"

/** An IPv4 address in its own form on a socket that takes both. */
const plain = (address: string): string =>
  address.startsWith(mapped) && address.includes(".") ? address.slice(mapped.length) : address

/** The networks of a list such as `10.0.0.0/8, fd00::/8, 192.0.2.7`; undefined where it is not one. */
export const networks = (list: string): BlockList | undefined => {
  const found = new BlockList()
  for (const one of list.split(",").map((part) => part.trim())) {
    if (one === "") continue
    const [address = "", bits, ...more] = one.split("/")
    if (isIP(address) === 0 || more.length > 0) return undefined
    const most = isIPv6(address) ? 128 : 32
    const prefix = bits === undefined ? most : /^\d+$/.test(bits) ? Number(bits) : Number.NaN
    if (!(prefix <= most)) return undefined
    found.addSubnet(address, prefix, familyOf(address))
  }
  return found
}

/** `ONSALE_TRUSTED_PROXIES`: networks whose `X-Forwarded-For` is believed; none when left out. */
export const trustedProxies = Config.schema(
  Schema.String.check(
    Schema.makeFilter((list: string) =>
      networks(list) === undefined
        ? "Expected addresses and networks such as 10.0.0.0/8, with commas"
        : undefined
    )
  ),
  "ONSALE_TRUSTED_PROXIES"
).pipe(
  Config.withDefault(""),
  Config.map((list) => networks(list) ?? new BlockList())
)

/** The first four groups: what one customer of a provider has at least. */
const network64 = (address: string): string => {
  const [head = "", tail] = address.split("%", 1)[0]!.split("::")
  const groups = head === "" ? [] : head.split(":")
  if (tail !== undefined) {
    const behind = tail === "" ? 0 : tail.split(":").length + (tail.includes(".") ? 1 : 0)
    while (groups.length < 8 - behind && groups.length < 4) groups.push("0")
    groups.push(...tail.split(":"))
  }
  return groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":")
}

/** What is counted as one client: an IPv4 address, or the /64 network of an IPv6 one. */
export const keyOf = (address: string): string => (address.includes(":") ? network64(address) : address)

/** An entry may carry a port, and an IPv6 address brackets. */
const entryOf = (text: string): string => {
  const trimmed = text.trim()
  const bare = /^\[([^\]]*)\](?::\d+)?$/.exec(trimmed)?.[1] ?? /^([\d.]+):\d+$/.exec(trimmed)?.[1] ?? trimmed
  return plain(bare)
}

/**
 * The address of the client of a connection from `remote`. An entry that is no address ends the reading: the last
 * proxy that can be named is taken.
 */
export const addressOf = (
  remote: string,
  forwardedFor: string | ReadonlyArray<string> | undefined,
  trusted: BlockList | undefined
): string => {
  let address = plain(remote)
  if (trusted === undefined || forwardedFor === undefined) return address
  const entries = String(forwardedFor).split(",")
  // No chain of ours has more; a header of thousands is not worth the time.
  for (let hops = 0; hops < 16 && entries.length > 0; hops++) {
    if (!trusted.check(address, familyOf(address))) return address
    const next = entryOf(entries.pop() ?? "")
    if (isIP(next) === 0) return address
    address = next
  }
  return address
}

/** A connection from this machine. */
export const isLoopback = (address: string): boolean => address === "::1" || address.startsWith("127.")
