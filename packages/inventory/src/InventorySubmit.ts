/**
 * Commands without a fiber each: for a caller that has thousands of them a second, and a callback for each.
 *
 * An implementation of `InventoryClient` that can take commands so says it by `takes`; of the others the effect
 * is run.
 */
import type { EventId } from "@onsale/contracts/Ids"
import { type InventoryClient, InventoryUnavailable } from "@onsale/contracts/inventory/InventoryClient"
import type { InventoryAnswer, InventoryCommand } from "@onsale/contracts/inventory/InventoryCommand"
import * as Tracing from "@onsale/platform/Tracing"
import { Context, Duration, Effect, Exit, FiberSet } from "effect"

/**
 * Calls back once with what `InventoryClient.execute` would come to, at once or later. `done` must not throw.
 * What it gives back ends what need not go on once nobody waits; the command may be carried out all the same, and
 * `done` called.
 */
export type Submit = (
  eventId: EventId,
  command: InventoryCommand,
  done: (exit: Exit.Exit<InventoryAnswer, InventoryUnavailable>) => void,
  /** Whom it is carried out for, where that is traced. */
  traced?: Tracing.Traced,
  /** When nobody waits for it any more, where that is known: it is not begun later. Milliseconds since 1970. */
  untilMs?: number
) => () => void

/**
 * When nobody waits any more for the command that runs now: an implementation that has it in a queue does not begin it
 * later. Milliseconds since 1970; undefined where it is not known.
 */
export const Until = Context.Reference<number | undefined>("@onsale/inventory/InventorySubmit/Until", {
  defaultValue: () => undefined
})

/** It may have been carried out, or may be yet; its id tells. */
export const tooLate = new InventoryUnavailable({ reason: "deadline", retryAfterMs: 2_000 })

/** Nobody waited any longer before it was begun: it was not carried out, and will not be. */
export const notBegun = new InventoryUnavailable({ reason: "not_begun", retryAfterMs: 2_000 })

/** Ends waiting for a command when nobody waits for it any more. Milliseconds since 1970. */
const bounded = <A>(execute: Effect.Effect<A, InventoryUnavailable>, untilMs: number) =>
  Effect.clockWith((clock) => {
    const leftMs = untilMs - clock.currentTimeMillisUnsafe()
    return leftMs <= 0
      ? Effect.fail(notBegun)
      : Effect.timeoutOrElse(Effect.provideService(execute, Until, untilMs), {
          duration: Duration.millis(leftMs),
          orElse: () => Effect.fail(tooLate)
        })
  })

type Client = InventoryClient["Service"]

const submits = new WeakMap<Client, Submit>()

/** The client, which takes commands in that way too. */
export const takes = (client: Client, submit: Submit): Client => {
  submits.set(client, submit)
  return client
}

/** For what goes on whether anybody waits or not. */
export const goesOn = (): void => {}

/** How a client takes commands; what runs for it ends with the scope. */
export const of = Effect.fnUntraced(function* (client: Client) {
  const run = yield* FiberSet.makeRuntime<never, void, never>()
  const execute = (eventId: EventId, command: InventoryCommand, traced: Tracing.Traced | undefined) =>
    traced === undefined
      ? client.execute(eventId, command)
      : client
          .execute(eventId, command)
          .pipe(
            Tracing.continued(traced.span, "Inventory.execute"),
            Effect.annotateLogs("correlationId", traced.correlation)
          )
  const byEffect: Submit = (eventId, command, done, traced, untilMs) => {
    const executed = execute(eventId, command, traced)
    const fiber = run(
      Effect.matchCause(untilMs === undefined ? executed : bounded(executed, untilMs), {
        onFailure: (cause) => done(Exit.failCause(cause)),
        onSuccess: (answer) => done(Exit.succeed(answer))
      })
    )
    return () => fiber.interruptUnsafe()
  }
  return submits.get(client) ?? byEffect
})
