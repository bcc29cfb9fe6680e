/** `onsale payments`: the trail of one payment, refunds that do not come about, and a look at the providers' lists. */
import { Clock, Effect, Schema } from "effect"
import { Argument, Command } from "effect/cli"
import type { PaymentTrail } from "@onsale/payments/PaymentTrail"
import { exitCodes, Failed, refused, usage } from "./Failure.ts"
import { money, print, table } from "./Output.ts"

const Uuid = Schema.String.check(Schema.isUUID(7))
const exampleId = "019a9c3e-5b7c-7d21-9f3a-2b1c4d000000"

/** What of an event is told beside its name: never whose it is. */
const told = (event: PaymentTrail["rows"][number]["events"][number]): string => {
  const { _tag, ...fields } = event
  const parts = Object.entries(fields).flatMap(([name, value]) =>
    typeof value === "string" || typeof value === "number" || typeof value === "boolean"
      ? [`${name} ${value}`]
      : []
  )
  return parts.length === 0 ? _tag : `${_tag}: ${parts.join(", ")}`
}

const trailLines = ({ differences, intentId, rows, webhooks }: PaymentTrail): ReadonlyArray<string> => [
  `Payment ${intentId}`,
  ...rows.flatMap(({ at, events, lines }) => [
    ...events.map((event) => `${at.toISOString()}  ${told(event)}`),
    ...lines.map((line) => `${" ".repeat(26)}${money(line)}  ${line.account}`)
  ]),
  ...webhooks.map(({ at, eventId, provider }) => `${at.toISOString()}  webhook ${eventId} of ${provider}`),
  ...differences.map(
    ({ foundAt, kind, provider, resolution }) =>
      `${foundAt.toISOString()}  difference ${kind} at ${provider}, ${resolution ?? "open"}`
  )
]

/** Loaded by those who use it: the database and the providers cost a second at the start. */
const loadDatabase = Effect.promise(() => import("@onsale/platform/Database"))

const loadTrail = async () => {
  const { find } = await import("@onsale/payments/PaymentTrail")
  return { find }
}

const show = Command.make(
  "show",
  {
    id: Argument.String("ID").pipe(
      Argument.withDescription("The id of an order, or of its payment intent"),
      Argument.withSchema(Uuid)
    )
  },
  Effect.fnUntraced(function* ({ id }) {
    const { Database } = yield* loadDatabase
    const { find } = yield* Effect.promise(loadTrail)
    const trail = yield* Effect.provide(find(id), Database.layerShared)
    if (trail === null) return yield* refused("There is no such payment", id)
    yield* print(trail, trailLines(trail))
  })
).pipe(
  Command.withDescription(
    "Tell all that is on record of a payment: its events, what each moved, webhooks, and differences to the provider's list"
  ),
  Command.withShortDescription("The trail of one payment"),
  Command.withExamples([{ command: `onsale payments show ${exampleId}`, description: "Of an order" }])
)

const stuck = Command.make(
  "stuck",
  {},
  Effect.fnUntraced(function* () {
    const { Database } = yield* loadDatabase
    const refunds = yield* Effect.promise(() => import("@onsale/payments/StuckRefunds"))
    const found = yield* Effect.flatMap(Clock.currentTimeMillis, (nowMs) =>
      refunds.list(nowMs, refunds.stuckAfterMs, 1_000)
    ).pipe(Effect.provide(Database.layerShared))
    yield* print(
      found,
      found.length === 0 ? ["No refund is under way for longer than a day."] : found.map(refunds.tell)
    )
    if (found.length > 0) return yield* new Failed({ code: exitCodes.refused })
  })
).pipe(
  Command.withDescription(
    "List refunds that were asked for more than a day ago and are not made; exits with 1 where there are any"
  ),
  Command.withShortDescription("Refunds that do not come about")
)

const reconcile = Command.make(
  "reconcile",
  {},
  Effect.fnUntraced(function* () {
    const { Database } = yield* loadDatabase
    const [{ Reconciler }, { ReconciliationTable }, ConfiguredProviders, { NodeHttpClient }] =
      yield* Effect.promise(() =>
        Promise.all([
          import("@onsale/payments/Reconciler"),
          import("@onsale/payments/ReconciliationTable"),
          import("@onsale/payments/ConfiguredProviders"),
          import("@effect/platform-node")
        ])
      )
    const { looks, open } = yield* Effect.gen(function* () {
      const looks = yield* Effect.flatMap(Reconciler, (reconciler) => reconciler.run())
      const open = yield* Effect.flatMap(ReconciliationTable, (found) => found.open(null, 1_000))
      return { looks, open }
    }).pipe(
      Effect.provide([Reconciler.layer, ReconciliationTable.layer]),
      Effect.provide(ConfiguredProviders.layerConfig),
      Effect.provide(NodeHttpClient.layerUndici),
      Effect.provide(Database.layerShared),
      Effect.catchTag("ConfigError", ({ message }) =>
        usage(
          "The providers are not configured here",
          `Give what the service has, also of the sandbox that it starts by itself (ONSALE_SANDBOX_URL): ${message}`
        )
      )
    )
    yield* print({ looks, open }, [
      ...table(
        ["PROVIDER", "LOOK", "LISTED", "NOT OURS", "NEW", "CLOSED"],
        looks.map(({ closed, foreign, found, listed, outcome, provider }) => [
          provider,
          outcome,
          listed,
          foreign,
          found,
          closed
        ])
      ),
      "",
      ...(open.length === 0
        ? ["Nothing differs."]
        : table(
            ["SINCE", "PROVIDER", "WHAT", "PAYMENT", "THEIRS", "OURS"],
            open.map(({ foundAt, intentId, kind, ours, provider, theirs }) => [
              foundAt.toISOString(),
              provider,
              kind,
              intentId,
              theirs === null ? "nothing" : `${theirs.status} ${theirs.captured - theirs.refunded}`,
              ours === null ? "nothing" : `${ours.status} ${ours.captured - ours.refunded}`
            ])
          ))
    ])
    if (open.length > 0 || looks.some(({ outcome }) => outcome !== "done"))
      return yield* new Failed({ code: exitCodes.refused })
  })
).pipe(
  Command.withDescription(
    "Compare our payments with the providers' own lists now, mend what may be mended, and print what differs; exits with 1 where anything does, or where a provider did not answer to the end"
  ),
  Command.withShortDescription("Compare with the providers' lists")
)

export const payments = Command.make("payments").pipe(
  Command.withDescription("Payments: show, stuck, reconcile"),
  Command.withSubcommands([show, stuck, reconcile])
)
