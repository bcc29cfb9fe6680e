/** `onsale notifications`: what buyers were told and are to be told, dead letters, and addresses that bounce. */
import { OrderId } from "@onsale/contracts/Ids"
import type { Message } from "@onsale/contracts/notifications/Message"
import type { MessageLog } from "@onsale/notifications/MessageLog"
import type { Suppressions } from "@onsale/notifications/Suppressions"
import { Clock, Effect, Layer, Option, Schema } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { exitCodes, Failed, refused, usage } from "./Failure.ts"
import { preview } from "./NotificationPreviewCommand.ts"
import { print, table } from "./Output.ts"

const Uuid = Schema.String.check(Schema.isUUID(7))
const exampleId = "019a9c3e-5b7c-7d21-9f3a-2b1c4d000000"

/** Loaded by those who use it: the database costs a second at the start. */
const services = Effect.promise(async () => {
  const [{ Database }, { MessageLog }, { NoticeJobs }, { Suppressions }] = await Promise.all([
    import("@onsale/platform/Database"),
    import("@onsale/notifications/MessageLog"),
    import("@onsale/notifications/NoticeJobs"),
    import("@onsale/notifications/Suppressions")
  ])
  return {
    MessageLog,
    Suppressions,
    layer: Layer.mergeAll(MessageLog.layer.pipe(Layer.provide(NoticeJobs.layer)), Suppressions.layer).pipe(
      Layer.provide(Database.layerShared)
    )
  }
})

/** As in the metric `onsale_notification_stuck`. */
const stuckAfterMs = 10 * 60_000

const limit = Flag.Int("limit").pipe(
  Flag.withDescription("At most so many, 1 to 200"),
  Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 200 }))),
  Flag.withDefault(50)
)
const status = Flag.Literals("status", ["waiting", "sent", "dead", "skipped"]).pipe(
  Flag.withDescription("Only those that are so"),
  Flag.optional
)

const listed = (messages: ReadonlyArray<Message>) =>
  table(
    ["CREATED", "STATUS", "TRIES", "PROVIDER", "ID", "WHY"],
    messages.map((message) => [
      message.createdAt,
      message.bouncedAt === null ? message.status : "bounced",
      message.attempts,
      message.provider ?? "",
      message.id,
      message.reason ?? ""
    ])
  )

const detailed = (message: Message): ReadonlyArray<string> => [
  `${message.createdAt}  ${message.id}  ${message.status}${message.recipient === null ? "" : ` to ${message.recipient}`}`,
  ...(message.subject === null ? [] : [`${" ".repeat(26)}"${message.subject}"`]),
  ...message.tries.map(
    ({ at, outcome, provider, reason }) =>
      `${at}  - ${outcome} at ${provider ?? "nobody knows where"}${reason === null ? "" : `: ${reason}`}`
  ),
  ...(message.status === "sent" || message.reason === null ? [] : [`${" ".repeat(26)}${message.reason}`]),
  ...(message.bouncedAt === null ? [] : [`${message.bouncedAt}  it bounced`])
]

/** Runs with what support does. */
const withLog = <A, E>(run: (log: MessageLog["Service"]) => Effect.Effect<A, E>) =>
  Effect.flatMap(services, ({ MessageLog, layer }) => Effect.provide(Effect.flatMap(MessageLog, run), layer))
const withSuppressions = <A, E>(run: (list: Suppressions["Service"]) => Effect.Effect<A, E>) =>
  Effect.flatMap(services, ({ Suppressions, layer }) =>
    Effect.provide(Effect.flatMap(Suppressions, run), layer)
  )

const list = Command.make(
  "list",
  { status, limit },
  Effect.fnUntraced(function* ({ limit, status }) {
    const { notifications } = yield* withLog((log) =>
      log.page({ limit, ...(Option.isNone(status) ? {} : { status: status.value }) })
    )
    yield* print(notifications, listed(notifications))
  })
).pipe(Command.withDescription("List the newest messages to buyers, with what became of each"))

const dead = Command.make(
  "dead",
  { limit },
  Effect.fnUntraced(function* ({ limit }) {
    const { notifications } = yield* withLog((log) => log.page({ limit, status: "dead" }))
    yield* print(
      notifications,
      notifications.length === 0 ? ["There are no dead letters."] : listed(notifications)
    )
    if (notifications.length > 0) return yield* new Failed({ code: exitCodes.refused })
  })
).pipe(Command.withDescription("List what was given up, with its reason; exits with 1 where there is any"))

