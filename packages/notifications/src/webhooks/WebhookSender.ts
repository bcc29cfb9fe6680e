/**
 * One call to an organiser's service. Redirects are not followed: where they lead to nobody has agreed on. Of an
 * answer no more is read than is kept.
 */
import { Clock, Context, Duration, Effect, Layer, Option, type Redacted } from "effect"
import type { Readable } from "node:stream"
import { Agent, request } from "undici"
import * as RetryAfter from "../RetryAfter.ts"
import * as WebhookTarget from "./WebhookTarget.ts"
import { signature } from "./WebhookVault.ts"

/** A receiver takes a message and works later; one that is slower than this is a failure. */
export const answerLimit = Duration.seconds(10)

/** How long is waited for the rest of an answer, which only the log keeps: its status has said all. */
const restLimit = Duration.seconds(2)

/** The longest that one call takes. */
export const callLimit = Duration.sum(answerLimit, restLimit)

const maxResponseBytes = 16 * 1024
/** Kept for the log. */
const keptCharacters = 1000

export interface Call {
  readonly id: string
  readonly url: string
  readonly body: string
  /** The present one first. */
  readonly secrets: ReadonlyArray<Redacted.Redacted>
}

export interface Answer {
  readonly outcome: "delivered" | "refused" | "gone" | "timeout" | "unreachable" | "blocked"
  readonly status: number | null
  readonly error: string | null
  readonly response: string | null
  /** As it asked for by `Retry-After`, unbounded. */
  readonly retryAfter: Option.Option<Duration.Duration>
}

const failed = (outcome: Answer["outcome"], error: string): Answer => ({
  outcome,
  status: null,
  error,
  response: null,
  retryAfter: Option.none()
})

/** Text that the log can keep: what is no UTF-8, and U+0000, is replaced. */
const kept = (bytes: Buffer): string =>
  bytes.toString("utf8").replaceAll("\0", "\ufffd").slice(0, keptCharacters).toWellFormed()

/** What comes of an answer's body in time, up to the bound. One that breaks off takes nothing from what its status said. */
const readRest = (body: Readable): Effect.Effect<string> => {
  const chunks: Array<Buffer> = []
  const read = async () => {
    let size = 0
    // Leaving the loop ends the connection, whatever is still to come.
    for await (const chunk of body) {
      chunks.push(chunk)
      size += chunk.length
      if (size >= maxResponseBytes) break
    }
  }
  return Effect.tryPromise(read).pipe(
    Effect.catch((broken) => Effect.logDebug("the body of an answer breaks off", broken)),
    Effect.timeoutOption(restLimit),
    Effect.ensuring(Effect.sync(() => body.destroy())),
    Effect.map(() => kept(Buffer.concat(chunks).subarray(0, maxResponseBytes)))
  )
}

/** Only what the socket or TLS said: nothing of our network. */
const describe = (error: unknown): string =>
  error instanceof AggregateError && error.errors[0] instanceof Error
    ? error.errors[0].message
    : error instanceof Error
      ? error.message
      : String(error)

const isRefusedAddress = (error: unknown): boolean =>
  error instanceof WebhookTarget.AddressRefused ||
  (error instanceof Error && error.cause !== undefined && isRefusedAddress(error.cause))

export class WebhookSender extends Context.Service<
  WebhookSender,
  {
    /** Never fails: what went wrong is an answer too. */
    readonly send: (call: Call) => Effect.Effect<Answer>
  }
>()("@onsale/notifications/webhooks/WebhookSender") {
  static readonly layerNoDeps = Layer.effect(
    WebhookSender,
    Effect.gen(function* () {
      const policy = yield* WebhookTarget.WebhookTargets
      const limitMs = Duration.toMillis(answerLimit)
      const agent = yield* Effect.acquireRelease(
        Effect.sync(
          () =>
            new Agent({
              connections: 8,
              pipelining: 1,
              connect: { timeout: limitMs, lookup: WebhookTarget.lookupBy(policy) },
              headersTimeout: limitMs,
              bodyTimeout: limitMs,
              maxHeaderSize: maxResponseBytes
            })
        ),
        (agent) => Effect.promise(() => agent.destroy())
      )

      const call = Effect.fnUntraced(function* ({ body, id, secrets, url }: Call) {
        const target = yield* WebhookTarget.check(url, policy)
        const atMs = yield* Clock.currentTimeMillis
        const answer = yield* Effect.tryPromise({
          try: (signal) =>
            request(target, {
              dispatcher: agent,
              method: "POST",
              headers: {
                "content-type": "application/json",
                "user-agent": "Onsale-Webhooks/1",
                "webhook-id": id,
                "webhook-timestamp": String(Math.floor(atMs / 1000)),
                "webhook-signature": signature(secrets, { id, atMs, body })
              },
              body,
              signal
            }),
          catch: (error) =>
            isRefusedAddress(error)
              ? failed("blocked", `${target.hostname} has an address that is not of the public internet`)
              : failed("unreachable", describe(error))
        }).pipe(
          Effect.timeoutOrElse({
            duration: answerLimit,
            orElse: () =>
              Effect.fail(failed("timeout", `no answer within ${Duration.toSeconds(answerLimit)} s`))
          })
        )
        const { statusCode: status } = answer
        const after = answer.headers["retry-after"]
        const ok = status >= 200 && status < 300
        return {
          outcome: ok ? "delivered" : status === 410 ? "gone" : "refused",
          status,
          error: ok ? null : `answered ${status}`,
          response: yield* readRest(answer.body),
          retryAfter: RetryAfter.parse(Array.isArray(after) ? after[0] : after, atMs)
        } satisfies Answer
      })

      return WebhookSender.of({
        send: Effect.fn("WebhookSender.send")((message) =>
          call(message).pipe(
            Effect.catchTag("WebhookUrlRefused", ({ message }) => Effect.succeed(failed("blocked", message))),
            Effect.catch((answer) => Effect.succeed(answer))
          )
        )
      })
    })
  )

  static readonly layer = this.layerNoDeps.pipe(Layer.provide(WebhookTarget.WebhookTargets.layer))
}
