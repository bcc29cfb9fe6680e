/** `onsale webhooks`: organisers' own services, what they were told, and telling it again. */
import { Instant } from "@onsale/contracts/catalog/Event"
import { EventId } from "@onsale/contracts/Ids"
import {
  type Delivery,
  DeliveryId,
  DeliveryStatus,
  NewWebhook,
  type Webhook,
  webhookEventTypes,
  WebhookId,
  type WebhookWithSecret
} from "@onsale/contracts/notifications/Webhook"
import { Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { allPages, asOrganiser } from "./Connection.ts"
import { usage } from "./Failure.ts"
import { print, table } from "./Output.ts"

const defaultLimit = 50
/** Of one page, as the API has them. */
const maxPage = 500

const webhookId = Argument.String("WEBHOOK_ID").pipe(
  Argument.withDescription("The webhook's id"),
  Argument.withSchema(WebhookId)
)

const deliveryRows = (deliveries: ReadonlyArray<Delivery>): ReadonlyArray<string> =>
  table(
    ["ID", "TYPE", "STATUS", "ATTEMPTS", "CREATED", "NEXT", "ERROR"],
    deliveries.map((each) => [
      each.id,
      each.type,
      each.status,
      each.attempts,
      each.createdAt,
      each.nextAttemptAt ?? "",
      each.lastError ?? ""
    ])
  )

/** The secret is shown this once; `previous` tells what becomes of the one before. */
const printSecret = (webhook: typeof WebhookWithSecret.Type, previous: ReadonlyArray<string> = []) =>
  print(webhook, [
    `Webhook  ${webhook.id}`,
    `URL      ${webhook.url}`,
    `Types    ${webhook.eventTypes?.join(", ") ?? "all"}`,
    `Event    ${webhook.eventId ?? "all"}`,
    `Secret   ${webhook.secret}`,
    "",
    "The secret is not shown again: messages are verified with it.",
    ...previous
  ])

/** What waits for one that is disabled is sent when it is enabled. */
const when = (status: Webhook["status"]): string =>
  status === "disabled" ? " when the webhook is enabled (onsale webhooks enable)" : ""

const create = Command.make(
  "create",
  {
    url: Argument.String("URL").pipe(
      Argument.withDescription("Where messages are sent: https, on port 443 or 8443"),
      Argument.withSchema(NewWebhook.fields.url)
    ),
    types: Flag.Literals("type", webhookEventTypes).pipe(
      Flag.withDescription("What it is told of, once for each type; everything when left out"),
      Flag.atMost(webhookEventTypes.length)
    ),
    eventId: Flag.String("event").pipe(
      Flag.withDescription("Only what concerns this event"),
      Flag.withMetavar("EVENT_ID"),
      Flag.withSchema(EventId),
      Flag.optional
    ),
    description: Flag.String("description").pipe(
      Flag.withDescription("What it is for"),
      Flag.withMetavar("TEXT"),
      Flag.optional
    )
  },
  Effect.fnUntraced(function* ({ description, eventId, types, url }) {
    const onsale = yield* asOrganiser
    const payload = {
      url,
      ...(types.length === 0 ? {} : { eventTypes: [...new Set(types)] }),
      ...(Option.isNone(eventId) ? {} : { eventId: eventId.value }),
      ...(Option.isNone(description) ? {} : { description: description.value })
    }
    yield* printSecret(yield* onsale.call((api) => api.organiserWebhooks.createWebhook({ payload })))
  })
).pipe(
  Command.withDescription("Have a service told from now on, and show the secret of its messages"),
  Command.withExamples([
    {
      command:
        "onsale webhooks create https://crm.example/hooks --type order.confirmed --type order.refunded",
      description: "A service that hears of sales and refunds"
    }
  ])
)

const rotate = Command.make(
  "rotate",
  { webhookId },
  Effect.fnUntraced(function* ({ webhookId }) {
    const onsale = yield* asOrganiser
    const params = { webhookId }
    const webhook = yield* onsale.call((api) => api.organiserWebhooks.rotateWebhook({ params }))
    const until = webhook.previousSecretUntil
    yield* printSecret(webhook, until === null ? [] : [`The one before signs as well until ${until}.`])
  })
).pipe(Command.withDescription("Give a webhook a new secret; for 24 hours the old one signs as well"))

const remove = Command.make(
  "delete",
  { webhookId },
  Effect.fnUntraced(function* ({ webhookId }) {
    const onsale = yield* asOrganiser
    yield* onsale.call((api) => api.organiserWebhooks.removeWebhook({ params: { webhookId } }))
    yield* print({ webhookId, removed: true }, [`${webhookId} is told nothing more.`])
  })
).pipe(
  Command.withDescription("Remove a webhook with its log; what waits to be sent to it is never sent"),
  Command.withAlias("rm")
)

const setStatus = (
  name: "enable" | "disable",
  status: Webhook["status"],
  said: string,
  description: string
) =>
  Command.make(
    name,
    { webhookId },
    Effect.fnUntraced(function* ({ webhookId }) {
      const onsale = yield* asOrganiser
      const webhook = yield* onsale.call((api) =>
        api.organiserWebhooks.changeWebhook({ params: { webhookId }, payload: { status } })
      )
      yield* print(webhook, [`${webhookId} ${said}`])
    })
  ).pipe(Command.withDescription(description))

const enable = setStatus(
  "enable",
  "active",
  "is told of what happens from now on, and of what had waited for it.",
  "Tell a webhook again that was disabled, and send what had waited for it"
)

const disable = setStatus(
  "disable",
  "disabled",
  "is told nothing until it is enabled; what happens meanwhile is not kept for it.",
  "Tell a webhook nothing for now; what waits for it is kept for 30 days"
)

const list = Command.make(
  "list",
  {},
  Effect.fnUntraced(function* () {
    const onsale = yield* asOrganiser
    const { webhooks } = yield* onsale.call((api) => api.organiserWebhooks.webhooks())
    yield* print(
      webhooks,
      webhooks.length === 0
        ? ["There are no webhooks."]
        : table(
            ["ID", "STATUS", "FAILING SINCE", "TYPES", "EVENT", "URL"],
            webhooks.map((each) => [
              each.id,
              each.disabledReason === null ? each.status : `${each.status} (${each.disabledReason})`,
              each.failingSince ?? "",
              each.eventTypes?.join(",") ?? "all",
              each.eventId ?? "all",
              each.url
            ])
          )
    )
  })
).pipe(Command.withDescription("List the webhooks, and which of them fail"), Command.withAlias("ls"))

const deliveries = Command.make(
  "deliveries",
  {
    webhookId,
    deliveryId: Argument.String("DELIVERY_ID").pipe(
      Argument.withDescription("One of them, with its attempts"),
      Argument.withSchema(DeliveryId),
      Argument.optional
    ),
    status: Flag.Literals("status", DeliveryStatus.literals).pipe(
      Flag.withDescription("Only those that are so"),
      Flag.optional
    ),
    limit: Flag.Int("limit").pipe(
      Flag.withDescription(`As many at most [default: ${defaultLimit}]`),
      Flag.withMetavar("N"),
      Flag.withDefault(defaultLimit)
    )
  },
  Effect.fnUntraced(function* ({ deliveryId, limit, status, webhookId }) {
    if (limit < 1) return yield* usage("--limit must be at least 1")
    const onsale = yield* asOrganiser
    if (Option.isSome(deliveryId)) {
      const params = { webhookId, deliveryId: deliveryId.value }
      const detail = yield* onsale.call((api) => api.organiserWebhooks.delivery({ params }))
      return yield* print(detail, [
        ...deliveryRows([detail]),
        "",
        ...table(
          ["ATTEMPT", "AT", "MS", "OUTCOME", "STATUS", "ERROR", "RESPONSE"],
          detail.log.map((each) => [
            each.attempt,
            each.startedAt,
            each.durationMs,
            each.outcome,
            each.status ?? "",
            each.error ?? "",
            (each.response ?? "").slice(0, 100)
          ])
        ),
        "",
        detail.body
      ])
    }
    const query = {
      limit: Math.min(limit, maxPage),
      ...(Option.isSome(status) ? { status: status.value } : {})
    }
    const found = yield* allPages(limit, (cursor) =>
      onsale
        .call((api) =>
          api.organiserWebhooks.deliveries({ params: { webhookId }, query: { ...query, ...cursor } })
        )
        .pipe(Effect.map(({ deliveries, nextCursor }) => ({ items: deliveries, nextCursor })))
    )
    yield* print(found, found.length === 0 ? ["There are no such deliveries."] : deliveryRows(found))
  })
).pipe(
  Command.withDescription("List what a webhook was told, the newest first; or one delivery with its attempts")
)

const replay = Command.make(
  "replay",
  {
    webhookId,
    deliveryId: Argument.String("DELIVERY_ID").pipe(
      Argument.withDescription("The one to send again"),
      Argument.withSchema(DeliveryId),
      Argument.optional
    ),
    from: Flag.String("from").pipe(
      Flag.withDescription("All dead letters that were made from then on"),
      Flag.withMetavar("INSTANT"),
      Flag.withSchema(Instant),
      Flag.optional
    ),
    until: Flag.String("until").pipe(
      Flag.withDescription("And before then"),
      Flag.withMetavar("INSTANT"),
      Flag.withSchema(Instant),
      Flag.optional
    )
  },
  Effect.fnUntraced(function* ({ deliveryId, from, until, webhookId }) {
    const onsale = yield* asOrganiser
    if (Option.isSome(deliveryId) && Option.isNone(from) && Option.isNone(until)) {
      const params = { webhookId, deliveryId: deliveryId.value }
      const { status } = yield* onsale.call((api) => api.organiserWebhooks.webhook({ params: { webhookId } }))
      const delivery = yield* onsale.call((api) => api.organiserWebhooks.replayDelivery({ params }))
      return yield* print(delivery, [`${delivery.id} is sent again${when(status)}.`])
    }
    if (Option.isSome(deliveryId) || Option.isNone(from) || Option.isNone(until)) {
      return yield* usage("Name one delivery, or a time with --from and --until")
    }
    const { status } = yield* onsale.call((api) => api.organiserWebhooks.webhook({ params: { webhookId } }))
    let replayed = 0
    while (true) {
      const answer = yield* onsale.call((api) =>
        api.organiserWebhooks.replayDeliveries({
          params: { webhookId },
          payload: { from: from.value, until: until.value }
        })
      )
      replayed += answer.replayed
      if (!answer.more) break
    }
    yield* print({ webhookId, replayed }, [
      replayed === 0
        ? "There are no dead letters of that time."
        : `${replayed} dead letters are sent again${when(status)}.`
    ])
  })
).pipe(
  Command.withDescription(
    "Send a delivery again, with the same webhook-id, or the dead letters of a time. Mend the cause first"
  ),
  Command.withExamples([
    {
      command:
        "onsale webhooks replay 019a9c3e-5b7c-7d21-9f3a-2b1c4d5e6f70 --from 2026-11-26T00:00:00Z --until 2026-11-27T00:00:00Z",
      description: "All that was given up of a day"
    }
  ])
)

const ping = Command.make(
  "ping",
  { webhookId },
  Effect.fnUntraced(function* ({ webhookId }) {
    const onsale = yield* asOrganiser
    const { status } = yield* onsale.call((api) => api.organiserWebhooks.webhook({ params: { webhookId } }))
    const delivery = yield* onsale.call((api) => api.organiserWebhooks.pingWebhook({ params: { webhookId } }))
    yield* print(delivery, [
      `${delivery.id} is sent${when(status)}: onsale webhooks deliveries ${webhookId} ${delivery.id}`
    ])
  })
).pipe(Command.withDescription("Send a webhook.ping"))

export const webhooks = Command.make("webhooks").pipe(
  Command.withDescription(
    "Webhooks of organisers: create, list, rotate, enable, disable, delete, deliveries, replay, ping"
  ),
  Command.withSubcommands([create, list, rotate, enable, disable, remove, deliveries, replay, ping])
)
