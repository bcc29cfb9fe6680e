/** A message as an SMS: bounded, as each part is paid for. */
import { Effect } from "effect"
import { type ChannelMessage, DeliveryError } from "../Channel.ts"
import * as Sms from "../templates/Sms.ts"

/** What the longest text of the templates takes in sixteen bits a character (`Sms.maxLength`). */
const maxSegments = 5

export const smsOf = ({
  recipient,
  rendered
}: ChannelMessage): Effect.Effect<{ readonly to: string; readonly text: string }, DeliveryError> => {
  if (recipient.channel !== "sms") return Effect.fail(DeliveryError.of("refused", "not a phone number"))
  const { segments } = Sms.length(rendered.sms)
  return segments > maxSegments || rendered.sms === ""
    ? Effect.fail(DeliveryError.of("refused", `an SMS of ${segments} parts, or of none`))
    : Effect.succeed({ to: recipient.phone, text: rendered.sms })
}
