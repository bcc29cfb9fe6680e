/**
 * Tells the merchant what changed. Which webhooks are owed is known to the ledger, so nothing is lost by a crash: a
 * supervised fiber takes the oldest ones, delivers them side by side, and writes into the ledger that they need no
 * more attempts. A webhook may therefore arrive twice, and in another order than the changes.
 */
import { signatureHeader } from "@onsale/contracts/payments/Sandbox"
import {
  Clock,
  Duration,
  Effect,
  FiberSet,
  Layer,
  Redacted,
  Schedule,
  Schema,
  Semaphore,
  Stream
} from "effect"
import { Mac } from "effect/crypto"
import { HttpClient, HttpClientRequest } from "effect/http"
import type { OwedWebhook } from "./LedgerState.ts"
import { Provider } from "./Provider.ts"
import * as Wire from "./Wire.ts"

export interface WebhookOptions {
  readonly url: string
  readonly secret: Redacted.Redacted
}

/** Webhooks under way, those that wait for their next attempt included; the others wait in the ledger. */
const mostUnderWay = 1_024

/** Requests at a time: enough to hide a receiver's latency, few enough not to be a load test of it. */
const mostRequests = 32

const attemptTimeout = Duration.seconds(10)

/** 60 attempts with at most half a minute between them: a receiver may be away for about half an hour. */
const backoff = Schedule.min([Schedule.exponential("200 millis"), Schedule.spaced("30 seconds")]).pipe(
  Schedule.jittered,
  Schedule.upTo({ times: 59 })
)

class WebhookRefused extends Schema.TaggedError<WebhookRefused>()("WebhookRefused", { status: Schema.Int }) {}

/** The value of the signature header for a body that is sent at `seconds` (Unix time). */
export const sign = Effect.fnUntraced(function* (key: Mac.Key, seconds: number, body: string) {
  const mac = yield* Mac.Mac
  const tag = yield* mac.sign(key, new TextEncoder().encode(`${seconds}.${body}`))
  return `t=${seconds},v1=${Buffer.from(tag).toString("hex")}`
})

/** Delivers what the ledger owes, until the scope ends. */
export const layer = (
  options: WebhookOptions
): Layer.Layer<never, never, Provider | HttpClient.HttpClient | Mac.Mac> =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const provider = yield* Provider
      const client = yield* HttpClient.HttpClient
      const key = yield* Effect.orDie(
        Mac.key(Mac.hmacSha256, new TextEncoder().encode(Redacted.value(options.secret)))
      )
      const requests = yield* Semaphore.make(mostRequests)
      const underWay = new Set<string>()
      const fibers = yield* FiberSet.make()

      const attempt = Effect.fnUntraced(
        function* (body: string) {
          const seconds = Math.floor((yield* Clock.currentTimeMillis) / 1000)
          const signature = yield* Effect.orDie(sign(key, seconds, body))
          const response = yield* HttpClientRequest.post(options.url, {
            headers: { [signatureHeader]: signature }
          }).pipe(HttpClientRequest.bodyText(body, "application/json"), client.execute)
          yield* Stream.runDrain(response.stream)
          if (response.status < 200 || response.status > 299)
            return yield* new WebhookRefused({ status: response.status })
        },
        Effect.timeout(attemptTimeout),
        requests.withPermits(1)
      )

      const deliver = (webhook: OwedWebhook) =>
        attempt(JSON.stringify(Wire.webhook(webhook))).pipe(
          Effect.retry(backoff),
          Effect.matchEffect({
            onSuccess: () => provider.settleWebhook(webhook.id, "delivered"),
            onFailure: (cause) =>
              Effect.andThen(
                Effect.logWarning(`Webhook ${webhook.id} is given up`, cause),
                provider.settleWebhook(webhook.id, "abandoned")
              )
          }),
          Effect.ensuring(
            Effect.sync(() => {
              // Others may have waited for this one's place.
              if (underWay.size >= mostUnderWay) provider.webhooksOwed.openUnsafe()
              underWay.delete(webhook.id)
            })
          )
        )

      const dispatch = Effect.gen(function* () {
        yield* provider.webhooksOwed.await
        provider.webhooksOwed.closeUnsafe()
        for (const webhook of provider.owedWebhooks(mostUnderWay - underWay.size, underWay)) {
          underWay.add(webhook.id)
          yield* FiberSet.run(fibers, deliver(webhook))
        }
      })
      yield* Effect.forkScoped(Effect.forever(dispatch))
    })
  )
