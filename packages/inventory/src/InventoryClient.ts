/**
 * The inventory over its entity: the commands for one event that wait in this process travel in one
 * message and come back in one, because a message costs what thirty commands do.
 */
import type { EventId } from "@onsale/contracts/Ids"
import { InventoryClient, InventoryUnavailable } from "@onsale/contracts/inventory/InventoryClient"
import type { InventoryCommand } from "@onsale/contracts/inventory/InventoryCommand"
import { InventoryEntity, maxCommandsAMessage } from "@onsale/contracts/inventory/InventoryEntity"
import * as Tracing from "@onsale/platform/Tracing"
import { Clock, Duration, Effect, Exit, FiberSet, Layer } from "effect"
import * as LaneMetrics from "./LaneMetrics.ts"
import * as LanePolicy from "./LanePolicy.ts"
import * as InventorySubmit from "./InventorySubmit.ts"

/** Messages of one event that are on their way at once: the next is gathered while one commits. */
const messagesInFlight = 2
/** Empty lanes that are kept for what was measured of them; what is more goes as soon as it is empty. */
const lanesKept = 4_096
/** A message that leaves late still gets as long as a commit on a busy disk takes. */
const leastMs = 1_000

interface Waiting {
  readonly command: InventoryCommand
  readonly sinceMs: number
  /** When nobody waits for it any more. */
  readonly untilMs: number
  readonly done: Parameters<InventorySubmit.Submit>[2]
  readonly traced: Tracing.Traced | undefined
}

interface Lane extends LanePolicy.Load, LaneMetrics.Lane {
  readonly waiting: Array<Waiting>
  /** Messages, those that are being gathered among them. */
  inFlight: number
  /** A message that has not taken its commands yet. */
  gathering: boolean
  /** Commands in messages on their way. */
  sent: number
}

/**
 * Whether to send what waits now. A message beside another one has to be as large: sent at once, the first few
 * commands would travel alone and those behind them wait all the same.
 */
const worthSending = ({ gathering, inFlight, sent, waiting }: Lane): boolean =>
  !gathering && (inFlight === 0 || (inFlight < messagesInFlight && waiting.length >= sent))

const overloaded = (retryAfterMs: number) => new InventoryUnavailable({ reason: "overloaded", retryAfterMs })
const entityFull = overloaded(1_000)

/** What the cluster says when an entity cannot be reached or is full, in the words of the contract. */
const unavailable = <A, E extends { readonly _tag: string }>(
  effect: Effect.Effect<A, E>
): Effect.Effect<A, InventoryUnavailable> =>
  Effect.catch(effect, (error) =>
    error instanceof InventoryUnavailable
      ? Effect.fail(error)
      : error._tag === "MailboxFull"
        ? Effect.fail(entityFull)
        : Effect.andThen(
            Effect.logWarning("the inventory could not be reached", error),
            Effect.fail(InventorySubmit.tooLate)
          )
  )

