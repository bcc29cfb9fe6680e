/**
 * Bookings at a steady rate while a seeded schedule hurts the cluster; then every answer is held against every other,
 * and the audit is run.
 */
import { Clock, Effect, Exit, Fiber, Random } from "effect"
import { pollUntil } from "../Poll.ts"
import * as Buyers from "./Buyers.ts"
import type { ClusterWorld } from "./ClusterWorld.ts"
import * as Faults from "./Faults.ts"
import { longestGapMs } from "./History.ts"

export interface Options {
  readonly seed: number
  /** Of faults; 4 when left out. */
  readonly rounds?: number
  /** Instead of those of the seed. */
  readonly faults?: ReadonlyArray<ReadonlyArray<Faults.Fault>>
  readonly say: (line: string) => Effect.Effect<void>
}

export interface Report {
  readonly seed: number
  readonly breaches: ReadonlyArray<string>
}

const buyers = 10
const events = 6
const seatsAnEvent = 30
/** After the last fault is mended, until all events were answered again. */
const recoveryLimit = "60 seconds"
const calmMs = 2_000

const widths = [34, 10, 12, 8] as const
const row = (cells: ReadonlyArray<string>) => cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join("  ")

/** One seed on a cluster that is well. It is well again when this returns. */
export const run = Effect.fn("Chaos.run")(function* (world: ClusterWorld, options: Options) {
  const clock = yield* Clock.Clock
  const now = () => clock.currentTimeMillisUnsafe()
  const { seed } = options
  // Of its own, so that a seed has the same faults whatever the buyers come to.
  const fate = yield* Random.Random.pipe(Random.withSeed(`faults-${seed}`))
  const rounds =
    options.faults ??
    Faults.schedule([...Faults.victims(world).keys()], options.rounds ?? 4, () => fate.nextDoubleUnsafe())
  const generator = yield* Random.Random.pipe(Random.withSeed(`chaos-${seed}`))
  const random = () => generator.nextDoubleUnsafe()
  const shop = yield* Buyers.make({ world, random, run: `chaos-${seed}-${now()}` })
  const sales = yield* shop.open(events, seatsAnEvent)
  let over = false
  const crowd = yield* Effect.forEach(Array.from({ length: buyers }), () =>
    Effect.forkScoped(shop.buyer(sales, () => over))
  )
  const { notes } = shop
  const since = (eventId: string, fromMs: number) =>
    notes.answered.get(eventId)?.findLast((at) => at >= fromMs)
  const allAnswered = (fromMs: number) =>
    pollUntil(
      Effect.sync(() => sales.every(({ eventId }) => since(eventId, fromMs) !== undefined)),
      (all) => all,
      { deadline: recoveryLimit, every: "50 millis" }
    )

  yield* options.say(row([`seed ${seed}: fault`, "silence", "tries failed", "breaches"]))
  yield* allAnswered(now())
  for (const faults of rounds) {
    const fromMs = now()
    const failedBefore = notes.failed.length
    yield* Effect.forEach(
      faults,
      ({ kind, lastsMs, machine: name }) => {
        const machine = Faults.machineOf(world, name)
        if (machine === undefined) return Effect.die(new RangeError(`there is no machine ${name}`))
        shop.hurt.add(name)
        return Faults.inflict(machine, kind).pipe(
          Effect.andThen(Effect.sleep(lastsMs)),
          Effect.andThen(Faults.mend(machine, kind))
        )
      },
      { concurrency: "unbounded", discard: true }
    )
    const mendedMs = now()
    yield* allAnswered(mendedMs).pipe(
      Effect.catch(() => Effect.sync(() => notes.breaches.push("an event was not answered again")))
    )
    yield* world.ready
    shop.hurt.clear()
    yield* Effect.sleep(calmMs)
    const untilMs = now()
    const silence = Math.max(
      ...sales.map(({ eventId }) => longestGapMs(notes.answered.get(eventId) ?? [], fromMs, untilMs))
    )
    yield* options.say(
      row([
        faults
          .map(({ kind, lastsMs, machine }) => `${kind} ${machine} ${(lastsMs / 1000).toFixed(0)}s`)
          .join(", "),
        `${(silence / 1000).toFixed(1)} s`,
        String(notes.failed.length - failedBefore),
        String(notes.breaches.length)
      ])
    )
  }
  over = true
  const exits = yield* Effect.forEach(crowd, Fiber.await)
  for (const exit of exits)
    if (Exit.isFailure(exit)) notes.breaches.push(`a buyer broke off: ${String(exit.cause)}`)
  yield* shop.settle()
  yield* world.audit.pipe(Effect.catch(({ message }) => Effect.sync(() => void notes.breaches.push(message))))
  const { calls, expired, holds, orders, releases, unanswered } = notes.counts
  yield* options.say(
    `seed ${seed}: ${calls} calls, ${holds} holds, ${releases} released, ${expired} expired, ${orders} orders, ${unanswered} never answered, ${notes.breaches.length} breaches`
  )
  const report: Report = { seed, breaches: notes.breaches }
  return report
}, Effect.scoped)
