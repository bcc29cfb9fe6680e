/**
 * The cluster as it is run: gateways, booking, payment and notification runners, Postgres, Redis and the sandbox, each
 * in a container of its own. Images by `ONSALE_TEST_IMAGE_APP`, `_POSTGRES` and `_REDIS`; the public ones where those
 * are not set (`infra/ci/images.sh` makes them where there is no registry).
 */
import { Config, Effect, Schema } from "effect"
import { pollUntil } from "../Poll.ts"
import * as Machines from "./Machines.ts"

export interface Size {
  readonly gateways: number
  readonly booking: number
  readonly payment: number
  readonly notification: number
}

export interface ClusterWorld {
  readonly gateways: ReadonlyArray<Machines.Machine>
  readonly booking: ReadonlyArray<Machines.Machine>
  readonly payment: ReadonlyArray<Machines.Machine>
  readonly notification: ReadonlyArray<Machines.Machine>
  readonly postgres: Machines.Machine
  readonly redis: Machines.Machine
  /** Runs commands beside the cluster, too: it is never hurt. */
  readonly sandbox: Machines.Machine
  readonly organiserKey: string
  /** Until every role says that it is ready. */
  readonly ready: Effect.Effect<void, ClusterError>
  /** Shards of the booking runners that have an owner, by what each says of itself; those that do not answer own none. */
  readonly bookingShards: Effect.Effect<number>
  /** What `onsale audit` prints, with the provider's ledger; fails where it finds a breach. */
  readonly audit: Effect.Effect<string, ClusterError>
}

export class ClusterError extends Schema.TaggedError<ClusterError>()("ClusterError", {
  message: Schema.String
}) {}

const images = Config.all({
  app: Config.String("ONSALE_TEST_IMAGE_APP").pipe(Config.withDefault("onsale:latest")),
  postgres: Config.String("ONSALE_TEST_IMAGE_POSTGRES").pipe(Config.withDefault("postgres:18-bookworm")),
  redis: Config.String("ONSALE_TEST_IMAGE_REDIS").pipe(Config.withDefault("redis:8-bookworm"))
})

const httpPort = 3000
const operationsPort = 9464
/** A busy machine with two cores starts a dozen processes in half a minute. */
const readyLimit = "150 seconds"
const organiserKey = "organiser-of-the-cluster-tests"
const sandboxSecret = "sandbox-secret-of-the-cluster-tests"
const webhookSecret = "webhook-secret-of-the-cluster-tests"
const main = "apps/onsale/src/main.ts"

const env: Readonly<Record<string, string>> = {
  ONSALE_DATABASE_URL: "postgres://onsale:onsale@postgres:5432/onsale",
  ONSALE_REDIS_URL: "redis://redis:6379",
  ONSALE_EVENT_BUS: "redis",
  ONSALE_ORGANISER_KEY: organiserKey,
  ONSALE_SANDBOX_URL: "http://sandbox:4020",
  ONSALE_SANDBOX_SECRET: sandboxSecret,
  ONSALE_SANDBOX_WEBHOOK_SECRET: webhookSecret,
  ONSALE_OPERATIONS_PORT: String(operationsPort),
  // Nobody reads it: a mail that cannot be sent is tried again.
  ONSALE_SMTP_URL: "smtp://sandbox:2525",
  // All buyers of the tests come from one address.
  ONSALE_RATE_LIMIT_READS: "0",
  ONSALE_RATE_LIMIT_HOLDS: "0",
  ONSALE_RATE_LIMIT_ORDERS: "0",
  ONSALE_RATE_LIMIT_ORGANISER: "0"
}

const toClusterError = (error: { readonly message: string }) => new ClusterError({ message: error.message })

/** Until a command in a machine succeeds. */
const until = (machine: Machines.Machine, command: ReadonlyArray<string>) =>
  pollUntil(
    machine.exec(command).pipe(Effect.orElseSucceed(() => ({ exitCode: -1, output: "" }))),
    ({ exitCode }) => exitCode === 0,
    { deadline: readyLimit, every: "250 millis" }
  )

const isReady = (machine: Machines.Machine) =>
  Effect.flatMap(machine.address(operationsPort), (address) =>
    Effect.tryPromise({
      try: (signal) => fetch(`http://${address}/readyz`, { signal }).then(({ ok }) => ok),
      catch: toUnready
    })
  ).pipe(
    Effect.timeout("2 seconds"),
    Effect.orElseSucceed(() => false)
  )
