/** The command line `onsale`, whole, and how it ends: what goes to stderr, and the exit code. */
import { NodeHttpClient } from "@effect/platform-node"
import { Cause, Console, Effect, Layer, Logger, References } from "effect"
import { CliError, CliOutput, Command } from "effect/cli"
import { audit } from "./AuditCommand.ts"
import { block } from "./BlockCommand.ts"
import { bus } from "./BusCommand.ts"
import { buy } from "./BuyCommand.ts"
import { checkIns } from "./CheckInsCommand.ts"
import { event } from "./EventCommand.ts"
import { type CommandFailure, exitCodes, Failed, fromCause, lines } from "./Failure.ts"
import { hold } from "./HoldCommand.ts"
import { notifications } from "./NotificationsCommand.ts"
import { payments } from "./PaymentsCommand.ts"
import { projections } from "./ProjectionsCommand.ts"
import { order } from "./RefundCommand.ts"
import { migrate, start } from "./ServiceCommands.ts"
import { asJson, asText } from "./Output.ts"
import { Json, Key, Url } from "./Settings.ts"
import { token } from "./TokenCommand.ts"
import { venue } from "./VenueCommand.ts"
import { voucher } from "./VoucherCommand.ts"
import { webhooks } from "./WebhooksCommand.ts"

const version = "0.1.0"

const onsale = Command.make("onsale").pipe(
  Command.withDescription(
    "Sells tickets when everyone wants the same seats at once. Exit codes: 0 done, 1 refused (or a breach that the audit found), 2 called wrongly, 3 the service cannot be reached."
  ),
  Command.withSubcommands([
    {
      group: "The service",
      commands: [start, migrate, audit, payments, notifications, projections, bus, token]
    },
    { group: "For organisers", commands: [venue, event, block, voucher, order, checkIns, webhooks] },
    { group: "For customers", commands: [hold, buy] }
  ]),
  Command.withGlobalFlags([Json, Url, Key]),
  Command.withExamples([
    { command: "onsale start", description: "Start Onsale on this machine" },
    { command: "onsale event list", description: "What is on" },
    {
      command: 'onsale buy EVENT_ID --best 2 --name "Ada Lovelace" --email ada@example.com',
      description: "Buy two seats"
    },
    { command: "onsale audit", description: "Check that all promises were kept" }
  ])
)

/** Who calls a command wrongly is told what is wrong, not the whole help. */
const presenter: CliOutput.Presenter = {
  present: (event) =>
    event._tag === "InvalidInvocation"
      ? Effect.gen(function* () {
          const formatter = yield* CliOutput.Formatter
          yield* Console.error(formatter.formatErrors(event.errors).trim())
          yield* Console.error(
            `\nUsage: ${event.helpDoc.usage}\nMore:  ${event.commandPath.join(" ")} --help`
          )
        })
      : CliOutput.defaultPresenter.present(event)
}

const tell = (failure: CommandFailure, json: boolean) =>
  Console.error(
    json
      ? asJson(failure.problem ?? { title: failure.title, detail: failure.detail, errors: failure.entries })
      : asText(lines(failure).join("\n"))
  )

/** Tells of what went wrong, once, and leaves only the exit code. */
const reported = <A, R>(command: Effect.Effect<A, unknown, R>, args: ReadonlyArray<string>) =>
  Effect.catchCause(command, (cause): Effect.Effect<A, Failed> => {
    if (Cause.hasInterruptsOnly(cause))
      return Effect.failCause(Cause.fromReasons(cause.reasons.filter(Cause.isInterruptReason)))
    const error = Cause.squash(cause)
    // Told already, by the presenter or by the command itself.
    if (CliError.isCliError(error) && error._tag === "ShowHelp") {
      return error.errors.length === 0
        ? Effect.fail(new Failed({ code: 0 }))
        : Effect.fail(new Failed({ code: exitCodes.usage }))
    }
    if (error instanceof Failed) return Effect.fail(error)
    const failure = fromCause(cause)
    return Effect.logDebug(cause).pipe(
      Effect.andThen(tell(failure, args.includes("--json"))),
      Effect.andThen(Effect.fail(new Failed({ code: exitCodes[failure.kind] })))
    )
  })

/** Only a service tells what it does all along; a command's own log is for what is wrong. */
const logging = (args: ReadonlyArray<string>) =>
  args.find((arg) => !arg.startsWith("-")) === "start"
    ? Layer.empty
    : Layer.mergeAll(
        Layer.succeed(Logger.LogToStderr, true),
        Layer.succeed(References.MinimumLogLevel, "Error")
      )

/** Runs the command that the arguments (without the program's own name) name. */
export const run = (args: ReadonlyArray<string>) =>
  reported(Command.runWith(onsale, { version })(args), args).pipe(
    Effect.provide([NodeHttpClient.layerUndici, CliOutput.layerPresenter(presenter), logging(args)])
  )
