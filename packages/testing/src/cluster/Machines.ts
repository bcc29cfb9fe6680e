/**
 * Containers as machines: started on a network of their own, killed, frozen, cut off and mended. Over testcontainers;
 * the engine is the one that `DOCKER_HOST` names, or the usual one.
 */
import { Effect, Schema, type Scope } from "effect"
import {
  GenericContainer,
  getContainerRuntimeClient,
  Network,
  type StartedNetwork,
  Wait
} from "testcontainers"

export class MachineError extends Schema.TaggedError<MachineError>()("MachineError", {
  message: Schema.String,
  cause: Schema.optionalKey(Schema.Defect())
}) {}

export interface MachineOptions {
  /** Its name on the network. */
  readonly name: string
  readonly image: string
  readonly command?: ReadonlyArray<string>
  readonly env?: Readonly<Record<string, string>>
  /** Reached from here, on a port of its own that `url` tells. */
  readonly ports?: ReadonlyArray<number>
}

export interface Machine {
  readonly name: string
  /** Where a port of it is reached from here; another one after every start. Fails while it is down or cut off. */
  readonly address: (port: number) => Effect.Effect<string, MachineError>
  readonly kill: Effect.Effect<void, MachineError>
  /** SIGTERM, and SIGKILL after 30 seconds. */
  readonly stop: Effect.Effect<void, MachineError>
  /** Of one that was killed or stopped; what it had on its disk is there. */
  readonly start: Effect.Effect<void, MachineError>
  /** All its processes stand still, by SIGSTOP, until they are told to go on. */
  readonly freeze: Effect.Effect<void, MachineError>
  readonly thaw: Effect.Effect<void, MachineError>
  /** Off the network: nothing comes or goes, and nobody is told. */
  readonly cut: Effect.Effect<void, MachineError>
  readonly mend: Effect.Effect<void, MachineError>
  /** Its exit code and output. */
  readonly exec: (
    command: ReadonlyArray<string>
  ) => Effect.Effect<{ readonly exitCode: number; readonly output: string }, MachineError>
  readonly logs: Effect.Effect<string, MachineError>
  readonly isRunning: Effect.Effect<boolean, MachineError>
}

/** Each piece of what the engine keeps has eight bytes in front: of which stream it is, and how long. */
const textOf = (kept: Buffer): string => {
  let text = ""
  for (let at = 0; at + 8 <= kept.length; ) {
    const end = at + 8 + kept.readUInt32BE(at + 4)
    text += kept.toString("utf8", at + 8, end)
    at = end
  }
  return text
}

const attempt = <A>(what: string, run: () => Promise<A>): Effect.Effect<A, MachineError> =>
  Effect.tryPromise({
    try: run,
    catch: (cause) => new MachineError({ message: `${what}: ${String(cause)}`, cause })
  })

/** A network of its own, gone with the scope. */
export const network: Effect.Effect<StartedNetwork, MachineError, Scope.Scope> = Effect.acquireRelease(
  attempt("the network could not be made", () => new Network().start()),
  (network) => Effect.ignore(attempt("the network could not be removed", () => network.stop()))
)

/** Starts a machine, which is removed with the scope however it was left. Whether it serves is for the caller to see. */
export const launch = Effect.fn("Machines.launch")(function* (
  network: StartedNetwork,
  options: MachineOptions
) {
  const { name } = options
  const build = () => {
    const container = new GenericContainer(options.image)
      .withNetwork(network)
      .withNetworkAliases(name)
      .withHostname(name)
      .withEnvironment({ ...options.env })
      // When it serves is asked of itself, not of its ports.
      .withWaitStrategy(Wait.forSuccessfulCommand("true"))
    if (options.command !== undefined) container.withCommand([...options.command])
    if (options.ports !== undefined) container.withExposedPorts(...options.ports)
    return container.start()
  }
  const started = yield* Effect.acquireRelease(attempt(`${name} could not be started`, build), (started) =>
    Effect.ignore(
      attempt(`${name} could not be removed`, async () => {
        const client = await getContainerRuntimeClient()
        await client.container.getById(started.getId()).remove({ force: true, v: true })
      })
    )
  )
  const client = yield* attempt("there is no engine", () => getContainerRuntimeClient())
  const { dockerode } = client.container
  const container = client.container.getById(started.getId())
  // As everywhere where it is run: one that ends by itself is started again.
  yield* attempt(`${name} could not be supervised`, () =>
    container.update({ RestartPolicy: { Name: "on-failure" } })
  )
  const own = dockerode.getNetwork(network.getId())
  const host = client.info.containerRuntime.host

  const does = (what: string, run: () => Promise<unknown>) =>
    Effect.asVoid(attempt(`${name} could not be ${what}`, run))
  const inspect = attempt(`${name} could not be looked at`, () => container.inspect())

  const signal = async (name: "STOP" | "CONT") => {
    await container.kill({ signal: `SIG${name}` })
    // Where there is no other process, that is no error.
    await client.container.exec(container, ["sh", "-c", `kill -${name} -1 || true`])
  }

  const machine: Machine = {
    name,
    address: (port) =>
      Effect.flatMap(inspect, ({ NetworkSettings: { Ports } }) => {
        const bound = Ports[`${port}/tcp`]?.[0]?.HostPort
        return bound === undefined
          ? Effect.fail(new MachineError({ message: `port ${port} of ${name} is not published` }))
          : Effect.succeed(`${host}:${bound}`)
      }),
    kill: does("killed", () => container.kill({ signal: "SIGKILL" })),
    stop: does("stopped", () => container.stop({ t: 30 })),
    start: does("started again", () => container.start()),
    // By signals: the engine's own pause needs a freezer that not every machine with containers has. A process
    // inside cannot stop the first one, and the engine signals no other.
    freeze: does("frozen", () => signal("STOP")),
    thaw: does("thawed", () => signal("CONT")),
    cut: does("cut off", () => own.disconnect({ Container: container.id, Force: true })),
    mend: does("mended", () => own.connect({ Container: container.id, EndpointConfig: { Aliases: [name] } })),
    exec: (command) =>
      attempt(`${name} could not run ${command.join(" ")}`, async () => {
        const { exitCode, output } = await client.container.exec(container, [...command])
        return { exitCode, output }
      }),
    logs: attempt(`what ${name} said could not be read`, async () =>
      textOf(await container.logs({ stdout: true, stderr: true }))
    ),
    isRunning: Effect.map(inspect, ({ State }) => State.Running)
  }
  return machine
})
