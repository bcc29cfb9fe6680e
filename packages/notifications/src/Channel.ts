/**
 * The contract of channels: a message that is ready goes to a provider, which has it or says why not. What every
 * provider must do is the suite `@onsale/testing/ChannelSuite`.
 */
import type { ChannelName } from "@onsale/contracts/notifications/Message"
import { Duration, type Effect, Schema } from "effect"
import type { RenderedNotice } from "./templates/NoticeContent.ts"

export interface Attachment {
  readonly filename: string
  readonly contentType: string
  readonly content: Uint8Array
}

/** Whom it goes to, as their channel knows them. */
export type Recipient =
  | { readonly channel: "email"; readonly name: string; readonly address: string }
  /** E.164. */
  | { readonly channel: "sms"; readonly phone: string }
  /** A subscription of a browser, as it gave it (`PushSubscription.toJSON()`). */
  | {
      readonly channel: "push"
      readonly endpoint: string
      readonly keys: { readonly p256dh: string; readonly auth: string }
    }

export interface ChannelMessage {
  /**
   * The same for each repetition, at whichever provider: a provider that knows idempotency keys is given it, and
   * e-mail bears it in its `Message-ID`. Of letters, digits, `-`, `:` and `.`.
   */
  readonly id: string
  readonly recipient: Recipient
  readonly rendered: RenderedNotice
  /** For channels that carry them. */
  readonly attachments: ReadonlyArray<Attachment>
  /** Where the recipient declines messages like this one in one click (RFC 8058); left out for what always goes. */
  readonly unsubscribeUrl?: string
  /** Of the request that it stems from, for who looks for it in our logs; left out where none is known. */
  readonly correlation?: string
}

/** A provider has taken it. */
export interface Receipt {
  /** By which the provider and the recipient know it. */
  readonly reference: string
}

/** Of the provider's words: enough to know it by. */
const maxReason = 500

/**
 * It was not delivered.
 *
 * - `deferred`: the provider said: later (a greylist, 429)
 * - `refused`: it said: never (an unknown address, content it does not take)
 * - `unreachable`: nothing was handed over: it is not there, refuses our login, or is kept from (breaker, rate)
 * - `unknown`: handed over, and no answer came. It may have been sent, so it goes to no other provider at once, and
 *   its repetition bears the same id
 */
export class DeliveryError extends Schema.TaggedError<DeliveryError>()("DeliveryError", {
  kind: Schema.Literals(["deferred", "refused", "unreachable", "unknown"]),
  /** In the provider's words, without anything secret; at most 500 characters. */
  reason: Schema.String,
  /** Not before, where the provider has said so. */
  retryAfter: Schema.optionalKey(Schema.Duration),
  /** Nothing reaches this recipient any more: the number is none, its owner has said stop, the browser is gone. */
  isGone: Schema.optionalKey(Schema.Boolean)
}) {
  static readonly of = (
    kind: DeliveryError["kind"],
    reason: string,
    retryAfter?: Duration.Duration
  ): DeliveryError =>
    new DeliveryError({
      kind,
      reason: reason.replace(/[\p{Cc}\u2028\u2029]+/gu, " ").slice(0, maxReason),
      ...(retryAfter === undefined ? {} : { retryAfter })
    })

  /** Refused, as will be whatever else goes to this recipient. */
  static readonly gone = (reason: string): DeliveryError =>
    new DeliveryError({ kind: "refused", reason: DeliveryError.of("refused", reason).reason, isGone: true })

  /** False where no repetition will cure it. */
  get retryable(): boolean {
    return this.kind !== "refused"
  }

  override get message(): string {
    return `${this.kind}: ${this.reason}`
  }
}

/**
 * How long a provider may take to answer. Mail servers make strangers wait on purpose; one that is silent for longer
 * than this has failed, and says nothing about whether it has the message.
 */
export const providerLimit = Duration.seconds(23)

/** Of one channel. */
export interface ChannelProvider {
  readonly channel: ChannelName
  /** For logs, metrics and records: unique in its channel, at most 100 characters, and no secret in it. */
  readonly name: string
  /** Messages a second that it is given at most; as many as there are when left out. */
  readonly ratePerSecond?: number
  /** Ends when the provider has taken the message over, or by itself within `providerLimit`. */
  readonly send: (message: ChannelMessage) => Effect.Effect<Receipt, DeliveryError>
}
