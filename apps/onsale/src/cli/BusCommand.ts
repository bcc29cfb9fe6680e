/** `onsale bus`: the events that their consumers gave up on, and another try for them. */
import { Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { consumers, topicOf } from "@onsale/contracts/Topics"
import type { DeadLetter, EventBus, EventBusError } from "@onsale/platform/EventBus"
import { exitCodes, Failed, refused, unreachable, usage } from "./Failure.ts"
import { print, table } from "./Output.ts"

/** Listed of a group at most, and replayed at once. */
const defaultLimit = 100

/** Who listens in this repository; others are to be named. */
const known = consumers.flatMap(({ group, topics }) =>
  topics.map((context) => ({ topic: topicOf(context), group }))
)

const topic = Flag.String("topic").pipe(
  Flag.withDescription(`Of that topic [${[...new Set(known.map((each) => each.topic))].join(", ")}]`),
  Flag.withMetavar("TOPIC")
)

const group = Flag.String("group").pipe(
  Flag.withDescription(`Of that group of consumers [${consumers.map((each) => each.group).join(", ")}]`),
  Flag.withMetavar("GROUP")
)

const limit = Flag.Int("limit").pipe(
  Flag.withDescription(`As many of a group at most [default: ${defaultLimit}]`),
  Flag.withMetavar("N"),
  Flag.withDefault(defaultLimit)
)

/** Runs over the configured bus, which is loaded when it is needed. */
const withBus = Effect.fnUntraced(function* <A>(
  limit: number,
  effect: (bus: EventBus["Service"]) => Effect.Effect<A, EventBusError>
) {
  if (limit < 1) return yield* usage("--limit must be at least 1")
  const [{ EventBus }, ConfiguredEventBus] = yield* Effect.promise(() =>
    Promise.all([import("@onsale/platform/EventBus"), import("@onsale/platform/ConfiguredEventBus")])
  )
  return yield* Effect.gen(function* () {
    const bus = yield* EventBus
    if (bus.reach === "process") {
      return yield* usage(
        "The event bus is within the service here, and its dead letters end with it",
        "Give what the service has: ONSALE_EVENT_BUS and ONSALE_REDIS_URL or ONSALE_KAFKA_BROKERS"
      )
    }
    return yield* effect(bus)
  }).pipe(
    Effect.provide(ConfiguredEventBus.layer),
    Effect.catchTags({
      EventBusError: ({ message }) => unreachable("The event bus cannot be reached", message),
      ConfigError: ({ message }) => usage("The event bus is not configured here", message),
      RedisUrlInvalid: ({ message }) => usage("ONSALE_REDIS_URL is of no use", message)
    })
  )
})

/** What is told of an event: never what it holds. */
const told = ({ attempts, diedAtMs, error, event, id }: DeadLetter) => ({
  id,
  diedAt: new Date(diedAtMs).toISOString(),
  event: event.id,
  type: event.type,
  subject: event.subject,
  sequence: event.sequence,
  attempts,
  error
})

const deadLetters = Command.make(
  "dead-letters",
  { topic: Flag.optional(topic), group: Flag.optional(group), limit },
  Effect.fnUntraced(function* ({ group, limit, topic }) {
    const asked =
      Option.isSome(topic) && Option.isSome(group)
        ? [{ topic: topic.value, group: group.value }]
        : known.filter(
            (each) =>
              (Option.isNone(topic) || each.topic === topic.value) &&
              (Option.isNone(group) || each.group === group.value)
          )
    if (asked.length === 0) {
      return yield* usage("No group of ours is named so", "Of others, name both: --topic TOPIC --group GROUP")
    }
    const found = yield* withBus(limit, (bus) =>
      Effect.forEach(asked, ({ group, topic }) =>
        Effect.map(bus.deadLetters(topic, group, limit), (letters) =>
          letters.map((letter) => ({ topic, group, ...told(letter) }))
        )
      )
    ).pipe(Effect.map((lists) => lists.flat()))
    yield* print(
      found,
      found.length === 0
        ? ["There are no dead letters."]
        : table(
            ["TOPIC", "GROUP", "ID", "SINCE", "EVENT", "TYPE", "ATTEMPTS", "ERROR"],
            found.map((each) => [
              each.topic,
              each.group,
              each.id,
              each.diedAt,
              each.event,
              each.type,
              each.attempts,
              each.error
            ])
          )
    )
    if (found.length > 0) return yield* new Failed({ code: exitCodes.refused })
  })
).pipe(
  Command.withDescription(
    "List the events that a group of consumers gave up on, oldest first; of all groups of ours where none is named. Exits with 1 where there are any"
  ),
  Command.withShortDescription("Events that consumers gave up on"),
  Command.withExamples([
    { command: "onsale bus dead-letters --group notifications", description: "Of the notifications" }
  ])
)

const replay = Command.make(
  "replay",
  {
    id: Argument.String("ID").pipe(
      Argument.withDescription("The id of a dead letter, as dead-letters tells it"),
      Argument.optional
    ),
    all: Flag.Boolean("all").pipe(
      Flag.withDescription("Every dead letter there is now, oldest first, up to --limit"),
      Flag.withDefault(false),
      Flag.withoutNegation
    ),
    topic,
    group,
    limit
  },
  Effect.fnUntraced(function* ({ all, group, id, limit, topic }) {
    if (all === Option.isSome(id)) return yield* usage("Name one dead letter by its ID, or --all")
    const replayed = yield* withBus(limit, (bus) =>
      Effect.gen(function* () {
        // Listed before the first is handed out: what dies again meanwhile is not tried for ever.
        const ids = Option.isSome(id)
          ? [id.value]
          : (yield* bus.deadLetters(topic, group, limit)).map((letter) => letter.id)
        return yield* Effect.filter(ids, (each) => bus.replay(topic, group, each))
      })
    )
    if (replayed.length === 0 && Option.isSome(id)) {
      return yield* refused("There is no such dead letter", `${id.value} of ${group} in ${topic}`)
    }
    yield* print({ topic, group, replayed }, [
      replayed.length === 0
        ? "There are no dead letters."
        : `Handed to ${group} again: ${replayed.join(", ")}`
    ])
  })
).pipe(
  Command.withDescription(
    "Hand a dead letter to its group again, with all its attempts, behind what came later in its stream. Mend the cause first"
  ),
  Command.withShortDescription("Hand dead letters out again"),
  Command.withExamples([
    {
      command: "onsale bus replay --topic onsale.booking --group notifications --all",
      description: "All that the notifications gave up on"
    }
  ])
)

export const bus = Command.make("bus").pipe(
  Command.withDescription("The event bus: dead-letters, replay"),
  Command.withSubcommands([deadLetters, replay])
)
