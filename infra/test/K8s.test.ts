import { globSync } from "node:fs"
import { dirname, join } from "node:path"
import { describe, expect, test } from "vitest"
import { parse, parseAllDocuments } from "yaml"
import { networks } from "../../apps/gateway/src/ClientAddress.ts"
import { entryPoints, exists, read, root, unreadSettings } from "./Workspace.ts"

type Labels = Readonly<Record<string, string>>

interface Container {
  readonly args: ReadonlyArray<string>
  readonly ports?: ReadonlyArray<{ readonly name: string; readonly containerPort: number }>
  readonly env?: ReadonlyArray<{ readonly name: string; readonly valueFrom?: unknown }>
  readonly envFrom: ReadonlyArray<
    Readonly<Record<"configMapRef" | "secretRef", { readonly name: string } | undefined>>
  >
  readonly securityContext: unknown
  readonly [probe: `${string}Probe`]: { readonly httpGet: { readonly port: string } } | undefined
}

interface Pod {
  readonly serviceAccountName: string
  readonly automountServiceAccountToken?: boolean
  readonly terminationGracePeriodSeconds?: number
  readonly securityContext: {
    readonly runAsNonRoot: boolean
    readonly seccompProfile: { readonly type: string }
  }
  readonly containers: readonly [Container]
}

interface Resource {
  readonly kind: string
  readonly metadata: { readonly name: string }
  readonly data?: Labels
  readonly stringData?: Labels
  readonly rules?: unknown
  readonly spec?: {
    readonly replicas?: number
    readonly minReadySeconds?: number
    readonly strategy?: unknown
    readonly podSelector?: { readonly matchLabels?: Labels }
    readonly selector?: Labels & { readonly matchLabels?: Labels }
    readonly template?: { readonly metadata: { readonly labels: Labels }; readonly spec: Pod }
    readonly ports?: ReadonlyArray<{ readonly targetPort: string }>
    readonly scaleTargetRef?: { readonly kind: string; readonly name: string }
    readonly minReplicas?: number
    readonly ingress?: ReadonlyArray<{
      readonly from?: ReadonlyArray<{
        readonly podSelector?: {
          readonly matchExpressions?: ReadonlyArray<{ readonly values: Array<string> }>
        }
      }>
      readonly ports: ReadonlyArray<{ readonly port: string | number }>
    }>
  }
}

interface Kustomization {
  readonly resources: ReadonlyArray<string>
  readonly secretGenerator?: ReadonlyArray<{ readonly literals: ReadonlyArray<string> }>
  readonly configMapGenerator?: ReadonlyArray<{ readonly literals: ReadonlyArray<string> }>
}

const documents = (path: string): ReadonlyArray<Resource> =>
  parseAllDocuments(read(path)).map((document) => document.toJS())

const folder = "infra/k8s/base"
const base: Kustomization = parse(read(`${folder}/kustomization.yaml`))
const resources = base.resources.flatMap((file) => documents(`${folder}/${file}`))
const ofKind = (kind: string) => resources.filter((resource) => resource.kind === kind)
const component = "app.kubernetes.io/component"

const workloads = [...ofKind("Deployment"), ...ofKind("Job")].map(({ kind, metadata, spec }) => {
  const { metadata: pod, spec: podSpec } = spec!.template!
  return { kind, name: metadata.name, labels: pod.labels, pod: podSpec, container: podSpec.containers[0] }
})
const selected = (labels: Labels = {}) =>
  workloads.filter((workload) =>
    Object.entries(labels).every(([key, value]) => workload.labels[key] === value)
  )
const portsOf = ({ container }: (typeof workloads)[number]) => (container.ports ?? []).map(({ name }) => name)

test("every resource of a kustomization is there", () => {
  const files = globSync("infra/k8s/**/kustomization.yaml", { cwd: root })
  expect(files.length).toBe(3)
  for (const file of files) {
    for (const resource of (parse(read(file)) as Kustomization).resources)
      expect(exists(join(dirname(file), resource)), `${file}: ${resource}`).toBe(true)
  }
  const loose = globSync(`${folder}/*.yaml`, { cwd: root })
    .map((file) => file.slice(folder.length + 1))
    .filter((file) => !base.resources.includes(file))
  expect(loose.sort()).toEqual(["kustomization.yaml", "secret.example.yaml"])
})

test("four roles and the migration", () => {
  expect(workloads.map(({ name }) => name)).toEqual([
    "gateway",
    "booking",
    "payment",
    "notification",
    "migrate"
  ])
})

describe.each(workloads)("$name", (workload) => {
  const { container, kind, labels, name, pod } = workload

  test("is not root, changes no file, and has no right to more", () => {
    expect(pod.securityContext).toMatchObject({
      runAsNonRoot: true,
      runAsUser: 1000,
      seccompProfile: { type: "RuntimeDefault" }
    })
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] }
    })
  })

  test("runs an entry point with settings that it reads", () => {
    for (const path of entryPoints(container.args)) expect(exists(path), path).toBe(true)
    expect(unreadSettings((container.env ?? []).map((variable) => variable.name))).toEqual([])
    for (const { configMapRef } of container.envFrom)
      if (configMapRef !== undefined)
        expect(ofKind("ConfigMap").map(({ metadata }) => metadata.name)).toContain(configMapRef.name)
    expect(ofKind("ServiceAccount").map(({ metadata }) => metadata.name)).toContain(pod.serviceAccountName)
  })

  test("is asked how it is where it listens, and has somebody to keep it up", () => {
    if (kind === "Job") return
    expect(labels[component]).toBe(name)
    expect(pod.terminationGracePeriodSeconds).toBe(30)
    for (const probe of ["startupProbe", "readinessProbe", "livenessProbe"] as const)
      expect(portsOf(workload), probe).toContain(container[probe]?.httpGet.port)
    for (const kind of ["Service", "PodDisruptionBudget", "HorizontalPodAutoscaler"])
      expect(ofKind(kind).map(({ metadata }) => metadata.name)).toContain(name)
  })
})