export const layerEntity = Layer.effect(
  InventoryClient,
  Effect.gen(function* () {
    const entity = yield* InventoryEntity.client
    const clock = yield* Clock.Clock
    const run = yield* FiberSet.makeRuntime<never, void, never>()
    const lanes = new Map<EventId, Lane>()
    /** Of all lanes together. */
    const all = { held: 0 }
    const metrics = yield* LaneMetrics.make(lanes, all)
    yield* Effect.forkScoped(
      Effect.forever(Effect.andThen(Effect.sleep("1 second"), Effect.sync(metrics.look)))
    )

    const withDeadline = <A, E extends { readonly _tag: string }>(
      effect: Effect.Effect<A, E>,
      ms = LanePolicy.deadlineMs
    ) =>
      unavailable(effect).pipe(
        Effect.timeoutOrElse({
          duration: Duration.millis(ms),
          orElse: () => Effect.fail(InventorySubmit.tooLate)
        })
      )

    const left = (lane: Lane, count: number): void => {
      lane.held -= count
      all.held -= count
    }

    /** In the trace of the first that is traced, with links to the others; the cluster itself carries no span here. */
    const execute = (
      eventId: EventId,
      commands: ReadonlyArray<InventoryCommand>,
      waitMs: number,
      traced: ReadonlyArray<Tracing.Traced> | undefined
    ) =>
      traced === undefined
        ? entity(eventId).Execute({ commands, waitMs })
        : Effect.flatMap(Tracing.current, (span) =>
            entity(eventId).Execute({
              commands,
              waitMs,
              carried: traced.slice(0, Tracing.maxNamed).map(Tracing.carriedOf),
              ...(span === undefined ? {} : { traceparent: Tracing.format(span) })
            })
          ).pipe(
            Tracing.continued(traced[0]?.span, "Inventory.batch", {
              kind: "client",
              attributes: { "onsale.commands": commands.length },
              links: Tracing.linksTo(traced.slice(1).map(({ span }) => span))
            })
          )

    const send = (eventId: EventId, lane: Lane): Effect.Effect<void> =>
      Effect.suspend(() => {
        const nowMs = clock.currentTimeMillisUnsafe()
        const oldest = nowMs - LanePolicy.deadlineMs
        const batch: Array<Waiting> = []
        /** Of the commands that are traced; most are not. */
        let traced: Array<Tracing.Traced> | undefined
        let lastMs = 0
        const taken = lane.waiting.splice(0, maxCommandsAMessage)
        for (const one of taken) {
          if (one.untilMs <= nowMs) one.done(Exit.fail(InventorySubmit.notBegun))
          else {
            batch.push(one)
            lastMs = Math.max(lastMs, one.untilMs)
            if (one.traced !== undefined) (traced ??= []).push(one.traced)
          }
        }
        left(lane, taken.length - batch.length)
        if (batch.length === 0) return Effect.void
        lane.sent += batch.length
        metrics.sent(lane, batch.length)
        return execute(
          eventId,
          batch.map(({ command }) => command),
          lastMs - nowMs,
          traced
        ).pipe(
          // What is left of the deadline of the one that has waited longest: it stands first.
          (sent) => withDeadline(sent, Math.max(leastMs, batch[0]!.sinceMs - oldest)),
          Effect.exit,
          Effect.map((exit) => {
            const backAtMs = clock.currentTimeMillisUnsafe()
            LanePolicy.cameBack(lane, nowMs, backAtMs)
            metrics.tookMs(lane, backAtMs - nowMs)
            lane.sent -= batch.length
            left(lane, batch.length)
            batch.forEach(({ done }, i) => {
              const answer = Exit.isSuccess(exit) ? exit.value[i] : undefined
              if (answer !== undefined) done(Exit.succeed(answer))
              else
                done(
                  Exit.isFailure(exit)
                    ? Exit.failCause(exit.cause)
                    : Exit.die(new Error("an answer is missing"))
                )
            })
          })
        )
      })

    const drain = (eventId: EventId, lane: Lane): Effect.Effect<void> =>
      // The pause lets every request that this turn of the event loop has read come along.
      Effect.yieldNow.pipe(
        Effect.andThen(
          Effect.suspend(() => {
            lane.gathering = false
            return Effect.whileLoop({
              // Else the other message takes them along when it is back.
              while: () =>
                lane.waiting.length > 0 && (lane.inFlight === 1 || lane.waiting.length >= lane.sent),
              body: () => send(eventId, lane),
              step: () => {}
            })
          })
        ),
        Effect.ensuring(
          Effect.sync(() => {
            lane.inFlight--
            if (lane.inFlight > 0) return
            // It came after the last look, while this one counted as on its way.
            if (lane.waiting.length > 0) start(eventId, lane)
            else if (lanes.size > lanesKept && lanes.get(eventId) === lane) lanes.delete(eventId)
          })
        )
      )

    const start = (eventId: EventId, lane: Lane): void => {
      lane.inFlight++
      lane.gathering = true
      run(drain(eventId, lane))
    }

    const submit: InventorySubmit.Submit = (eventId, command, done, traced, untilMs) => {
      let lane = lanes.get(eventId)
      if (lane === undefined) {
        lane = {
          ...LanePolicy.idle(),
          waiting: [],
          inFlight: 0,
          gathering: false,
          sent: 0,
          heat: 0,
          series: metrics.series(eventId)
        }
        lanes.set(eventId, lane)
      }
      const retryAfterMs = LanePolicy.refusal(lane, all.held)
      if (retryAfterMs > 0) {
        metrics.refused(lane)
        done(Exit.fail(overloaded(retryAfterMs)))
        return InventorySubmit.goesOn
      }
      lane.held++
      all.held++
      const sinceMs = clock.currentTimeMillisUnsafe()
      const lastMs = sinceMs + LanePolicy.deadlineMs
      lane.waiting.push({
        command,
        sinceMs,
        untilMs: untilMs === undefined ? lastMs : Math.min(lastMs, untilMs),
        done,
        traced
      })
      if (worthSending(lane)) start(eventId, lane)
      return InventorySubmit.goesOn
    }

    const client = InventoryClient.of({
      execute: (eventId, command) =>
        Effect.flatMap(Tracing.traced, (traced) =>
          Effect.callback((resume) => {
            submit(eventId, command, resume, traced)
          })
        ),
      open: (eventId, layout) =>
        withDeadline(entity(eventId).Open({ layout }).pipe(Effect.catchTag("LayoutRefused", Effect.die))),
      hold: (eventId, holdId) => withDeadline(entity(eventId).GetHold({ holdId })),
      holdOf: (eventId, seat) => withDeadline(entity(eventId).GetHoldOf({ seat })),
      availability: (eventId) => withDeadline(entity(eventId).GetAvailability())
    })
    return InventorySubmit.takes(client, submit)
  })
)
