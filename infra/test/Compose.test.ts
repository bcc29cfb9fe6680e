import { describe, expect, test } from "vitest"
import { parse } from "yaml"
import { networks } from "../../apps/gateway/src/ClientAddress.ts"
import { entryPoints, exists, read, unreadSettings } from "./Workspace.ts"

interface Service {
  readonly image?: string
  readonly user?: string
  readonly command?: ReadonlyArray<string>
  readonly profiles?: ReadonlyArray<string>
  readonly read_only?: boolean
  readonly tmpfs?: ReadonlyArray<string>
  readonly cap_drop?: ReadonlyArray<string>
  readonly security_opt?: ReadonlyArray<string>
  readonly environment?: Readonly<Record<string, string | null>>
  readonly healthcheck?: { readonly test?: ReadonlyArray<string>; readonly disable?: boolean }
  readonly ports?: ReadonlyArray<string>
  readonly volumes?: ReadonlyArray<string>
  readonly networks?:
    | ReadonlyArray<string>
    | Readonly<Record<string, { readonly aliases?: ReadonlyArray<string>; readonly ipv4_address?: string }>>
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
  readonly deploy?: {
    readonly replicas?: number
    readonly resources?: { readonly limits?: { readonly cpus?: string; readonly memory?: string } }
  }
  readonly "x-no-healthcheck"?: string
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>
  readonly networks: Readonly<
    Record<
      string,
      { readonly ipam?: { readonly config: ReadonlyArray<{ subnet: string; ip_range: string }> } } | null
    >
  >
  readonly volumes: Readonly<Record<string, unknown>>
}

const compose: Compose = parse(read("docker-compose.yml"), { merge: true })
const services = Object.entries(compose.services)
const waitedFor = (condition: string) =>
  new Set(
    services.flatMap(([, { depends_on = {} }]) =>
      Object.entries(depends_on)
        .filter(([, dependency]) => dependency.condition === condition)
        .map(([name]) => name)
    )
  )

const networksOf = ({ networks = {} }: Service): ReadonlyArray<string> =>
  Array.isArray(networks) ? networks : Object.keys(networks)
const inNetwork = (service: string, network: string) => {
  const { networks = [] } = compose.services[service] ?? {}
  return "length" in networks ? undefined : networks[network]
}

describe.each(services)("%s", (_, service) => {
  test("cannot change its image, gain a right or be root", () => {
    expect(service.read_only).toBe(true)
    expect(service.cap_drop).toEqual(["ALL"])
    expect(service.security_opt).toContain("no-new-privileges:true")
    expect(service.user).toMatch(/^[1-9]\d*:\d+$/)
    // Else root owns it, with the mode of the image's folder. Every image's /tmp is everybody's.
    const [uid, gid] = (service.user ?? "").split(":")
    for (const mount of service.tmpfs ?? [])
      expect(["/tmp", `${mount.split(":")[0]}:uid=${uid},gid=${gid}`]).toContain(mount)
  })

  test("takes so much of the machine and no more", () => {
    expect(service.deploy?.resources?.limits).toEqual({
      cpus: expect.stringMatching(/^[\d.]+$/),
      memory: expect.stringMatching(/^\d+[MG]$/)
    })
  })

  test("is published on this machine only", () => {
    for (const port of service.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/)
  })

  test("names what is there", () => {
    for (const [name, { profiles = [] }] of Object.entries(service.depends_on ?? {}).map(
      ([other]) => [other, compose.services[other] ?? {}] as const
    )) {
      expect(Object.keys(compose.services)).toContain(name)
      // A service that is not of the profile would not start.
      for (const profile of service.profiles ?? []) expect(profiles).toContain(profile)
    }
    for (const network of networksOf(service)) expect(Object.keys(compose.networks)).toContain(network)
    for (const [source = ""] of (service.volumes ?? []).map((volume) => volume.split(":"))) {
      if (source.startsWith("./")) expect(exists(source)).toBe(true)
      else expect(Object.keys(compose.volumes)).toContain(source)
    }
  })
})

test("every service says whether it is ready, or ends when it is done", () => {
  const oneShots = waitedFor("service_completed_successfully")
  const silent = services.filter(
    ([name, { healthcheck, "x-no-healthcheck": reason }]) =>
      !oneShots.has(name) &&
      reason === undefined &&
      (healthcheck?.test === undefined || healthcheck.disable === true)
  )
  expect(silent.map(([name]) => name)).toEqual([])
  expect([...oneShots]).toEqual(["migrate"])
  for (const name of waitedFor("service_healthy"))
    expect(compose.services[name]?.healthcheck?.test).toBeDefined()
})

test("the cluster has two gateways, three booking runners, two for payments and two for notifications", () => {
  const replicas = (name: string) => compose.services[name]?.deploy?.replicas
  expect(["gateway", "booking", "payment", "notification"].map(replicas)).toEqual([2, 3, 2, 2])
  expect(read(".env")).toContain("COMPOSE_PROFILES=cluster")
})

test("the single process starts without the cluster", () => {
  const single = services.filter(([, { profiles }]) => profiles?.includes("single")).map(([name]) => name)
  expect(single.sort()).toEqual(["app", "mail", "postgres"])
})

test("only the proxy is between clients and gateways", () => {
  const atEdge = services.filter(([, service]) => networksOf(service).includes("edge")).map(([name]) => name)
  expect(atEdge.sort()).toEqual(["gateway", "proxy"])
})

test("gateways believe the proxy's address alone", () => {
  const address = inNetwork("proxy", "edge")?.ipv4_address ?? ""
  const trusted = networks(compose.services.gateway?.environment?.ONSALE_TRUSTED_PROXIES ?? "")
  expect(compose.services.gateway?.environment?.ONSALE_TRUSTED_PROXIES).toBe(address)
  expect(trusted?.check(address)).toBe(true)
  // Nobody else is given it, and the proxy comes from it.
  const { ip_range = "", subnet = "" } = compose.networks.edge?.ipam?.config[0] ?? {}
  expect(networks(subnet)?.check(address)).toBe(true)
  expect(networks(ip_range)?.check(address)).toBe(false)
  for (const alias of inNetwork("gateway", "edge")?.aliases ?? ["none"])
    expect(read("infra/compose/nginx.conf")).toContain(`server ${alias}:3000 resolve`)
})

test("links in messages lead where the proxy is", () => {
  for (const name of ["gateway", "notification"])
    expect(compose.services[name]?.environment?.ONSALE_PUBLIC_URL).toBe(
      `\${ONSALE_PUBLIC_URL:-http://localhost:3000}`
    )
})

test("the gateways alone load the demo season, when there is somebody to open its sales", () => {
  const loading = services.filter(([, { environment }]) => environment?.ONSALE_DEMO !== undefined)
  expect(loading.map(([name]) => name)).toEqual(["gateway"])
  expect(compose.services.gateway?.environment?.ONSALE_DEMO).toBe(`\${ONSALE_DEMO:-true}`)
  expect(compose.services.gateway?.depends_on?.booking).toEqual({ condition: "service_healthy" })
})

describe("the roles", () => {
  test("read every setting that they are given", () => {
    const given = services.flatMap(([, { environment = {} }]) => Object.keys(environment))
    expect(unreadSettings(given)).toEqual([])
  })

  test("have an entry point", () => {
    const missing = services
      .flatMap(([, { command = [] }]) => entryPoints(command))
      .filter((path) => !exists(path))
    expect(missing).toEqual([])
  })
})
