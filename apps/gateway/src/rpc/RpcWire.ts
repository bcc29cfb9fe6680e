/**
 * The bytes of RPC: a JSON message a line, over HTTP as over WebSocket. What comes in has the form of a message
 * before the library sees it; what goes out tells nothing of our defects.
 */
import { Data, Fiber, Context } from "effect"
import { RpcSerialization } from "effect/rpc"
import * as Connection from "./Connection.ts"

/** Of one message that comes in; the server refuses larger bodies and frames before they get here. */
const maxMessageBytes = 64 * 1024

/** What a client is told that sends what is not a message. Its connection ends. */
class MessageMalformed extends Data.TaggedError("MessageMalformed")<{ readonly message: string }> {}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const isId = (value: unknown): boolean =>
  typeof value === "number" || (typeof value === "string" && value.length <= 100)

const isHeader = (value: unknown): boolean =>
  Array.isArray(value) && value.length === 2 && value.every((part) => typeof part === "string")

const optional = (value: unknown, type: string): boolean => value === undefined || typeof value === type

/** The form that the library takes for granted. */
const isMessage = (value: unknown): boolean => {
  if (!isRecord(value)) return false
  switch (value["_tag"]) {
    case "Request":
      return (
        isId(value["id"]) &&
        typeof value["tag"] === "string" &&
        Array.isArray(value["headers"]) &&
        value["headers"].every(isHeader) &&
        optional(value["traceId"], "string") &&
        optional(value["spanId"], "string") &&
        optional(value["sampled"], "boolean") &&
        optional(value["isNotification"], "boolean") &&
        optional(value["discard"], "boolean")
      )
    case "Ack":
    case "Interrupt":
      return isId(value["requestId"])
    case "Ping":
    case "Eof":
      return true
    default:
      return false
  }
}

const broken = "Something broke on our side"

/** What we say ourselves is a string; the one string of the library's that tells of an answer of ours is hidden. */
const harmless = (defect: unknown): unknown => {
  if (typeof defect === "string") return defect.startsWith("Failed to encode") ? broken : defect
  return isRecord(defect) && (defect["name"] === "MessageMalformed" || defect["name"] === "NdjsonDecodeError")
    ? "The message could not be read"
    : broken
}

/** An outgoing message without what a defect of ours says. */
const scrubbed = (message: unknown): unknown => {
  if (Array.isArray(message)) return message.map(scrubbed)
  if (!isRecord(message)) return message
  if (message["_tag"] === "Defect") return { ...message, defect: harmless(message["defect"]) }
  const { exit } = message
  if (message["_tag"] !== "Exit" || !isRecord(exit) || !Array.isArray(exit["cause"])) return message
  return {
    ...message,
    exit: {
      ...exit,
      cause: exit["cause"].map((reason: unknown) =>
        isRecord(reason) && reason["_tag"] === "Die"
          ? { ...reason, defect: harmless(reason["defect"]) }
          : reason
      )
    }
  }
}

const lines = RpcSerialization.makeNdjson({ maxBufferSize: maxMessageBytes })

export const serialization = RpcSerialization.RpcSerialization.of({
  ...lines,
  makeUnsafe: () => {
    const parser = lines.makeUnsafe()
    // The library makes a parser a connection, on the fiber that reads it.
    const fiber = Fiber.getCurrent()
    const connection = fiber === undefined ? undefined : Context.get(fiber.context, Connection.Current)
    return {
      encode: (message) => parser.encode(scrubbed(message)),
      decode: (bytes) => {
        const messages = parser.decode(bytes)
        if (connection !== undefined) connection.received++
        if (!messages.every(isMessage)) throw new MessageMalformed({ message: "not a message" })
        return messages
      }
    }
  }
})
