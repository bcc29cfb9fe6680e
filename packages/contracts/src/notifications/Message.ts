/**
 * Messages as support sees them: one a notice and a channel, with every attempt to deliver it. Its text is not
 * kept: it is rendered from the notice when it is sent.
 */
import { Schema } from "effect"
import { EventId, OrderId } from "../Ids.ts"
import { Notice } from "./Notice.ts"

/** A way to reach a buyer. Each has providers of its own. */
export const ChannelName = Schema.Literals(["email", "sms", "push"])
export type ChannelName = typeof ChannelName.Type

/**
 * - `waiting`: to be sent, or to be tried again
 * - `sent`: a provider has taken it
 * - `dead`: given up, with its reason; replayed by hand
 * - `skipped`: there was nothing to tell (any more), with its reason
 */
export const MessageStatus = Schema.Literals(["waiting", "sent", "dead", "skipped"])
export type MessageStatus = typeof MessageStatus.Type

/** How an attempt at one provider ended. */
export const AttemptOutcome = Schema.Literals([
  "sent",
  /** Not taken now: tried again later. */
  "deferred",
  /** Will never be taken. */
  "refused",
  /** The provider was not reached, or is kept from: nothing was handed over. */
  "unreachable",
  /** It may have been taken: no answer came. */
  "unknown"
])
export type AttemptOutcome = typeof AttemptOutcome.Type

export const Attempt = Schema.Struct({
  /** UTC instant, ISO 8601. */
  at: Schema.String,
  /** Null where the process ended before it could say. */
  provider: Schema.NullOr(Schema.String),
  outcome: AttemptOutcome,
  reason: Schema.NullOr(Schema.String)
})
export type Attempt = typeof Attempt.Type

const summary = {
  /** `<noticeId>:<channel>`; of what was skipped before it had a channel, the notice's. */
  id: Schema.String,
  notice: Notice,
  /** Null for notices that belong to no order. */
  orderId: Schema.NullOr(OrderId),
  eventId: Schema.NullOr(EventId),
  /** Null where it was skipped before it had one. */
  channel: Schema.NullOr(ChannelName),
  recipient: Schema.NullOr(Schema.String),
  /** Null before it was sent. */
  subject: Schema.NullOr(Schema.String),
  status: MessageStatus,
  /** Why it waits, was given up or was skipped. */
  reason: Schema.NullOr(Schema.String),
  /** Who took it. */
  provider: Schema.NullOr(Schema.String),
  /** By which the provider and the recipient know it, such as its `Message-ID`. */
  reference: Schema.NullOr(Schema.String),
  attempts: Schema.Int,
  createdAt: Schema.String,
  sentAt: Schema.NullOr(Schema.String),
  /** The provider told later that it was not delivered. */
  bouncedAt: Schema.NullOr(Schema.String)
}

export const MessageSummary = Schema.Struct(summary)
export type MessageSummary = typeof MessageSummary.Type

export const Message = Schema.Struct({
  ...summary,
  /** Oldest first, the last 100. */
  tries: Schema.Array(Attempt)
})
export type Message = typeof Message.Type

export const MessageQuery = Schema.Struct({
  order: Schema.optionalKey(OrderId),
  status: Schema.optionalKey(MessageStatus),
  /** The `nextCursor` of the page before. */
  cursor: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(400))),
  /** 50 when left out. */
  limit: Schema.optionalKey(
    Schema.FiniteFromString.check(Schema.isInt(), Schema.isBetween({ minimum: 1, maximum: 200 }))
  )
})
export type MessageQuery = typeof MessageQuery.Type

/** Newest first. */
export const MessagePage = Schema.Struct({
  notifications: Schema.Array(Message),
  nextCursor: Schema.NullOr(Schema.String)
})
export type MessagePage = typeof MessagePage.Type

/** An address that nothing is sent to any more. */
export const Suppression = Schema.Struct({
  address: Schema.String,
  reason: Schema.String,
  /** Who has said so. */
  provider: Schema.String,
  at: Schema.String
})
export type Suppression = typeof Suppression.Type

/** There is no such message; its notice may be on its way here. */
export class MessageNotFound extends Schema.TaggedError<MessageNotFound>()("MessageNotFound", {
  id: Schema.String
}) {}

/** A `cursor` that no page of messages has given. */
export class MessageCursorInvalid extends Schema.TaggedError<MessageCursorInvalid>()("MessageCursorInvalid", {
  cursor: Schema.String
}) {}