const stuck = Command.make(
  "stuck",
  { limit },
  Effect.fnUntraced(function* ({ limit }) {
    const nowMs = yield* Clock.currentTimeMillis
    const { notifications } = yield* withLog((log) => log.page({ limit: 200, status: "waiting" }))
    const found = notifications
      .filter(({ createdAt }) => nowMs - Date.parse(createdAt) > stuckAfterMs)
      .slice(0, limit)
    yield* print(
      found,
      found.length === 0 ? ["No message waits for longer than ten minutes."] : listed(found)
    )
    if (found.length > 0) return yield* new Failed({ code: exitCodes.refused })
  })
).pipe(
  Command.withDescription(
    "List what waits for longer than ten minutes, with what its provider says, among the 200 newest that wait; exits with 1 where there is any"
  )
)

const show = Command.make(
  "show",
  {
    order: Argument.String("ORDER").pipe(
      Argument.withDescription("The id of an order"),
      Argument.withSchema(Uuid)
    )
  },
  Effect.fnUntraced(function* ({ order }) {
    const { notifications } = yield* withLog((log) => log.page({ order: OrderId.make(order), limit: 200 }))
    yield* print(
      notifications,
      notifications.length === 0
        ? ["Its buyer was told nothing yet."]
        : notifications.toReversed().flatMap(detailed)
    )
  })
).pipe(
  Command.withDescription("Tell all that the buyer of an order was told, with every attempt"),
  Command.withExamples([{ command: `onsale notifications show ${exampleId}`, description: "Of an order" }])
)

const replay = Command.make(
  "replay",
  {
    id: Argument.String("ID").pipe(Argument.withDescription("The id of a message"), Argument.optional),
    dead: Flag.Boolean("dead").pipe(
      Flag.withDescription("All dead letters instead of one message"),
      Flag.withDefault(false)
    ),
    limit
  },
  Effect.fnUntraced(function* ({ dead, id, limit }) {
    if (Option.isSome(id) === dead) return yield* usage("Give the id of a message, or --dead")
    const replayed = yield* withLog(
      Effect.fnUntraced(function* (log) {
        const ids = Option.isSome(id)
          ? [id.value]
          : (yield* log.page({ limit, status: "dead" })).notifications.map((message) => message.id)
        return yield* Effect.forEach(ids, (one) => log.replay(one))
      })
    ).pipe(Effect.catchTag("MessageNotFound", ({ id }) => refused("There is no such message", id)))
    yield* print(replayed, [`${replayed.length} are sent once more.`, ...listed(replayed)])
  })
).pipe(
  Command.withDescription(
    "Send a message once more: a dead letter as if for the first time, one that was sent as another message"
  ),
  Command.withExamples([
    {
      command: `onsale notifications replay ${exampleId}:confirmed:email`,
      description: "The mail of an order"
    },
    { command: "onsale notifications replay --dead --limit 200", description: "What was given up" }
  ])
)

const suppressed = Command.make(
  "suppressed",
  {},
  Effect.fnUntraced(function* () {
    const found = yield* withSuppressions((suppressions) => suppressions.list())
    yield* print(
      found,
      table(
        ["SINCE", "ADDRESS", "PROVIDER", "WHY"],
        found.map(({ address, at, provider, reason }) => [at, address, provider, reason])
      )
    )
  })
).pipe(Command.withDescription("List the addresses that bounced, to which no mail goes"))

const lift = Command.make(
  "lift",
  { address: Argument.String("ADDRESS").pipe(Argument.withDescription("An e-mail address")) },
  Effect.fnUntraced(function* ({ address }) {
    if (!(yield* withSuppressions((suppressions) => suppressions.lift(address))))
      return yield* refused("Mails are sent to this address already", address)
    yield* print({ address }, [`Mails go to ${address} again; replay what was given up meanwhile.`])
  })
).pipe(Command.withDescription("Write to an address again that had bounced"))

export const notifications = Command.make("notifications").pipe(
  Command.withDescription("What buyers are told: list, dead, stuck, show, replay, suppressed, lift, preview"),
  Command.withSubcommands([list, dead, stuck, show, replay, suppressed, lift, preview])
)
