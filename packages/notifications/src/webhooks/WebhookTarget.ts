/**
 * Where webhooks may be sent: the public internet, and nothing of ours. An organiser's URL is anybody's text, so
 * without this it would be a way to ask whatever our network trusts, such as a cloud's metadata service.
 *
 * A name is resolved once, every address of the answer is checked, and the connection is made to what was checked:
 * a name that answers otherwise a moment later (DNS rebinding) gains nothing.
 */
import { WebhookUrlRefused } from "@onsale/contracts/notifications/Webhook"
import { Config, Context, Effect, Layer } from "effect"
import ipaddr from "ipaddr.js"
import { type LookupAddress, lookup as systemLookup } from "node:dns"
import type { LookupFunction } from "node:net"

export interface TargetPolicy {
  /** Also addresses that are not of the public internet, on any port. */
  readonly allowPrivate: boolean
  /** Also without TLS. */
  readonly allowHttp: boolean
}

export class WebhookTargets extends Context.Service<WebhookTargets, TargetPolicy>()(
  "@onsale/notifications/webhooks/WebhookTargets"
) {
  /** `ONSALE_WEBHOOK_ALLOW_PRIVATE` and `ONSALE_WEBHOOK_ALLOW_HTTP`: neither unless told. */
  static readonly layer = Layer.effect(
    WebhookTargets,
    Config.all({
      allowPrivate: Config.Boolean("ONSALE_WEBHOOK_ALLOW_PRIVATE").pipe(Config.withDefault(false)),
      allowHttp: Config.Boolean("ONSALE_WEBHOOK_ALLOW_HTTP").pipe(Config.withDefault(false))
    })
  )
}

/** Where web servers are that organisers run; others, such as 22 or 25, are no receivers of webhooks. */
const httpsPorts = ["", "443", "8443"]
const httpPorts = ["", "80", "8080"]

/** All of IPv6 that is routed on the internet. What is outside of it is reserved, or local in a way yet to be named. */
const globalUnicast = ipaddr.IPv6.parseCIDR("2000::/3")

/** Whether an address is of the public internet. Those of IPv6 that carry one of IPv4 are judged by that. */
export const isPublic = (text: string): boolean => {
  if (!ipaddr.isValid(text)) return false
  const address = ipaddr.parse(text)
  if (address instanceof ipaddr.IPv4) return address.range() === "unicast"
  if (address.isIPv4MappedAddress()) return address.toIPv4Address().range() === "unicast"
  // NAT64, which networks without IPv4 reach the rest of the internet by.
  if (address.match(nat64)) {
    return new ipaddr.IPv4(address.toByteArray().slice(12)).range() === "unicast"
  }
  return address.range() === "unicast" && address.match(globalUnicast)
}

const nat64 = ipaddr.IPv6.parseCIDR("64:ff9b::/96")

/**
 * Names that mean nothing outside of a network, by RFC 6761, 6762 and 8375 and by ICANN for `internal`; `localdomain` by
 * custom. One without a dot is looked for among a network's own.
 */
const localZones = ["localhost", "localdomain", "local", "internal", "home.arpa"]
const isLocalName = (host: string): boolean => {
  const name = host.replace(/\.$/, "")
  return !name.includes(".") || localZones.some((zone) => name === zone || name.endsWith(`.${zone}`))
}

/** The host of a URL as an address or a name, without the brackets of IPv6. */
const hostOf = (url: URL): string => url.hostname.replace(/^\[|\]$/g, "")

/** What of a URL can be told without asking anybody: fails with why nothing is sent there. */
export const check = (text: string, policy: TargetPolicy): Effect.Effect<URL, WebhookUrlRefused> => {
  const refuse = (message: string) => Effect.fail(new WebhookUrlRefused({ message }))
  if (!URL.canParse(text)) return refuse("Expected a URL")
  const url = new URL(text)
  if (url.protocol !== "https:" && !(policy.allowHttp && url.protocol === "http:")) {
    return refuse(policy.allowHttp ? "Expected https or http" : "Expected https")
  }
  if (url.username !== "" || url.password !== "") {
    return refuse("Expected no credentials: messages are signed instead")
  }
  if (policy.allowPrivate) return Effect.succeed(url)
  const ports = url.protocol === "https:" ? httpsPorts : httpPorts
  if (!ports.includes(url.port)) {
    return refuse(`Expected one of the ports ${ports.filter((port) => port !== "").join(", ")}`)
  }
  const host = hostOf(url)
  if (ipaddr.isValid(host) ? !isPublic(host) : isLocalName(host)) {
    return refuse("Expected an address of the public internet")
  }
  return Effect.succeed(url)
}

/** A name has an address that nothing is sent to. Does not repeat it: it is of our network. */
export class AddressRefused extends Error {
  override readonly name = "AddressRefused"
  constructor(host: string) {
    super(`${host} has an address that is not of the public internet`)
  }
}

type Resolve = (
  host: string,
  done: (error: Error | null, addresses: ReadonlyArray<LookupAddress>) => void
) => void

const systemResolve: Resolve = (host, done) =>
  systemLookup(host, { all: true }, (error, addresses) => done(error, addresses ?? []))

/**
 * For `net.connect`, which connects to what it answers. Refused as a whole where one address is not public: an
 * answer that mixes both is somebody's try.
 */
export const lookupBy =
  (policy: TargetPolicy, resolve: Resolve = systemResolve): LookupFunction =>
  (host, options, done) =>
    resolve(host, (error, found) => {
      if (error !== null) return done(error, "", 0)
      const first = found[0]
      if (first === undefined) return done(new Error(`${host} has no address`), "", 0)
      if (!policy.allowPrivate && !found.every(({ address }) => isPublic(address))) {
        return done(new AddressRefused(host), "", 0)
      }
      return options.all === true ? done(null, [...found]) : done(null, first.address, first.family)
    })
