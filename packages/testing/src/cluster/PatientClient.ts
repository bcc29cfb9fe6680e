/** Who asks a cluster until it is answered, with the same key, at one gateway after the other, and notes what happens. */
import { Clock, Effect, Schema } from "effect"
import { type ClusterWorld, urlOf } from "./ClusterWorld.ts"

export class BuyersError extends Schema.TaggedError<BuyersError>()("BuyersError", {
  message: Schema.String
}) {}

/** One try must not outlast a machine that is cut off: the other gateway may answer. */
const tryLimit = "8 seconds"
const pauseMs = 150
/** Who has no answer then goes away. Longer than any fault lasts. */
const patienceMs = 45_000

export interface Reply {
  readonly status: number
  readonly json: unknown
}

export interface Answered {
  /** Undefined where it was never answered. */
  readonly reply: Reply | undefined
  readonly startMs: number
  readonly endMs: number
  /** Tries that failed before. */
  readonly failures: number
}

/** What was seen; filled while the buyers buy. */
export interface Notes {
  /** By event: when a call of it was answered. */
  readonly answered: Map<string, Array<number>>
  /** Tries that failed: when, and how. */
  readonly failed: Array<{ readonly atMs: number; readonly eventId: string; readonly how: string }>
  readonly breaches: Array<string>
  readonly counts: {
    calls: number
    holds: number
    orders: number
    releases: number
    /** Holds that were left to their expiry. */
    expired: number
    unanswered: number
  }
}

export interface Options {
  readonly world: ClusterWorld
  /** Between 0 and 1. */
  readonly random: () => number
  /** What it writes into. */
  readonly notes: Notes
}

/** Writes when calls were answered, and which tries failed, into the notes. */
export const make = Effect.fn("PatientClient.make")(function* ({ notes, random, world }: Options) {
  const clock = yield* Clock.Clock
  const nowMs = () => clock.currentTimeMillisUnsafe()
  /** Gateways that a balancer would have taken out; one try in five still goes there. */
  const hurt = new Set<string>()

  const gatewayFor = (turn: number) => {
    const well = world.gateways.filter(({ name }) => !hurt.has(name))
    const among = well.length === 0 || random() < 0.2 ? world.gateways : well
    return among[turn % among.length]!
  }

  const once = (method: string, path: string, key: string | undefined, body: unknown, turn: number) =>
    urlOf(gatewayFor(turn)).pipe(
      Effect.flatMap((url) =>
        Effect.tryPromise({
          try: async (signal): Promise<Reply> => {
            const response = await fetch(`${url}/api/v1${path}`, {
              method,
              signal,
              headers: {
                "content-type": "application/json",
                ...(path.startsWith("/organiser") ? { authorization: `Bearer ${world.organiserKey}` } : {}),
                ...(key === undefined ? {} : { "idempotency-key": key })
              },
              ...(body === undefined ? {} : { body: JSON.stringify(body) })
            })
            const text = await response.text()
            return { status: response.status, json: text === "" ? null : JSON.parse(text) }
          },
          catch: (cause) =>
            new BuyersError({
              message:
                cause instanceof Error
                  ? `${cause.name} ${String(cause.cause ?? cause.message)}`
                  : String(cause)
            })
        })
      ),
      Effect.timeoutOrElse({
        duration: tryLimit,
        orElse: () => Effect.fail(new BuyersError({ message: "no answer" }))
      })
    )

  /** Asks until it is answered, at one gateway after the other. */
  const ask = Effect.fnUntraced(function* (
    eventId: string,
    method: string,
    path: string,
    body?: unknown,
    key?: string
  ): Effect.fn.Return<Answered> {
    const startMs = nowMs()
    notes.counts.calls++
    let failures = 0
    for (let turn = Math.floor(random() * 8); ; turn++) {
      const exit = yield* once(method, path, key, body, turn).pipe(
        Effect.map((reply) => ({
          reply,
          how: reply.status >= 500 ? `${method} ${path}: ${told(reply)}` : undefined
        })),
        Effect.catch((error) => Effect.succeed({ reply: undefined, how: error.message.slice(0, 60) }))
      )
      const endMs = nowMs()
      // The first try may still be at work: its key is in use.
      const busy = exit.reply?.status === 409 && failures > 0 && isKeyInUse(exit.reply)
      if (exit.reply !== undefined && exit.how === undefined && !busy) {
        const times = notes.answered.get(eventId)
        if (times === undefined) notes.answered.set(eventId, [endMs])
        else times.push(endMs)
        return { reply: exit.reply, startMs, endMs, failures }
      }
      if (exit.how !== undefined) notes.failed.push({ atMs: endMs, eventId, how: exit.how })
      failures++
      if (endMs - startMs > patienceMs) {
        notes.counts.unanswered++
        return { reply: undefined, startMs, endMs, failures }
      }
      yield* Effect.sleep(pauseMs)
    }
  })

  return { ask, hurt, nowMs }
})

/** The status, and what the problem says of itself. */
const told = ({ json, status }: Reply): string =>
  typeof json === "object" && json !== null && "type" in json
    ? `${status} ${String(json.type)} ${"detail" in json ? String(json.detail) : ""}`
    : String(status)

const isKeyInUse = ({ json }: Reply): boolean =>
  typeof json === "object" && json !== null && "type" in json && String(json.type).endsWith("key-in-use")
