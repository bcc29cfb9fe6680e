/**
 * What a command costs on the wire between a gateway and a runner: to encode it and its answer and to decode both,
 * by the codec that the cluster uses. In one thread, with nothing else: a floor.
 */
import type { InventoryAnswer } from "@onsale/contracts/inventory/InventoryCommand"
import { Answers, Commands } from "@onsale/contracts/inventory/InventoryEntity"
import { CommandId, makeHoldId, makeUuidV7, TierId } from "@onsale/contracts/Ids"
import { Effect, Exit, Schema } from "effect"
import { RpcSerialization } from "effect/rpc"
import { markdown } from "./Table.ts"

const sizes = [1, 64, 1024] as const
/** Of each size, so that it takes some tenths of a second. */
const commandsASize = 60_000

export interface WireCost {
  readonly commands: number
  /** Microseconds of CPU a message, as all of these. */
  readonly encode: number
  readonly decode: number
  readonly encodeAnswer: number
  readonly decodeAnswer: number
}

const nowMs = Date.UTC(2026, 0, 1)
const tier = TierId.make(makeUuidV7(nowMs))

const command = (n: number) => ({
  _tag: "Hold" as const,
  commandId: CommandId.make(`bench-${n}`),
  fingerprint: "c2hhMjU2LW9mLXdoYXQtd2FzLWFza2VkLWZvcg",
  holdId: makeHoldId(nowMs, n & 0xff_ff_ff),
  seats: [2 * n, 2 * n + 1],
  areas: [],
  best: null
})

const answer = (n: number): InventoryAnswer => ({
  _tag: "Held",
  hold: {
    holdId: makeHoldId(nowMs, n & 0xff_ff_ff),
    seats: [2 * n, 2 * n + 1].map((seat) => ({ seat, label: `Stalls · 12 · ${seat}`, tier, price: 4_500 })),
    areas: [],
    amount: 9_000,
    currency: "EUR",
    expiresAtMs: nowMs + 600_000,
    version: n,
    orderId: null
  }
})

const commandsCodec = Schema.Struct({ commands: Commands })
const answersCodec = Schema.Exit(Answers, Schema.Never, Schema.Defect())

/** Of CPU, the collector's too: the clock would count what others take of the machine. */
const micros = (times: number, run: () => void): number => {
  const before = process.cpuUsage()
  for (let i = 0; i < times; i++) run()
  const { system, user } = process.cpuUsage(before)
  return (user + system) / times
}

/** The cost of messages of 1, 64 and 1,024 commands. */
export const measure: Effect.Effect<ReadonlyArray<WireCost>> = Effect.gen(function* () {
  const { codecFor } = yield* RpcSerialization.RpcSerialization
  const request = codecFor(commandsCodec)
  const reply = codecFor(answersCodec)
  const [encode, decode] = [Schema.encodeSync(request), Schema.decodeUnknownSync(request)]
  const [encodeReply, decodeReply] = [Schema.encodeSync(reply), Schema.decodeUnknownSync(reply)]
  return sizes.map((size): WireCost => {
    const message = { commands: Array.from({ length: size }, (_, n) => command(n)) }
    const answers = Exit.succeed(Array.from({ length: size }, (_, n) => answer(n)))
    const sent = encode(message)
    const back = encodeReply(answers)
    const times = Math.ceil(commandsASize / size)
    // Twice: the first is the compiler's.
    const take = () => ({
      commands: size,
      encode: micros(times, () => encode(message)),
      decode: micros(times, () => decode(sent)),
      encodeAnswer: micros(times, () => encodeReply(answers)),
      decodeAnswer: micros(times, () => decodeReply(back))
    })
    take()
    return take()
  })
}).pipe(Effect.provide(RpcSerialization.layerSchemaBinary()))

const parts = ["encode", "decode", "encodeAnswer", "decodeAnswer"] as const
const total = (cost: WireCost): number => parts.reduce((sum, part) => sum + cost[part], 0)

/** What one command more costs a message: the slope between the smallest and the largest. */
export const aCommand = (costs: ReadonlyArray<WireCost>): number => {
  const [first, last] = [costs[0], costs[costs.length - 1]]
  return first === undefined || last === undefined
    ? Number.NaN
    : (total(last) - total(first)) / (last.commands - first.commands)
}

export const table = (costs: ReadonlyArray<WireCost>): string =>
  markdown(
    [
      "commands a message",
      "encode µs",
      "decode µs",
      "encode answers µs",
      "decode answers µs",
      "all, a command"
    ],
    costs.map((cost) => [
      String(cost.commands),
      ...parts.map((part) => cost[part].toFixed(1)),
      (total(cost) / cost.commands).toFixed(2)
    ])
  )
