/**
 * The event bus: facts of one context, on their way to groups of consumers elsewhere.
 *
 * - **At least once.** An event is acknowledged after the handler's work, for each group by itself. What a
 *   consumer had begun when it died is given to another of its group. Repeats have the same `id`; who must
 *   not act twice remembers it, or the `sequence` it has come to.
 * - **In order within a stream** (`subject`): a topic is cut into partitions by a hash of it, and at any time
 *   one consumer of a group has a partition. Repeats aside, an event is not handed out before those of
 *   its stream that were published before it are handled or dead. Streams are not ordered among one another.
 * - **A failing event holds back its own stream only**, with growing pauses, until it is handled or has failed
 *   `maxAttempts` times; then it is a dead letter of its group. The stream goes on *without* it: one broken
 *   event must not stop an order or a hall for good. So after a dead letter a group sees a gap in `sequence`,
 *   and a replayed event comes after those that overtook it, marked `replayed`. A handler that cannot bear
 *   that compares `sequence` with the newest it has acted on.
 * - **Bounded.** A consumer holds at most `inFlight` events of a partition; what a broker keeps for groups
 *   that are behind is bounded, and at the bound it is the publisher who waits, never an event that is dropped.
 * - A group sees what was published since it first appeared, and of what came before whatever the broker still
 *   keeps. It is remembered until an operator removes it (`docs/runbooks/event-bus.md`).
 */
import { Context, type Duration, type Effect, Schema, type Scope } from "effect"
import type { CloudEvent } from "./CloudEvent.ts"

/** Why the bus did not do it. All of it can be tried again. */
export class EventBusError extends Schema.TaggedError<EventBusError>()("EventBusError", {
  /** `Full`: a group is too far behind. `Lost`: the broker has forgotten what was not settled yet. */
  reason: Schema.Literals(["Unavailable", "Full", "Lost"]),
  message: Schema.String,
  cause: Schema.optional(Schema.Defect())
}) {}

/** Streams are spread over as many partitions. Not to be changed where topics exist: streams would change place. */
export const defaultPartitions = 8

export interface Delivery {
  readonly event: CloudEvent
  /** 1 for the first. Attempts of a consumer that died count where the broker counts them (Redis). */
  readonly attempt: number
  /** It was a dead letter of this group, and others of its stream may have overtaken it. */
  readonly replayed: boolean
}

export interface ConsumeOptions<E, R> {
  /** Consumers of one group share the events; each group gets them all. Of `a-z`, digits and `-`. */
  readonly group: string
  readonly topics: ReadonlyArray<string>
  /** Event types to hand out, the others count as handled; all when left out. */
  readonly types?: ReadonlyArray<string>
  readonly handle: (delivery: Delivery) => Effect.Effect<void, E, R>
  /** True for an error that no repetition will cure: the event is a dead letter at once. */
  readonly isFinal?: (error: E) => boolean
  /** Events at the same time, of different streams; 8 when left out. */
  readonly concurrency?: number
  /** Attempts before an event is a dead letter; 8 when left out. */
  readonly maxAttempts?: number
  /** The pause after the first failure; it doubles with each. 200 ms when left out. */
  readonly backoff?: Duration.Input
  /** 10 s when left out. */
  readonly maxBackoff?: Duration.Input
  /** How long an attempt may take; 1 minute when left out. */
  readonly attemptLimit?: Duration.Input
  /** Events of a partition that are taken from the broker and not yet settled, at most; 128 when left out. */
  readonly inFlight?: number
}

export interface DeadLetter {
  /** Of the dead letter, not of the event. */
  readonly id: string
  readonly event: CloudEvent
  readonly attempts: number
  readonly error: string
  /** Milliseconds since 1970. */
  readonly diedAtMs: number
}

export interface Publisher {
  /**
   * Gives the events to the bus, in order, and answers once it has taken them all. After an error some of
   * them may have been taken: publish the same events again before any later ones.
   *
   * The effect it answers with waits until they cannot be lost any more: who keeps a cursor moves it then.
   * Either fails with `Lost` where what was not settled yet may be lost. This publisher takes nothing more then,
   * or the stream would go on behind a gap: open another, and publish again from the first event not settled.
   */
  readonly publish: (
    events: ReadonlyArray<CloudEvent>
  ) => Effect.Effect<Effect.Effect<void, EventBusError>, EventBusError>
}

export class EventBus extends Context.Service<
  EventBus,
  {
    /** How far it carries: within this process, or to every process that is connected to the same broker. */
    readonly reach: "process" | "cluster"
    /** False where nobody would get what is published now, and nobody later. */
    readonly wanted: (topic: string) => Effect.Effect<boolean>
    /** Opens a way to publish to a topic. One at a time for a topic, where order is to be kept. */
    readonly publisher: (topic: string) => Effect.Effect<Publisher, EventBusError>
    /**
     * Hands out events for as long as the scope lives; interrupts the handlers when it ends. A broker that is
     * away, now or later, does not fail it: it is tried again.
     */
    readonly consume: <E, R>(options: ConsumeOptions<E, R>) => Effect.Effect<void, never, Scope.Scope | R>
    /** The dead letters of a group, oldest first. */
    readonly deadLetters: (
      topic: string,
      group: string,
      limit: number
    ) => Effect.Effect<ReadonlyArray<DeadLetter>, EventBusError>
    /** Hands a dead letter to its group again, with all its attempts; false where there is none of that id. */
    readonly replay: (topic: string, group: string, id: string) => Effect.Effect<boolean, EventBusError>
    /** Events of a topic that a group has not settled yet. */
    readonly lag: (topic: string, group: string) => Effect.Effect<number, EventBusError>
  }
>()("@onsale/platform/EventBus") {}
