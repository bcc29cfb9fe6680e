/** Faults that real machines have, drawn from a seed: one or two at a time, and how each is mended. */
import type { Effect } from "effect"
import type { ClusterWorld } from "./ClusterWorld.ts"
import type { Machine, MachineError } from "./Machines.ts"

export type Kind = "kill" | "freeze" | "cut" | "restart"

export interface Fault {
  readonly machine: string
  readonly kind: Kind
  /** From the fault to its mending. */
  readonly lastsMs: number
}

/** Longer than a runner keeps its shards when nobody can reach it, `Cluster.ts`. */
const frozenMs = { from: 8_000, upTo: 11_000 }
const killedMs = { from: 1_000, upTo: 5_000 }
/** All stand still with it: shorter, so that buyers have patience left. */
const storeFrozenMs = { from: 2_000, upTo: 6_000 }

const kinds: ReadonlyArray<Kind> = ["kill", "freeze", "cut", "restart"]

/** The seldom ones, beside the runners and gateways. */
const stores = ["postgres", "redis"]

/** So many rounds; each with one fault, or two of different machines. */
export const schedule = (
  machines: ReadonlyArray<string>,
  rounds: number,
  random: () => number
): ReadonlyArray<ReadonlyArray<Fault>> => {
  const pick = <A>(from: ReadonlyArray<A>): A => from[Math.floor(random() * from.length)]!
  const between = ({ from, upTo }: { readonly from: number; readonly upTo: number }) =>
    Math.round(from + random() * (upTo - from))
  const draw = (machine: string): Fault => {
    const kind = pick(kinds)
    const stands = kind === "freeze" || kind === "cut"
    return {
      machine,
      kind,
      lastsMs: between(!stands ? killedMs : stores.includes(machine) ? storeFrozenMs : frozenMs)
    }
  }
  return Array.from({ length: rounds }, () => {
    const first = random() < 0.2 ? pick(stores) : pick(machines)
    const others = machines.filter((name) => name !== first)
    return random() < 0.5 ? [draw(first)] : [draw(first), draw(pick(others))]
  })
}

const written = /^(kill|freeze|cut|restart):([a-z0-9-]+):(\d+)$/

/** Of `kind:machine:milliseconds`; undefined where it is not written so. */
export const parse = (text: string): Fault | undefined => {
  const [, kind, machine, lasts] = written.exec(text) ?? []
  return kind === undefined || machine === undefined
    ? undefined
    : { kind: kind as Kind, machine, lastsMs: Number(lasts) }
}

/** Does it to the machine. A restart is over when it has stopped. */
export const inflict = (machine: Machine, kind: Kind): Effect.Effect<void, MachineError> =>
  kind === "kill"
    ? machine.kill
    : kind === "freeze"
      ? machine.freeze
      : kind === "cut"
        ? machine.cut
        : machine.stop

export const mend = (machine: Machine, kind: Kind): Effect.Effect<void, MachineError> =>
  kind === "freeze" ? machine.thaw : kind === "cut" ? machine.mend : machine.start

/** The machines that faults happen to, by name, beside the stores. */
export const victims = (world: ClusterWorld): ReadonlyMap<string, Machine> =>
  new Map(
    [...world.booking, ...world.gateways, ...world.payment, ...world.notification].map((machine) => [
      machine.name,
      machine
    ])
  )

/** Undefined where there is none of that name. */
export const machineOf = (world: ClusterWorld, name: string): Machine | undefined =>
  name === "postgres" ? world.postgres : name === "redis" ? world.redis : victims(world).get(name)