test("selectors match the pods of one role", () => {
  for (const { metadata, spec } of [...ofKind("Deployment"), ...ofKind("PodDisruptionBudget")])
    expect(selected(spec?.selector?.matchLabels).map(({ name }) => name)).toEqual([metadata.name])
  for (const { metadata, spec } of ofKind("Service")) {
    const [workload, ...others] = selected(spec?.selector as Labels)
    expect([workload?.name, others.length]).toEqual([metadata.name, 0])
    for (const { targetPort } of spec?.ports ?? []) expect(portsOf(workload!)).toContain(targetPort)
  }
})

test("one comes, and shards have had time to move, before one goes", () => {
  for (const { spec } of ofKind("Deployment")) {
    expect(spec?.minReadySeconds).toBeGreaterThanOrEqual(15)
    expect(spec?.strategy).toEqual({
      type: "RollingUpdate",
      rollingUpdate: { maxSurge: 1, maxUnavailable: 0 }
    })
  }
})

test("the autoscaler alone says how many there are", () => {
  for (const { spec } of ofKind("Deployment")) expect(spec?.replicas).toBeUndefined()
  for (const { metadata, spec } of ofKind("HorizontalPodAutoscaler")) {
    expect(spec?.scaleTargetRef).toMatchObject({ kind: "Deployment", name: metadata.name })
    expect(spec?.minReplicas).toBeGreaterThanOrEqual(2)
  }
})

test("network policies open ports that somebody has", () => {
  const ports = new Set(workloads.flatMap(portsOf))
  const opened = ofKind("NetworkPolicy").flatMap(({ spec }) =>
    (spec?.ingress ?? []).flatMap((one) => one.ports)
  )
  expect(opened.length).toBeGreaterThan(0)
  for (const { port } of opened) expect([...ports]).toContain(port)
})

test("what the local overlay has beside the roles lets those in that need it", () => {
  const local: Kustomization = parse(read("infra/k8s/overlays/local/kustomization.yaml"))
  const literals = (local.secretGenerator ?? []).flatMap((secret) => secret.literals)
  const settings = [...literals, ...Object.values(ofKind("ConfigMap")[0]?.data ?? {})]
  const named = settings.flatMap((setting) => [...setting.matchAll(/([a-z-]+):(\d+)(?:$|\/)/g)])
  const needed = new Map(
    named.filter(([, host]) => host !== "").map(([, host, port]) => [host, Number(port)])
  )
  expect([...needed.keys()].sort()).toEqual(["kafka", "mail", "postgres", "psp-sandbox", "redis"])
  const policies = documents("infra/k8s/overlays/local/network.yaml")
  for (const { spec } of policies)
    for (const one of spec?.ingress ?? [])
      for (const { podSelector } of one.from ?? [])
        for (const name of podSelector?.matchExpressions?.[0]?.values ?? [])
          expect(workloads.map((workload) => workload.name)).toContain(name)
  expect(
    policies.map(({ spec }) => [
      spec?.podSelector?.matchLabels?.[component],
      spec?.ingress?.[0]?.ports[0]?.port
    ])
  ).toEqual(expect.arrayContaining([...needed]))
  const [database] = policies
  expect(database?.spec?.ingress?.[0]?.from?.[0]?.podSelector?.matchExpressions?.[0]?.values).toEqual(
    workloads.map(({ name }) => name)
  )
})

test("whose word on a client's address is taken, and where links lead, is said, and an overlay has to say it again", () => {
  const list = ofKind("ConfigMap")[0]?.data?.ONSALE_TRUSTED_PROXIES ?? ""
  const trusted = networks(list)
  // Nobody's: a range of the cluster that is guessed here would be somebody's.
  expect(trusted?.check("192.0.2.7")).toBe(true)
  for (const address of ["10.0.0.1", "172.16.0.1", "192.168.0.1"]) expect(trusted?.check(address)).toBe(false)
  const production: Kustomization = parse(read("infra/k8s/overlays/production/kustomization.yaml"))
  const literals = production.configMapGenerator?.flatMap(({ literals }) => literals)
  expect(literals?.join()).toMatch(/^ONSALE_TRUSTED_PROXIES=/)
  // Links in messages are made by runners, which hear of no request.
  expect(literals?.[1]).toMatch(/^ONSALE_PUBLIC_URL=https:/)
})

test("runners may list pods, and are known by their pod's address; the others ask Kubernetes nothing", () => {
  expect(ofKind("Role").map(({ rules }) => rules)).toEqual([
    [{ apiGroups: [""], resources: ["pods"], verbs: ["list"] }]
  ])
  for (const workload of workloads) {
    const isRunner = portsOf(workload).includes("cluster")
    expect(workload.pod.serviceAccountName).toBe(isRunner ? "onsale-runner" : "onsale")
    expect(workload.pod.automountServiceAccountToken).toBe(isRunner ? undefined : false)
    const host = workload.container.env?.find(({ name }) => name === "ONSALE_RUNNER_HOST")
    expect(host?.valueFrom).toEqual(isRunner ? { fieldRef: { fieldPath: "status.podIP" } } : undefined)
  }
})

test("every setting of the configuration and of the secret is read", () => {
  const [secret] = documents(`${folder}/secret.example.yaml`)
  const names = [...ofKind("ConfigMap"), secret!].flatMap(({ data = {}, stringData = {} }) =>
    Object.keys({ ...data, ...stringData })
  )
  expect(names.length).toBeGreaterThan(5)
  expect(unreadSettings(names)).toEqual([])
})
