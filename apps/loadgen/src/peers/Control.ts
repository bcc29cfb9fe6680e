/** The channel between the benchmark and a server that it forked: one command at a time, one answer each. */
import { EventId } from "@onsale/contracts/Ids"
import { Schema } from "effect"

/** Puts an event on sale; the server forgets what was before. */
export const Open = Schema.TaggedStruct("Open", {
  eventId: EventId,
  event: Schema.Int,
  seats: Schema.Int,
  capacity: Schema.Int
})
export type Open = typeof Open.Type

/** Ends the connections to Postgres, so that its statistics are complete. */
export const Rest = Schema.TaggedStruct("Rest", {})

export const Ready = Schema.TaggedStruct("Ready", { port: Schema.Int })
export const Done = Schema.TaggedStruct("Done", {})

const decode = Schema.decodeUnknownSync(Schema.Union([Open, Rest]))

/** Serves the channel of this process, and ends it with its parent. */
export const serve = (
  port: number,
  commands: {
    readonly open: (event: Open) => Promise<void>
    readonly rest: () => Promise<void>
  }
): void => {
  const answer = (message: unknown) => process.send?.(message)
  process.on("disconnect", () => process.exit(0))
  process.on("message", (message) => {
    const command = decode(message)
    const done = command._tag === "Open" ? commands.open(command) : commands.rest()
    // A rejection that nobody handles ends the process, and the benchmark with it.
    void done.then(() => answer(Done.make({})))
  })
  answer(Ready.make({ port }))
}