/** `effect_cluster_shards` of a runner; 0 where it does not answer. */
const shardsOf = (machine: Machines.Machine): Effect.Effect<number> =>
  Effect.flatMap(machine.address(operationsPort), (address) =>
    Effect.tryPromise({
      try: (signal) => fetch(`http://${address}/metrics`, { signal }).then((response) => response.text()),
      catch: toUnready
    })
  ).pipe(
    Effect.timeout("2 seconds"),
    Effect.map((text) => Number(/^effect_cluster_shards(?:\{[^}]*\})? (\d+)/m.exec(text)?.[1] ?? 0)),
    Effect.orElseSucceed(() => 0)
  )

const toUnready = () => new ClusterError({ message: "not ready" })

/** Starts them all, and waits until they are ready. They are gone with the scope. */
export const start = Effect.fn("ClusterWorld.start")(function* (size: Size) {
  const { app, postgres: postgresImage, redis: redisImage } = yield* images
  const network = yield* Machines.network
  const launch = (options: Machines.MachineOptions) => Machines.launch(network, options)

  const [postgres, redis, sandbox] = yield* Effect.all(
    [
      launch({
        name: "postgres",
        image: postgresImage,
        command:
          "postgres -c max_connections=300 -c shared_buffers=128MB -c wal_level=logical -c max_slot_wal_keep_size=2GB".split(
            " "
          ),
        env: { POSTGRES_USER: "onsale", POSTGRES_PASSWORD: "onsale", POSTGRES_DB: "onsale" }
      }),
      launch({ name: "redis", image: redisImage }),
      launch({
        name: "sandbox",
        image: app,
        command: ["node", "apps/psp-sandbox/src/main.ts"],
        env: {
          ...env,
          PSP_HOST: "0.0.0.0",
          PSP_PORT: "4020",
          PSP_LEDGER: "/data/ledger.jsonl",
          PSP_SECRET: sandboxSecret,
          PSP_WEBHOOK_URL: "http://gateway-1:3000/api/v1/webhooks/sandbox",
          PSP_WEBHOOK_SECRET: webhookSecret
        }
      })
    ],
    { concurrency: "unbounded" }
  )
  yield* until(postgres, ["pg_isready", "--username", "onsale", "--host", "127.0.0.1"])
  const migrated = yield* sandbox.exec(["node", main, "migrate"])
  if (migrated.exitCode !== 0) return yield* new ClusterError({ message: migrated.output })

  const group = (role: string, count: number, script: string, more: Readonly<Record<string, string>> = {}) =>
    Effect.forEach(
      Array.from({ length: count }, (_, i) => `${role}-${i + 1}`),
      (name) =>
        launch({
          name,
          image: app,
          command: ["node", script],
          env: { ...env, ...more, ONSALE_RUNNER_HOST: name },
          ports: role === "gateway" ? [httpPort, operationsPort] : [operationsPort]
        }),
      { concurrency: 4 }
    )
  const booking = yield* group("booking", size.booking, "apps/runner/src/booking.ts")
  const payment = yield* group("payment", size.payment, "apps/runner/src/payment.ts")
  const notification = yield* group("notification", size.notification, "apps/runner/src/notification.ts")
  const gateways = yield* group("gateway", size.gateways, "apps/gateway/src/main.ts")

  const roles = [...booking, ...payment, ...notification, ...gateways]
  const ready = Effect.forEach(
    roles,
    (machine) =>
      pollUntil(isReady(machine), (is) => is, { deadline: readyLimit, every: "250 millis" }).pipe(
        Effect.catch(() =>
          Effect.flatMap(
            Effect.orElseSucceed(machine.logs, () => ""),
            (logs) => new ClusterError({ message: `${machine.name} is not ready:\n${logs.slice(-4_000)}` })
          )
        )
      ),
    { concurrency: "unbounded", discard: true }
  )
  yield* ready

  const audit = Effect.gen(function* () {
    const { exitCode, output } = yield* sandbox
      .exec(["node", main, "audit", "--ledger", "/data/ledger.jsonl"])
      .pipe(Effect.mapError(toClusterError))
    return exitCode === 0 ? output : yield* new ClusterError({ message: `the audit failed:\n${output}` })
  })

  const world: ClusterWorld = {
    gateways,
    booking,
    payment,
    notification,
    postgres,
    redis,
    sandbox,
    organiserKey,
    ready,
    bookingShards: Effect.map(Effect.forEach(booking, shardsOf, { concurrency: "unbounded" }), (each) =>
      each.reduce((sum, one) => sum + one, 0)
    ),
    audit
  }
  return world
}, Effect.mapError(toClusterError))

/** Where buyers reach a gateway now; another port after it was started again. */
export const urlOf = (gateway: Machines.Machine): Effect.Effect<string, Machines.MachineError> =>
  Effect.map(gateway.address(httpPort), (address) => `http://${address}`)
