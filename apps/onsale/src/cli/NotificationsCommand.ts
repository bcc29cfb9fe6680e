/** `onsale notifications`: what buyers are told. */
import { Command } from "effect/cli"
import { preview } from "./NotificationPreviewCommand.ts"

export const notifications = Command.make("notifications").pipe(
  Command.withDescription("What buyers are told."),
  Command.withSubcommands([preview])
)
