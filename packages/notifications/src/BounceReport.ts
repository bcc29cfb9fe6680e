/** What providers tell of mails that were not delivered after all, each in its own words. Pure. */
import { isStorable } from "@onsale/contracts/Text"
import { Option, Schema } from "effect"
import type { Bounce } from "./Suppressions.ts"

/** Of one report; providers gather a few hundred at most. */
const maxBounces = 1000
const maxReason = 500

const Address = Schema.String.check(Schema.isPattern(/^[^\s\p{Cc}]{1,64}@[^\s\p{Cc}]{1,189}$/u), isStorable)
const Text = Schema.String

/** Our own, for everybody else. */
const Own = Schema.Struct({
  bounces: Schema.Array(
    Schema.Struct({ address: Address, reason: Text, messageId: Schema.optional(Schema.NullOr(Text)) })
  ).check(Schema.isMaxLength(maxBounces))
})

const Postmark = Schema.Struct({
  RecordType: Schema.Literals(["Bounce", "SpamComplaint"]),
  Type: Text,
  Email: Address,
  Description: Schema.optional(Text)
})

const SendGrid = Schema.Array(
  Schema.Struct({
    event: Text,
    email: Address,
    reason: Schema.optional(Text),
    type: Schema.optional(Text),
    "smtp-id": Schema.optional(Text)
  })
).check(Schema.isMaxLength(maxBounces))

const Mailgun = Schema.Struct({
  "event-data": Schema.Struct({
    event: Text,
    severity: Schema.optional(Text),
    recipient: Address,
    reason: Schema.optional(Text),
    message: Schema.optional(
      Schema.Struct({ headers: Schema.optional(Schema.Struct({ "message-id": Schema.optional(Text) })) })
    )
  })
})

const decodeOwn = Schema.decodeUnknownOption(Own)
const decodePostmark = Schema.decodeUnknownOption(Postmark)
const decodeSendGrid = Schema.decodeUnknownOption(SendGrid)
const decodeMailgun = Schema.decodeUnknownOption(Mailgun)

const bounce = (
  address: string,
  reason: string | undefined,
  messageId: string | null | undefined
): Bounce => ({
  address,
  reason: (reason ?? "it bounced")
    .replace(/[\p{Cc}\u2028\u2029]+/gu, " ")
    .slice(0, maxReason)
    .toWellFormed(),
  messageId:
    messageId
      ?.replace(/^<|>$|\p{Cc}/gu, "")
      .slice(0, 300)
      .toWellFormed() ?? null
})

/**
 * Those that bounced for good, and whose owners complained; undefined where it is no report of a shape that is known.
 * A full mailbox and the like pass by themselves, and are no reason never to write again.
 */
export const read = (body: unknown): ReadonlyArray<Bounce> | undefined => {
  const own = decodeOwn(body)
  if (Option.isSome(own)) {
    return own.value.bounces.map(({ address, messageId, reason }) => bounce(address, reason, messageId))
  }
  const postmark = decodePostmark(body)
  if (Option.isSome(postmark)) {
    const { Description, Email, RecordType, Type } = postmark.value
    const counts =
      RecordType === "SpamComplaint" || ["HardBounce", "BadEmailAddress", "SpamComplaint"].includes(Type)
    return counts ? [bounce(Email, `${Type}: ${Description ?? ""}`, null)] : []
  }
  const mailgun = decodeMailgun(body)
  if (Option.isSome(mailgun)) {
    const { event, message, reason, recipient, severity } = mailgun.value["event-data"]
    const counts = event === "complained" || (event === "failed" && severity === "permanent")
    return counts ? [bounce(recipient, reason ?? event, message?.headers?.["message-id"])] : []
  }
  const sendGrid = decodeSendGrid(body)
  if (Option.isSome(sendGrid)) {
    return sendGrid.value
      .filter(({ event, type }) => event === "spamreport" || (event === "bounce" && type !== "blocked"))
      .map((one) => bounce(one.email, one.reason ?? one.event, one["smtp-id"]))
  }
  return undefined
}
